//! What a gap search looks for, and the arithmetic of fitting it into one free run.

use core::fmt;
use core::ops::RangeBounds;

use crate::range::IndexRange;

/// From which end of the window a gap search starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Find the highest fitting range (what DMA allocators do).
    TopDown,
    /// Find the lowest fitting range.
    BottomUp,
}

/// A request for a free range: where, how long, how aligned, from which end.
///
/// ```
/// use maple_tree::{Direction, GapRequest, InvalidRequest};
///
/// let request = GapRequest::new(0..1 << 20, 32, 32, Direction::TopDown)?;
/// assert_eq!((request.size(), request.align()), (32, 32));
/// assert_eq!(GapRequest::new(.., 32, 24, Direction::TopDown), Err(InvalidRequest::Alignment { align: 24 }));
/// # Ok::<(), InvalidRequest>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GapRequest {
    window: IndexRange,
    size: u64,
    align: u64,
    direction: Direction,
    need: u8,
}

/// Why a gap request makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InvalidRequest {
    /// The window holds no index.
    Window,
    /// A range of size 0 was asked for.
    Size,
    /// The alignment is not a power of two.
    Alignment {
        /// What was asked for.
        align: u64,
    },
}

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Window => f.write_str("the window is empty"),
            Self::Size => f.write_str("the size is 0"),
            Self::Alignment { align } => write!(f, "the alignment {align} is not a power of two"),
        }
    }
}

impl core::error::Error for InvalidRequest {}

impl GapRequest {
    /// A free range of `size` indices (1 or more) within `window`, its first index a multiple of `align` (a
    /// power of two; 1 for any).
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] if the window is empty, the size 0, or the alignment not a power of two. A request
    /// that is merely larger than its window is valid; the search will find nothing.
    pub fn new(
        window: impl RangeBounds<u64>,
        size: u64,
        align: u64,
        direction: Direction,
    ) -> Result<Self, InvalidRequest> {
        let window = IndexRange::from_bounds(window).ok_or(InvalidRequest::Window)?;
        let size_order = size.checked_ilog2().ok_or(InvalidRequest::Size)?;
        if !align.is_power_of_two() {
            return Err(InvalidRequest::Alignment { align });
        }
        // The answer begins with 2^m indices aligned to 2^m, where m is the smaller of the two orders. That is
        // necessary; where size and alignment are the same power of two it is sufficient.
        let aligned = align.ilog2().min(size_order);
        let any = Self::any(window, size, direction);
        Ok(Self { align, need: any.need.max(aligned as u8 + 1), ..any })
    }

    /// A free range of `size` indices (1 or more), not aligned.
    pub(crate) fn any(window: IndexRange, size: u64, direction: Direction) -> Self {
        debug_assert!(size > 0);
        // Any run of 2^(k+1) - 1 indices holds an aligned block of 2^k.
        let need = ((u128::from(size) + 1).ilog2() - 1) as u8 + 1;
        Self { window, size, align: 1, direction, need }
    }

    /// The same in another window.
    pub(crate) fn within(&self, window: IndexRange) -> Self {
        Self { window, ..*self }
    }

    /// The range of indices in which the answer must lie.
    pub fn window(&self) -> IndexRange {
        self.window
    }

    /// How many indices are asked for.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The power of two of which the first index must be a multiple.
    pub fn align(&self) -> u64 {
        self.align
    }

    /// From which end the search goes.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The order (as `order_of` has it) that a run must have to hold the answer. Necessary for every request;
    /// sufficient if the size is a power of two equal to the alignment and the window does not cut the run.
    #[inline]
    pub(crate) fn need(&self) -> u8 {
        self.need
    }

    /// The highest or lowest fitting range in a free run, clipped to the window.
    #[inline]
    pub(crate) fn fit(&self, run: IndexRange) -> Option<IndexRange> {
        let run = run.intersection(self.window)?;
        let extra = self.size - 1;
        let mask = self.align - 1;
        let first = match self.direction {
            Direction::TopDown => run.last().checked_sub(extra)? & !mask,
            Direction::BottomUp => run.first().checked_add(mask)? & !mask,
        };
        let last = first.checked_add(extra)?;
        (run.first() <= first && last <= run.last()).then(|| IndexRange::new(first, last)).flatten()
    }
}

#[cfg(test)]
mod tests;
