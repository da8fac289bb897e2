//! Where the kernel's tree placed ranges, and where ours would have.
//!
//! Two allocators that run side by side drift apart at their first difference, and comparing addresses says
//! nothing from then on. So here ours is asked each question in the *kernel's* state: a space mirrors what the
//! kernel's tree is known to hold, a request that the kernel's tree served is put to it, the answers are
//! compared, and then the kernel's is recorded.
//!
//! What the kernel's tree holds is not just what is live. Ranges of up to 32 granules go to CPU caches when they
//! are freed and stay in the tree; their sizes are rounded up to powers of two. They come back to the tree some
//! time later, which a capture does not show; it follows from the tree handing out their addresses again. What
//! is used in a capture without having been allocated in it was held when the capture began.
//!
//! An address that a capture never shows in use may have been free, or held since before: receive rings are set
//! up once. So each question is put to two mirrors. In one such addresses are free; in the other, above the
//! lowest address ever used, they are held.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use iova::{AllocMode, Granule, Pfn, Request, Space};
use iova_trace::{OperationKind, Requests, TreeRequest};
use serde::Serialize;

/// The largest range that the kernel's CPU caches hold, in granules.
const CACHED_GRANULES_MAX: u64 = 32;
const GRANULE: Granule = Granule::FOUR_KIB;
/// The highest pfn that has byte addresses.
const LAST_PFN: u64 = u64::MAX >> GRANULE.shift();

/// How our placements compare with the kernel's, in numbers of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Placement {
    /// Requests that the kernel's CPU caches served: there is nothing to compare.
    pub(crate) served_by_cpu_caches: u64,
    /// Requests that the kernel's tree served; those below add up to it.
    pub(crate) served_by_tree: u64,
    /// Ours is the same.
    pub(crate) equal: u64,
    /// Ours is higher, at an address that the capture never shows in use, and else the same: something has held it
    /// since before the capture, or the kernel passed it over.
    pub(crate) equal_among_used: u64,
    /// Ours is higher, and the same as the kernel's if it may only look below where the kernel's search started:
    /// at the range it had placed last. Free ranges above it are passed over until something there is freed.
    pub(crate) kernel_began_lower: u64,
    /// Ours is higher; the kernel's search had no known start yet, since the capture began in its midst.
    pub(crate) kernel_start_unknown: u64,
    /// Ours is higher, and nothing in the capture says why the kernel did not use that address: something that the
    /// capture does not show holds it.
    pub(crate) held_unseen: u64,
    /// Ours is lower: the kernel's address was still taken for held by a CPU cache.
    pub(crate) returned_unseen: u64,
    /// The kernel's answer is above its own limit, not aligned as asked, or to a request that makes no sense: the
    /// capture is damaged or not from a kernel.
    pub(crate) contradictory: u64,
}

impl Placement {
    /// Adds up two captures.
    pub(crate) fn add(&mut self, other: &Self) {
        self.served_by_cpu_caches += other.served_by_cpu_caches;
        self.served_by_tree += other.served_by_tree;
        self.equal += other.equal;
        self.equal_among_used += other.equal_among_used;
        self.kernel_began_lower += other.kernel_began_lower;
        self.kernel_start_unknown += other.kernel_start_unknown;
        self.held_unseen += other.held_unseen;
        self.returned_unseen += other.returned_unseen;
        self.contradictory += other.contradictory;
    }
}

/// Compares the placements of a capture's requests, if it says what the kernel's tree was asked.
///
/// Ranges without byte addresses, which no kernel hands out, are left out.
pub(crate) fn compare(requests: &Requests) -> Result<Placement> {
    let mut placement = Placement::default();
    if requests.counts.tree_served == 0 {
        return Ok(placement);
    }
    let mut mirrors = Vec::new();
    for history in histories(requests) {
        mirrors.push(Mirror::new(history)?);
    }
    for operation in &requests.operations {
        let mirror = usize::try_from(operation.domain.0).ok().and_then(|index| mirrors.get_mut(index));
        let mirror = mirror.ok_or_else(|| anyhow!("line {}: no such domain", operation.line))?;
        match &operation.kind {
            OperationKind::Allocate { placed: Some(_), tree: None, .. } => {
                placement.served_by_cpu_caches += 1;
            }
            OperationKind::Allocate { placed: Some(placed), tree: Some(request), .. }
                if is_addressable(*placed, request.granules) =>
            {
                placement.served_by_tree += 1;
                *mirror.judge(request, *placed, &mut placement) += 1;
                mirror.place(*placed, request.granules)?;
            }
            OperationKind::Free { first, granules, .. }
            | OperationKind::UnmatchedFree { first, granules } => {
                mirror.free(*first, *granules)?;
            }
            _ => {}
        }
    }
    Ok(placement)
}

/// What a range that was asked for with so many granules takes in the kernel's tree.
fn size_in_tree(granules: u64) -> u64 {
    if granules <= CACHED_GRANULES_MAX { granules.next_power_of_two() } else { granules }
}

/// Whether all of a range has byte addresses.
fn is_addressable(first: u64, granules: u64) -> bool {
    let last = granules.checked_sub(1).and_then(|further| first.checked_add(further));
    last.is_some_and(|last| last <= LAST_PFN)
}

/// Disjoint ranges by their first pfn, with their sizes.
#[derive(Debug, Default)]
struct Held(BTreeMap<u64, u64>);

impl Held {
    /// The ranges that overlap one, the highest first.
    fn overlapping(&self, first: u64, granules: u64) -> impl Iterator<Item = (u64, u64)> {
        let ranges = self.0.range(..first.saturating_add(granules)).rev();
        ranges.map(|(&start, &size)| (start, size)).take_while(move |&(start, size)| start + size > first)
    }

    /// Takes these out.
    fn take_overlapping(&mut self, first: u64, granules: u64) -> Vec<(u64, u64)> {
        let taken: Vec<_> = self.overlapping(first, granules).collect();
        for (start, _) in &taken {
            self.0.remove(start);
        }
        taken
    }
}

/// What a capture as a whole says about the kernel's tree for one domain.
#[derive(Debug, Default)]
struct History {
    /// What it must have held when the capture began: what is used without having come from it in the capture.
    before: Held,
    /// All that is ever used; ranges that overlap are joined.
    used: Held,
}

impl History {
    fn use_range(&mut self, first: u64, granules: u64) {
        let (mut start, mut end) = (first, first + granules);
        for (other, size) in self.used.take_overlapping(first, granules) {
            start = start.min(other);
            end = end.max(other + size);
        }
        self.used.0.insert(start, end - start);
    }

    /// The ranges between those that are used, and what is above them.
    fn unused(&self) -> impl Iterator<Item = (u64, u64)> {
        let ends = self.used.0.iter().map(|(&first, &size)| first + size);
        let starts = self.used.0.keys().copied().skip(1).chain([LAST_PFN + 1]);
        ends.zip(starts).filter(|(end, start)| end < start).map(|(end, start)| (end, start - end))
    }
}

fn histories(requests: &Requests) -> Vec<History> {
    let mut histories: Vec<History> = requests.domains.iter().map(|_| History::default()).collect();
    let mut now: Vec<Held> = requests.domains.iter().map(|_| Held::default()).collect();
    for operation in &requests.operations {
        let index = usize::try_from(operation.domain.0).unwrap_or(usize::MAX);
        let (Some(history), Some(now)) = (histories.get_mut(index), now.get_mut(index)) else { continue };
        let (first, granules, from_tree) = match &operation.kind {
            OperationKind::Allocate { placed: Some(placed), tree: Some(request), .. } => {
                (*placed, request.granules, true)
            }
            OperationKind::Allocate { placed: Some(placed), granules, .. } => {
                (*placed, size_in_tree(*granules), false)
            }
            OperationKind::UnmatchedFree { first, granules } => (*first, size_in_tree(*granules), false),
            _ => continue,
        };
        if !is_addressable(first, granules) || now.0.get(&first) == Some(&granules) {
            continue;
        }
        let replaced = now.take_overlapping(first, granules);
        // What overlaps something from before has come from the tree since, in an event that was lost.
        let held_before =
            !from_tree && replaced.is_empty() && history.before.overlapping(first, granules).next().is_none();
        if held_before {
            history.before.0.insert(first, granules);
        }
        now.0.insert(first, granules);
        history.use_range(first, granules);
    }
    histories
}

/// What the kernel's tree is known to hold, in two versions: without and with what the capture never shows.
struct Mirror {
    without_unused: Space,
    with_unused: Space,
    held: Held,
    /// The first pfn of the range from which the kernel searches downwards, if that is known.
    start: Option<Start>,
}

/// Where the kernel's search starts.
#[derive(Clone, Copy, Debug)]
enum Start {
    /// Below the range with this first pfn.
    Below(u64),
    /// At the limit.
    Top,
}

impl Mirror {
    fn new(history: History) -> Result<Self> {
        let mut without_unused = Space::new(GRANULE, ..)?;
        let mut with_unused = Space::new(GRANULE, ..)?;
        for (&first, &granules) in &history.before.0 {
            without_unused.allocate_at(iovas(first, granules), AllocMode::Normal)?;
            with_unused.allocate_at(iovas(first, granules), AllocMode::Normal)?;
        }
        for (first, granules) in history.unused() {
            with_unused.reserve(iovas(first, granules), AllocMode::Normal)?;
        }
        Ok(Self { without_unused, with_unused, held: history.before, start: None })
    }

    /// The class to which a request belongs whose answer was `placed`.
    fn judge<'a>(&mut self, request: &TreeRequest, placed: u64, placement: &'a mut Placement) -> &'a mut u64 {
        if contradicts(request, placed) {
            return &mut placement.contradictory;
        }
        if ask(&mut self.without_unused, request, request.limit_pfn) == Some(placed) {
            return &mut placement.equal;
        }
        match ask(&mut self.with_unused, request, request.limit_pfn) {
            Some(ours) if ours == placed => &mut placement.equal_among_used,
            Some(ours) if ours > placed => match self.start {
                None => &mut placement.kernel_start_unknown,
                Some(Start::Below(start)) => {
                    let below = start.checked_sub(1);
                    let below = below.and_then(|limit| ask(&mut self.with_unused, request, limit));
                    if below == Some(placed) {
                        &mut placement.kernel_began_lower
                    } else {
                        &mut placement.held_unseen
                    }
                }
                Some(Start::Top) => &mut placement.held_unseen,
            },
            _ => &mut placement.returned_unseen,
        }
    }

    /// Records where the kernel's tree placed a range. What it overlaps must have come back from the CPU caches.
    fn place(&mut self, first: u64, granules: u64) -> Result<()> {
        for (returned, _) in self.held.take_overlapping(first, granules) {
            self.without_unused.free(iova(returned))?;
            self.with_unused.free(iova(returned))?;
        }
        self.without_unused.allocate_at(iovas(first, granules), AllocMode::Normal)?;
        self.with_unused.allocate_at(iovas(first, granules), AllocMode::Normal)?;
        self.held.0.insert(first, granules);
        self.start = Some(Start::Below(first));
        Ok(())
    }

    /// Records a free. Only ranges that CPU caches do not hold leave the tree, and move the start of the search if
    /// they are not below it.
    fn free(&mut self, first: u64, granules: u64) -> Result<()> {
        if granules <= CACHED_GRANULES_MAX || self.held.0.remove(&first).is_none() {
            return Ok(());
        }
        self.without_unused.free(iova(first))?;
        self.with_unused.free(iova(first))?;
        if let Some(Start::Below(start)) = self.start
            && first >= start
        {
            let above = self.held.0.range(first..).next();
            self.start = Some(above.map_or(Start::Top, |(&above, _)| Start::Below(above)));
        }
        Ok(())
    }
}

/// Whether an answer is not one to its request.
fn contradicts(request: &TreeRequest, placed: u64) -> bool {
    let last = request.granules.checked_sub(1).and_then(|further| placed.checked_add(further));
    let align = if request.size_aligned { request.granules.checked_next_power_of_two() } else { Some(1) };
    last.is_none_or(|last| last > request.limit_pfn)
        || align.is_none_or(|align| !placed.is_multiple_of(align))
}

/// What a tree of ours answers to a request, as the first pfn. Just a question: nothing is kept.
fn ask(space: &mut Space, request: &TreeRequest, limit_pfn: u64) -> Option<u64> {
    let limit = GRANULE.last_of(Pfn::new(limit_pfn)).unwrap_or(u64::MAX);
    let align = if request.size_aligned { request.granules.next_power_of_two() } else { 1 };
    let asked = Request::new(request.granules).align(align).limit(limit);
    let range = space.allocate(&asked).ok()?;
    space.free(range.first()).ok()?;
    Some(range.first_pfn().get())
}

/// The first byte address of a granule.
fn iova(pfn: u64) -> u64 {
    pfn << GRANULE.shift()
}

/// The byte addresses of granules that have them.
fn iovas(first: u64, granules: u64) -> std::ops::RangeInclusive<u64> {
    iova(first)..=GRANULE.last_of(Pfn::new(first + (granules - 1))).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
