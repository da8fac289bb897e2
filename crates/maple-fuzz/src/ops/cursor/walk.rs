//! A cursor of the model: an index, from which it looks for everything anew.

use maple_tree::{Content, IndexRange};

use super::{Step, There};
use crate::model::Model;

/// Where it stands: on what covers an index, or beyond an end of the bounds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Walk {
    Before,
    At(u64),
    After,
}

impl Walk {
    pub(super) fn at(model: &Model, index: u64) -> Self {
        if index < model.bounds().first() {
            Self::Before
        } else if index > model.bounds().last() {
            Self::After
        } else {
            Self::At(index)
        }
    }

    pub(super) fn there(self, model: &Model) -> There {
        if let Self::At(index) = self { model.extent(index) } else { None }
    }

    /// Takes a step, and says what is there.
    pub(super) fn step(&mut self, model: &Model, step: Step) -> There {
        match step {
            Step::NextRange => *self = self.next(model),
            Step::PrevRange => *self = self.prev(model),
            Step::NextEntry => {
                *self = self.next(model);
                while self.there(model).is_some_and(no_entry) {
                    *self = self.next(model);
                }
            }
            Step::PrevEntry => {
                *self = self.prev(model);
                while self.there(model).is_some_and(no_entry) {
                    *self = self.prev(model);
                }
            }
            Step::Seek(index) => *self = Self::at(model, index),
        }
        self.there(model)
    }

    fn next(self, model: &Model) -> Self {
        match self {
            Self::Before => Self::At(model.bounds().first()),
            Self::At(_) | Self::After => {
                let behind = self.there(model).and_then(|(range, _)| range.last().checked_add(1));
                behind.map_or(Self::After, |behind| Self::at(model, behind))
            }
        }
    }

    fn prev(self, model: &Model) -> Self {
        match self {
            Self::After => Self::At(model.bounds().last()),
            Self::At(_) | Self::Before => {
                let ahead = self.there(model).and_then(|(range, _)| range.first().checked_sub(1));
                ahead.map_or(Self::Before, |ahead| Self::at(model, ahead))
            }
        }
    }
}

fn no_entry((_, content): (IndexRange, Content<u64>)) -> bool {
    !matches!(content, Content::Entry(_))
}
