//! Guards in any order and number, records that are used again, and the types.

use std::fmt::Debug;
use std::sync::Arc;
use std::thread;

use maple_tree::AllocMode;
use maple_tree::reclaim::{Cookie, Epochs, Reader, Reclaim};

/// Whether a grace period that begins now would be held up.
fn held_up(reclaim: &impl Reclaim) -> bool {
    !reclaim.is_over(reclaim.cookie())
}

#[test]
fn guards_may_be_dropped_in_any_order() {
    let orders: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for order in orders {
        let epochs = Epochs::new();
        let reader = epochs.register(AllocMode::Normal).unwrap();
        for pin in [&|| epochs.pin(), &|| reader.pin()] as [&dyn Fn() -> _; 2] {
            let mut guards = [(); 3].map(|()| Some(pin()));
            for index in order {
                assert!(held_up(&epochs));
                guards[index] = None;
            }
            assert!(!held_up(&epochs));
        }
    }
}

#[test]
fn each_guard_holds_up_its_own() {
    let epochs = Epochs::new();
    let first = epochs.pin();
    let cookie = epochs.cookie();
    assert!(!epochs.is_over(cookie));
    let second = epochs.pin();
    let later = epochs.cookie();
    drop(first);
    assert!(epochs.is_over(cookie), "the second one pinned after an advance");
    assert!(!epochs.is_over(later));
    drop(second);
    assert!(epochs.is_over(later));
}

#[test]
fn records_are_used_again() {
    let epochs = Epochs::new();
    assert_eq!(epochs.records(), 0);
    for _ in 0..100 {
        drop(epochs.pin());
    }
    assert_eq!(epochs.records(), 1);
    let guards: Vec<_> = (0..10).map(|_| epochs.pin()).collect();
    assert_eq!(epochs.records(), 10);
    drop(guards);
    let readers: Vec<_> = (0..10).map(|_| epochs.register(AllocMode::Atomic).unwrap()).collect();
    let guards: Vec<_> = readers.iter().flat_map(|reader| [reader.pin(), reader.pin()]).collect();
    assert_eq!(epochs.records(), 10);
    drop((guards, readers));
    for _ in 0..100 {
        thread::scope(|scope| _ = scope.spawn(|| drop(epochs.pin())));
    }
    assert_eq!(epochs.records(), 10);
}

#[test]
fn a_guard_may_outlive_its_reader() {
    let epochs = Epochs::new();
    let reader = epochs.register(AllocMode::Normal).unwrap();
    let guards = [reader.pin(), reader.pin()];
    drop(reader);
    for guard in guards {
        assert!(held_up(&epochs));
        drop(guard);
    }
    assert!(!held_up(&epochs));
    drop(epochs.pin());
    assert_eq!(epochs.records(), 1, "the record was given back");
}

#[test]
fn a_reader_that_does_not_read_holds_up_nothing() {
    let epochs = Epochs::new();
    let reader = epochs.register(AllocMode::Normal).unwrap();
    assert!(!held_up(&epochs));
    drop(reader.pin());
    assert!(!held_up(&epochs));
    assert_eq!(epochs.records(), 1);
    drop(epochs.pin());
    assert_eq!(epochs.records(), 2, "it keeps its record");
}

#[test]
fn synchronize_waits_for_readers() {
    let epochs = Arc::new(Epochs::new());
    let guard = epochs.pin();
    let cookie = epochs.cookie();
    thread::scope(|scope| {
        let waits = scope.spawn(|| epochs.synchronize());
        // It cannot be done, however long this takes.
        for _ in 0..100 {
            assert!(!waits.is_finished());
            thread::yield_now();
        }
        drop(guard);
    });
    assert!(epochs.is_over(cookie));
}

#[test]
fn one_may_use_it_through_a_reference() {
    fn check<R: Reclaim>(reclaim: R) {
        let guard = reclaim.pin();
        let cookie = reclaim.cookie();
        assert!(!reclaim.is_over(cookie));
        drop(guard);
        reclaim.synchronize();
        assert!(reclaim.is_over(cookie));
    }
    let epochs = Epochs::new();
    check(&epochs);
    check(Arc::new(epochs));
    check(Epochs::default());
}

#[test]
fn types_are_what_they_should_be() {
    fn shared<T: Send + Sync + Debug>() {}
    shared::<Epochs>();
    shared::<Cookie>();
    let epochs = Epochs::new();
    let shown = format!("{epochs:?} {:?} {:?}", epochs.pin(), epochs.register(AllocMode::Normal));
    assert_eq!(shown, "Epochs { epoch: 0, records: 2, .. } Guard { .. } Ok(Reader { .. })");
}

/// A guard or a reader in another thread would share the record's cells.
///
/// The ambiguity is an error as soon as one of them is `Send` or `Sync`.
#[expect(dead_code, reason = "is checked by the compiler")]
fn stays_in_its_thread(guard: <Epochs as Reclaim>::Guard<'static>, reader: Reader<'static>) {
    trait Ambiguous<Which> {
        fn check(&self) {}
    }
    impl<T> Ambiguous<()> for T {}
    impl<T: Send> Ambiguous<u8> for T {}
    impl<T: Sync> Ambiguous<u16> for T {}
    guard.check();
    reader.check();
}
