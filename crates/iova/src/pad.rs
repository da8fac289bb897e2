//! Keeping what one CPU writes off the cache lines of another.

use core::ops::Deref;

/// A value on cache lines of its own: 128 bytes, as processors also fetch the line beside the one that is asked
/// for.
#[repr(align(128))]
pub(crate) struct Padded<T>(T);

impl<T> Padded<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for Padded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_no_line() {
        let two = [Padded::new(1_u8), Padded::new(2)];
        assert_eq!(size_of_val(&two), 256);
        assert_eq!((*two[0], *two[1]), (1, 2));
    }
}
