//! Runs the operations of a capture through domains and keeps account.
//!
//! The account is independent of the domains: what is live is known from the ranges that they handed out. At the
//! end a domain must hold just these, else granules were lost.

use std::collections::{HashMap, HashSet};

use anyhow::{Result, anyhow, bail};
use iova::{AllocMode, AllocateError, Domain, Granule, IovaRange, Pfn, Request};
use iova_trace::{Operation, OperationKind, RangeId, Requests};
use maple_faults::{Counts, FaultyAlloc, Plan};

use super::latency::Latencies;
use crate::progress::Progress;

/// What the replay of one capture came to.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Operations replayed.
    pub(crate) operations: u64,
    pub(crate) allocations: u64,
    pub(crate) frees: u64,
    /// Allocations that failed for lack of address space, of node memory, or because of the request.
    pub(crate) no_address_space: u64,
    pub(crate) no_node_memory: u64,
    pub(crate) bad_requests: u64,
    pub(crate) failed_frees: u64,
    /// Frees of ranges whose allocation had failed in the replay.
    pub(crate) skipped_frees: u64,
    /// Frees of ranges whose allocation is not in the capture.
    pub(crate) unmatched_frees: u64,
    /// Requests that failed in the kernel. They are replayed and, since nobody frees them, freed at once.
    pub(crate) failed_in_kernel: u64,
    /// Of these, how many succeeded here.
    pub(crate) failed_in_kernel_only: u64,
    /// Node allocations made while a range was freed.
    pub(crate) erase_allocations: u64,
    pub(crate) nodes: Counts,
    /// The most ranges live at once, in all domains together.
    pub(crate) peak_live_ranges: u64,
    pub(crate) domains: Vec<DomainOutcome>,
}

impl Outcome {
    fn count_allocation(&mut self) {
        self.allocations += 1;
        let live = self.allocations - self.frees - self.failed_frees;
        self.peak_live_ranges = self.peak_live_ranges.max(live);
    }
}

/// What became of one domain.
#[derive(Debug)]
pub(crate) struct DomainOutcome {
    pub(crate) name: String,
    pub(crate) live_ranges: u64,
    pub(crate) live_granules: u128,
    pub(crate) peak_live_ranges: u64,
    pub(crate) peak_live_granules: u128,
    /// When it held the most granules in the capture; here it may have had fewer then, if allocations failed.
    pub(crate) at_peak: Occupancy,
    pub(crate) at_end: Occupancy,
    /// Granules that are neither free nor owned by a live range; negative if some are owned and free.
    pub(crate) leaked_granules: i128,
    /// Why the tree is not valid, if it is not.
    pub(crate) violation: Option<String>,
    pub(crate) node_bytes: u64,
    /// The most after any operation.
    pub(crate) peak_node_bytes: u64,
}

/// How much of the address space is in use, and how well.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Occupancy {
    /// From the lowest to the highest address in use.
    pub(crate) span_granules: u128,
    /// Free granules between these two.
    pub(crate) hole_granules: u128,
    /// The longest free run in the whole domain.
    pub(crate) longest_free_granules: u128,
    pub(crate) fragmentation_permille: u32,
}

impl Occupancy {
    fn of<A: iova::NodeAlloc>(domain: &Domain<A>) -> Self {
        let statistics = domain.statistics();
        let mut ranges = domain.allocations();
        let lowest = ranges.next();
        let highest = ranges.next_back().or(lowest);
        let span = lowest.zip(highest).map_or(0, |(lowest, highest)| {
            u128::from(highest.last_pfn().get()) - u128::from(lowest.first_pfn().get()) + 1
        });
        Self {
            span_granules: span,
            hole_granules: span.saturating_sub(statistics.allocated_granules),
            longest_free_granules: statistics.longest_free_granules,
            fragmentation_permille: statistics.fragmentation_permille(),
        }
    }
}

/// One domain under replay.
struct Run<'a> {
    domain: Domain<&'a FaultyAlloc>,
    name: String,
    live: HashMap<RangeId, IovaRange>,
    failed: HashSet<RangeId>,
    owned: u128,
    peak_live_ranges: u64,
    peak_live_granules: u128,
    at_peak: Occupancy,
    /// What the allocator of nodes has given to this domain.
    node_bytes: u64,
    peak_node_bytes: u64,
    /// The operation after which the capture has the most granules live in this domain.
    peak_operation: usize,
}

/// Replays the operations of a capture. All its domains share an allocator that fails as planned.
pub(crate) fn replay(
    requests: &Requests,
    plan: Plan,
    latencies: &mut Latencies,
    progress: &Progress,
) -> Result<Outcome> {
    let nodes = FaultyAlloc::new(plan);
    let mut outcome = Outcome::default();
    let mut runs = start(requests, &nodes)?;
    for (number, operation) in requests.operations.iter().enumerate() {
        progress.step();
        let run = usize::try_from(operation.domain.0).ok().and_then(|index| runs.get_mut(index));
        let run = run.ok_or_else(|| anyhow!("line {}: an operation without a domain", operation.line))?;
        let bytes_before = nodes.counts().live_bytes;
        run.operate(operation, &nodes, latencies, &mut outcome)?;
        run.node_bytes = run.node_bytes + nodes.counts().live_bytes - bytes_before;
        run.peak_node_bytes = run.peak_node_bytes.max(run.node_bytes);
        if number == run.peak_operation {
            run.at_peak = Occupancy::of(&run.domain);
        }
    }
    outcome.nodes = nodes.counts();
    outcome.domains = runs.into_iter().map(Run::end).collect();
    Ok(outcome)
}

fn start<'a>(requests: &Requests, nodes: &'a FaultyAlloc) -> Result<Vec<Run<'a>>> {
    let start = |(domain, survey): (&iova_trace::Domain, Survey)| {
        let last = Granule::FOUR_KIB.last_of(Pfn::new(survey.highest_limit)).unwrap_or(u64::MAX);
        Ok(Run {
            domain: Domain::new_in(Granule::FOUR_KIB, ..=last, nodes)?,
            name: domain.name.clone(),
            live: HashMap::new(),
            failed: HashSet::new(),
            owned: 0,
            peak_live_ranges: 0,
            peak_live_granules: 0,
            at_peak: Occupancy::default(),
            node_bytes: 0,
            peak_node_bytes: 0,
            peak_operation: survey.peak_operation,
        })
    };
    requests.domains.iter().zip(Survey::of(requests)).map(start).collect()
}

/// What must be known of a domain before its replay.
#[derive(Clone, Copy, Debug, Default)]
struct Survey {
    /// The highest limit of its requests, a pfn: the domain need not reach further.
    highest_limit: u64,
    /// The operation after which the capture has the most granules live.
    peak_operation: usize,
    live: i128,
    peak: i128,
}

impl Survey {
    fn of(requests: &Requests) -> Vec<Self> {
        let mut surveys = vec![Self::default(); requests.domains.len()];
        for (number, operation) in requests.operations.iter().enumerate() {
            let index = usize::try_from(operation.domain.0).unwrap_or(usize::MAX);
            if let Some(survey) = surveys.get_mut(index) {
                survey.add(number, &operation.kind);
            }
        }
        surveys
    }

    fn add(&mut self, number: usize, operation: &OperationKind) {
        match operation {
            OperationKind::Allocate { granules, limit_pfn, placed, .. } => {
                self.highest_limit = self.highest_limit.max(*limit_pfn);
                if placed.is_some() {
                    self.live += i128::from(*granules);
                }
            }
            OperationKind::Free { granules, .. } => self.live -= i128::from(*granules),
            _ => {}
        }
        if self.live > self.peak {
            (self.peak, self.peak_operation) = (self.live, number);
        }
    }
}

impl Run<'_> {
    fn operate(
        &mut self,
        operation: &Operation,
        nodes: &FaultyAlloc,
        latencies: &mut Latencies,
        outcome: &mut Outcome,
    ) -> Result<()> {
        outcome.operations += 1;
        match &operation.kind {
            OperationKind::Allocate { range, granules, limit_pfn, placed, .. } => {
                let limit = Granule::FOUR_KIB.last_of(Pfn::new(*limit_pfn)).unwrap_or(u64::MAX);
                let request = Request::new(*granules).limit(limit).mode(AllocMode::Atomic);
                match latencies.allocate(|| self.domain.allocate(&request)) {
                    Ok(allocated) => {
                        outcome.count_allocation();
                        self.own(*range, allocated);
                    }
                    Err(error) => {
                        match error {
                            AllocateError::OutOfAddressSpace(_) => outcome.no_address_space += 1,
                            AllocateError::OutOfNodeMemory(_) => outcome.no_node_memory += 1,
                            _ => outcome.bad_requests += 1,
                        }
                        self.failed.insert(*range);
                    }
                }
                if placed.is_none() {
                    outcome.failed_in_kernel += 1;
                    if !self.failed.remove(range) {
                        outcome.failed_in_kernel_only += 1;
                        self.free(*range, nodes, latencies, outcome);
                    }
                }
            }
            OperationKind::Free { range, .. } => {
                if self.failed.remove(range) {
                    outcome.skipped_frees += 1;
                } else if self.live.contains_key(range) {
                    self.free(*range, nodes, latencies, outcome);
                } else {
                    bail!("line {}: a free of a range that is not live", operation.line);
                }
            }
            OperationKind::UnmatchedFree { .. } => outcome.unmatched_frees += 1,
            other => bail!("line {}: unknown operation {other:?}", operation.line),
        }
        Ok(())
    }

    fn own(&mut self, range: RangeId, allocated: IovaRange) {
        self.live.insert(range, allocated);
        self.owned += allocated.granules();
        self.peak_live_ranges = self.peak_live_ranges.max(self.live.len() as u64);
        self.peak_live_granules = self.peak_live_granules.max(self.owned);
    }

    fn free(
        &mut self,
        range: RangeId,
        nodes: &FaultyAlloc,
        latencies: &mut Latencies,
        outcome: &mut Outcome,
    ) {
        let Some(allocated) = self.live.remove(&range) else { return };
        self.owned -= allocated.granules();
        let free = || latencies.free(|| self.domain.free(allocated.first()));
        let (freed, calls) = counting_calls(nodes, free);
        outcome.erase_allocations += calls;
        match freed {
            Ok(freed) if freed == allocated => outcome.frees += 1,
            Ok(_) | Err(_) => outcome.failed_frees += 1,
        }
    }

    fn end(self) -> DomainOutcome {
        let statistics = self.domain.statistics();
        let aperture = self.domain.aperture().granules();
        let accounted = statistics.free_granules + statistics.reserved_granules + self.owned;
        DomainOutcome {
            name: self.name,
            live_ranges: self.live.len() as u64,
            live_granules: self.owned,
            peak_live_ranges: self.peak_live_ranges,
            peak_live_granules: self.peak_live_granules,
            at_peak: self.at_peak,
            at_end: Occupancy::of(&self.domain),
            leaked_granules: aperture as i128 - accounted as i128,
            violation: self.domain.validate().err().map(|violation| violation.to_string()),
            node_bytes: self.node_bytes,
            peak_node_bytes: self.peak_node_bytes,
        }
    }
}

/// Does something and counts the node allocations that it asks for, successful or not.
fn counting_calls<R>(nodes: &FaultyAlloc, operation: impl FnOnce() -> R) -> (R, u64) {
    let before = nodes.counts().calls;
    let result = operation();
    (result, nodes.counts().calls - before)
}

#[cfg(test)]
mod tests;
