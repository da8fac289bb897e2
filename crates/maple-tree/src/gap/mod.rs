//! Gaps as arithmetic: what is known about free runs, and what a request needs of one. Nothing here knows of nodes.

mod request;
mod summary;

pub use request::{Direction, GapRequest, InvalidRequest};
pub(crate) use summary::{Edges, Summary};
