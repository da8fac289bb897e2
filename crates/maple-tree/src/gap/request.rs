//! What a gap search looks for, and the arithmetic of fitting it into one free run.

use core::fmt;
use core::ops::RangeBounds;

use super::natural::NaturalSize;
use crate::range::IndexRange;

/// From which end of the window a gap search starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Find the highest fitting range (what DMA allocators do).
    TopDown,
    /// Find the lowest fitting range.
    BottomUp,
}

/// A request for a free range: where, how long, how aligned, not across which boundary, from which end.
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
#[must_use = "a request finds nothing until it is passed to a search"]
pub struct GapRequest {
    window: IndexRange,
    size: u64,
    align: u64,
    /// The boundary minus 1: the bits in which the indices of one block differ. All bits if there is none.
    block: u64,
    direction: Direction,
    /// None as long as the filter is that of lengths: most requests are never asked for it.
    need: NaturalSize,
    filter: Filter,
}

/// What the summary of a set of runs must say for the request to fit into one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Filter {
    /// One is long enough: then it fits.
    Length,
    /// One has the natural size that is needed: then it fits.
    Natural,
    /// Both. Then it may fit; if not, it does not.
    Both,
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
    /// The boundary is not a power of two.
    Boundary {
        /// What was asked for.
        boundary: u64,
    },
    /// The size is larger than the boundary: any such range crosses it.
    SizeAboveBoundary {
        /// How many indices were asked for.
        size: u64,
        /// What these cannot but cross.
        boundary: u64,
    },
}

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Window => f.write_str("the window is empty"),
            Self::Size => f.write_str("the size is 0"),
            Self::Alignment { align } => write!(f, "the alignment {align} is not a power of two"),
            Self::Boundary { boundary } => write!(f, "the boundary {boundary} is not a power of two"),
            Self::SizeAboveBoundary { size, boundary } => {
                write!(f, "the size {size} is larger than the boundary {boundary}")
            }
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
    #[inline]
    pub fn new(
        window: impl RangeBounds<u64>,
        size: u64,
        align: u64,
        direction: Direction,
    ) -> Result<Self, InvalidRequest> {
        let window = IndexRange::from_bounds(window).ok_or(InvalidRequest::Window)?;
        if size == 0 {
            return Err(InvalidRequest::Size);
        }
        if !align.is_power_of_two() {
            return Err(InvalidRequest::Alignment { align });
        }
        let any = Self::any(window, size, direction);
        if align == 1 {
            return Ok(any);
        }
        // What is aligned to its size or more has that natural size. A longer range begins with an aligned block.
        let least = if size <= align { size } else { align.max(block_within(size)) };
        let need = NaturalSize::at_most(least);
        // No smaller size than the alignment is needed at least, and no larger one than half the size beside it: so the
        // size is what is needed only if it is the alignment at most, and kept exactly.
        let is_natural = align / 2 < size && need.size() == size;
        Ok(Self { align, need, filter: if is_natural { Filter::Natural } else { Filter::Both }, ..any })
    }

    /// A free range of `size` indices (1 or more), not aligned.
    #[inline]
    pub(crate) fn any(window: IndexRange, size: u64, direction: Direction) -> Self {
        debug_assert!(size > 0);
        Self {
            window,
            size,
            align: 1,
            block: u64::MAX,
            direction,
            need: NaturalSize::NONE,
            filter: Filter::Length,
        }
    }

    /// The same request for a range that does not cross a multiple of `boundary` (a power of two): all of its
    /// indices lie in one block of `boundary` indices that is aligned to `boundary`. Of several boundaries the
    /// smallest counts.
    ///
    /// This is for devices that count in the low bits of an address only, and wrap around at 64 KiB, say.
    ///
    /// ```
    /// use maple_tree::{Direction, GapRequest, IndexRange, InvalidRequest, MapleTree};
    ///
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(27.., ())?;
    /// let request = GapRequest::new(.., 12, 1, Direction::TopDown)?;
    /// assert_eq!(tree.find_gap(&request), IndexRange::new(15, 26));
    /// // Indices 15 and 16 lie on two sides of a boundary.
    /// assert_eq!(tree.find_gap(&request.not_crossing(16)?), IndexRange::new(4, 15));
    ///
    /// let too_large = InvalidRequest::SizeAboveBoundary { size: 12, boundary: 8 };
    /// assert_eq!(request.not_crossing(8), Err(too_large));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] if the boundary is not a power of two, or smaller than the size: no range of that
    /// size is within it anywhere, so this is an error of the request, and not a search that finds nothing.
    pub fn not_crossing(self, boundary: u64) -> Result<Self, InvalidRequest> {
        if !boundary.is_power_of_two() {
            return Err(InvalidRequest::Boundary { boundary });
        }
        if self.size > boundary {
            return Err(InvalidRequest::SizeAboveBoundary { size: self.size, boundary });
        }
        // An answer as large as its block is the block. A smaller one may lie across the middle of its block,
        // and needs no larger natural size than without a boundary. One of natural alignment crosses no line anyway.
        let is_block = self.size == boundary && self.align <= boundary;
        let is_natural = is_block || self.filter == Filter::Natural || self.size == 1 && self.align == 1;
        let block = if is_block { boundary } else { block_within(self.size) };
        let need = self.need.max(NaturalSize::at_most(block));
        let filter = if is_natural { Filter::Natural } else { Filter::Both };
        Ok(Self { block: self.block.min(boundary - 1), need, filter, ..self })
    }

    /// The same in another window.
    pub(crate) fn within(&self, window: IndexRange) -> Self {
        Self { window, ..*self }
    }

    /// The range of indices in which the answer must lie.
    ///
    /// ```
    /// use maple_tree::{Direction, GapRequest, IndexRange};
    ///
    /// let request = GapRequest::new(..0x1000, 12, 4, Direction::TopDown)?.not_crossing(16)?;
    /// assert_eq!(Some(request.window()), IndexRange::new(0, 0xfff));
    /// assert_eq!((request.size(), request.align(), request.boundary()), (12, 4, Some(16)));
    /// assert_eq!(request.direction(), Direction::TopDown);
    /// # Ok::<(), maple_tree::InvalidRequest>(())
    /// ```
    #[must_use]
    pub fn window(&self) -> IndexRange {
        self.window
    }

    /// How many indices are asked for.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The power of two of which the first index must be a multiple.
    #[must_use]
    pub fn align(&self) -> u64 {
        self.align
    }

    /// The power of two of which no multiple may be crossed, if there is one.
    #[must_use]
    pub fn boundary(&self) -> Option<u64> {
        self.block.checked_add(1)
    }

    /// From which end the search goes.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The natural size that a run must have to hold the answer, unless the filter is that of lengths.
    #[inline]
    pub(crate) fn need(&self) -> NaturalSize {
        self.need
    }

    /// What decides whether a run may hold the answer, or does if the window does not cut it.
    #[inline]
    pub(crate) fn filter(&self) -> Filter {
        self.filter
    }

    /// The highest or lowest fitting range in a free run, clipped to the window.
    #[inline]
    pub(crate) fn fit(&self, run: IndexRange) -> Option<IndexRange> {
        self.place(run.intersection(self.window)?)
    }

    /// The highest or lowest fitting range in a free run that lies in the window.
    #[inline]
    pub(crate) fn place(&self, run: IndexRange) -> Option<IndexRange> {
        let extra = self.size - 1;
        if run.last() - run.first() < extra {
            return None;
        }
        if self.filter != Filter::Length {
            return self.place_aligned(run);
        }
        Some(match self.direction {
            Direction::TopDown => run.starting_at(run.last() - extra),
            Direction::BottomUp => run.ending_at(run.first() + extra),
        })
    }

    /// The same where it takes more than length.
    ///
    /// The nearest aligned place is taken as if there were no boundary, and moved once at most if there is one:
    ///
    /// - The size is at most the boundary, so a place crosses one line (multiple of the boundary) or none. It
    ///   crosses none if the alignment is a multiple of the boundary. So where there is a line to cross, the
    ///   alignment divides the boundary, and the line itself is aligned.
    /// - All places farther away cross that line as well until they lie wholly beyond it. The nearest of those
    ///   begins at the line, from the bottom; from the top it is the highest aligned one that ends before it.
    /// - That place lies in the block beyond the line, which is aligned and as long as the size or longer. So
    ///   it crosses no other line. Nothing overflows, since the index space consists of whole blocks.
    fn place_aligned(&self, run: IndexRange) -> Option<IndexRange> {
        let extra = self.size - 1;
        let mask = self.align - 1;
        let mut first = match self.direction {
            Direction::TopDown => run.last().checked_sub(extra)? & !mask,
            Direction::BottomUp => run.first().checked_add(mask)? & !mask,
        };
        let mut last = first.checked_add(extra)?;
        if first ^ last > self.block {
            let line = last & !self.block;
            first = match self.direction {
                Direction::TopDown => (line - self.size) & !mask,
                Direction::BottomUp => line,
            };
            last = first + extra;
        }
        (run.first() <= first && last <= run.last()).then(|| IndexRange::new(first, last)).flatten()
    }
}

/// The largest aligned block that there is in any run of `size` indices: of 2^k indices in 2^(k+1) - 1.
#[inline]
fn block_within(size: u64) -> u64 {
    1 << (size - size / 2).ilog2()
}

#[cfg(test)]
mod tests;
