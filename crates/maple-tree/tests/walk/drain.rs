//! Windows that are emptied.

use std::collections::VecDeque;

use maple_tree::{IndexRange, Layout};

use crate::model::{Model, Taken};
use crate::subject::{Subject, on_all, on_all_layouts, window};

/// The next entry from one end. It and the reserved ranges before it go.
fn step(model: &mut Model, queue: &mut VecDeque<Taken>, front: bool) -> Option<(IndexRange, u64)> {
    loop {
        let (range, key) = if front { queue.pop_front() } else { queue.pop_back() }?;
        model.set(range, None);
        if let Some(key) = key {
            return Some((range, key));
        }
    }
}

fn windows<L: Layout>() {
    on_all(40, |model, alloc, rng| {
        let mut subject = Subject::<L>::filled(model, alloc, rng);
        let calls = alloc.counts().calls;
        for _ in 0..6 {
            let window = window(rng, subject.model.space);
            let Subject { tree, model, .. } = &mut subject;
            let mut queue = VecDeque::from(model.taken(window));
            let mut drain = tree.drain(window);
            for _ in 0..rng.usize(0..=queue.len() + 1) {
                let front = rng.bool();
                let item = if front { drain.next() } else { drain.next_back() };
                let expected = step(model, &mut queue, front);
                assert_eq!(item.map(|(range, token)| (range, token.key)), expected, "{window}");
            }
            if rng.u8(0..3) == 0 {
                // The rest stays.
                std::mem::forget(drain);
            } else {
                drop(drain);
                while step(model, &mut queue, true).is_some() {}
            }
            subject.check();
        }
        assert_eq!(alloc.counts().calls, calls, "draining asked for memory");
    });
}

fn no_window<L: Layout>() {
    on_all(1, |model, alloc, rng| {
        let mut subject = Subject::<L>::filled(model, alloc, rng);
        let (first, last) = (subject.model.space.last(), subject.model.space.first());
        assert!(subject.tree.drain(first..first).next().is_none());
        assert!(first == last || subject.tree.drain(first..=last).next_back().is_none());
        subject.check();
        drop(subject.tree.drain(..));
        assert_eq!((subject.tree.len(), subject.tree.stats().reserved), (0, 0));
        assert_eq!(alloc.counts().live, 0);
    });
}

on_all_layouts!(windows, no_window);
