use iova::NodeAlloc;
use iova_trace::DomainId;

use super::*;

const LIMIT: u64 = 0xf_ffff;

/// Requests made by hand, of this many domains.
fn requests(domains: usize, operations: &[(u32, OperationKind)]) -> Requests {
    let domain = |number| iova_trace::Domain { name: format!("domain {number}"), ..Default::default() };
    let operation = |(line, (domain, kind)): (u64, &(u32, OperationKind))| Operation {
        line,
        time_ns: None,
        domain: DomainId(*domain),
        kind: kind.clone(),
    };
    Requests {
        domains: (0..domains).map(domain).collect(),
        operations: (1..).zip(operations).map(operation).collect(),
        ..Default::default()
    }
}

fn allocate(range: u64, granules: u64) -> OperationKind {
    OperationKind::Allocate {
        range: RangeId(range),
        granules,
        limit_pfn: LIMIT,
        placed: Some(0x1000 * range),
        tree: None,
    }
}

fn fail(range: u64, granules: u64) -> OperationKind {
    OperationKind::Allocate { range: RangeId(range), granules, limit_pfn: LIMIT, placed: None, tree: None }
}

fn free(range: u64, granules: u64) -> OperationKind {
    OperationKind::Free { range: RangeId(range), first: 0x1000 * range, granules }
}

fn replayed(requests: &Requests, plan: Plan) -> (Outcome, Latencies) {
    let mut latencies = Latencies::new().unwrap();
    let outcome = replay(requests, plan, &mut latencies, &Progress::new()).unwrap();
    (outcome, latencies)
}

/// Lets a test do what it likes with a run that has two live ranges, of 4 granules and of 1, and ends it.
fn tampered(tamper: impl FnOnce(&mut Run<'_>, &FaultyAlloc, &mut Outcome)) -> (DomainOutcome, Outcome) {
    let nodes = FaultyAlloc::new(Plan::Never);
    let requests = requests(1, &[(0, allocate(0, 4)), (0, allocate(1, 1))]);
    let mut outcome = Outcome::default();
    let mut run = start(&requests, &nodes).unwrap().remove(0);
    for operation in &requests.operations {
        run.operate(operation, &nodes, &mut Latencies::new().unwrap(), &mut outcome).unwrap();
    }
    tamper(&mut run, &nodes, &mut outcome);
    (run.end(), outcome)
}

fn free_in(run: &mut Run<'_>, range: u64, nodes: &FaultyAlloc, outcome: &mut Outcome) {
    run.free(RangeId(range), nodes, &mut Latencies::new().unwrap(), outcome);
}

#[test]
fn a_sound_run_loses_nothing() {
    let (domain, _) = tampered(|_, _, _| {});
    assert_eq!((domain.leaked_granules, domain.violation), (0, None));
    assert_eq!((domain.live_ranges, domain.live_granules), (2, 5));
}

#[test]
fn a_range_that_is_not_as_requested_is_misplaced() {
    tampered(|run, _, _| {
        let owned = run.live[&RangeId(0)];
        let free = run.space.allocate(&Request::new(2)).unwrap();
        let request = Request::new(2);
        assert!(!run.is_misplaced(&request, free));
        assert!(run.is_misplaced(&Request::new(1), free), "size");
        assert!(run.is_misplaced(&request.limit(free.last() - 1), free), "limit");
        assert!(run.is_misplaced(&Request::new(4), owned), "overlap");
        run.space.free(free.first()).unwrap();
        let odd = free.first() - 0x1000..free.last() - 0xfff;
        let odd = run.space.allocate_at(odd, AllocMode::Normal).unwrap();
        assert!(run.is_misplaced(&request, odd), "alignment");
    });
}

#[test]
fn a_granule_without_an_owner_is_a_leak() {
    let (domain, _) = tampered(|run, _, _| run.owned -= 1);
    assert_eq!(domain.leaked_granules, 1);
}

#[test]
fn a_range_that_the_run_forgets_is_a_leak() {
    let (domain, _) = tampered(|run, _, _| {
        run.space.allocate(&Request::new(8)).unwrap();
    });
    assert_eq!(domain.leaked_granules, 8);
}

#[test]
fn an_owned_range_that_is_free_is_a_negative_leak() {
    let (domain, _) = tampered(|run, _, _| {
        let owned = run.live[&RangeId(0)];
        run.space.free(owned.first()).unwrap();
    });
    assert_eq!(domain.leaked_granules, -4);
}

#[test]
fn a_free_of_what_the_domain_does_not_have_is_a_failed_free() {
    let (_, outcome) = tampered(|run, nodes, outcome| {
        let owned = run.live[&RangeId(0)];
        run.space.free(owned.first()).unwrap();
        free_in(run, 0, nodes, outcome);
        free_in(run, 1, nodes, outcome);
    });
    assert_eq!((outcome.failed_frees, outcome.frees, outcome.erase_allocations), (1, 1, 0));
}

#[test]
fn a_free_of_another_size_than_was_allocated_is_a_failed_free() {
    let (_, outcome) = tampered(|run, nodes, outcome| {
        let owned = run.live[&RangeId(0)];
        run.space.free(owned.first()).unwrap();
        let smaller = owned.first()..owned.first() + 0x1000;
        run.space.allocate_at(smaller, AllocMode::Normal).unwrap();
        free_in(run, 0, nodes, outcome);
    });
    assert_eq!((outcome.failed_frees, outcome.frees), (1, 0));
}

#[test]
fn node_allocations_are_counted_while_an_operation_lasts() {
    let nodes = FaultyAlloc::new(Plan::Never);
    let layout = std::alloc::Layout::new::<u64>();
    let allocate = || nodes.allocate(layout, AllocMode::Normal);
    let mut space = Space::new_in(Granule::FOUR_KIB, .., &nodes).unwrap();
    let (_, calls) = counting_calls(&nodes, || space.allocate(&Request::new(1)));
    assert_eq!(calls, 1);
    nodes.set_plan(Plan::After(0));
    let (denied, calls) = counting_calls(&nodes, || [allocate(), allocate()]);
    assert_eq!((denied.map(|node| node.is_err()), calls), ([true, true], 2));
    let (_, calls) = counting_calls(&nodes, || space.free(u64::MAX - 0xfff).unwrap());
    assert_eq!(calls, 0);
}

#[test]
fn the_peak_is_when_the_capture_has_most_granules_live() {
    // Domain 0 has its peak after operation 3, not when it has most ranges; domain 1 after operation 1.
    let operations = [
        (0, allocate(0, 1)),
        (1, allocate(1, 16)),
        (1, free(1, 16)),
        (0, allocate(2, 8)),
        (0, free(2, 8)),
        (0, allocate(3, 1)),
        (0, allocate(4, 1)),
        (1, allocate(5, 16)),
    ];
    let requests = requests(2, &operations);
    let peaks: Vec<_> = Survey::of(&requests).iter().map(|survey| survey.peak_operation).collect();
    assert_eq!(peaks, [3, 1]);

    let (outcome, _) = replayed(&requests, Plan::Never);
    let [first, second] = &outcome.domains[..] else { panic!("two domains") };
    // The highest granule, and the aligned eight below it, with seven free ones between.
    assert_eq!((first.at_peak.span_granules, first.at_peak.hole_granules), (16, 7));
    assert_eq!((first.at_end.span_granules, first.at_end.hole_granules), (3, 0));
    assert_eq!((first.peak_live_granules, first.peak_live_ranges), (9, 3));
    assert_eq!((second.peak_live_granules, second.peak_live_ranges), (16, 1));
    assert_eq!((first.live_ranges, second.live_ranges, outcome.peak_live_ranges), (3, 1, 4));
}

#[test]
fn a_domain_reaches_to_the_highest_limit_of_its_requests() {
    let mut highest = allocate(1, 1);
    let OperationKind::Allocate { limit_pfn, .. } = &mut highest else { panic!("an allocation") };
    *limit_pfn = u64::MAX;
    let requests = requests(2, &[(0, allocate(0, 1)), (1, highest), (1, allocate(2, 1))]);
    let nodes = FaultyAlloc::new(Plan::Never);
    let runs = start(&requests, &nodes).unwrap();
    let last: Vec<_> = runs.iter().map(|run| run.space.aperture().last()).collect();
    assert_eq!(last, [0xffff_ffff, u64::MAX]);
}

#[test]
fn every_operation_of_the_allocator_is_timed() {
    let operations = [(0, allocate(0, 1)), (0, fail(1, 0)), (0, fail(2, 1)), (0, free(0, 1))];
    let (outcome, latencies) = replayed(&requests(1, &operations), Plan::Never);
    // Two that succeed and one that makes no sense; one free by the capture, one of what failed in the kernel.
    assert_eq!((outcome.allocations, outcome.bad_requests, outcome.frees), (2, 1, 2));
    assert_eq!((latencies.of_allocate().count, latencies.of_free().count), (3, 2));
}

#[test]
fn what_failed_in_the_kernel_is_freed_at_once() {
    let (outcome, _) = replayed(&requests(1, &[(0, fail(0, 4)), (0, fail(1, 1 << 21))]), Plan::Never);
    assert_eq!((outcome.failed_in_kernel, outcome.failed_in_kernel_only), (2, 1));
    assert_eq!((outcome.no_address_space, outcome.allocations, outcome.frees), (1, 1, 1));
    assert_eq!((outcome.domains[0].live_ranges, outcome.domains[0].leaked_granules), (0, 0));
    assert_eq!((outcome.domains[0].peak_live_granules, outcome.peak_live_ranges), (4, 1));
}

#[test]
fn the_free_of_a_failed_allocation_is_skipped() {
    let operations = [(0, allocate(0, 1)), (0, free(0, 1)), (0, allocate(1, 1))];
    let (outcome, latencies) = replayed(&requests(1, &operations), Plan::Nth(1));
    assert_eq!((outcome.no_node_memory, outcome.allocations), (1, 1));
    assert_eq!((outcome.skipped_frees, outcome.frees, outcome.failed_frees), (1, 0, 0));
    assert_eq!(latencies.of_free().count, 0);
    assert_eq!((outcome.nodes.calls, outcome.nodes.failed), (2, 1));
}

#[test]
fn node_bytes_are_those_of_each_domain() {
    let many = 200;
    let mut operations: Vec<_> = (0..many).map(|range| (0, allocate(range, 1))).collect();
    operations.push((1, allocate(many, 1)));
    operations.extend((0..many).map(|range| (0, free(range, 1))));
    let (outcome, _) = replayed(&requests(2, &operations), Plan::Never);
    let [first, second] = &outcome.domains[..] else { panic!("two domains") };
    assert_eq!(first.node_bytes, 0);
    assert!(second.node_bytes > 0 && second.peak_node_bytes == second.node_bytes);
    assert!(first.peak_node_bytes > 4 * second.peak_node_bytes);
    assert_eq!(outcome.nodes.live_bytes, second.node_bytes);
}

#[test]
fn operations_that_make_no_sense_are_errors_with_their_line() {
    let error = |operations: &[(u32, OperationKind)]| {
        let mut latencies = Latencies::new().unwrap();
        replay(&requests(1, operations), Plan::Never, &mut latencies, &Progress::new())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(error(&[(0, free(0, 1))]), "line 1: a free of a range that is not live");
    let twice = [(0, allocate(0, 1)), (0, free(0, 1)), (0, free(0, 1))];
    assert_eq!(error(&twice), "line 3: a free of a range that is not live");
    assert_eq!(error(&[(7, allocate(0, 1))]), "line 1: an operation without a domain");
}
