//! What a replay came to, in the form in which it is printed.

pub(crate) mod text;

use maple_faults::Plan;
use serde::Serialize;

use crate::placement::Placement;
use crate::replay::{DomainOutcome, Latency, Replayed, Replays};

/// The report of all captures. Its JSON form is an interface: fields are added, not renamed.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) failing_nodes: String,
    pub(crate) seed: Option<u64>,
    #[serde(flatten)]
    pub(crate) totals: Totals,
    pub(crate) latency_ns: LatencyNs,
    pub(crate) captures: Vec<CaptureReport>,
    /// Why other captures could not be read.
    pub(crate) unreadable: Vec<String>,
}

/// Sums over all captures, or those of one; a peak over all captures is that of the highest.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Totals {
    pub(crate) operations: u64,
    pub(crate) allocations: u64,
    pub(crate) frees: u64,
    pub(crate) failed_allocations: FailedAllocations,
    /// Allocations that overlap a live range, pass their limit, or have the wrong size or alignment.
    pub(crate) misplaced_allocations: u64,
    pub(crate) failed_frees: u64,
    /// Frees that were not replayed since their allocation had failed.
    pub(crate) skipped_frees: u64,
    /// Frees whose allocation is not in the capture.
    pub(crate) unmatched_frees: u64,
    /// What had to be changed or left out to make operations of the capture's events.
    pub(crate) adjustments: Adjustments,
    /// Requests that failed in the kernel, and how many of them succeeded here.
    pub(crate) failed_in_kernel: u64,
    pub(crate) failed_in_kernel_only: u64,
    pub(crate) leaked_granules: i128,
    pub(crate) tree_valid: bool,
    pub(crate) node_allocations: u64,
    pub(crate) failed_node_allocations: u64,
    /// Node allocations made during frees.
    pub(crate) erase_allocations: u64,
    pub(crate) peak_node_bytes: u64,
    pub(crate) lines: u64,
    /// Lines that are not an event known here, or malformed.
    pub(crate) unparsed_lines: u64,
    pub(crate) malformed_lines: u64,
    pub(crate) domains: u64,
    pub(crate) peak_live_ranges: u64,
    pub(crate) live_ranges: u64,
    pub(crate) placement: Placement,
}

/// How often an event could not be taken as it is; `iova_trace::RequestCounts` says more.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Adjustments {
    /// Events that the kernel or the tool says it lost.
    pub(crate) lost_events: u64,
    /// Frees put in, since a live range was allocated again.
    pub(crate) replaced: u64,
    /// Frees put in, since an allocation overlapped a live range: many of them mean that there is no translation.
    pub(crate) overlapped: u64,
    /// Frees that named another size than their allocation.
    pub(crate) resized_frees: u64,
    /// Scatter lists of which the kernel printed a part.
    pub(crate) truncated_lists: u64,
    /// Scatter lists that are not one range.
    pub(crate) scattered_lists: u64,
    /// Unmaps of more than was mapped.
    pub(crate) partial_unmaps: u64,
    /// Events that name no possible range.
    pub(crate) unusable: u64,
}

impl Adjustments {
    fn of(capture: &crate::capture::Capture) -> Self {
        let counts = &capture.requests.counts;
        Self {
            lost_events: capture.counts.lost_events,
            replaced: counts.replaced,
            overlapped: counts.overlapped,
            resized_frees: counts.resized_frees,
            truncated_lists: counts.truncated_lists,
            scattered_lists: counts.scattered_lists,
            partial_unmaps: counts.partial_unmaps,
            unusable: counts.unusable,
        }
    }

    fn add(&mut self, other: &Self) {
        self.lost_events += other.lost_events;
        self.replaced += other.replaced;
        self.overlapped += other.overlapped;
        self.resized_frees += other.resized_frees;
        self.truncated_lists += other.truncated_lists;
        self.scattered_lists += other.scattered_lists;
        self.partial_unmaps += other.partial_unmaps;
        self.unusable += other.unusable;
    }
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct FailedAllocations {
    pub(crate) address_space: u64,
    pub(crate) node_memory: u64,
    pub(crate) bad_request: u64,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct LatencyNs {
    pub(crate) allocate: Latency,
    pub(crate) free: Latency,
    /// What reading the clock adds to each of these.
    pub(crate) clock_cost: u64,
}

/// The report of one capture.
#[derive(Debug, Serialize)]
pub(crate) struct CaptureReport {
    pub(crate) name: String,
    /// Which events the requests come from.
    pub(crate) source: String,
    #[serde(flatten)]
    pub(crate) totals: Totals,
    pub(crate) malformed: Vec<String>,
    pub(crate) domain_reports: Vec<DomainOutcome>,
}

impl Report {
    pub(crate) fn new(replays: Replays) -> Self {
        let latency_ns = LatencyNs {
            allocate: replays.latencies.of_allocate(),
            free: replays.latencies.of_free(),
            clock_cost: replays.latencies.clock_cost_ns(),
        };
        let captures: Vec<CaptureReport> = replays.captures.iter().map(CaptureReport::new).collect();
        let mut totals = Totals { tree_valid: true, ..Totals::default() };
        for capture in &captures {
            totals.add(&capture.totals);
        }
        let seed = match replays.plan {
            Plan::Random { seed, .. } => Some(seed),
            _ => None,
        };
        let unreadable = replays.unreadable.iter().map(|error| format!("{error:#}")).collect();
        Self { failing_nodes: replays.plan.to_string(), seed, totals, latency_ns, captures, unreadable }
    }

    /// Whether all ranges were as requested, every free succeeded without memory, nothing was lost, and the trees
    /// are valid.
    pub(crate) fn is_sound(&self) -> bool {
        let Totals { misplaced_allocations, failed_frees, tree_valid, erase_allocations, .. } = self.totals;
        // Each for itself: in a sum, too many here and too few there would look like none.
        let mut domains = self.captures.iter().flat_map(|capture| &capture.domain_reports);
        let none_leaked = domains.all(|domain| domain.leaked_granules == 0);
        misplaced_allocations == 0 && failed_frees == 0 && none_leaked && tree_valid && erase_allocations == 0
    }
}

impl Totals {
    fn add(&mut self, other: &Self) {
        self.operations += other.operations;
        self.allocations += other.allocations;
        self.frees += other.frees;
        self.failed_allocations.address_space += other.failed_allocations.address_space;
        self.failed_allocations.node_memory += other.failed_allocations.node_memory;
        self.failed_allocations.bad_request += other.failed_allocations.bad_request;
        self.misplaced_allocations += other.misplaced_allocations;
        self.failed_frees += other.failed_frees;
        self.skipped_frees += other.skipped_frees;
        self.unmatched_frees += other.unmatched_frees;
        self.adjustments.add(&other.adjustments);
        self.failed_in_kernel += other.failed_in_kernel;
        self.failed_in_kernel_only += other.failed_in_kernel_only;
        self.leaked_granules += other.leaked_granules;
        self.tree_valid &= other.tree_valid;
        self.node_allocations += other.node_allocations;
        self.failed_node_allocations += other.failed_node_allocations;
        self.erase_allocations += other.erase_allocations;
        self.peak_node_bytes = self.peak_node_bytes.max(other.peak_node_bytes);
        self.lines += other.lines;
        self.unparsed_lines += other.unparsed_lines;
        self.malformed_lines += other.malformed_lines;
        self.domains += other.domains;
        self.peak_live_ranges = self.peak_live_ranges.max(other.peak_live_ranges);
        self.live_ranges += other.live_ranges;
        self.placement.add(&other.placement);
    }
}

impl CaptureReport {
    fn new(replayed: &Replayed) -> Self {
        let Replayed { capture, outcome, placement } = replayed;
        let domain_reports = outcome.domains.clone();
        let totals = Totals {
            operations: outcome.operations,
            allocations: outcome.allocations,
            frees: outcome.frees,
            failed_allocations: FailedAllocations {
                address_space: outcome.no_address_space,
                node_memory: outcome.no_node_memory,
                bad_request: outcome.bad_requests,
            },
            misplaced_allocations: outcome.misplaced,
            failed_frees: outcome.failed_frees,
            skipped_frees: outcome.skipped_frees,
            unmatched_frees: capture.requests.counts.unmatched_frees,
            adjustments: Adjustments::of(capture),
            failed_in_kernel: outcome.failed_in_kernel,
            failed_in_kernel_only: outcome.failed_in_kernel_only,
            leaked_granules: domain_reports.iter().map(|domain| domain.leaked_granules).sum(),
            tree_valid: domain_reports.iter().all(|domain| domain.violation.is_none()),
            node_allocations: outcome.nodes.calls,
            failed_node_allocations: outcome.nodes.failed,
            erase_allocations: outcome.erase_allocations,
            peak_node_bytes: outcome.nodes.peak_bytes,
            lines: capture.counts.lines,
            unparsed_lines: capture.counts.unknown + capture.counts.malformed,
            malformed_lines: capture.counts.malformed,
            domains: domain_reports.len() as u64,
            peak_live_ranges: outcome.peak_live_ranges,
            live_ranges: domain_reports.iter().map(|domain| domain.live_ranges).sum(),
            placement: *placement,
        };
        let source = match capture.requests.source {
            Some(iova_trace::Source::Probes) => "probes of the allocator",
            Some(iova_trace::Source::Dma) => "dma:* events",
            Some(iova_trace::Source::Iommu) => "iommu:map and iommu:unmap events",
            _ => "unknown events",
        };
        Self {
            name: capture.name.clone(),
            source: source.to_owned(),
            totals,
            malformed: capture.malformed.iter().map(ToString::to_string).collect(),
            domain_reports,
        }
    }
}

#[cfg(test)]
mod tests;
