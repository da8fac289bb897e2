//! What is told to `tracing`, with the feature of that name; without it these are empty.
//!
//! None of them is on a way that succeeds without work, and no lock is held.

use crate::error::{AllocateError, FreeError, PlaceError};
use crate::flush::FlushCause;

/// The target of all events.
#[cfg(feature = "tracing")]
const TARGET: &str = "iova";

#[cfg(feature = "tracing")]
macro_rules! event {
    ($level:ident, $($fields:tt)*) => { tracing::event!(target: TARGET, tracing::Level::$level, $($fields)*) };
}

/// Names the values, so that none is unused.
#[cfg(not(feature = "tracing"))]
macro_rules! event {
    ($level:ident, $($name:ident = % $value:expr,)* $message:literal) => { { $(let _ = $value;)* } };
}

/// An allocation failed for good.
pub(crate) fn allocation_failed(error: &AllocateError) {
    event!(WARN, error = %error, "allocation failed");
}

/// A range could not be allocated at its place, reserved, or unreserved.
pub(crate) fn placing_failed(error: &PlaceError) {
    event!(WARN, error = %error, "placing failed");
}

/// There was no space, so all caches were given back.
pub(crate) fn flushed_for_space(ranges: u64) {
    event!(INFO, ranges = %ranges, "caches given back for lack of address space");
}

/// The IOTLB is about to be flushed.
pub(crate) fn iotlb_flush(cause: FlushCause) {
    event!(DEBUG, cause = %cause, "IOTLB flush");
}

/// A range was freed that is not live.
pub(crate) fn wrong_free(error: &FreeError) {
    event!(ERROR, error = %error, "wrong free");
}

/// What was freed and cached, or queued, is not allocated below.
pub(crate) fn refused(ranges: u64) {
    event!(ERROR, ranges = %ranges, "freed ranges were not allocated");
}
