//! Magazines that go from CPU to CPU, under every order of threads (up to some preemptions). A magazine has two
//! ranges here.
//!
//! `RUSTFLAGS='--cfg loom' cargo test -p iova --release --lib loom`

use std::sync::Arc;
use std::vec::Vec;

use maple_tree::IndexRange;

use super::{CacheConfig, Caches};
use crate::backing::{Backing, NotLive};
use crate::cpu::Cpu;
use crate::error::{AllocateError, OutOfNodeMemory};
use crate::granule::Granule;
use crate::range::IovaRange;
use crate::request::Request;
use crate::sync::Mutex;

type Lock = spin::Mutex<()>;

/// Hands out one pfn after the other, and knows which are allocated.
struct Simple(Mutex<Lock, (u64, Vec<IovaRange>)>);

fn page(pfn: u64) -> IovaRange {
    IovaRange::of_pfns(IndexRange::single(pfn), Granule::FOUR_KIB)
}

impl Backing for Simple {
    fn granule(&self) -> Granule {
        Granule::FOUR_KIB
    }

    fn aperture(&self) -> IovaRange {
        IovaRange::of_pfns(IndexRange::new(0, 99).unwrap_or(IndexRange::single(0)), Granule::FOUR_KIB)
    }

    fn allocate(&self, request: &Request) -> Result<IovaRange, AllocateError> {
        if request.granules() > 1 {
            return Err(OutOfNodeMemory { range: page(0) }.into());
        }
        let (next, allocated) = &mut *self.0.lock();
        *next += 1;
        allocated.push(page(*next));
        Ok(page(*next))
    }

    fn free(&self, range: IovaRange) -> Result<(), NotLive> {
        if self.free_batch(&[range]) == 0 { Ok(()) } else { Err(NotLive { range }) }
    }

    fn free_batch(&self, ranges: &[IovaRange]) -> usize {
        let (_, allocated) = &mut *self.0.lock();
        let before = allocated.len();
        allocated.retain(|range| !ranges.contains(range));
        ranges.len() - (before - allocated.len())
    }
}

type Subject = Caches<Lock, Simple>;

fn explore(test: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(test);
}

/// Caches that have the memory they want, and ranges that are live.
fn warm(config: CacheConfig, live: usize) -> (Arc<Subject>, Vec<IovaRange>) {
    let caches = Subject::new(Simple(Mutex::new((0, Vec::new()))), config.classes(2)).unwrap();
    for cpu in [0, 1, 0, 1, 0, 1] {
        let range = caches.allocate(Cpu::new(cpu), &Request::new(1)).unwrap();
        caches.free(Cpu::new(cpu), range).unwrap();
        // A miss, which makes what is wished for.
        caches.allocate(Cpu::new(cpu), &Request::new(2)).unwrap_err();
    }
    caches.flush();
    let ranges = (0..live).map(|_| caches.allocate(Cpu::new(0), &Request::new(1)).unwrap()).collect();
    (Arc::new(caches), ranges)
}

/// What is live and what is cached is what is allocated, each once.
fn check(caches: &Subject, mut live: Vec<IovaRange>) {
    caches.for_each_cached(|range| live.push(range));
    let mut allocated = caches.backing().0.lock().1.clone();
    live.sort_unstable_by_key(|range| range.first());
    allocated.sort_unstable_by_key(|range| range.first());
    assert_eq!(live, allocated);
    assert_eq!(caches.statistics().refused, 0);
}

#[test]
fn loom_full_magazines_reach_another_cpu() {
    explore(|| {
        let (caches, live) = warm(CacheConfig::new(2), 5);
        let freeing = {
            let caches = caches.clone();
            loom::thread::spawn(move || {
                live.into_iter().for_each(|range| caches.free(Cpu::new(1), range).unwrap())
            })
        };
        let taken = (0..2).map(|_| caches.allocate(Cpu::new(0), &Request::new(1)).unwrap()).collect();
        freeing.join().unwrap();
        check(&caches, taken);
    });
}

#[test]
fn loom_two_threads_on_one_cpu() {
    explore(|| {
        let (caches, live) = warm(CacheConfig::new(2), 2);
        let other = {
            let (caches, range) = (caches.clone(), live[0]);
            loom::thread::spawn(move || {
                caches.free(Cpu::new(0), range).unwrap();
                caches.allocate(Cpu::new(0), &Request::new(1)).unwrap()
            })
        };
        caches.free(Cpu::new(0), live[1]).unwrap();
        let mine = caches.allocate(Cpu::new(0), &Request::new(1)).unwrap();
        let others = other.join().unwrap();
        check(&caches, [mine, others].into());
    });
}

#[test]
fn loom_flush_while_another_cpu_goes_on() {
    explore(|| {
        let (caches, live) = warm(CacheConfig::new(2).depot_magazines(1), 5);
        let flushing = {
            let caches = caches.clone();
            loom::thread::spawn(move || caches.flush())
        };
        for range in live {
            caches.free(Cpu::new(1), range).unwrap();
        }
        let taken = caches.allocate(Cpu::new(0), &Request::new(1)).unwrap();
        flushing.join().unwrap();
        check(&caches, [taken].into());
        caches.flush();
        check(&caches, [taken].into());
    });
}
