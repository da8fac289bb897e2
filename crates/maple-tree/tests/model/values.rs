//! The kinds of entries, each recognised by a number, some of them counted while they are alive.

use std::cell::Cell;
use std::num::NonZeroU64;
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;

use maple_tree::CloneEntry;

/// How many counted values are alive.
#[derive(Clone, Debug, Default)]
pub(crate) struct Live(Rc<Cell<usize>>);

impl Live {
    pub(crate) fn count(&self) -> usize {
        self.0.get()
    }
}

/// A number whose drop is counted: one that is lost stays alive, one that is dropped twice leaves too few.
#[derive(Debug)]
pub(crate) struct Counted {
    number: u64,
    live: Live,
}

impl Counted {
    fn new(number: u64, live: &Live) -> Self {
        live.0.set(live.count() + 1);
        Self { number, live: live.clone() }
    }
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        Self::new(self.number, &self.live)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.live.0.set(self.live.count() - 1);
    }
}

/// An entry that the tests can make from a number and recognise again.
pub(crate) trait Value: CloneEntry + 'static {
    /// Whether [`Live`] knows about values of this kind.
    const COUNTED: bool = false;

    /// A value for a number.
    fn make(number: u64, live: &Live) -> Self;

    /// What the value made for a number is recognised by.
    fn key(number: u64) -> u64 {
        number
    }

    /// What a value that was lent is recognised by.
    fn key_of_lent(lent: Self::Borrowed<'_>) -> u64;

    /// What a value is recognised by that can be seen.
    fn key_of_ref(&self) -> u64;

    /// What a value that came back is recognised by; drops it.
    fn key_of(self) -> u64 {
        self.key_of_ref()
    }
}

impl Value for () {
    fn make(_number: u64, _live: &Live) -> Self {}

    fn key(_number: u64) -> u64 {
        0
    }

    fn key_of_lent(_lent: ()) -> u64 {
        0
    }

    fn key_of_ref(&self) -> u64 {
        0
    }
}

impl Value for NonZeroU64 {
    /// From the top, so that the words look like nothing that could be a pointer.
    fn make(number: u64, _live: &Live) -> Self {
        Self::MIN.saturating_add(u64::MAX - 1 - number)
    }

    fn key_of_lent(lent: Self) -> u64 {
        u64::MAX - lent.get()
    }

    fn key_of_ref(&self) -> u64 {
        Self::key_of_lent(*self)
    }
}

impl Value for Box<Counted> {
    const COUNTED: bool = true;

    fn make(number: u64, live: &Live) -> Self {
        Self::new(Counted::new(number, live))
    }

    fn key_of_lent(lent: &Counted) -> u64 {
        lent.number
    }

    fn key_of_ref(&self) -> u64 {
        self.number
    }
}

/// Clones share one value, so how many are alive does not follow from the entries.
impl Value for Arc<Counted> {
    #[expect(clippy::arc_with_non_send_sync, reason = "what is tested is the counting, in one thread")]
    fn make(number: u64, live: &Live) -> Self {
        Self::new(Counted::new(number, live))
    }

    fn key_of_lent(lent: &Counted) -> u64 {
        lent.number
    }

    fn key_of_ref(&self) -> u64 {
        self.number
    }
}

/// What references and pointers point at.
static CELLS: [u64; 1024] = {
    let mut cells = [0; 1024];
    let mut i = 0;
    while i < cells.len() {
        cells[i] = i as u64;
        i += 1;
    }
    cells
};

fn cell(number: u64) -> &'static u64 {
    &CELLS[(number % 1024) as usize]
}

impl Value for &'static u64 {
    fn make(number: u64, _live: &Live) -> Self {
        cell(number)
    }

    fn key(number: u64) -> u64 {
        number % 1024
    }

    fn key_of_lent(lent: Self) -> u64 {
        *lent
    }

    fn key_of_ref(&self) -> u64 {
        **self
    }
}

impl Value for NonNull<u64> {
    fn make(number: u64, _live: &Live) -> Self {
        Self::from(cell(number))
    }

    fn key(number: u64) -> u64 {
        number % 1024
    }

    fn key_of_lent(lent: Self) -> u64 {
        ((lent.addr().get() - CELLS.as_ptr().addr()) / size_of::<u64>()) as u64
    }

    fn key_of_ref(&self) -> u64 {
        Self::key_of_lent(*self)
    }
}
