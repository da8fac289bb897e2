use iova_trace::{DomainId, Operation, RangeId};

use super::*;

/// The highest pfn that requests accept here.
const LIMIT: u64 = 0xfff;

/// A capture of one domain, made by hand.
#[derive(Default)]
struct Script(Requests);

impl Script {
    fn new() -> Self {
        let mut requests = Requests::default();
        requests.domains.push(iova_trace::Domain::default());
        Self(requests)
    }

    /// The kernel's tree serves a request with aligned sizes.
    fn tree(self, granules: u64, placed: u64) -> Self {
        self.tree_below(LIMIT, granules, placed)
    }

    fn tree_below(self, limit_pfn: u64, granules: u64, placed: u64) -> Self {
        let tree = TreeRequest { granules, limit_pfn, size_aligned: true, placed: Some(placed) };
        self.allocate(granules, placed, Some(tree))
    }

    fn tree_unaligned(self, granules: u64, placed: u64) -> Self {
        let tree = TreeRequest { granules, limit_pfn: LIMIT, size_aligned: false, placed: Some(placed) };
        self.allocate(granules, placed, Some(tree))
    }

    /// A CPU cache serves a request.
    fn cached(self, granules: u64, placed: u64) -> Self {
        self.allocate(granules, placed, None)
    }

    fn allocate(mut self, granules: u64, placed: u64, tree: Option<TreeRequest>) -> Self {
        self.0.counts.tree_served += u64::from(tree.is_some());
        let range = RangeId(0);
        self.push(OperationKind::Allocate { range, granules, limit_pfn: LIMIT, placed: Some(placed), tree })
    }

    fn free(self, granules: u64, first: u64) -> Self {
        self.push(OperationKind::Free { range: RangeId(0), first, granules })
    }

    fn unmatched_free(self, granules: u64, first: u64) -> Self {
        self.push(OperationKind::UnmatchedFree { first, granules })
    }

    fn push(mut self, kind: OperationKind) -> Self {
        let line = self.0.operations.len() as u64 + 1;
        self.0.operations.push(Operation { line, time_ns: None, domain: DomainId(0), kind });
        self
    }

    fn compare(&self) -> Placement {
        let placement = compare(&self.0).unwrap();
        let Placement { equal, equal_among_used, kernel_began_lower, kernel_start_unknown, .. } = placement;
        let explained = equal + equal_among_used + kernel_began_lower + kernel_start_unknown;
        let classes = explained + placement.held_unseen + placement.returned_unseen + placement.contradictory;
        assert_eq!(classes, placement.served_by_tree);
        placement
    }
}

/// So many requests of the tree, in these classes; the rest are equal.
fn expected(served_by_tree: u64, others: Placement) -> Placement {
    let different = others.equal_among_used
        + others.kernel_began_lower
        + others.kernel_start_unknown
        + others.held_unseen
        + others.returned_unseen
        + others.contradictory;
    Placement { served_by_tree, equal: served_by_tree - different, ..others }
}

#[test]
fn ranges_from_the_top_down_are_equal() {
    let script = Script::new().tree(1, 0xfff).tree(4, 0xff8).tree(1, 0xffe);
    assert_eq!(script.compare(), expected(3, Placement::default()));
}

#[test]
fn the_limit_is_that_of_the_request() {
    let script = Script::new().tree_below(0x7f, 1, 0x7f).tree(1, 0xfff).tree_below(0x7f, 2, 0x7c);
    assert_eq!(script.compare(), expected(3, Placement::default()));
}

#[test]
fn sizes_need_not_be_aligned() {
    let script = Script::new().tree_unaligned(3, 0xffd).tree_unaligned(40, 0xfd5);
    assert_eq!(script.compare(), expected(2, Placement::default()));
    // With alignment neither place could be had.
    let aligned = Script::new().tree(3, 0xffd).tree(40, 0xfd5);
    assert_eq!(aligned.compare(), expected(2, Placement { contradictory: 2, ..Placement::default() }));
}

#[test]
fn an_answer_above_its_limit_is_a_contradiction() {
    let script = Script::new().tree_below(0xff, 1, 0x100).tree_below(0xff, 1, 0xff);
    assert_eq!(script.compare().contradictory, 1);
}

#[test]
fn an_address_never_used_may_be_held() {
    let script = Script::new().tree(1, 0xff0).tree(1, 0xfef);
    assert_eq!(script.compare(), expected(2, Placement { equal_among_used: 2, ..Placement::default() }));
}

#[test]
fn a_higher_answer_without_a_start_is_unknown() {
    let script = Script::new().tree(1, 0xff0).tree(1, 0xfff);
    assert_eq!(script.compare(), expected(2, Placement { kernel_start_unknown: 1, ..Placement::default() }));
}

#[test]
fn a_hole_above_the_last_range_is_passed_over() {
    let script = hole_above().tree(1, 0xffe);
    assert_eq!(script.compare(), expected(4, Placement { kernel_began_lower: 1, ..Placement::default() }));
}

/// The kernel leaves 0xfc0..=0xffe free and looks below from then on.
fn hole_above() -> Script {
    Script::new().tree(1, 0xfff).tree(64, 0xf80).tree(1, 0xf7f)
}

#[test]
fn a_large_free_moves_the_start_up() {
    // Then nothing explains why the kernel did not use 0xffe.
    let script = hole_above().free(64, 0xf80).tree(1, 0xf7e).tree(1, 0xffe);
    let others = Placement { kernel_began_lower: 1, held_unseen: 1, ..Placement::default() };
    assert_eq!(script.compare(), expected(5, others));

    let without_free = hole_above().tree(1, 0xf7e).tree(1, 0xffe);
    let others = Placement { kernel_began_lower: 2, ..Placement::default() };
    assert_eq!(without_free.compare(), expected(5, others));
}

#[test]
fn a_large_free_with_nothing_above_moves_the_start_to_the_top() {
    let script = Script::new().tree(64, 0xfc0).free(64, 0xfc0).tree(64, 0xf80).tree(64, 0xfc0);
    assert_eq!(script.compare(), expected(3, Placement { held_unseen: 1, ..Placement::default() }));
}

#[test]
fn a_large_free_below_the_start_does_not_move_it() {
    let low = || Script::new().tree_below(0x7ff, 64, 0x7c0).tree_below(0x8ff, 1, 0x8ff);
    let script = low().tree(1, 0xfff).tree(64, 0xf80).free(64, 0x7c0).tree(1, 0xf7f).tree(1, 0xffe);
    assert_eq!(script.compare(), expected(6, Placement { kernel_began_lower: 1, ..Placement::default() }));
}

#[test]
fn a_small_free_changes_nothing_in_the_tree() {
    let script = Script::new().tree(1, 0xfff).tree(32, 0xfc0).tree(1, 0xfbf);
    let script = script.free(32, 0xfc0).tree(1, 0xfbe).tree(1, 0xffe);
    assert_eq!(script.compare(), expected(5, Placement { kernel_began_lower: 2, ..Placement::default() }));
}

#[test]
fn a_large_range_can_be_placed_anew_after_its_free() {
    let script = Script::new().tree(64, 0xfc0).free(64, 0xfc0).tree(64, 0xfc0);
    assert_eq!(script.compare(), expected(2, Placement::default()));
}

#[test]
fn a_higher_answer_that_the_start_does_not_explain_is_held() {
    let script = Script::new().tree(1, 0xfff).tree(1, 0xff0).tree(1, 0xffe);
    assert_eq!(script.compare(), expected(3, Placement { held_unseen: 1, ..Placement::default() }));
}

#[test]
fn a_cached_range_that_is_placed_anew_has_come_back() {
    // That is known only when it is placed; from then on it is held as before.
    let script = Script::new().tree(1, 0xfff).free(1, 0xfff).tree(1, 0xfff).tree(1, 0xffe);
    assert_eq!(script.compare(), expected(3, Placement { returned_unseen: 1, ..Placement::default() }));
}

#[test]
fn cpu_caches_are_only_counted() {
    let script = Script::new().tree(1, 0xfff).free(1, 0xfff).cached(1, 0xfff).tree(1, 0xffe);
    let others = Placement { served_by_cpu_caches: 1, ..Placement::default() };
    assert_eq!(script.compare(), expected(2, others));
}

#[test]
fn what_a_cpu_cache_hands_out_first_was_held_before() {
    let script = Script::new().tree(1, 0xffe).cached(1, 0xfff);
    let others = Placement { served_by_cpu_caches: 1, ..Placement::default() };
    assert_eq!(script.compare(), expected(1, others));
}

#[test]
fn what_is_freed_without_an_allocation_was_held_before() {
    let script = Script::new().tree(1, 0xffe).unmatched_free(1, 0xfff).tree(1, 0xffd);
    assert_eq!(script.compare(), expected(2, Placement::default()));
}

#[test]
fn an_unmatched_large_free_makes_room() {
    let script = Script::new().tree(64, 0xf80).unmatched_free(64, 0xfc0).tree(64, 0xfc0);
    assert_eq!(script.compare(), expected(2, Placement::default()));
}

#[test]
fn cached_sizes_are_rounded_up_in_the_tree() {
    let script = Script::new().cached(3, 0xffc).tree(1, 0xffb);
    assert_eq!(script.compare().equal, 1);
    // 33 granules are not cached: they end at 0xfe0.
    let script = Script::new().tree(1, 0xfff).unmatched_free(33, 0xfc0);
    assert_eq!(script.compare().equal, 1);
    assert_eq!([1, 3, 17, 32, 33, 64, 100].map(size_in_tree), [1, 4, 32, 32, 33, 64, 100]);
}

#[test]
fn domains_do_not_mix() {
    let mut script = Script::new().tree(1, 0xfff).tree(1, 0xfff);
    script.0.domains.push(iova_trace::Domain::default());
    script.0.operations[1].domain = DomainId(1);
    assert_eq!(script.compare(), expected(2, Placement::default()));
}

#[test]
fn an_operation_without_a_domain_is_an_error() {
    let mut script = Script::new().tree(1, 0xfff);
    script.0.operations[0].domain = DomainId(1);
    assert_eq!(compare(&script.0).unwrap_err().to_string(), "line 1: no such domain");
}

#[test]
fn without_requests_of_the_tree_nothing_is_compared() {
    assert_eq!(Script::new().cached(1, 0xfff).compare(), Placement::default());
}

#[test]
fn lost_events_do_not_make_overlapping_ranges_from_before() {
    // The second cached range lies in the first one, which the tree has partly handed out anew since.
    let script = Script::new().cached(4, 0xffc).tree(1, 0xffc).cached(2, 0xffe);
    assert_eq!(script.compare().served_by_tree, 1);
}

#[test]
fn ranges_without_byte_addresses_are_left_out() {
    let highest = u64::MAX >> 12;
    let beyond = [(1, highest + 1), (2, highest), (u64::MAX, 1), (1, u64::MAX), (0, 5), (33, highest)];
    for (granules, placed) in beyond {
        let script = Script::new().tree(granules, placed).unmatched_free(granules, placed);
        assert_eq!(script.cached(granules, placed).compare().served_by_tree, 0, "{granules} at {placed:#x}");
    }
    let script = Script::new().tree_below(u64::MAX, 1, highest);
    assert_eq!(script.compare(), expected(1, Placement::default()));
}

#[test]
fn unused_ranges_lie_between_and_above_the_used_ones() {
    let mut history = History::default();
    assert_eq!(history.unused().count(), 0);
    for (first, granules) in [(10, 5), (30, 1), (16, 4), (12, 4)] {
        history.use_range(first, granules);
    }
    // Ranges that overlap are one then; those that touch are not, and have nothing between them.
    assert_eq!(history.used.0, BTreeMap::from([(10, 6), (16, 4), (30, 1)]));
    assert_eq!(history.unused().collect::<Vec<_>>(), [(20, 10), (31, LAST_PFN + 1 - 31)]);
    history.use_range(19, 12);
    assert_eq!(history.used.0, BTreeMap::from([(10, 6), (16, 15)]));
    history.use_range(LAST_PFN, 1);
    assert_eq!(history.unused().collect::<Vec<_>>(), [(31, LAST_PFN - 31)]);
}

#[test]
fn overlapping_ranges_are_taken_out_and_touching_ones_are_not() {
    let mut held = Held(BTreeMap::from([(0, 4), (4, 4), (8, 4), (12, 4)]));
    assert_eq!(held.take_overlapping(7, 2), [(8, 4), (4, 4)]);
    assert_eq!(held.0, BTreeMap::from([(0, 4), (12, 4)]));
    assert_eq!(held.take_overlapping(4, 8), []);
}
