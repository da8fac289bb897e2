//! Numbers that look random and follow from a seed: the same for every subject.

/// A generator of numbers (SplitMix64: a counter, and a mix of its bits).
#[derive(Clone, Copy, Debug)]
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    #[inline]
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, which is less than 2^32.
    #[inline]
    pub fn below(&mut self, limit: usize) -> usize {
        (((self.draw() >> 32) * limit as u64) >> 32) as usize
    }

    /// Makes all further numbers depend on `value`.
    #[inline]
    pub fn absorb(&mut self, value: u64) {
        self.0 ^= value;
    }

    /// The numbers below `count` in random order.
    pub fn order(&mut self, count: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..count as u32).collect();
        for last in (1..count).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_has_every_number_once() {
        let mut order = Numbers::new(1).order(1000);
        assert_ne!(order, (0..1000).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn numbers_follow_from_the_seed_and_from_what_was_absorbed() {
        let (mut one, mut other) = (Numbers::new(7), Numbers::new(7));
        assert_eq!(one.draw(), other.draw());
        one.absorb(1);
        assert_ne!(one.draw(), other.draw());
    }
}
