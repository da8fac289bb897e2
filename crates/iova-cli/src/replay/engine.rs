//! Runs the operations of a capture through spaces and keeps account.
//!
//! The account is independent of the spaces: what is live is known from the ranges that they handed out. Each new
//! one must be as requested and overlap none of them. At the end a space must hold just these, else granules were
//! lost.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::{Result, anyhow, bail};
use iova::{AllocMode, AllocateError, Granule, IovaRange, Pfn, Request, Space};
use iova_trace::{Operation, OperationKind, RangeId, Requests};
use maple_faults::{FaultyAlloc, Plan};

use super::latency::Latencies;
use super::outcome::{DomainOutcome, Occupancy, Outcome};
use super::survey::Survey;
use crate::progress::Progress;

/// One domain of the capture under replay.
struct Run<'a> {
    space: Space<&'a FaultyAlloc>,
    name: String,
    live: HashMap<RangeId, IovaRange>,
    /// The live ranges again, the last address of each by its first.
    by_address: BTreeMap<u64, u64>,
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
            run.at_peak = Occupancy::of(&run.space);
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
            space: Space::new_in(Granule::FOUR_KIB, ..=last, nodes)?,
            name: domain.name.clone(),
            live: HashMap::new(),
            by_address: BTreeMap::new(),
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
                match latencies.allocate(|| self.space.allocate(&request)) {
                    Ok(allocated) => {
                        outcome.count_allocation();
                        outcome.misplaced += u64::from(self.is_misplaced(&request, allocated));
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
            // Nothing here corresponds to it; the capture's own counts have it.
            OperationKind::UnmatchedFree { .. } => {}
            other => bail!("line {}: unknown operation {other:?}", operation.line),
        }
        Ok(())
    }

    /// Whether a range that was just allocated is not what was requested, or overlaps one that is live.
    fn is_misplaced(&self, request: &Request, allocated: IovaRange) -> bool {
        let (first, last) = (allocated.first(), allocated.last());
        let natural = request.granules().checked_next_power_of_two().unwrap_or(1);
        let below = self.by_address.range(..=last).next_back();
        allocated.granules() != u128::from(request.granules())
            || last > request.limit_iova()
            || !allocated.first_pfn().get().is_multiple_of(natural)
            || below.is_some_and(|(_, &last_below)| last_below >= first)
    }

    fn own(&mut self, range: RangeId, allocated: IovaRange) {
        self.live.insert(range, allocated);
        self.by_address.insert(allocated.first(), allocated.last());
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
        self.by_address.remove(&allocated.first());
        self.owned -= allocated.granules();
        let free = || latencies.free(|| self.space.free(allocated.first()));
        let (freed, calls) = counting_calls(nodes, free);
        outcome.erase_allocations += calls;
        match freed {
            Ok(freed) if freed == allocated => outcome.frees += 1,
            Ok(_) | Err(_) => outcome.failed_frees += 1,
        }
    }

    fn end(self) -> DomainOutcome {
        let statistics = self.space.statistics();
        let aperture = self.space.aperture().granules();
        let accounted = statistics.free_granules + statistics.reserved_granules + self.owned;
        DomainOutcome {
            name: self.name,
            live_ranges: self.live.len() as u64,
            live_granules: self.owned,
            peak_live_ranges: self.peak_live_ranges,
            peak_live_granules: self.peak_live_granules,
            at_peak: self.at_peak,
            at_end: Occupancy::of(&self.space),
            leaked_granules: aperture as i128 - accounted as i128,
            violation: self.space.validate().err().map(|violation| violation.to_string()),
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
