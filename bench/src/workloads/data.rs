//! Ranges with gaps between them, computed from their number alone, so that a loop over them reads no other memory.

use crate::numbers::Numbers;
use crate::subject::RangeMap;

/// What one range and the gap beside it take.
const PITCH: u64 = 64;

/// The range with this number: 17 to 48 indices in every 64.
#[inline]
pub fn range(number: u64) -> (u64, u64) {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let first = number * PITCH + (mixed >> 60);
    (first, number * PITCH + 16 + (mixed >> 51 & 31))
}

/// An index in the range with this number.
#[inline]
pub fn inside(number: u64) -> u64 {
    number * PITCH + 16
}

/// Its value: odd, which all subjects can hold, and known.
#[inline]
pub fn value(number: u64) -> usize {
    (number * 2 + 1) as usize
}

/// Inserts the ranges with these numbers in this order.
pub fn insert_all<M: RangeMap>(map: &mut M, order: &[u32]) {
    for &number in order {
        let number = u64::from(number);
        let (first, last) = range(number);
        map.insert(first, last, value(number));
    }
}

/// A map of `n` ranges, inserted in random order.
pub fn filled<M: RangeMap>(n: usize, seed: u64) -> M {
    let mut map = M::new();
    insert_all(&mut map, &Numbers::new(seed).order(n));
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_do_not_touch() {
        let mut end = None;
        for number in 0..100_000 {
            let (first, last) = range(number);
            assert!(first <= inside(number) && inside(number) <= last);
            assert!(end.is_none_or(|end| first > end + 1), "{number}");
            end = Some(last);
        }
    }
}
