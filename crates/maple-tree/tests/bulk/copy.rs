//! Copies.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::Arc;

use fastrand::Rng;
use maple_faults::{FaultyAlloc, Plan};
use maple_tree::{AllocMode, IndexRange, Layout, MapleTree, SmallGaps};

use crate::subject::{CLONES_LEFT, Live, check, for_each_layout, nodes, random, range, scaled, thin_out};

for_each_layout! {
    same_shape => copies_have_the_same_shape;
    failing_memory => memory_fails_at_each_allocation;
    panicking_clone => survives_a_clone_that_panics;
}

fn copies_have_the_same_shape<L: Layout>() {
    let mut rng = Rng::with_seed(1);
    for n in [0, 1, 2, 15, 16, 17, 100, 1000, 3000].map(scaled) {
        for bounds in [IndexRange::FULL, range(5, 16 * 2000)] {
            let (alloc, live) = (FaultyAlloc::new(Plan::Never), Live::default());
            let (mut tree, mut model) = random::<L>(&alloc, &live, bounds, n, rng.bool(), &mut rng);
            thin_out(&mut tree, &mut model, 0.4, &mut rng);
            let counts = alloc.counts();

            let mut copy = tree.try_clone().expect("there is memory");
            assert_eq!(copy.dump().to_string(), tree.dump().to_string());
            assert_eq!((copy.stats(), copy.bounds()), (tree.stats(), tree.bounds()));
            assert_eq!(alloc.counts().calls - counts.calls, nodes(&tree));
            assert_eq!((live.count(), alloc.counts().live), (2 * tree.len(), 2 * nodes(&tree)));
            check(&copy, &model);

            // Each goes its own way.
            let before = model.clone();
            thin_out(&mut copy, &mut model, 0.5, &mut rng);
            check(&copy, &model);
            check(&tree, &before);

            // Every third value is missing, and these ranges stay reserved.
            let mut model = before;
            let some = tree.try_clone_with(AllocMode::Atomic, |range, value| {
                assert_eq!(model.get(&range.first()), Some(&(range.last(), Some(value.number))));
                (value.number % 3 != 0).then(|| live.boxed(value.number))
            });
            for (_, number) in model.values_mut() {
                *number = number.filter(|number| number % 3 != 0);
            }
            let some = some.expect("there is memory");
            check(&some, &model);
            assert_eq!(nodes(&some), nodes(&tree));
            drop((tree, copy, some));
            assert_eq!((live.count(), alloc.counts().live), (0, 0));
        }
    }
}

fn memory_fails_at_each_allocation<L: Layout>() {
    let (alloc, live) = (FaultyAlloc::new(Plan::Never), Live::default());
    let (tree, model) =
        random::<L>(&alloc, &live, IndexRange::FULL, scaled(400), true, &mut Rng::with_seed(2));
    let values = live.count();
    for allocation in 1..=nodes(&tree) {
        alloc.set_plan(Plan::Nth(allocation));
        let copy = tree.try_clone_with(AllocMode::Normal, |_, _| unreachable!("not all nodes are there"));
        assert!(copy.is_err());
        assert_eq!((alloc.counts().live, live.count()), (nodes(&tree), values));
    }
    alloc.set_plan(Plan::Nth(nodes(&tree) + 1));
    check(&tree.try_clone().expect("it is not asked that often"), &model);
    check(&tree, &model);
}

fn survives_a_clone_that_panics<L: Layout>() {
    let (alloc, live) = (FaultyAlloc::new(Plan::Never), Live::default());
    let (tree, model) =
        random::<L>(&alloc, &live, IndexRange::FULL, scaled(200), true, &mut Rng::with_seed(3));
    for clones in 1..=tree.len() as u64 {
        CLONES_LEFT.set(clones);
        assert!(catch_unwind(AssertUnwindSafe(|| tree.try_clone().is_ok())).is_err());
        assert_eq!((alloc.counts().live, live.count()), (nodes(&tree), tree.len()));
    }
    CLONES_LEFT.set(u64::MAX);
    check(&tree, &model);
}

/// Each kind of entry, while one of the originals is lent out.
#[test]
fn all_kinds_of_values() {
    fn copy_of<T: maple_tree::CloneEntry>(values: [T; 2]) -> MapleTree<T, SmallGaps> {
        let [a, b] = values;
        let mut tree = MapleTree::new();
        assert!(tree.insert(0..1, a).is_ok() && tree.insert(u64::MAX.., b).is_ok());
        let lent = tree.get(0);
        let copy = tree.clone();
        assert!(lent.is_some() && copy.validate() == Ok(()));
        copy
    }
    let number = 7;
    assert_eq!(copy_of([Box::new(1), Box::new(2)]).get(u64::MAX), Some(&2));
    assert_eq!(copy_of([&1, &number]).get(u64::MAX), Some(&7));
    assert_eq!(copy_of([NonNull::from(&1), NonNull::from(&number)]).get(u64::MAX), Some((&number).into()));
    assert_eq!(copy_of([(), ()]).get(u64::MAX), Some(()));
    assert_eq!(copy_of([NonZeroUsize::MIN, NonZeroUsize::MAX]).get(u64::MAX), Some(NonZeroUsize::MAX));
    assert_eq!(copy_of([NonZeroU32::MIN, NonZeroU32::MAX]).get(u64::MAX), Some(NonZeroU32::MAX));
    assert_eq!(copy_of([NonZeroU64::MIN, NonZeroU64::MAX]).get(u64::MAX), Some(NonZeroU64::MAX));

    let arc = Arc::new(5);
    let copy = copy_of([arc.clone(), arc.clone()]);
    assert_eq!((Arc::strong_count(&arc), copy.get(u64::MAX)), (3, Some(&5)));
    drop(copy);
    assert_eq!(Arc::strong_count(&arc), 1);
}

#[test]
fn a_value_that_is_lent_out_is_still_good_after_a_copy() {
    let mut tree: MapleTree<Box<u64>, SmallGaps> = MapleTree::new();
    assert!(tree.insert(0..1, Box::new(5)).is_ok());
    let lent = tree.get(0);
    let copy = tree.clone();
    assert_eq!((lent, copy.get(0)), (Some(&5), Some(&5)));
}
