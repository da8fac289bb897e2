//! Where threads run.

/// Keeps this thread on one of the processors, if the system allows it: the one with this number, beginning again where
/// there are not as many. Threads with different numbers then run at the same time.
pub fn stay_on(number: usize) {
    #[cfg(target_os = "linux")]
    {
        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

        let Ok(all) = sched_getaffinity(None) else { return };
        let wanted = number % (all.count() as usize).max(1);
        if let Some(processor) = (0..CpuSet::MAX_CPU).filter(|&processor| all.is_set(processor)).nth(wanted) {
            let mut one = CpuSet::new();
            one.set(processor);
            // If not, the numbers are what they are: those of a thread that goes from one to the other.
            let _ = sched_setaffinity(None, &one);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = number;
}
