//! Programs by rule: orders of inserting and erasing that are hard on a tree.

use maple_tree::IndexRange;

use crate::programs::Op;

/// The range of the `i`th of a row of places of 16 indices.
fn place(i: u64) -> IndexRange {
    places(i, i)
}

/// The ranges of a row of places joined.
fn places(from: u64, to: u64) -> IndexRange {
    IndexRange::new(from * 16, to * 16 + 15).expect("places in order")
}

/// The front half of a place: entries over these have gaps between them.
fn half(i: u64) -> IndexRange {
    IndexRange::sized(i * 16, 8).expect("8 is not 0")
}

fn fill(order: impl Iterator<Item = u64>, range: impl Fn(u64) -> IndexRange) -> impl Iterator<Item = Op> {
    order.map(move |i| Op::Insert(range(i)))
}

fn erase(order: impl Iterator<Item = u64>) -> impl Iterator<Item = Op> {
    order.map(|i| Op::Erase(i * 16 + i % 8))
}

/// The programs, with about `n` entries each, and what they do.
pub(crate) fn by_rule(n: u64) -> Vec<(&'static str, Vec<Op>)> {
    let inside_out = (0..n).map(|i| if i % 2 == 0 { n / 2 + i / 2 } else { n / 2 - 1 - i / 2 });
    let outside_in = (0..n).map(|i| if i % 2 == 0 { i / 2 } else { n - 1 - i / 2 });
    let blocks = || (0..n / 16).map(|block| block * 16);
    vec![
        ("up with gaps, down from the front", fill(0..n, half).chain(erase(0..n)).collect()),
        ("up, down from the back", fill(0..n, place).chain(erase((0..n).rev())).collect()),
        ("down, down from the front", fill((0..n).rev(), place).chain(erase(0..n)).collect()),
        ("inside out and outside in", fill(inside_out, half).chain(erase(outside_in)).collect()),
        (
            "comb: every other, filled exactly, then the others",
            fill(0..n, place)
                .chain(erase((0..n).step_by(2)))
                .chain(fill((0..n).rev().step_by(2).map(|i| i - (n + 1) % 2), place))
                .chain(erase((1..n).step_by(2)))
                .chain(fill((1..n).step_by(2), half))
                .collect(),
        ),
        (
            "all but one of 16, then one entry over each gap across nodes",
            fill(0..n, place)
                .chain(erase((0..n).filter(|i| i % 16 != 7)))
                .chain(blocks().skip(1).map(|block| Op::Insert(places(block - 8, block + 6))))
                .chain(blocks().skip(1).map(|block| Op::Erase(block * 16)))
                .chain(fill((0..n).filter(|i| i % 16 != 7), half))
                .collect(),
        ),
        (
            "one entry over all but the edges, three times",
            (0..3)
                .flat_map(|_| {
                    fill((0..n).rev(), half)
                        .chain(erase(1..n - 1))
                        .chain([Op::Insert(places(1, n - 2)), Op::Erase(n / 2 * 16)])
                        .chain([Op::Insert(places(1, n / 2)), Op::Insert(places(n / 2 + 1, n - 2))])
                        .chain([Op::Erase(16), Op::Erase((n - 2) * 16)])
                })
                .collect(),
        ),
    ]
}
