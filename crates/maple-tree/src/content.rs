//! What a tree has at an index.

/// What there is over a range: an entry, a reservation, or nothing.
///
/// ```
/// use maple_tree::{Content, IndexRange, MapleTree};
///
/// let mut tree: MapleTree<Box<char>> = MapleTree::new();
/// tree.insert(10..20, Box::new('a'))?;
/// tree.reserve(20..30)?;
/// assert_eq!(tree.extent(15).map(|(_, content)| content), Some(Content::Entry(&'a')));
/// assert_eq!(tree.extent(25).map(|(_, content)| content), Some(Content::Reserved));
/// assert_eq!(tree.extent(35).map(|(_, content)| content), Some(Content::Gap));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Content<V> {
    /// An entry: its value.
    Entry(V),
    /// A reserved range: taken, but without a value (the kernel's `XA_ZERO_ENTRY`).
    Reserved,
    /// A gap, all of it.
    Gap,
}

impl<V> Content<V> {
    /// The value of an entry.
    pub fn value(self) -> Option<V> {
        match self {
            Self::Entry(value) => Some(value),
            Self::Reserved | Self::Gap => None,
        }
    }

    /// The same with another value.
    ///
    /// ```
    /// use maple_tree::Content;
    ///
    /// assert_eq!(Content::Entry(1).map(|value| value + 1).value(), Some(2));
    /// assert_eq!(Content::<u8>::Reserved.map(|value| value + 1), Content::Reserved);
    /// assert!(Content::<u8>::Gap.is_gap());
    /// ```
    pub fn map<W>(self, change: impl FnOnce(V) -> W) -> Content<W> {
        match self {
            Self::Entry(value) => Content::Entry(change(value)),
            Self::Reserved => Content::Reserved,
            Self::Gap => Content::Gap,
        }
    }

    /// Whether this is a gap.
    #[must_use]
    pub const fn is_gap(&self) -> bool {
        matches!(self, Self::Gap)
    }
}
