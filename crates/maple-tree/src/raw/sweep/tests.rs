//! Values that are taken out anywhere, beside a list of what is left.

use core::num::NonZeroU64;
use std::vec::Vec;

use fastrand::Rng;

use super::Toward;
use crate::{IndexRange, MapleTree, SmallGaps};

#[test]
fn vacated_ranges_stay_reserved() {
    // Few in an interpreter.
    let places = if cfg!(miri) { 8 } else { 100 };
    let mut rng = Rng::with_seed(1);
    for base in [0, 1000, u64::MAX - (5 * places - 1)] {
        let bounds = IndexRange::sized(base, 5 * places).unwrap();
        let mut tree: MapleTree<NonZeroU64, SmallGaps> = MapleTree::bounded(bounds);
        let mut left = Vec::new();
        for place in 0..places {
            let range = IndexRange::sized(base + place * 5, rng.u64(1..=5)).unwrap();
            let value = NonZeroU64::MIN.saturating_add(place);
            match rng.u8(0..4) {
                0 => {}
                1 => assert_eq!(tree.reserve(range), Ok(())),
                _ => {
                    assert!(tree.insert(range, value).is_ok());
                    left.push((range, value));
                }
            }
        }
        let gaps: Vec<_> = tree.gaps().collect();
        for _ in 0..10 * places {
            let index = rng.u64(bounds.first()..=bounds.last());
            let (toward, expected) = if rng.bool() {
                (Toward::Higher, left.iter().position(|(range, _)| range.last() >= index))
            } else {
                (Toward::Lower, left.iter().rposition(|(range, _)| range.first() <= index))
            };
            assert_eq!(tree.vacate(index, toward), expected.map(|position| left.remove(position)));
            assert_eq!(tree.validate(), Ok(()));
        }
        assert!(left.is_empty() && tree.is_empty());
        assert_eq!(tree.gaps().collect::<Vec<_>>(), gaps);
    }
}
