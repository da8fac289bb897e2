//! `serde` for ranges and trees (feature `serde`).
//!
//! A range is the pair of its ends. A tree is its bounds, its entries (range and value) in order, and its reserved
//! ranges in order: enough to make the same map again, though not the same nodes.

use core::fmt;

use ::serde::de::{Deserialize, Deserializer, Error};
use ::serde::ser::{Serialize, SerializeStruct, Serializer};
use std_alloc::vec::Vec;

use crate::alloc::NodeAlloc;
use crate::content::Content;
use crate::entry::Entry;
use crate::map::MapleTree;
use crate::node::Layout;
use crate::range::IndexRange;

impl Serialize for IndexRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.first(), self.last()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for IndexRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (first, last) = <(u64, u64)>::deserialize(deserializer)?;
        let reversed = || D::Error::custom(format_args!("the range {first}..={last} is reversed"));
        Self::new(first, last).ok_or_else(reversed)
    }
}

/// The entries of a tree as a sequence.
struct Entries<'a, T: Entry, L: Layout, A: NodeAlloc>(&'a MapleTree<T, L, A>);

impl<T, L: Layout, A: NodeAlloc> Serialize for Entries<'_, T, L, A>
where
    T: Entry + 'static,
    for<'a> T::Borrowed<'a>: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter())
    }
}

/// The reserved ranges of a tree as a sequence.
struct Reserved<'a, T: Entry, L: Layout, A: NodeAlloc>(&'a MapleTree<T, L, A>);

impl<T: Entry, L: Layout, A: NodeAlloc> Serialize for Reserved<'_, T, L, A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut cursor = self.0.cursor_front();
        let ranges = core::iter::from_fn(|| cursor.next_range());
        serializer.collect_seq(ranges.filter_map(|(range, content)| match content {
            Content::Reserved => Some(range),
            Content::Entry(_) | Content::Gap => None,
        }))
    }
}

/// As a struct of `bounds`, `entries` and `reserved`.
///
/// ```
/// use maple_tree::{IndexRange, MapleTree};
///
/// let bounds = IndexRange::new(0, 99).ok_or("empty")?;
/// let mut tree: MapleTree<Box<char>> = MapleTree::bounded(bounds);
/// tree.insert(10..20, Box::new('a'))?;
/// tree.reserve(90..100)?;
/// let text = serde_json::to_string(&tree)?;
/// assert_eq!(text, r#"{"bounds":[0,99],"entries":[[[10,19],"a"]],"reserved":[[90,99]]}"#);
/// let again: MapleTree<Box<char>> = serde_json::from_str(&text)?;
/// assert_eq!((again.bounds(), again.get(15)), (bounds, Some(&'a')));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl<T, L: Layout, A: NodeAlloc> Serialize for MapleTree<T, L, A>
where
    T: Entry + 'static,
    for<'a> T::Borrowed<'a>: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tree = serializer.serialize_struct("MapleTree", 3)?;
        tree.serialize_field("bounds", &self.bounds())?;
        tree.serialize_field("entries", &Entries(self))?;
        tree.serialize_field("reserved", &Reserved(self))?;
        tree.end()
    }
}

/// What a tree is made from.
#[derive(::serde::Deserialize)]
#[serde(crate = "::serde", rename = "MapleTree")]
struct Parts<T> {
    bounds: IndexRange,
    entries: Vec<(IndexRange, T)>,
    reserved: Vec<IndexRange>,
}

/// Entries that are out of order or out of bounds, reserved ranges that are taken, and lack of memory for a node are
/// errors. What is read is kept in a vector on the way, from the global allocator.
impl<'de, T, L: Layout, A: NodeAlloc + Default> Deserialize<'de> for MapleTree<T, L, A>
where
    T: Entry + Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Parts { bounds, entries, reserved } = Parts::<T>::deserialize(deserializer)?;
        let mut tree = Self::bounded_in(bounds, A::default());
        tree.extend_sorted(entries).map_err(|error| {
            let (range, _) = error.value;
            cannot_store::<D::Error>("entry", range, &error.kind)
        })?;
        for range in reserved {
            tree.reserve(range).map_err(|kind| cannot_store::<D::Error>("reserved range", range, &kind))?;
        }
        Ok(tree)
    }
}

fn cannot_store<E: Error>(what: &str, range: IndexRange, why: &dyn fmt::Display) -> E {
    E::custom(format_args!("the {what} at {range} cannot be stored: {why}"))
}
