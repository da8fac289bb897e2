//! A tree and the model of it, filled at random.

use std::cell::Cell;
use std::env;
use std::rc::Rc;

use fastrand::Rng;
use maple_faults::{FaultyAlloc, Plan};
use maple_tree::{Content, IndexRange, Layout, MapleTree};

use crate::model::{Model, Segment};

/// A value that is recognised by its key and counted while it is alive.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) key: u64,
    live: Rc<Cell<usize>>,
}

impl Clone for Token {
    fn clone(&self) -> Self {
        self.live.set(self.live.get() + 1);
        Self { key: self.key, live: self.live.clone() }
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.live.set(self.live.get() - 1);
    }
}

pub(crate) type Tree<'a, L> = MapleTree<Box<Token>, L, &'a FaultyAlloc>;

/// A tree and the model of it.
#[derive(Debug)]
pub(crate) struct Subject<'a, L: Layout> {
    pub(crate) tree: Tree<'a, L>,
    pub(crate) model: Model,
    pub(crate) tokens: Tokens,
}

/// Makes tokens.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tokens {
    live: Rc<Cell<usize>>,
    made: u64,
}

impl Tokens {
    pub(crate) fn make(&mut self) -> Box<Token> {
        self.made += 1;
        self.live.set(self.live.get() + 1);
        Box::new(Token { key: self.made, live: self.live.clone() })
    }

    /// How many are alive.
    pub(crate) fn live(&self) -> usize {
        self.live.get()
    }
}

impl<'a, L: Layout> Subject<'a, L> {
    /// An empty tree.
    pub(crate) fn new(model: Model, alloc: &'a FaultyAlloc) -> Self {
        Self { tree: MapleTree::bounded_in(model.bounds, alloc), model, tokens: Tokens::default() }
    }

    /// A tree with entries, reserved ranges and gaps, some of them cut into pieces. Afterwards there is no node
    /// memory.
    pub(crate) fn filled(model: Model, alloc: &'a FaultyAlloc, rng: &mut Rng) -> Self {
        let mut subject = Self::new(model, alloc);
        alloc.set_plan(Plan::Never);
        let erases = rng.u8(10..60);
        for _ in 0..rng.u64(0..=2 * subject.model.space.count() as u64) {
            if rng.u8(0..100) < erases {
                let index = rng.u64(subject.model.space.first()..=subject.model.space.last());
                subject.remove(index);
            } else {
                let (range, value) = (range(rng, subject.model.space), rng.u8(0..4) > 0);
                subject.put(range, value);
            }
        }
        alloc.set_plan(Plan::After(0));
        subject.check();
        subject
    }

    fn put(&mut self, range: IndexRange, value: bool) {
        if !self.model.taken(range).is_empty() {
            return;
        }
        let key = value.then(|| self.tokens.make()).map(|token| {
            let key = token.key;
            self.tree.insert(range, token).expect("the range is free");
            key
        });
        if key.is_none() {
            self.tree.reserve(range).expect("the range is free");
        }
        self.model.set(range, Some((range, key)));
    }

    fn remove(&mut self, index: u64) {
        let taken = self.model.at(index);
        let erased = self.tree.erase(index).map(|(range, token)| (range, Some(token.key)));
        let freed = self.tree.unreserve(index).map(|range| (range, None));
        assert_eq!(erased.or(freed), taken);
        if let Some((range, _)) = taken {
            self.model.set(range, None);
        }
    }

    /// The whole tree, and what it amounts to.
    pub(crate) fn check(&self) {
        if let Err(violation) = self.tree.validate() {
            unreachable!("{violation}\n{}", self.tree.dump());
        }
        let entries = self.model.entries(IndexRange::FULL);
        assert_eq!((self.tree.len(), self.tokens.live()), (entries.len(), entries.len()), "values are lost");
        let stats = self.tree.stats();
        assert_eq!(stats.reserved, self.model.taken(IndexRange::FULL).len() - entries.len());
        assert_eq!(self.tree.allocator().counts().live, (stats.leaves + stats.branches) as u64);
        let found: Vec<_> = self.tree.iter().map(|(range, token)| (range, token.key)).collect();
        assert_eq!(found, entries);
    }
}

/// A segment as a tree shows it, by the key of its value.
pub(crate) fn keyed((range, content): (IndexRange, Content<&Token>)) -> Segment {
    (range, content.map(|token| token.key))
}

/// A range of a space, mostly a short one.
pub(crate) fn range(rng: &mut Rng, space: IndexRange) -> IndexRange {
    let first = rng.u64(space.first()..=space.last());
    let most = if rng.u8(0..16) == 0 { 32 } else { 4 };
    let last = first.saturating_add(rng.u64(0..most)).min(space.last());
    IndexRange::new(first, last).expect("not empty")
}

/// An index that may lie just outside of a space, or far.
pub(crate) fn index(rng: &mut Rng, space: IndexRange) -> u64 {
    match rng.u8(0..16) {
        0 => 0,
        1 => u64::MAX,
        2 => space.first().saturating_sub(1),
        3 => space.last().saturating_add(1),
        _ => rng.u64(space.first()..=space.last()),
    }
}

/// A window: anything in and around a space.
pub(crate) fn window(rng: &mut Rng, space: IndexRange) -> IndexRange {
    let (a, b) = (index(rng, space), index(rng, space));
    IndexRange::new(a.min(b), a.max(b)).expect("not empty")
}

/// All items in order, taken from either end at random, `most` of them at most.
pub(crate) fn from_both_ends<T>(
    mut items: impl DoubleEndedIterator<Item = T>,
    most: usize,
    rng: &mut Rng,
) -> (Vec<T>, Vec<T>) {
    let (mut front, mut back) = (Vec::new(), Vec::new());
    while front.len() + back.len() < most {
        let (item, end) =
            if rng.bool() { (items.next(), &mut front) } else { (items.next_back(), &mut back) };
        match item {
            Some(item) => end.push(item),
            None => {
                assert!(items.next().is_none() && items.next_back().is_none());
                break;
            }
        }
    }
    back.reverse();
    (front, back)
}

/// How many where so many are usual: much fewer in an interpreter.
pub(crate) fn scaled(usual: usize) -> usize {
    if cfg!(miri) { usual.div_ceil(10) } else { usual }
}

/// Runs a test on all spaces, with many seeds; in an interpreter with one, on a few small spaces.
pub(crate) fn on_all(rounds: u64, test: impl Fn(Model, &FaultyAlloc, &mut Rng)) {
    let number = |name| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let first = number("MAPLE_SEED").unwrap_or(1);
    let rounds = number("MAPLE_ROUNDS").unwrap_or(1) * if cfg!(miri) { 1 } else { rounds };
    for seed in first..first + rounds {
        for (i, model) in Model::all().into_iter().enumerate() {
            if cfg!(miri) && (i % 3 != 0 || model.space.count() > 40) {
                continue;
            }
            let failed = Failed { seed, space: i };
            let alloc = FaultyAlloc::new(Plan::Never);
            test(model, &alloc, &mut Rng::with_seed(seed.wrapping_mul(1000).wrapping_add(i as u64)));
            assert_eq!(alloc.counts().live, 0, "nodes are lost");
            std::mem::forget(failed);
        }
    }
}

/// Says how to come back to a failure.
struct Failed {
    seed: u64,
    space: usize,
}

impl Drop for Failed {
    fn drop(&mut self) {
        eprintln!("MAPLE_SEED={}, space {}", self.seed, self.space);
    }
}

/// Makes tests on all layouts of functions that are generic over them; in an interpreter, which takes its time, only
/// on small ones: sizes are all that differs.
macro_rules! on_all_layouts {
    (@ $module:ident $layout:ident: $($test:ident)+) => {
        mod $module {
            $(#[test]
            fn $test() {
                super::$test::<maple_tree::$layout>();
            })+
        }
    };
    ($($test:ident),+) => {
        #[cfg(not(miri))]
        $crate::subject::on_all_layouts!(@ gaps Gaps: $($test)+);
        #[cfg(not(miri))]
        $crate::subject::on_all_layouts!(@ no_gaps NoGaps: $($test)+);
        $crate::subject::on_all_layouts!(@ small_gaps SmallGaps: $($test)+);
        $crate::subject::on_all_layouts!(@ small_no_gaps SmallNoGaps: $($test)+);
    };
}

pub(crate) use on_all_layouts;
