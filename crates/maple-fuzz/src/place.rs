//! Where a program writes and looks: indices and ranges that have to do with the space, with what is there, and with
//! each other.

use std::ops::Bound;

use arbitrary::Arbitrary;
use maple_tree::{Direction, GapRequest, IndexRange, InvalidRequest};

use crate::choice::choice;
use crate::model::Model;

/// A range as Rust has it, which may be empty.
pub(crate) type Ends = (Bound<u64>, Bound<u64>);

choice! {
    /// An index, before it is known what is in the tree.
    pub(crate) enum Index {
        /// So far from the lowest of the space.
        Low(u8),
        /// So far from the highest of the space.
        High(u8),
        /// So far from the last one that was used.
        Near(i8),
        /// At an end of something that is there, or just beside it.
        Edge { of: u8, last: bool, beside: i8 },
        /// At a power of two, or just beside it.
        Power { order: u8, beside: i8 },
        /// Anywhere in the space.
        Any(u64),
    }
}

/// A range, before it is known what is in the tree.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub(crate) struct Span {
    shape: Shape,
    notation: u8,
}

choice! {
    enum Shape {
        /// One index, and so many more.
        Sized(Index, u8),
        /// Two to the power of so many indices.
        Order(Index, u8),
        /// From one to the other, which may be reversed.
        Between(Index, Index),
        /// What lies there, be it taken or free, with its ends moved a little.
        Around(Index, i8, i8),
    }
}

/// A gap request, before it is known what is in the tree.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub(crate) struct Request {
    window: Span,
    size: Size,
    align: u8,
    boundary: u8,
    top_down: bool,
}

choice! {
    enum Size {
        /// So many.
        Few(u8),
        /// Two to the power of so many, or about that.
        Order(u8, i8),
        /// As many as the window has, or about that.
        Window(i8),
        /// Any number.
        Any(u64),
    }
}

impl Request {
    /// A request for an aligned block of two to the power of `order`, anywhere: by its alignment, or since it would
    /// cross a boundary anywhere else.
    pub(crate) fn block(order: u8, top_down: bool, by_boundary: bool) -> Self {
        let (align, boundary) = if by_boundary { (0, order) } else { (order, u8::MAX) };
        let anywhere = Span { shape: Shape::Sized(Index::Low(0), 0), notation: u8::MAX };
        Self { window: anywhere, size: Size::Order(order, 0), align, boundary, top_down }
    }
}

/// Which indices a range stands for, in numbers that cannot overflow.
pub(crate) fn held((first, last): Ends) -> Option<IndexRange> {
    let first = match first {
        Bound::Included(first) => i128::from(first),
        Bound::Excluded(before) => i128::from(before) + 1,
        Bound::Unbounded => 0,
    };
    let last = match last {
        Bound::Included(last) => i128::from(last),
        Bound::Excluded(end) => i128::from(end) - 1,
        Bound::Unbounded => i128::from(u64::MAX),
    };
    IndexRange::new(u64::try_from(first).ok()?, u64::try_from(last).ok()?)
}

/// A few indices on or back.
fn beside(index: u64, by: i8) -> u64 {
    index.saturating_add_signed(i64::from(by % 3))
}

/// What indices and ranges of a program have to do with.
#[derive(Debug)]
pub(crate) struct Ground<'m> {
    /// The indices that the program mostly uses.
    pub(crate) space: IndexRange,
    /// The index that was used last.
    pub(crate) recent: &'m mut u64,
    /// What is there.
    pub(crate) model: &'m Model,
}

impl Ground<'_> {
    /// The index that is meant.
    pub(crate) fn index(&mut self, index: Index) -> u64 {
        let space = self.space;
        let index = match index {
            Index::Low(by) => space.first().saturating_add(by.into()),
            Index::High(by) => space.last().saturating_sub(by.into()),
            Index::Near(by) => self.recent.saturating_add_signed(by.into()),
            Index::Edge { of, last, beside: by } => {
                let nth = usize::from(of) % self.model.len().max(1);
                let range = self.model.taken().nth(nth).map_or(space, |(range, _)| range);
                beside(if last { range.last() } else { range.first() }, by)
            }
            Index::Power { order, beside: by } => beside(1 << (order % 64), by),
            Index::Any(index) => space.first() + (u128::from(index) % space.count()) as u64,
        };
        *self.recent = index;
        index
    }

    /// The range that is meant, in one of Rust's notations.
    pub(crate) fn span(&mut self, span: Span) -> Ends {
        match span.shape {
            Shape::Sized(first, more) => {
                let first = self.index(first);
                self.written(span.notation, first, first.saturating_add(more.into()))
            }
            Shape::Order(first, order) => {
                let (first, count) = (self.index(first), 1u64 << (order % 64));
                self.written(span.notation, first, first.saturating_add(count - 1))
            }
            Shape::Between(first, last) => {
                let (first, last) = (self.index(first), self.index(last));
                self.written(span.notation, first, last)
            }
            Shape::Around(index, before, after) => {
                let index = self.index(index);
                let there = self.model.extent(index).map_or(IndexRange::single(index), |(range, _)| range);
                self.written(span.notation, beside(there.first(), before), beside(there.last(), after))
            }
        }
    }

    /// Mostly `first..=last`; else something of which that is a part, or nothing at an end of it.
    fn written(&mut self, notation: u8, first: u64, last: u64) -> Ends {
        *self.recent = last;
        match notation {
            244 | 245 => return (Bound::Included(first), Bound::Excluded(first)),
            250 | 251 => return (Bound::Excluded(last), Bound::Included(last)),
            _ => {}
        }
        let from = match (notation, first.checked_sub(1)) {
            (246.., _) => Bound::Unbounded,
            (208..240, Some(before)) => Bound::Excluded(before),
            _ => Bound::Included(first),
        };
        let to = match (notation, last.checked_add(1)) {
            (240..246 | 252.., _) => Bound::Unbounded,
            (192..208 | 224..240, Some(end)) => Bound::Excluded(end),
            _ => Bound::Included(last),
        };
        (from, to)
    }

    /// The request that is meant, if it makes sense. What does not is refused for the right reason.
    pub(crate) fn request(&mut self, request: Request) -> Option<GapRequest> {
        let ends = self.span(request.window);
        let window = held(ends);
        let size = match request.size {
            Size::Few(count) => count.into(),
            Size::Order(order, by) => beside(1 << (order % 64), by),
            Size::Window(by) => {
                let count = window.map_or(1, IndexRange::count);
                beside(u64::try_from(count).unwrap_or(u64::MAX), by)
            }
            Size::Any(count) => count,
        };
        let align = match request.align {
            order @ ..64 => 1 << order,
            64..128 if size.is_power_of_two() => size,
            odd @ 251.. => odd.into(),
            order => 1 << (order % 7),
        };
        let direction = if request.top_down { Direction::TopDown } else { Direction::BottomUp };
        let made = GapRequest::new(ends, size, align, direction);
        let expected = match window {
            None => Err(InvalidRequest::Window),
            Some(_) if size == 0 => Err(InvalidRequest::Size),
            Some(_) if align.count_ones() != 1 => Err(InvalidRequest::Alignment { align }),
            Some(window) => Ok((window, size, align, direction)),
        };
        let said = |made: GapRequest| (made.window(), made.size(), made.align(), made.direction());
        assert_eq!(made.map(said), expected);
        let boundary = match request.boundary {
            order @ ..64 => 1 << order,
            64..96 => size.checked_next_power_of_two()?,
            odd @ 96..104 => odd.into(),
            _ => return made.ok(),
        };
        let whole = made.ok()?;
        let made = whole.not_crossing(boundary);
        let expected = match boundary.count_ones() {
            1 if size <= boundary => Ok(Some(boundary)),
            1 => Err(InvalidRequest::SizeAboveBoundary { size, boundary }),
            _ => Err(InvalidRequest::Boundary { boundary }),
        };
        assert_eq!(made.map(|made| made.boundary()), expected);
        // Of two boundaries the smaller counts, whichever comes first.
        let larger = boundary.checked_mul(4).filter(|larger| larger.is_power_of_two());
        if let (Ok(made), Some(larger)) = (made, larger) {
            assert_eq!(made.not_crossing(larger), Ok(made));
            assert_eq!(whole.not_crossing(larger).and_then(|both| both.not_crossing(boundary)), Ok(made));
        }
        made.ok()
    }
}
