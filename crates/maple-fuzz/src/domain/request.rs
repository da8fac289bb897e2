//! Requests and places, before it is known how large the domain is.

use std::ops::Range;

use arbitrary::Arbitrary;
use iova::{AllocMode, Request};

use super::model::GRANULE;
use crate::choice::choice;

choice! {
    /// What is asked for.
    pub(super) enum Ask {
        /// So many granules, aligned to their size.
        Few(u8),
        /// Two to the power of so many.
        Order(u8),
        /// So many granules at or below a granule.
        Below { granules: u8, limit: u16 },
        /// All that can be asked.
        Full { granules: u16, limit: u16, preferred: u16, align: u8, boundary: u8, atomic: bool },
    }
}

/// Some granules of the domain, and whether a few bytes are off.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub(super) struct Place {
    first: u16,
    count: u8,
    beside: u8,
}

impl Ask {
    pub(super) fn request(self) -> Request {
        let end = |granule: u16| (u64::from(granule) + 1) * GRANULE - 1;
        match self {
            Self::Few(granules) => Request::new(1 + u64::from(granules % 16)),
            Self::Order(order) => Request::new(1 << (order % 8)),
            Self::Below { granules, limit } => Request::new(1 + u64::from(granules % 64)).limit(end(limit)),
            Self::Full { granules, limit, preferred, align, boundary, atomic } => {
                let request = Request::new((granules % 5000).into());
                let request = if limit % 4 > 0 {
                    request.limit(end(limit / 4) - u64::from(limit % 4 / 3))
                } else {
                    request
                };
                let request =
                    if preferred % 2 > 0 { request.prefer_limit(end(preferred / 2)) } else { request };
                let request = match align {
                    0..64 => request,
                    64..=250 => request.align(1 << (align % 10)),
                    251.. => request.align((align - 248).into()),
                };
                let request =
                    if boundary < 64 { request } else { request.not_crossing(1 << (boundary % 10)) };
                request.mode(if atomic { AllocMode::Atomic } else { AllocMode::Normal })
            }
        }
    }
}

impl Place {
    /// The granules that are meant, in a domain of so many; and their iovas, which may be a few more or less.
    pub(super) fn iovas(self, granules: usize) -> Range<u64> {
        let first = u64::from(self.first) % (granules as u64 + 2);
        let end = first + u64::from(self.count % 72);
        let (start, end) = (first * GRANULE, end * GRANULE);
        match self.beside {
            0..=200 => start..end,
            201..=220 => start + 1..end,
            221..=240 => start..end + 1,
            _ => start.saturating_sub(1)..end.saturating_sub(1),
        }
    }
}
