//! Errors, one type per family of operations: small values with the numbers that explain them.
//!
//! Nothing is changed by an operation that returns one of these.

mod allocate;
mod free;
mod invalid;

pub use allocate::{AllocateError, OutOfAddressSpace, OutOfNodeMemory, PlaceError, PreferredLimit};
pub use free::FreeError;
pub use invalid::{BadRequest, InvalidAperture, InvalidGranule, WindowsError};
