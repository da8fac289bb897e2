//! What an allocation asks for.

use maple_tree::AllocMode;

use crate::range::IovaRange;

/// Of what a range's first iova must be a multiple.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Alignment {
    /// Of the range's size, rounded up to a power of two.
    #[default]
    Natural,
    /// Of so many granules, a power of two; 1 for any place.
    Granules(u64),
}

/// A request for address space: how much, below which limit, how aligned, not across which boundary, whether memory
/// may be waited for.
///
/// Made without checks; the allocation checks it against its space.
///
/// ```
/// use iova::{AllocMode, Granule, Request, Space};
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
    preferred: Option<u64>,
    alignment: Alignment,
    boundary: Option<u64>,
    mode: AllocMode,
}

impl Request {
    /// A request for so many granules: naturally aligned, anywhere in the space, and memory may be waited for.
    ///
    /// [`Granule::count_of`](crate::Granule::count_of) gives the granules for a number of bytes.
    #[must_use]
    pub const fn new(granules: u64) -> Self {
        Self {
            granules,
            limit: u64::MAX,
            preferred: None,
            alignment: Alignment::Natural,
            boundary: None,
            mode: AllocMode::Normal,
        }
    }

    /// The highest iova (a byte address, inclusive) that the range may have, such as a DMA mask.
    ///
    /// For a limit in pfns use [`Granule::last_of`](crate::Granule::last_of).
    #[must_use]
    pub const fn limit(self, iova: u64) -> Self {
        Self { limit: iova, ..self }
    }

    /// A limit that is tried first: what lies above it (up to the limit) is taken only if there is nothing below.
    ///
    /// That is for devices that can reach high addresses, but work better, or more surely, with low ones, as many do
    /// with 32 bits. It costs a second search where the first finds nothing, and nothing is remembered of that. One
    /// that is not below the [limit](Self::limit) has no effect.
    ///
    /// ```
    /// use iova::{Granule, Request, Space};
    ///
    /// let mut space = Space::new(Granule::FOUR_KIB, 0xffff_e000..1 << 40)?;
    /// let request = Request::new(1).prefer_limit(0xffff_ffff);
    /// let firsts = [0; 3].map(|_| space.allocate(&request).map_or(0, |range| range.first()));
    /// assert_eq!(firsts, [0xffff_f000, 0xffff_e000, 0xff_ffff_f000]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn prefer_limit(self, iova: u64) -> Self {
        Self { preferred: Some(iova), ..self }
    }

    /// No multiple of so many granules (a power of two) is to lie within the range: it begins and ends between the same
    /// two of them. This is for devices that count in the low bits of an address only.
    ///
    /// ```
    /// use iova::{Granule, Request, Space};
    ///
    /// let granule = Granule::FOUR_KIB;
    /// let mut space = Space::new(granule, 0..0x2_1000)?;
    /// let request = Request::new(3).align(1);
    /// assert_eq!(space.allocate(&request)?.to_string(), "0x1e000..=0x20fff");
    /// space.free(0x1_e000)?;
    /// let within_64_kib = request.not_crossing(granule.count_of(0x1_0000));
    /// assert_eq!(space.allocate(&within_64_kib)?.to_string(), "0x1d000..=0x1ffff");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn not_crossing(self, granules: u64) -> Self {
        Self { boundary: Some(granules), ..self }
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

    /// The limit that is tried first, if there is one.
    pub const fn preferred_limit(&self) -> Option<u64> {
        self.preferred
    }

    /// The lower one of the two limits: what lies below both is what is wanted most.
    #[inline]
    pub(crate) fn first_limit(&self) -> u64 {
        self.preferred.map_or(self.limit, |preferred| preferred.min(self.limit))
    }

    /// The same with nothing but the preferred limit, if there is one below the limit.
    pub(crate) fn preferred_only(&self) -> Option<Self> {
        let limit = self.preferred.filter(|preferred| *preferred < self.limit)?;
        Some(Self { limit, preferred: None, ..*self })
    }

    /// Whether a range that was found for it is not what it prefers.
    pub(crate) fn is_fallback(&self, found: IovaRange) -> bool {
        self.preferred.is_some_and(|limit| found.last() > limit)
    }

    /// Of how many granules no multiple is to be crossed, if of any.
    pub const fn boundary_granules(&self) -> Option<u64> {
        self.boundary
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
