//! Spaces of several windows: what lies between them is in the tree, as entries of a kind of its own.

use core::fmt;
use core::iter::FusedIterator;
use core::ops::RangeBounds;

use maple_tree::{AllocMode, Gaps, Global, IndexRange, Iter, NodeAlloc};

use super::Space;
use super::kind::{Code, EXCLUDED};
use crate::error::{InvalidAperture, OutOfNodeMemory, WindowsError};
use crate::granule::Granule;
use crate::range::{IovaRange, aperture_pfns};

impl Space {
    /// An empty space of several windows, as an IOMMU reports them, with nodes from the global allocator.
    ///
    /// Each window is a range of iovas in any of Rust's notations. They may come in any order, overlap and adjoin: what
    /// may be handed out is what lies in any of them. The [aperture](Self::aperture) reaches from the lowest iova of
    /// them all to the highest. What lies between is
    /// [`RangeKind::Excluded`](crate::RangeKind::Excluded).
    ///
    /// # Complexity
    ///
    /// O(w log w) node visits for w windows. Allocates nodes for what lies between them.
    ///
    /// # Errors
    ///
    /// - [`InvalidAperture`]: there is no window, one is empty, or one does not consist of whole granules.
    /// - [`OutOfNodeMemory`]: what lies between could not be recorded.
    ///
    /// ```
    /// use iova::{Granule, RangeKind, Request, Space};
    ///
    /// // The message interrupts of x86 are not the IOMMU's.
    /// let windows = [0..=0xfedf_ffff, 0xfef0_0000..=0xff_ffff_ffff];
    /// let mut space = Space::with_windows(Granule::FOUR_KIB, windows)?;
    /// assert_eq!(space.windows().count(), 2);
    /// let (between, kind) = space.find(0xfee0_1234).ok_or("nothing")?;
    /// assert_eq!((between.to_string().as_str(), kind), ("0xfee00000..=0xfeefffff", RangeKind::Excluded));
    /// assert_eq!(space.allocate(&Request::new(1).limit(0xfeef_ffff))?.last(), 0xfedf_ffff);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_windows<R: RangeBounds<u64>>(
        granule: Granule,
        windows: impl IntoIterator<Item = R, IntoIter: Clone>,
    ) -> Result<Self, WindowsError> {
        Self::with_windows_in(granule, windows, AllocMode::Normal, Global)
    }
}

impl<A: NodeAlloc> Space<A> {
    /// Like [`with_windows`](Space::with_windows), with nodes from `alloc`, and the choice whether to wait for them.
    ///
    /// # Errors
    ///
    /// As for [`with_windows`](Space::with_windows).
    pub fn with_windows_in<R: RangeBounds<u64>>(
        granule: Granule,
        windows: impl IntoIterator<Item = R, IntoIter: Clone>,
        mode: AllocMode,
        alloc: A,
    ) -> Result<Self, WindowsError> {
        let windows = windows.into_iter().map(|window| aperture_pfns(window, granule));
        let mut hull: Option<IndexRange> = None;
        for window in windows.clone() {
            let window = window?;
            let (first, last) = hull.map_or((window.first(), window.last()), |hull| {
                (hull.first().min(window.first()), hull.last().max(window.last()))
            });
            hull = IndexRange::new(first, last);
        }
        let mut space = Self::of_pfns(granule, hull.ok_or(InvalidAperture::Empty)?, alloc);
        space.exclude(space.bounds(), mode)?;
        for window in windows {
            space.include(window?, mode)?;
        }
        space.usage.excluded_granules = space.excluded().map(IndexRange::count).sum();
        Ok(space)
    }

    fn exclude(&mut self, pfns: IndexRange, mode: AllocMode) -> Result<(), OutOfNodeMemory> {
        let range = self.range(pfns);
        self.ranges.tree_mut().insert_with(pfns, EXCLUDED, mode).map_err(|_| OutOfNodeMemory { range })
    }

    fn include(&mut self, pfns: IndexRange, mode: AllocMode) -> Result<(), OutOfNodeMemory> {
        let range = self.range(pfns);
        self.ranges.tree_mut().clear_range_with(pfns, mode, |_, _| ()).map_err(|_| OutOfNodeMemory { range })
    }

    /// What lies between the windows.
    fn excluded(&self) -> impl Iterator<Item = IndexRange> {
        self.ranges.tree().iter().filter(|(_, code)| *code == EXCLUDED).map(|(pfns, _)| pfns)
    }

    /// The windows in order of address, overlapping and adjacent ones joined. O(n) in all. Allocates nothing.
    ///
    /// ```
    /// use iova::{Granule, Space};
    ///
    /// let space = Space::with_windows(Granule::FOUR_KIB, [0x8000..0xa000, 0..0x3000, 0x2000..0x4000])?;
    /// let windows: Vec<_> = space.windows().map(|window| window.to_string()).collect();
    /// assert_eq!(windows, ["0x0..=0x3fff", "0x8000..=0x9fff"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn windows(&self) -> Windows<'_, A> {
        Windows { entries: self.ranges.tree().iter(), granule: self.granule, rest: Some(self.bounds()) }
    }
}

/// The windows of a space in order; made by [`Space::windows`].
pub struct Windows<'a, A: NodeAlloc> {
    entries: Iter<'a, Code, Gaps, A>,
    granule: Granule,
    /// From the next window to the end of the aperture.
    rest: Option<IndexRange>,
}

impl<A: NodeAlloc> Iterator for Windows<'_, A> {
    type Item = IovaRange;

    fn next(&mut self) -> Option<IovaRange> {
        let rest = self.rest.take()?;
        let window = match self.entries.find(|(_, code)| *code == EXCLUDED) {
            None => Some(rest),
            Some((between, _)) => {
                self.rest =
                    between.last().checked_add(1).and_then(|first| IndexRange::new(first, rest.last()));
                between.first().checked_sub(1).and_then(|last| IndexRange::new(rest.first(), last))
            }
        };
        window.map(|pfns| IovaRange::of_pfns(pfns, self.granule))
    }
}

impl<A: NodeAlloc> FusedIterator for Windows<'_, A> {}

impl<A: NodeAlloc> fmt::Debug for Windows<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Windows").finish_non_exhaustive()
    }
}
