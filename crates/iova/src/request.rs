//! What an allocation asks for.

use maple_tree::AllocMode;

/// Of what a range's first iova must be a multiple.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Alignment {
    /// Of the range's size, rounded up to a power of two.
    #[default]
    Natural,
    /// Of so many granules, a power of two; 1 for any place.
    Granules(u64),
}

/// A request for address space: how much, below which limit, how aligned, whether memory may be waited for.
///
/// Made without checks; the allocation checks it against its space.
///
/// ```
/// use iova::{AllocMode, Space, Granule, Request};
///
/// let mut space = Space::new(Granule::FOUR_KIB, 0..1 << 40)?;
/// // 5 granules at a multiple of 8, at or below 32 bits, from an interrupt handler.
/// let request = Request::new(5).limit(0xffff_ffff).mode(AllocMode::Atomic);
/// assert_eq!(space.allocate(&request)?.first(), 0xffff_8000);
/// // The same anywhere: then the highest place is one granule further up than a multiple of 8.
/// assert_eq!(space.allocate(&Request::new(5).align(1))?.first(), 0xff_ffff_b000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    granules: u64,
    limit: u64,
    alignment: Alignment,
    mode: AllocMode,
}

impl Request {
    /// A request for so many granules: naturally aligned, anywhere in the space, and memory may be waited for.
    ///
    /// [`Granule::count_of`](crate::Granule::count_of) gives the granules for a number of bytes.
    #[must_use]
    pub const fn new(granules: u64) -> Self {
        Self { granules, limit: u64::MAX, alignment: Alignment::Natural, mode: AllocMode::Normal }
    }

    /// The highest iova (a byte address, inclusive) that the range may have, such as a DMA mask.
    ///
    /// For a limit in pfns use [`Granule::last_of`](crate::Granule::last_of).
    #[must_use]
    pub const fn limit(self, iova: u64) -> Self {
        Self { limit: iova, ..self }
    }

    /// The first iova is to be a multiple of so many granules (a power of two) instead of the natural alignment;
    /// 1 for any place.
    #[must_use]
    pub const fn align(self, granules: u64) -> Self {
        Self { alignment: Alignment::Granules(granules), ..self }
    }

    /// Whether node memory may be waited for.
    #[must_use]
    pub const fn mode(self, mode: AllocMode) -> Self {
        Self { mode, ..self }
    }

    /// How many granules are asked for.
    pub const fn granules(&self) -> u64 {
        self.granules
    }

    /// The highest iova that the range may have, inclusive.
    pub const fn limit_iova(&self) -> u64 {
        self.limit
    }

    /// Of what the first iova is to be a multiple.
    pub const fn alignment(&self) -> Alignment {
        self.alignment
    }

    /// Whether node memory may be waited for.
    pub const fn alloc_mode(&self) -> AllocMode {
        self.mode
    }
}
