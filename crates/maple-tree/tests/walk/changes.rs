//! Values that are changed in place.

use std::num::NonZeroU64;
use std::ptr::NonNull;
use std::sync::Arc;

use maple_tree::{IndexRange, Layout, MapleTree};

use crate::model::Model;
use crate::subject::{Subject, from_both_ends, on_all, on_all_layouts, scaled, window};

/// Changes the key of what covers an index.
fn change(model: &mut Model, range: IndexRange, key: u64) {
    model.set(range, Some((range, Some(key))));
}

fn all_values<L: Layout>() {
    on_all(20, |model, alloc, rng| {
        let mut subject = Subject::<L>::filled(model, alloc, rng);
        let entries = subject.model.entries(IndexRange::FULL);
        let mut iter = subject.tree.iter_mut();
        assert_eq!(iter.len(), entries.len());
        let taken = rng.usize(0..=entries.len());
        let (front, back) = from_both_ends(&mut iter, taken, rng);
        assert_eq!(iter.len(), entries.len() - taken);
        // All of them are borrowed at the same time.
        let lent: Vec<_> = front.into_iter().chain(iter).chain(back).collect();
        let mut found = Vec::new();
        for (range, token) in lent {
            found.push((range, token.key));
            token.key += 1 << 32;
            change(&mut subject.model, range, token.key);
        }
        assert_eq!(found, entries);
        subject.check();
    });
}

fn in_order<L: Layout>() {
    on_all(20, |model, alloc, rng| {
        let mut subject = Subject::<L>::filled(model, alloc, rng);
        let (mut front, back) = from_both_ends(subject.tree.iter_mut(), usize::MAX, rng);
        front.extend(back);
        let found: Vec<_> = front.into_iter().map(|(range, token)| (range, token.key)).collect();
        assert_eq!(found, subject.model.entries(IndexRange::FULL));

        for _ in 0..scaled(20) {
            let window = window(rng, subject.model.space);
            let (mut front, back) = from_both_ends(subject.tree.range_mut(window), usize::MAX, rng);
            front.extend(back);
            let mut found = Vec::new();
            for (range, token) in front {
                found.push((range, token.key));
                token.key += 1 << 32;
                change(&mut subject.model, range, token.key);
            }
            let mut expected = found.clone();
            for (_, key) in &mut expected {
                *key += 1 << 32;
            }
            assert_eq!(expected, subject.model.entries(window), "{window}");
        }
        let (first, last) = (subject.model.space.last(), subject.model.space.first());
        assert!(subject.tree.range_mut(first..first).next().is_none());
        assert!(first == last || subject.tree.range_mut(first..=last).next_back().is_none());
        subject.check();
    });
}

fn one_value<L: Layout>() {
    on_all(10, |model, alloc, rng| {
        let mut subject = Subject::<L>::filled(model, alloc, rng);
        let space = subject.model.space;
        for index in (space.first()..=space.last()).chain([0, u64::MAX]) {
            let value = subject.tree.get_mut(index);
            let entry = subject.model.at(index).and_then(|(range, key)| Some((range, key?)));
            assert_eq!(value.as_ref().map(|token| token.key), entry.map(|(_, key)| key));
            if let (Some(token), Some((range, key))) = (value, entry) {
                token.key = key + (1 << 32);
                change(&mut subject.model, range, token.key);
            }
        }
        subject.check();
    });
}

on_all_layouts!(all_values, in_order, one_value);

/// What each kind of entry lends.
#[test]
fn kinds() -> Result<(), Box<dyn std::error::Error>> {
    let mut boxes: MapleTree<Box<[u8; 2]>> = MapleTree::new();
    boxes.insert(0..1, Box::new([1, 2]))?;
    boxes.get_mut(0).ok_or("a value")?[1] = 3;
    for (_, bytes) in &mut boxes {
        bytes[0] = 2;
    }
    assert_eq!(boxes.get(0), Some(&[2, 3]));

    let mut arcs: MapleTree<Arc<u8>> = MapleTree::new();
    let shared = Arc::new(4);
    arcs.insert(.., shared.clone())?;
    let lent: Option<&u8> = arcs.get_mut(u64::MAX);
    assert!(lent.is_some_and(|lent| std::ptr::eq(lent, Arc::as_ptr(&shared))));
    assert_eq!(Arc::strong_count(&shared), 2);

    let number = 5;
    let mut references: MapleTree<&u8> = MapleTree::new();
    assert!(references.insert(.., &number).is_ok());
    let lent: Option<&u8> = references.iter_mut().next().map(|(_, lent)| lent);
    assert!(lent.is_some_and(|lent| std::ptr::from_ref(lent) == std::ptr::from_ref(&number)));

    let mut pointers: MapleTree<NonNull<u8>> = MapleTree::new();
    pointers.insert(.., NonNull::from(&number))?;
    assert_eq!(pointers.get_mut(0), Some(NonNull::from(&number)));

    let mut numbers: MapleTree<NonZeroU64> = MapleTree::new();
    numbers.insert(.., NonZeroU64::MAX)?;
    assert_eq!(numbers.get_mut(7), Some(NonZeroU64::MAX));

    let mut units: MapleTree<()> = MapleTree::new();
    units.insert(.., ())?;
    assert_eq!(units.iter_mut().next_back(), Some((IndexRange::FULL, ())));
    Ok(())
}

/// What was lent may outlive the iterator, and values may have lifetimes.
#[test]
fn lifetimes() {
    let words = [String::from("a"), String::from("b"), String::from("c")];
    let mut tree: MapleTree<Box<&str>> = MapleTree::new();
    for (first, word) in (0..).zip(&words) {
        assert!(tree.insert(first..=first, Box::new(word)).is_ok());
    }
    let mut iter = tree.iter_mut();
    let (first, last) = (iter.next(), iter.next_back());
    if let (Some((_, first)), Some((_, last))) = (first, last) {
        std::mem::swap(first, last);
    }
    let found: String = tree.iter().map(|(_, word)| *word).collect();
    assert_eq!(found, "cba");
    tree.retain(|_, word| **word == "b");
    assert_eq!((tree.len(), tree.get(1)), (1, Some(&"b")));
}
