//! A tree with counted values and the map that it should equal.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use fastrand::Rng;
use maple_faults::FaultyAlloc;
use maple_tree::{Content, IndexRange, Layout, MapleTree};

/// A number whose values are counted while they are alive.
#[derive(Debug)]
pub(crate) struct Counted {
    pub(crate) number: u64,
    live: Rc<Cell<usize>>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.live.set(self.live.get() - 1);
    }
}

/// A clone that panics after so many, if that is set.
impl Clone for Counted {
    fn clone(&self) -> Self {
        CLONES_LEFT.set(CLONES_LEFT.get() - 1);
        assert_ne!(CLONES_LEFT.get(), 0, "no more clones");
        Live(self.live.clone()).value(self.number)
    }
}

thread_local! {
    pub(crate) static CLONES_LEFT: Cell<u64> = const { Cell::new(u64::MAX) };
}

/// How many values there are.
#[derive(Clone, Default)]
pub(crate) struct Live(Rc<Cell<usize>>);

impl Live {
    pub(crate) fn count(&self) -> usize {
        self.0.get()
    }

    pub(crate) fn value(&self, number: u64) -> Counted {
        self.0.set(self.0.get() + 1);
        Counted { number, live: self.0.clone() }
    }

    pub(crate) fn boxed(&self, number: u64) -> Box<Counted> {
        Box::new(self.value(number))
    }
}

pub(crate) type Tree<'a, L> = MapleTree<Box<Counted>, L, &'a FaultyAlloc>;

/// What is taken: by the first index the last one and the number of the entry, or nothing where it is reserved.
pub(crate) type Model = BTreeMap<u64, (u64, Option<u64>)>;

pub(crate) fn range(first: u64, last: u64) -> IndexRange {
    IndexRange::new(first, last).expect("in order")
}

/// How many where so many are usual: much fewer in an interpreter.
pub(crate) fn scaled(usual: u64) -> u64 {
    if cfg!(miri) { usual.div_ceil(60) } else { usual }
}

/// Whether the tree is valid, holds what the model says, and has no more nodes and values than that needs.
pub(crate) fn check<L: Layout>(tree: &Tree<'_, L>, model: &Model) {
    if let Err(violation) = tree.validate() {
        unreachable!("{violation}\n{}", tree.dump());
    }
    let mut expected = model.iter().filter_map(|(&first, &(last, number))| Some((first, last, number?)));
    for (range, value) in tree {
        assert_eq!(Some((range.first(), range.last(), value.number)), expected.next());
    }
    assert_eq!(expected.next(), None);
    assert_eq!((tree.len(), tree.stats().entries + tree.stats().reserved), (entries(model), model.len()));
    let mut free = Some(tree.bounds().first());
    let mut gaps = tree.gaps();
    for (&first, &(last, number)) in model {
        if let Some(free) = free.filter(|&free| free < first) {
            assert_eq!(gaps.next(), IndexRange::new(free, first - 1));
        }
        free = last.checked_add(1);
        if number.is_none() {
            assert_eq!(tree.extent(first).map(|(_, content)| content.is_gap()), Some(false));
            assert!(matches!(tree.extent(last), Some((at, Content::Reserved)) if at == range(first, last)));
        }
    }
    let rest = free.and_then(|free| IndexRange::new(free, tree.bounds().last()));
    assert_eq!((gaps.next(), gaps.next()), (rest, None));
}

pub(crate) fn entries(model: &Model) -> usize {
    model.values().filter(|(_, number)| number.is_some()).count()
}

/// The number of nodes in a tree.
pub(crate) fn nodes<L: Layout>(tree: &Tree<'_, L>) -> u64 {
    (tree.stats().leaves + tree.stats().branches) as u64
}

/// A tree of `n` entries, some of them reserved, in places of 16 indices, in random order, and what it should hold.
pub(crate) fn random<'a, L: Layout>(
    alloc: &'a FaultyAlloc,
    live: &Live,
    bounds: IndexRange,
    n: u64,
    gaps: bool,
    rng: &mut Rng,
) -> (Tree<'a, L>, Model) {
    let (mut tree, mut model) = (MapleTree::bounded_in(bounds, alloc), Model::new());
    let mut order: Vec<u64> = (0..n).collect();
    rng.shuffle(&mut order);
    for i in order {
        let (first, count) = (bounds.first() + i * 16, if gaps { rng.u64(1..=16) } else { 16 });
        let Some(range) = IndexRange::sized(first, count).filter(|&range| bounds.contains_range(range))
        else {
            continue;
        };
        let number = (rng.u8(0..8) != 0).then_some(i);
        match number {
            Some(number) => assert!(tree.insert(range, live.boxed(number)).is_ok()),
            None => assert!(tree.reserve(range).is_ok()),
        }
        model.insert(range.first(), (range.last(), number));
    }
    (tree, model)
}

/// Erases each entry or reserved range with a probability.
pub(crate) fn thin_out<L: Layout>(
    tree: &mut Tree<'_, L>,
    model: &mut Model,
    probability: f64,
    rng: &mut Rng,
) {
    let mut taken: Vec<u64> = model.keys().copied().collect();
    rng.shuffle(&mut taken);
    for first in taken {
        if rng.f64() < probability {
            let erased = tree.erase(first).is_some() || tree.unreserve(first).is_some();
            assert!(erased && model.remove(&first).is_some());
        }
    }
}

/// Runs a generic test for each layout; in an interpreter, which takes its time, only for small ones: sizes are all
/// that differs.
macro_rules! for_each_layout {
    ($($name:ident => $test:ident;)+) => {$(
        mod $name {
            #[cfg(not(miri))]
            #[test]
            fn gaps() {
                super::$test::<maple_tree::Gaps>();
            }

            #[cfg(not(miri))]
            #[test]
            fn no_gaps() {
                super::$test::<maple_tree::NoGaps>();
            }

            #[test]
            fn small_gaps() {
                super::$test::<maple_tree::SmallGaps>();
            }

            #[test]
            fn small_no_gaps() {
                super::$test::<maple_tree::SmallNoGaps>();
            }
        }
    )+};
}

pub(crate) use for_each_layout;
