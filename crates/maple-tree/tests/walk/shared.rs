//! Cursors over a tree that is shared.

use maple_tree::{Content, Cursor, IndexRange, Layout, NodeAlloc};

use crate::model::Segment;
use crate::stand::{Move, Stand};
use crate::subject::{Subject, Token, keyed, on_all, on_all_layouts, scaled};

fn go<L: Layout, A: NodeAlloc>(cursor: &mut Cursor<'_, Box<Token>, L, A>, to: Move) -> Option<Segment> {
    let entry = |(range, token): (IndexRange, _)| keyed((range, Content::Entry(token)));
    match to {
        Move::Seek(index) => cursor.seek(index).map(keyed),
        Move::NextRange => cursor.next_range().map(keyed),
        Move::PrevRange => cursor.prev_range().map(keyed),
        Move::NextEntry => cursor.next_entry().map(entry),
        Move::PrevEntry => cursor.prev_entry().map(entry),
    }
}

fn moves<L: Layout>() {
    on_all(30, |model, alloc, rng| {
        let subject = Subject::<L>::filled(model, alloc, rng);
        let (tree, model) = (&subject.tree, &subject.model);
        let mut cursors =
            vec![(tree.cursor_front(), Stand::front(model)), (tree.cursor_back(), Stand::back(model))];
        for index in model.space.first()..=model.space.last() {
            let (cursor, stand) = (tree.cursor_at(index), Stand::at(model, index));
            assert_eq!(cursor.current().map(keyed), stand.current());
            assert_eq!(tree.extent(index).map(keyed), stand.current());
            if rng.u8(0..16) == 0 {
                cursors.push((cursor, stand));
            }
        }
        for _ in 0..scaled(300) {
            let to = Move::any(rng, model.space);
            let which = rng.usize(0..cursors.len());
            if rng.u8(0..50) == 0 {
                // A copy goes on from where the other one is, which stays there.
                cursors.push(cursors[which].clone());
            }
            let (cursor, stand) = &mut cursors[which];
            let returned = go(cursor, to);
            stand.go(to, model);
            assert_eq!(returned, stand.current(), "{to:?}");
        }
        for (cursor, stand) in cursors {
            assert_eq!(cursor.current().map(keyed), stand.current());
            assert_eq!(cursor.range(), stand.current().map(|(range, _)| range));
        }
    });
}

fn all_ranges<L: Layout>() {
    on_all(30, |model, alloc, rng| {
        let subject = Subject::<L>::filled(model, alloc, rng);
        let segments = subject.model.segments();
        let mut forward = subject.tree.cursor_front();
        let found: Vec<_> = std::iter::from_fn(|| forward.next_range().map(keyed)).collect();
        assert_eq!(found, segments);
        let mut backward = subject.tree.cursor_back();
        let mut found: Vec<_> = std::iter::from_fn(|| backward.prev_range().map(keyed)).collect();
        found.reverse();
        assert_eq!(found, segments);
        // Off both ends, and in again.
        assert!(forward.next_range().is_none() && forward.next_entry().is_none());
        assert_eq!(forward.prev_range().map(keyed), segments.last().copied());
        assert!(backward.prev_range().is_none() && backward.prev_entry().is_none());
        assert_eq!(backward.next_range().map(keyed), segments.first().copied());
    });
}

on_all_layouts!(moves, all_ranges);
