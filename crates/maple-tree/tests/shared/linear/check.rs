//! The check of a history of one index.

use super::{Read, Span, Version};

/// The first read, as they began, that no order of reads and writes explains; see the module above.
pub(super) fn first_wrong(versions: &[Version], reads: &mut [Read]) -> Option<Read> {
    debug_assert!(versions.windows(2).all(|pair| pair[0].span.to < pair[1].span.from));
    reads.sort_unstable_by_key(|read| read.span.from);
    let mut ends: Vec<(u64, usize)> =
        reads.iter().enumerate().map(|(place, read)| (read.span.to, place)).collect();
    ends.sort_unstable();
    let (mut ended, mut seen) = (ends.into_iter().peekable(), 0);
    let mut chosen = Vec::with_capacity(reads.len());
    for read in &*reads {
        // The newest version that a read returned which ended before this one began.
        while let Some((_, place)) = ended.next_if(|&(end, _)| end < read.span.from) {
            seen = seen.max(chosen[place]);
        }
        // Version `k` stands at `k - 1`; the one before all writes is not in there.
        let oldest = versions.partition_point(|version| version.span.to < read.span.from);
        let newest = versions.partition_point(|version| version.span.from < read.span.to);
        let number = |k: usize| k.checked_sub(1).map_or(0, |place| versions[place].number);
        match (oldest.max(seen)..=newest).find(|&k| number(k) == read.number) {
            Some(k) => chosen.push(k),
            None => return Some(*read),
        }
    }
    None
}

/// A history in short: each write and read is `(from, to, number)`.
fn is_right(writes: &[(u64, u64, u64)], reads: &[(u64, u64, u64)]) -> bool {
    let span = |from, to| Span { from, to };
    let versions: Vec<_> =
        writes.iter().map(|&(from, to, number)| Version { span: span(from, to), number }).collect();
    let mut reads: Vec<_> =
        reads.iter().map(|&(from, to, number)| Read { span: span(from, to), number }).collect();
    first_wrong(&versions, &mut reads).is_none()
}

#[test]
fn a_read_returns_what_is_there() {
    assert!(is_right(&[], &[(1, 2, 0)]));
    assert!(is_right(&[(1, 2, 7)], &[(3, 4, 7)]));
    assert!(is_right(&[(1, 2, 7), (3, 4, 0), (5, 6, 8)], &[(7, 8, 8)]));
}

#[test]
fn during_a_write_a_read_returns_either() {
    for number in [7, 8] {
        assert!(is_right(&[(1, 2, 7), (4, 6, 8)], &[(3, 5, number)]));
        assert!(is_right(&[(1, 2, 7), (3, 6, 8)], &[(4, 5, number)]));
    }
    // All that was there in its time.
    for number in [0, 7, 8, 9] {
        assert!(is_right(&[(2, 3, 7), (4, 5, 8), (6, 8, 9)], &[(1, 7, number)]));
    }
}

#[test]
fn a_value_that_never_was_is_wrong() {
    assert!(!is_right(&[], &[(1, 2, 7)]));
    assert!(!is_right(&[(1, 2, 7), (4, 6, 8)], &[(3, 5, 9)]));
}

#[test]
fn a_value_that_is_gone_is_wrong() {
    assert!(!is_right(&[(1, 2, 7), (3, 4, 8)], &[(5, 6, 7)]));
    assert!(!is_right(&[(1, 2, 7), (3, 4, 0)], &[(5, 6, 7)]));
    assert!(!is_right(&[(1, 2, 7)], &[(3, 4, 0)]));
}

#[test]
fn a_value_that_is_not_there_yet_is_wrong() {
    assert!(!is_right(&[(3, 4, 7)], &[(1, 2, 7)]));
}

#[test]
fn an_older_value_after_a_newer_one_is_wrong() {
    let writes = [(1, 2, 7), (3, 10, 8)];
    assert!(is_right(&writes, &[(4, 5, 7), (6, 7, 8)]));
    assert!(!is_right(&writes, &[(4, 5, 8), (6, 7, 7)]));
    // Two at once may see them in any order.
    assert!(is_right(&writes, &[(4, 6, 8), (5, 7, 7)]));
}

#[test]
fn nothing_may_be_any_of_the_times_when_there_was_nothing() {
    let writes = [(2, 3, 7), (4, 9, 0)];
    assert!(is_right(&writes, &[(1, 5, 0), (6, 7, 7)]));
    assert!(is_right(&writes, &[(1, 5, 7), (6, 7, 0)]));
    assert!(!is_right(&writes, &[(5, 6, 0), (7, 8, 7)]));
}
