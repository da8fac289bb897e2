//! Pairing the unmap of a scatter list with its map.
//!
//! The unmap prints only physical addresses, so these are what a list is found by. Drivers map the same
//! buffers again and again, and any number of lists may start alike; so a list is found by all its addresses.
//! Only one that the kernel cut has to be found by its start.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{DomainId, Span};
use crate::ScatterList;

/// Mapped lists that wait for their unmap.
#[derive(Debug, Default)]
pub(super) struct Lists {
    domains: HashMap<DomainId, Open>,
    next_age: Age,
}

/// Counts the lists that were mapped: of several that an unmap may be about, it takes the oldest.
type Age = u64;

/// A list's physical addresses, as they were printed.
type List = Arc<[u64]>;

/// The lists of one domain.
#[derive(Debug, Default)]
struct Open {
    by_list: HashMap<List, BTreeMap<Age, Vec<Span>>>,
    /// The lists that may be longer than they were printed, or than their unmap is printed, by their heads.
    by_head: HashMap<List, BTreeMap<Age, List>>,
    /// How many of these have a head of each length below [`PRINTED_MAX`].
    short_heads: BTreeMap<usize, u64>,
}

/// The kernel prints at most so many entries of a list; kernels before that limit printed all of them.
const PRINTED_MAX: usize = 128;

/// So many lists with the same head are compared with one unmap. More than a few such lists, all open at
/// once, are not what a driver does, and comparing all of them would take quadratic time.
const COMPARED_MAX: usize = 16;

impl Lists {
    pub(super) fn open(&mut self, domain: DomainId, list: &ScatterList, spans: Vec<Span>) {
        let open = self.domains.entry(domain).or_default();
        let age = self.next_age;
        self.next_age += 1;
        let physical: List = Arc::from(&*list.physical);
        if physical.len() >= PRINTED_MAX || (list.truncated && !physical.is_empty()) {
            let head = head(&physical);
            if head.len() < PRINTED_MAX {
                *open.short_heads.entry(head.len()).or_default() += 1;
            }
            let key = if head.len() == physical.len() { Arc::clone(&physical) } else { Arc::from(head) };
            open.by_head.entry(key).or_default().insert(age, Arc::clone(&physical));
        }
        open.by_list.entry(physical).or_default().insert(age, spans);
    }

    /// Finds the oldest list that this unmap may be about, and removes it.
    pub(super) fn close(&mut self, domain: DomainId, physical: &[u64]) -> Option<Vec<Span>> {
        let open = self.domains.get_mut(&domain)?;
        let same = open.by_list.get(physical).and_then(|ages| ages.keys().next().copied());
        match same {
            Some(age) => open.remove(age, physical),
            None => {
                let (age, list) = open.find_cut(physical)?;
                open.remove(age, &list)
            }
        }
    }
}

impl Open {
    /// Finds the oldest list that agrees with this unmap as far as both were printed.
    fn find_cut(&self, physical: &[u64]) -> Option<(Age, List)> {
        // All of these may be longer than they were printed, so they may be what starts like them. There are
        // fewer lengths than `PRINTED_MAX`, and in truth there is none: the kernel does not cut a short list.
        let short = self
            .short_heads
            .range(..=physical.len())
            .filter_map(|(&length, _)| self.by_head.get(physical.get(..length)?)?.first_key_value());
        let long = physical
            .get(..PRINTED_MAX)
            .and_then(|head| self.by_head.get(head))
            .into_iter()
            .flat_map(|lists| lists.iter().take(COMPARED_MAX))
            .find(|(_, list)| list.starts_with(physical) || physical.starts_with(list));
        short.chain(long).min_by_key(|&(&age, _)| age).map(|(&age, list)| (age, Arc::clone(list)))
    }

    fn remove(&mut self, age: Age, list: &[u64]) -> Option<Vec<Span>> {
        let head = head(list);
        if let Some(ages) = self.by_head.get_mut(head) {
            if ages.remove(&age).is_some() && head.len() < PRINTED_MAX {
                self.forget_short_head(head.len());
            }
            if self.by_head.get(head).is_some_and(BTreeMap::is_empty) {
                self.by_head.remove(head);
            }
        }
        let ages = self.by_list.get_mut(list)?;
        let spans = ages.remove(&age);
        if ages.is_empty() {
            self.by_list.remove(list);
        }
        spans
    }

    fn forget_short_head(&mut self, length: usize) {
        if let Some(count) = self.short_heads.get_mut(&length) {
            *count -= 1;
            if *count == 0 {
                self.short_heads.remove(&length);
            }
        }
    }
}

fn head(list: &[u64]) -> &[u64] {
    list.get(..PRINTED_MAX).unwrap_or(list)
}
