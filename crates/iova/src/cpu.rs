//! Which CPU it is.
//!
//! The caches and the flush queue keep state per CPU. A number of the caller's says whose state to use. It is
//! for speed only: whatever the number is, nothing goes wrong, since each state has a lock. A good number is
//! one that no other CPU uses at the same time.

/// The number of a CPU. Numbers beyond those that something was made for wrap around.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cpu(usize);

impl Cpu {
    /// The CPU with this number, counted from 0.
    #[must_use]
    pub const fn new(number: usize) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0
    }

    /// Its state among those of all CPUs; `None` only if there are none.
    #[inline]
    pub(crate) fn of<T>(self, states: &[T]) -> Option<&T> {
        match states.get(self.0) {
            // Most numbers need no division.
            Some(state) => Some(state),
            None => self.wrapped(states),
        }
    }

    #[cold]
    fn wrapped<T>(self, states: &[T]) -> Option<&T> {
        states.get(self.0.checked_rem(states.len())?)
    }
}

/// Who knows on which CPU the caller runs.
///
/// A kernel reads its per-CPU register here; any closure that returns a [`Cpu`] will do.
///
/// ```
/// use iova::cpu::{Cpu, CurrentCpu};
///
/// let always_the_first = || Cpu::new(0);
/// assert_eq!(always_the_first.current(), Cpu::new(0));
/// ```
pub trait CurrentCpu {
    /// The CPU that the caller runs on, or has run on a moment ago. Must not block.
    fn current(&self) -> Cpu;
}

impl<F: Fn() -> Cpu> CurrentCpu for F {
    #[inline]
    fn current(&self) -> Cpu {
        self()
    }
}

/// Asks the operating system (Linux, without a system call where it has a vDSO); elsewhere each thread has a
/// number of its own.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug, Default)]
pub struct ThisCpu;

#[cfg(feature = "std")]
impl CurrentCpu for ThisCpu {
    #[inline]
    fn current(&self) -> Cpu {
        #[cfg(target_os = "linux")]
        let number = rustix::thread::sched_getcpu();
        #[cfg(not(target_os = "linux"))]
        let number = number_of_thread();
        Cpu::new(number)
    }
}

/// A number that no other thread has, the first thread that asks having 0.
#[cfg(all(feature = "std", any(test, not(target_os = "linux"))))]
fn number_of_thread() -> usize {
    use core::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    std::thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    // A thread that is being torn down has lost its number; any other one is as good.
    NUMBER.try_with(|number| *number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_has_a_state() {
        let states = [10, 11, 12];
        assert_eq!(Cpu::new(2).of(&states), Some(&12));
        assert_eq!(Cpu::new(3).of(&states), Some(&10));
        assert_eq!(Cpu::new(usize::MAX).of(&states), Some(&states[usize::MAX % 3]));
        assert_eq!(Cpu::new(5).of::<u8>(&[]), None);
    }

    #[cfg(feature = "std")]
    #[test]
    fn threads_have_numbers_of_their_own() {
        let (here, there) = (number_of_thread(), std::thread::spawn(number_of_thread).join().unwrap());
        assert_ne!(here, there);
        assert_eq!(here, number_of_thread());
        assert!(ThisCpu.current().get() < 1 << 20);
    }
}
