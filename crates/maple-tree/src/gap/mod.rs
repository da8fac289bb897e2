//! Gaps as arithmetic: what is known about free runs, and what a request needs of one. Nothing here knows of nodes.

mod natural;
mod request;
mod summary;

pub(crate) use natural::{NaturalSize, natural_size};
pub(crate) use request::Filter;
pub use request::{Direction, GapRequest, InvalidRequest};
pub(crate) use summary::{Edges, Known, Summary};
