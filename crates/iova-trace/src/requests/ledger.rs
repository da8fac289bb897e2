//! The live ranges of each domain, and the list of operations that grows with them.
//!
//! INVARIANT: within one domain no two live ranges overlap. What an allocation would overlap is freed first
//! and counted, for the kernel cannot have had both: the free was not seen.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    Domain, DomainId, Operation, OperationKind, RangeId, RequestCounts, Requests, Source, Span, TreeRequest,
};
use crate::{Device, Record};

#[derive(Debug, Default)]
pub(super) struct Ledger {
    names: HashMap<String, DomainId>,
    /// For each domain, the live ranges by first pfn.
    live: Vec<BTreeMap<u64, Live>>,
    /// What the domains' lists of devices hold: a list would have to be searched for each event.
    users: HashSet<(DomainId, Device)>,
    requests: Requests,
    next_range: u64,
}

#[derive(Clone, Copy, Debug)]
struct Live {
    range: RangeId,
    last: u64,
}

/// Where an operation comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    line: u64,
    time_ns: Option<u64>,
    domain: DomainId,
}

impl At {
    pub(super) fn new(record: &Record, domain: DomainId) -> Self {
        Self { line: record.line, time_ns: record.time_ns, domain }
    }
}

impl Ledger {
    pub(super) fn counts(&mut self) -> &mut RequestCounts {
        &mut self.requests.counts
    }

    /// Finds the domain of this name, or adds it.
    pub(super) fn domain(&mut self, name: &str) -> DomainId {
        if let Some(&id) = self.names.get(name) {
            return id;
        }
        let domains = &mut self.requests.domains;
        // A capture with 2^32 domains would have to be larger than any disk.
        let id = DomainId(u32::try_from(domains.len()).unwrap_or(u32::MAX));
        domains.push(Domain { name: name.to_owned(), ..Domain::default() });
        self.live.push(BTreeMap::new());
        self.names.insert(name.to_owned(), id);
        id
    }

    /// Notes that a device uses a domain.
    pub(super) fn uses(&mut self, domain: DomainId, device: &Device) {
        if self.users.insert((domain, Device::clone(device)))
            && let Some(domain) = self.requests.domains.get_mut(index(domain))
        {
            domain.devices.push(Device::clone(device));
        }
    }

    pub(super) fn allocate(&mut self, at: At, span: Span, limit_pfn: u64, tree: Option<TreeRequest>) {
        self.evict(at, span);
        let range = self.new_range();
        if let Some(live) = self.live.get_mut(index(at.domain)) {
            live.insert(span.first, Live { range, last: span.last });
        }
        if let Some(domain) = self.requests.domains.get_mut(index(at.domain)) {
            domain.allocations += 1;
            domain.final_live_granules = domain.final_live_granules.saturating_add(span.granules());
            domain.peak_live_granules = domain.peak_live_granules.max(domain.final_live_granules);
            domain.lowest_pfn = Some(domain.lowest_pfn.map_or(span.first, |lowest| lowest.min(span.first)));
            domain.highest_pfn = domain.highest_pfn.max(Some(span.last));
        }
        self.counts().allocations += 1;
        self.counts().tree_served += u64::from(tree.is_some());
        let granules = span.granules();
        self.push(at, OperationKind::Allocate { range, granules, limit_pfn, placed: Some(span.first), tree });
    }

    /// Records an allocation that the kernel could not serve.
    pub(super) fn fail(&mut self, at: At, granules: u64, limit_pfn: u64, tree: Option<TreeRequest>) {
        let range = self.new_range();
        self.counts().failed_allocations += 1;
        self.push(at, OperationKind::Allocate { range, granules, limit_pfn, placed: None, tree });
    }

    pub(super) fn free(&mut self, at: At, span: Span) {
        match self.remove(at.domain, span.first) {
            Some((range, was)) => {
                self.counts().frees += 1;
                self.counts().resized_frees += u64::from(was != span);
                self.push(at, OperationKind::Free { range, first: was.first, granules: was.granules() });
            }
            None => {
                self.counts().unmatched_frees += 1;
                self.push(at, OperationKind::UnmatchedFree { first: span.first, granules: span.granules() });
            }
        }
    }

    pub(super) fn finish(mut self, source: Source) -> Requests {
        let live: usize = self.live.iter().map(BTreeMap::len).sum();
        self.requests.counts.live_at_end = live as u64;
        self.requests.source = Some(source);
        self.requests
    }

    /// Frees whatever overlaps `span`.
    fn evict(&mut self, at: At, span: Span) {
        while let Some((first, _)) =
            self.highest_starting_by(at.domain, span.last).filter(|&(_, last)| last >= span.first)
        {
            let Some((range, was)) = self.remove(at.domain, first) else { return };
            if first == span.first {
                self.counts().replaced += 1;
            } else {
                self.counts().overlapped += 1;
            }
            self.push(at, OperationKind::Free { range, first, granules: was.granules() });
        }
    }

    /// The live range that starts last at or before `pfn`: first and last pfn. By the invariant no other one
    /// that starts by there reaches further.
    fn highest_starting_by(&self, domain: DomainId, pfn: u64) -> Option<(u64, u64)> {
        let (&first, live) = self.live.get(index(domain))?.range(..=pfn).next_back()?;
        Some((first, live.last))
    }

    fn remove(&mut self, domain: DomainId, first: u64) -> Option<(RangeId, Span)> {
        let live = self.live.get_mut(index(domain))?.remove(&first)?;
        let span = Span { first, last: live.last };
        if let Some(domain) = self.requests.domains.get_mut(index(domain)) {
            domain.final_live_granules = domain.final_live_granules.saturating_sub(span.granules());
        }
        Some((live.range, span))
    }

    fn new_range(&mut self) -> RangeId {
        let range = RangeId(self.next_range);
        self.next_range += 1;
        range
    }

    fn push(&mut self, at: At, kind: OperationKind) {
        self.requests.operations.push(Operation {
            line: at.line,
            time_ns: at.time_ns,
            domain: at.domain,
            kind,
        });
    }
}

fn index(domain: DomainId) -> usize {
    // Every id was an index before.
    usize::try_from(domain.0).unwrap_or(usize::MAX)
}
