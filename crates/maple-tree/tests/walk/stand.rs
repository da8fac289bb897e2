//! A cursor of the model: all ranges in a list, and a position in it.

use fastrand::Rng;
use maple_tree::{Content, IndexRange};

use crate::model::{Model, Segment};
use crate::subject::index;

/// A move of a cursor.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Move {
    Seek(u64),
    NextRange,
    PrevRange,
    NextEntry,
    PrevEntry,
}

impl Move {
    pub(crate) fn any(rng: &mut Rng, space: IndexRange) -> Self {
        match rng.u8(0..9) {
            0 => Self::Seek(index(rng, space)),
            1 | 2 => Self::NextRange,
            3 | 4 => Self::PrevRange,
            5 | 6 => Self::NextEntry,
            _ => Self::PrevEntry,
        }
    }
}

/// Where a cursor should stand.
#[derive(Clone, Debug)]
pub(crate) struct Stand {
    segments: Vec<Segment>,
    /// One more than the position in the list: 0 is before the first.
    at: usize,
}

impl Stand {
    pub(crate) fn front(model: &Model) -> Self {
        Self { segments: model.segments(), at: 0 }
    }

    pub(crate) fn back(model: &Model) -> Self {
        let segments = model.segments();
        Self { at: segments.len() + 1, segments }
    }

    pub(crate) fn at(model: &Model, index: u64) -> Self {
        let segments = model.segments();
        let at = match segments.iter().position(|(range, _)| range.contains(index)) {
            Some(position) => position + 1,
            None if index < model.bounds.first() => 0,
            None => segments.len() + 1,
        };
        Self { segments, at }
    }

    pub(crate) fn current(&self) -> Option<Segment> {
        self.segments.get(self.at.checked_sub(1)?).copied()
    }

    /// The same place after a write of the model.
    pub(crate) fn again(&self, model: &Model) -> Self {
        match self.current() {
            Some((range, _)) => Self::at(model, range.first()),
            None if self.at == 0 => Self::front(model),
            None => Self::back(model),
        }
    }

    pub(crate) fn go(&mut self, to: Move, model: &Model) {
        match to {
            Move::Seek(index) => *self = Self::at(model, index),
            Move::NextRange => self.forward(),
            Move::PrevRange => self.at = self.at.saturating_sub(1),
            Move::NextEntry => {
                self.forward();
                while self.current().is_some_and(|(_, content)| !matches!(content, Content::Entry(_))) {
                    self.forward();
                }
            }
            Move::PrevEntry => {
                self.at = self.at.saturating_sub(1);
                while self.current().is_some_and(|(_, content)| !matches!(content, Content::Entry(_))) {
                    self.at -= 1;
                }
            }
        }
    }

    fn forward(&mut self) {
        self.at = (self.at + 1).min(self.segments.len() + 1);
    }
}
