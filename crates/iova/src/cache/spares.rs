//! Memory for magazines: made on the allocating side, used on the freeing side.
//!
//! Freeing must not call an allocator. A CPU that frees and has no magazine to put the range into leaves a
//! *wish* and gives the range back to the backing; the next allocation that does not find a cached range grants
//! it. So memory is spent on what is used, and a CPU that only frees gets its magazines from those that
//! allocate. Empty magazines serve any class.

use super::magazine::Magazine;
use super::per_cpu::Shelf;
use super::stack::Stack;

/// Empty magazines and shelves that wait for who needs one, and what is wished for.
pub(super) struct Spares {
    empty: Stack,
    shelf: Option<Shelf>,
    magazines_wished: usize,
    shelf_wished: bool,
    /// How many magazines there are anywhere, and how many there may be.
    magazines: usize,
    most_magazines: usize,
    shelves: usize,
    /// How many empty ones are kept, and the fewest that there were since the last trim.
    most_empty: usize,
    idle: usize,
}

/// What an allocation is to make.
#[derive(Clone, Copy, Default)]
pub(super) struct Order {
    pub(super) magazine: bool,
    pub(super) shelf: bool,
}

impl Spares {
    pub(super) const fn new(most_magazines: usize, most_empty: usize) -> Self {
        Self {
            empty: Stack::new(0),
            shelf: None,
            magazines_wished: 0,
            shelf_wished: false,
            magazines: 0,
            most_magazines,
            shelves: 0,
            most_empty,
            idle: 0,
        }
    }

    /// An empty magazine; if there is none, one is wished for.
    pub(super) fn take_magazine(&mut self) -> Option<Magazine> {
        let magazine = self.empty.pop();
        self.idle = self.idle.min(self.empty.count());
        if magazine.is_none() {
            self.wish_for_magazine();
        }
        magazine
    }

    /// A shelf; if there is none, one is wished for, and a magazine to put on it.
    pub(super) fn take_shelf(&mut self) -> Option<Shelf> {
        let shelf = self.shelf.take();
        if shelf.is_none() {
            self.shelf_wished = true;
            self.wish_for_magazine();
        }
        shelf
    }

    fn wish_for_magazine(&mut self) {
        self.magazines_wished = (self.magazines_wished + 1).min(self.most_empty.max(1));
    }

    /// Keeps an empty magazine, or gives it back to be dropped if there are enough.
    pub(super) fn put_magazine(&mut self, magazine: Magazine) -> Option<Magazine> {
        debug_assert!(magazine.is_empty());
        if self.empty.count() < self.most_empty.max(1) {
            self.empty.push(magazine);
            return None;
        }
        self.magazines -= 1;
        Some(magazine)
    }

    /// What is to be made now, as far as it is allowed. It is not wished for any more, and counted as made, so that nobody
    /// else makes it too.
    pub(super) fn order(&mut self) -> Order {
        let order = Order {
            magazine: self.magazines_wished > 0 && self.magazines < self.most_magazines,
            shelf: self.shelf_wished,
        };
        self.magazines_wished -= usize::from(order.magazine);
        self.magazines += usize::from(order.magazine);
        self.shelf_wished = false;
        self.shelves += usize::from(order.shelf);
        order
    }

    /// Takes what was made of an order. What could not be made is wished for again.
    pub(super) fn deliver(&mut self, order: Order, magazine: Option<Magazine>, shelf: Option<Shelf>) {
        match magazine {
            Some(magazine) => self.empty.push(magazine),
            None if order.magazine => {
                self.magazines -= 1;
                self.wish_for_magazine();
            }
            None => {}
        }
        match shelf {
            Some(shelf) if self.shelf.is_none() => self.shelf = Some(shelf),
            // Somebody has wished for another one meanwhile, and got it; this one is dropped.
            Some(_) => self.shelves -= 1,
            None if order.shelf => {
                self.shelves -= 1;
                self.shelf_wished = true;
            }
            None => {}
        }
    }

    /// Begins a new interval; gives one empty magazine that was not needed during the one before, to be
    /// dropped, as long as there are some.
    pub(super) fn drop_idle(&mut self) -> Option<Magazine> {
        if self.idle == 0 {
            self.idle = self.empty.count();
            return None;
        }
        self.idle -= 1;
        self.magazines -= 1;
        self.empty.pop()
    }

    pub(super) const fn magazines(&self) -> usize {
        self.magazines
    }

    pub(super) const fn shelves(&self) -> usize {
        self.shelves
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ordered_is_ordered_once() {
        let mut spares = Spares::new(usize::MAX, 4);
        assert!(spares.take_shelf().is_none());
        let order = spares.order();
        assert!(order.magazine && order.shelf);
        // Another thread that misses meanwhile.
        let other = spares.order();
        assert!(!other.magazine && !other.shelf);
        spares.deliver(other, None, None);
        assert_eq!((spares.magazines(), spares.shelves()), (1, 1));
        // There was no memory: it is wished for as before.
        spares.deliver(order, None, None);
        assert_eq!((spares.magazines(), spares.shelves()), (0, 0));
        let order = spares.order();
        assert!(order.magazine && order.shelf);
        spares.deliver(order, Magazine::try_new(), Shelf::try_new(1));
        assert!(spares.take_magazine().is_some() && spares.take_shelf().is_some());
        assert_eq!((spares.magazines(), spares.shelves()), (1, 1));
    }
}
