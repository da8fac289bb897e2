//! Cursors that write.

use fastrand::Rng;
use maple_faults::{FaultyAlloc, Plan};
use maple_tree::{Content, CursorMut, IndexRange, InsertErrorKind, Layout};

use crate::model::{Model, Segment};
use crate::stand::{Move, Stand};
use crate::subject::{Subject, Token, Tokens, keyed, on_all, on_all_layouts, range, scaled, window};

type Writer<'c, 'a, L> = CursorMut<'c, Box<Token>, L, &'a FaultyAlloc>;

fn go<L: Layout>(cursor: &mut Writer<'_, '_, L>, to: Move) -> Option<Segment> {
    let entry = |(range, token): (IndexRange, _)| keyed((range, Content::Entry(token)));
    match to {
        Move::Seek(index) => cursor.seek(index).map(keyed),
        Move::NextRange => cursor.next_range().map(keyed),
        Move::PrevRange => cursor.prev_range().map(keyed),
        Move::NextEntry => cursor.next_entry().map(entry),
        Move::PrevEntry => cursor.prev_entry().map(entry),
    }
}

/// What a write over a range must answer, unless there is no memory.
fn refusal(model: &Model, range: IndexRange) -> Option<InsertErrorKind> {
    if !model.bounds.contains_range(range) {
        return Some(InsertErrorKind::OutOfBounds { bounds: model.bounds });
    }
    model.taken(range).first().map(|&(by, _)| InsertErrorKind::Occupied { by })
}

/// A range to write over: in the space, mostly free; or out of bounds.
fn target(rng: &mut Rng, model: &Model, stand: &Stand) -> IndexRange {
    match (stand.current(), rng.u8(0..8)) {
        (Some((here, Content::Gap)), 0..=4) => {
            here.intersection(model.space).map_or(model.space, |part| range(rng, part))
        }
        (_, 5) if model.bounds == model.space => window(rng, model.space),
        _ => range(rng, model.space),
    }
}

/// Writes over `range`, and checks the answer. The stand is where the cursor must be then.
fn put<L: Layout>(
    cursor: &mut Writer<'_, '_, L>,
    range: IndexRange,
    token: Option<Box<Token>>,
    model: &mut Model,
    stand: &mut Stand,
) {
    let key = token.as_ref().map(|token| token.key);
    let result = match token {
        None => cursor.reserve(range),
        Some(token) => cursor.insert(range, token).map_err(|error| {
            assert_eq!(Some(error.value.key), key, "another value came back");
            error.kind
        }),
    };
    match (result, refusal(model, range)) {
        (Ok(()), None) => {
            model.set(range, Some((range, key)));
            *stand = Stand::at(model, range.first());
        }
        (Err(InsertErrorKind::NodeMemory(_)), None) => {}
        (result, refusal) => assert_eq!(result.err(), refusal),
    }
}

/// Writes over `range` whatever is there, and checks the answer. The stand is where the cursor must be then.
fn overwrite<L: Layout>(
    cursor: &mut Writer<'_, '_, L>,
    range: IndexRange,
    token: Option<Box<Token>>,
    model: &mut Model,
    stand: &mut Stand,
) {
    let key = token.as_ref().map(|token| token.key);
    let within = range.intersection(model.bounds);
    let (result, range) = match token {
        // What lies out of bounds has nothing to be cleared.
        None => (cursor.clear_range(range).map_err(InsertErrorKind::NodeMemory), within),
        Some(token) => {
            let stored = cursor.store(range, token).map_err(|error| {
                assert_eq!(Some(error.value.key), key, "another value came back");
                error.kind
            });
            (stored, within.filter(|&within| within == range))
        }
    };
    match (result, range) {
        (Ok(()), Some(range)) => {
            model.overwrite(range, key.map(|key| (range, Some(key))));
            *stand = Stand::at(model, range.first());
        }
        (Ok(()), None) => assert_eq!(key, None, "stored out of bounds"),
        (Err(InsertErrorKind::NodeMemory(_)), Some(_)) => {}
        (Err(kind), _) => assert_eq!(kind, InsertErrorKind::OutOfBounds { bounds: model.bounds }),
    }
}

/// One write of any kind.
fn write<L: Layout>(
    cursor: &mut Writer<'_, '_, L>,
    rng: &mut Rng,
    model: &mut Model,
    tokens: &mut Tokens,
    stand: &mut Stand,
) {
    let here = stand.current();
    match rng.u8(0..16) {
        12 | 13 => overwrite(cursor, target(rng, model, stand), Some(tokens.make()), model, stand),
        14 => overwrite(cursor, target(rng, model, stand), None, model, stand),
        0..=4 => put(cursor, target(rng, model, stand), Some(tokens.make()), model, stand),
        5 | 6 => put(cursor, target(rng, model, stand), None, model, stand),
        7 | 8 => {
            let erased = cursor.erase().map(|(range, token)| (range, token.key));
            assert_eq!(erased, here.and_then(|(range, content)| Some((range, content.value()?))));
            if erased.is_some() {
                here.into_iter().for_each(|(range, _)| model.set(range, None));
            }
        }
        9 => {
            let reserved = matches!(here, Some((_, Content::Reserved)));
            assert_eq!(cursor.unreserve(), here.filter(|_| reserved).map(|(range, _)| range));
            if reserved {
                here.into_iter().for_each(|(range, _)| model.set(range, None));
            }
        }
        10 => {
            let token = tokens.make();
            let key = token.key;
            let expected = match here {
                Some((_, Content::Entry(old))) => Ok(Some(old)),
                Some((_, Content::Reserved)) => Ok(None),
                Some((_, Content::Gap)) | None => Err(key),
            };
            let replaced = cursor.replace(token);
            assert_eq!(replaced.map(|old| old.map(|old| old.key)).map_err(|token| token.key), expected);
            if let (Some((range, _)), Ok(_)) = (here, expected) {
                model.set(range, Some((range, Some(key))));
            }
        }
        _ => {
            let value = cursor.value_mut();
            assert_eq!(value.as_ref().map(|token| token.key), here.and_then(|(_, content)| content.value()));
            if let (Some((range, _)), Some(token)) = (here, value) {
                token.key += 1 << 32;
                model.set(range, Some((range, Some(token.key))));
            }
        }
    }
    *stand = stand.again(model);
}

fn programs<L: Layout>() {
    on_all(6, |model, alloc, rng| {
        let mut subject = Subject::<L>::new(model, alloc);
        for _ in 0..rng.usize(1..6) {
            // Anew, with and without enough memory.
            let plans = [Plan::Never, Plan::Every(2), Plan::Random { probability: 0.7, seed: rng.u64(..) }];
            alloc.set_plan(rng.choice(plans).unwrap_or_default());
            let Subject { tree, model, tokens } = &mut subject;
            let index = crate::subject::index(rng, model.space);
            let (mut cursor, mut stand) = match rng.u8(0..3) {
                0 => (tree.cursor_front_mut(), Stand::front(model)),
                1 => (tree.cursor_back_mut(), Stand::back(model)),
                _ => (tree.cursor_at_mut(index), Stand::at(model, index)),
            };
            for _ in 0..scaled(200) {
                if rng.bool() {
                    let to = Move::any(rng, model.space);
                    stand.go(to, model);
                    assert_eq!(go(&mut cursor, to), stand.current(), "{to:?}");
                } else {
                    write(&mut cursor, rng, model, tokens, &mut stand);
                }
                assert_eq!(cursor.current().map(keyed), stand.current());
                assert_eq!(cursor.range(), stand.current().map(|(range, _)| range));
            }
            // A shared one stands at the same place.
            let to = Move::any(rng, model.space);
            let mut shared = cursor.as_cursor();
            stand.go(to, model);
            match to {
                Move::Seek(index) => drop(shared.seek(index)),
                Move::NextRange => drop(shared.next_range()),
                Move::PrevRange => drop(shared.prev_range()),
                Move::NextEntry => drop(shared.next_entry()),
                Move::PrevEntry => drop(shared.prev_entry()),
            }
            assert_eq!(shared.current().map(keyed), stand.current());
            subject.check();
        }
    });
}

/// Ranges that are none.
fn empty_ranges<L: Layout>() {
    on_all(1, |model, alloc, rng| {
        let mut subject = Subject::<L>::filled(model, alloc, rng);
        let before = subject.tree.dump().to_string();
        let space = subject.model.space;
        let mut cursor = subject.tree.cursor_at_mut(space.first());
        let range = cursor.range();
        let token = subject.tokens.make();
        let error = cursor.insert(space.first()..space.first(), token).map_err(|error| error.kind);
        assert_eq!(error, Err(InsertErrorKind::EmptyRange));
        assert_eq!(cursor.reserve(space.last()..space.first()), Err(InsertErrorKind::EmptyRange));
        assert_eq!(cursor.range(), range);
        assert_eq!(subject.tree.dump().to_string(), before);
        subject.check();
    });
}

on_all_layouts!(programs, empty_ranges);
