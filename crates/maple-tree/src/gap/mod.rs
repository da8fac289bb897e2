//! Gaps: what is known about them per subtree, and how a fitting one is found.

mod longest;
mod request;
mod search;
mod summary;

pub(crate) use longest::longest;
pub use request::{Direction, GapRequest, InvalidRequest};
pub(crate) use search::find;
pub(crate) use summary::{Edges, Summary};
