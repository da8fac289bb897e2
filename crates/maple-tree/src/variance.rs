//! Whether a type over values that live long may be used as one over values that live shorter: tests that are
//! examples, since some of them must not compile.
//!
//! What only reads may:
//!
//! ```
//! use maple_tree::{Cursor, Iter, MapleTree, Range};
//!
//! macro_rules! shorten {
//!     ($($type:ident)*) => {
//!         $(const _: () = {
//!             fn shorter<'a, 'b>(long: $type<'a, Box<&'static u8>>) -> $type<'a, Box<&'b u8>> {
//!                 long
//!             }
//!         };)*
//!     };
//! }
//! shorten!(Cursor Iter Range);
//!
//! fn shorter<'b>(long: MapleTree<Box<&'static u8>>) -> MapleTree<Box<&'b u8>> {
//!     long
//! }
//! ```
//!
//! What writes must not: a value that lives shorter would stay in the tree. The same functions without a change of
//! lifetime compile, so that it is the lifetime that the others fail for:
//!
//! ```
//! use maple_tree::{CursorMut, Drain, IterMut, Prepared, RangeMut};
//!
//! macro_rules! keep {
//!     ($($type:ident)*) => {
//!         $(const _: () = {
//!             fn same<'a, 'b>(lent: $type<'a, Box<&'b u8>>) -> $type<'a, Box<&'b u8>> {
//!                 lent
//!             }
//!         };)*
//!     };
//! }
//! keep!(CursorMut Drain IterMut Prepared RangeMut);
//! ```
//!
//! ```compile_fail
//! use maple_tree::CursorMut;
//!
//! fn shorter<'a, 'b>(long: CursorMut<'a, Box<&'static u8>>) -> CursorMut<'a, Box<&'b u8>> {
//!     long
//! }
//! ```
//!
//! ```compile_fail
//! use maple_tree::Drain;
//!
//! fn shorter<'a, 'b>(long: Drain<'a, Box<&'static u8>>) -> Drain<'a, Box<&'b u8>> {
//!     long
//! }
//! ```
//!
//! ```compile_fail
//! use maple_tree::IterMut;
//!
//! fn shorter<'a, 'b>(long: IterMut<'a, Box<&'static u8>>) -> IterMut<'a, Box<&'b u8>> {
//!     long
//! }
//! ```
//!
//! ```compile_fail
//! use maple_tree::Prepared;
//!
//! fn shorter<'a, 'b>(long: Prepared<'a, Box<&'static u8>>) -> Prepared<'a, Box<&'b u8>> {
//!     long
//! }
//! ```
//!
//! ```compile_fail
//! use maple_tree::RangeMut;
//!
//! fn shorter<'a, 'b>(long: RangeMut<'a, Box<&'static u8>>) -> RangeMut<'a, Box<&'b u8>> {
//!     long
//! }
//! ```
