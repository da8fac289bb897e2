//! A second tree: a copy of the first, with which it can be exchanged.

use maple_tree::{AllocError, AllocMode};

use super::{Done, bit};
use crate::choice::choice;
use crate::layouts::Tested;
use crate::model::Model;
use crate::subject::{Subject, Tree};
use crate::values::Counted;

choice! {
    pub(crate) enum Op {
        Clone,
        /// Values only where a bit says so; the others are reserved. The bits are used again and again.
        CloneWith { kept: u16, atomic: bool },
        /// From now on the copy is what all is done with.
        Exchange,
        Drop,
    }
}

impl Op {
    pub(super) fn apply<L: Tested>(self, subject: &mut Subject<'_, L>) -> Done {
        match self {
            Self::Clone => {
                let failed = subject.alloc.counts().failed;
                let result = subject.tree.try_clone();
                let model = subject.model.clone();
                copied(subject, result, model, failed)
            }
            Self::CloneWith { kept, atomic } => clone_with(subject, kept, atomic),
            Self::Exchange => {
                subject.exchange();
                Done::WithoutMemory
            }
            Self::Drop => {
                subject.copy = None;
                Done::Nothing
            }
        }
    }
}

fn clone_with<L: Tested>(subject: &mut Subject<'_, L>, kept: u16, atomic: bool) -> Done {
    let (failed, live) = (subject.alloc.counts().failed, subject.live);
    let mut model = subject.model.clone();
    let mut expected = subject.model.entries().into_iter().enumerate();
    let mode = if atomic { AllocMode::Atomic } else { AllocMode::Normal };
    let result = subject.tree.try_clone_with(mode, |range, value| {
        let (nth, there) = expected.next().expect("an entry more than there are");
        assert_eq!((range, value.number()), there);
        let kept = bit(kept, nth).then(|| value.number());
        model.take(range, kept);
        kept.map(|number| Box::new(Counted::new(number, live)))
    });
    let asked = expected.len() < subject.model.entries().len();
    assert!(result.is_ok() || !asked, "asked for values before there was memory");
    assert!(result.is_err() || expected.len() == 0, "an entry was left out");
    copied(subject, result, model, failed)
}

fn copied<'a, L: Tested>(
    subject: &mut Subject<'a, L>,
    result: Result<Tree<'a, L>, AllocError>,
    model: Model,
    failed: u64,
) -> Done {
    let stats = subject.tree.stats();
    let nodes = (stats.leaves + stats.branches) as u64;
    match result {
        Ok(copy) => {
            assert_eq!(subject.alloc.counts().failed, failed);
            let shape = |stats: maple_tree::Stats| (stats.leaves, stats.branches, stats.height);
            assert_eq!(shape(copy.stats()), shape(stats));
            // What it took is checked by what there is: see `Subject::check_counts`.
            subject.set_copy(copy, model);
        }
        Err(AllocError) => assert!(subject.alloc.counts().failed > failed, "there was memory"),
    }
    Done::InBulk { most: nodes }
}
