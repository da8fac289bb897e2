//! Entries that stay and entries that go.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use maple_tree::{IndexRange, Layout};

use crate::subject::{Subject, on_all, on_all_layouts};

/// What a predicate does with an entry.
#[derive(Clone, Copy)]
struct Verdict {
    keep: bool,
    change: bool,
    exchange: bool,
    panic: bool,
}

/// Panics in one of four cases, at any entry.
fn predicates<L: Layout>() {
    on_all(40, |model, alloc, rng| {
        let mut subject = Subject::<L>::filled(model, alloc, rng);
        let calls = alloc.counts().calls;
        for _ in 0..4 {
            let entries = subject.model.entries(IndexRange::FULL);
            let panics_at = if rng.u8(0..4) == 0 { rng.usize(0..=entries.len()) } else { usize::MAX };
            let share = rng.u8(0..=100);
            let verdicts: Vec<Verdict> = (0..entries.len())
                .map(|i| Verdict {
                    keep: rng.u8(0..100) < share,
                    change: rng.bool(),
                    exchange: rng.bool(),
                    panic: i == panics_at,
                })
                .collect();
            let Subject { tree, model, tokens } = &mut subject;
            let mut seen = Vec::new();
            let result = catch_unwind(AssertUnwindSafe(|| {
                tree.retain(|range, value| {
                    let verdict = verdicts[seen.len()];
                    seen.push((range, value.key));
                    if verdict.exchange {
                        *value = tokens.make();
                    }
                    if verdict.change {
                        value.key += 1 << 32;
                    }
                    let stays = verdict.keep || verdict.panic;
                    model.set(range, stays.then_some((range, Some(value.key))));
                    if verdict.panic {
                        resume_unwind(Box::new("the predicate does not like it"));
                    }
                    verdict.keep
                });
            }));
            assert_eq!(result.is_err(), panics_at < entries.len());
            assert_eq!(seen, entries[..seen.len()], "not in order");
            assert_eq!(seen.len(), entries.len().min(panics_at.saturating_add(1)));
            subject.check();
        }
        assert_eq!(alloc.counts().calls, calls, "it asked for memory");
    });
}

on_all_layouts!(predicates);
