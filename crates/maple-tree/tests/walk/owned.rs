//! Trees that are taken apart.

use maple_tree::{IndexRange, Layout};

use crate::subject::{Subject, on_all, on_all_layouts};

fn both_ends<L: Layout>() {
    on_all(30, |model, alloc, rng| {
        let subject = Subject::<L>::filled(model, alloc, rng);
        let mut expected = std::collections::VecDeque::from(subject.model.entries(IndexRange::FULL));
        let (tokens, calls) = (subject.tokens, alloc.counts().calls);
        let nodes = alloc.counts().live;
        let mut iter = subject.tree.into_iter();
        // Sometimes just a part of it: the rest is dropped with the iterator.
        let most = if rng.bool() { usize::MAX } else { rng.usize(0..=expected.len()) };
        let mut taken = Vec::new();
        while taken.len() < most {
            assert_eq!((iter.len(), iter.size_hint().1), (expected.len(), Some(expected.len())));
            let (item, entry) = if rng.bool() {
                (iter.next(), expected.pop_front())
            } else {
                (iter.next_back(), expected.pop_back())
            };
            assert_eq!(item.as_ref().map(|(range, token)| (*range, token.key)), entry);
            assert_eq!(alloc.counts().live, nodes, "nodes go back together");
            match item {
                Some(item) => taken.push(item),
                None => break,
            }
        }
        if expected.is_empty() {
            assert!(iter.next().is_none() && iter.next_back().is_none());
        }
        assert_eq!(tokens.live(), taken.len() + expected.len());
        drop(iter);
        assert_eq!(tokens.live(), taken.len(), "values are lost, or dropped twice");
        assert_eq!((alloc.counts().live, alloc.counts().calls), (0, calls));
        drop(taken);
        assert_eq!(tokens.live(), 0);
    });
}

on_all_layouts!(both_ends);
