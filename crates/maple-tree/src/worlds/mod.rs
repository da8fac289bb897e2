//! Exhaustive small worlds: all trees over a few indices, and all that can be done to them.
//!
//! A *world* is a space of a few indices. Its states are trees, told apart by their nodes: pivots, and what slots hold but for
//! the values. From some trees to start with, all operations go to other states, and from those on, up to a depth or until
//! there are no new ones. Each step is compared with a [model](model::Cells) that knows what covers each index; each tree is
//! validated; in each state all gap searches are compared. Trees that are shared are worlds of their own (`shared`): there is
//! a reader at each step, and what it was promised is compared, too.
//!
//! What the algorithms came through is [counted](crate::reached), and a shape that no world reaches is a failure.
//!
//! `MAPLE_DEPTH` says how many operations prepared trees are explored (1 if it is not given), `MAPLE_INDICES` over how many
//! indices all trees are made (7, and one less for shared ones).

mod explore;
mod model;
mod ops;
mod shared;
mod starts;
mod tests;
