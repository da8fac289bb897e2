//! That a range is used again only after a flush that covers it, under every order of threads (up to some
//! preemptions).
//!
//! `RUSTFLAGS='--cfg loom' cargo test -p iova --release --lib loom`

use std::sync::Arc;

use loom::sync::atomic::{AtomicBool, Ordering::Relaxed};
use maple_tree::IndexRange;

use super::generation::Generations;
use super::{FlushConfig, FlushQueue, Invalidate, Reuse};
use crate::cpu::Cpu;
use crate::granule::Granule;
use crate::range::IovaRange;

fn explore(test: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(test);
}

/// Two flushes at the same time as a range is unmapped: if it is covered, one of them has seen that it was
/// unmapped.
#[test]
fn loom_generations_cover_what_was_seen() {
    explore(|| {
        let all = Arc::new((Generations::new(), AtomicBool::new(false), AtomicBool::new(false)));
        let flush = |all: Arc<(Generations, AtomicBool, AtomicBool)>| {
            move || {
                let (generations, unmapped, forgotten) = &*all;
                generations.flush(|| {
                    if unmapped.load(Relaxed) {
                        forgotten.store(true, Relaxed);
                    }
                });
            }
        };
        let threads = [loom::thread::spawn(flush(all.clone())), loom::thread::spawn(flush(all.clone()))];
        let (generations, unmapped, forgotten) = &*all;
        unmapped.store(true, Relaxed);
        let generation = generations.now();
        if generations.covers(generation) {
            assert!(forgotten.load(Relaxed));
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        if generations.covers(generation) {
            assert!(forgotten.load(Relaxed));
        }
    });
}

/// Two flushes overlap, and a range is queued at some time. Once a flush has completed that began after that,
/// the range is covered, whatever the other one does.
#[test]
fn loom_a_completed_flush_covers_what_was_queued_before_it() {
    explore(|| {
        let generations = Arc::new(Generations::new());
        let other = {
            let generations = generations.clone();
            loom::thread::spawn(move || generations.flush(loom::thread::yield_now))
        };
        let generation = generations.now();
        generations.flush(|| ());
        assert!(generations.covers(generation));
        other.join().unwrap();
        assert!(generations.covers(generation) && !generations.covers(generations.now()));
    });
}

/// For each of a few pages: whether it was unmapped, and whether the IOMMU has noticed.
#[derive(Default)]
struct Pages {
    unmapped: [AtomicBool; 3],
    forgotten: [AtomicBool; 3],
    reused: [AtomicBool; 3],
}

impl Invalidate for Arc<Pages> {
    fn flush_all(&self) {
        for (unmapped, forgotten) in self.unmapped.iter().zip(&self.forgotten) {
            if unmapped.load(Relaxed) {
                forgotten.store(true, Relaxed);
            }
        }
    }
}

impl Reuse for Pages {
    fn reuse(&self, _: Cpu, range: IovaRange) {
        let page = range.first_pfn().get() as usize;
        assert!(self.forgotten[page].load(Relaxed), "page {page} is not forgotten");
        assert!(!self.reused[page].swap(true, Relaxed), "page {page} is reused twice");
    }
}

fn free(queue: &FlushQueue<spin::Mutex<()>, Arc<Pages>>, pages: &Pages, cpu: usize, page: usize) {
    pages.unmapped[page].store(true, Relaxed);
    let range = IovaRange::of_pfns(IndexRange::single(page as u64), Granule::FOUR_KIB);
    queue.queue(Cpu::new(cpu), range, None, pages);
}

/// One CPU fills its ring of one entry, another one flushes.
#[test]
fn loom_nothing_is_reused_before_it_is_flushed() {
    explore(|| {
        let pages = Arc::new(Pages::default());
        let queue = Arc::new(FlushQueue::new(pages.clone(), FlushConfig::new(2).entries(1)).unwrap());
        // The first one is strict, and makes the CPU wish for a ring.
        free(&queue, &pages, 0, 0);
        queue.prepare();
        let flushing = {
            let (queue, pages) = (queue.clone(), pages.clone());
            loom::thread::spawn(move || queue.flush(Cpu::new(1), &*pages))
        };
        free(&queue, &pages, 0, 1);
        free(&queue, &pages, 0, 2);
        flushing.join().unwrap();
        queue.flush(Cpu::new(1), &*pages);
        assert!(!queue.waits());
        assert!(pages.reused.iter().all(|reused| reused.load(Relaxed)), "a page was lost");
    });
}

/// Who needs space flushes, while another CPU does: when that returns, nothing waits that was freed before.
#[test]
fn loom_a_flush_leaves_nothing_that_was_queued_before_it() {
    explore(|| {
        let pages = Arc::new(Pages::default());
        let queue = Arc::new(FlushQueue::new(pages.clone(), FlushConfig::new(2).entries(2)).unwrap());
        free(&queue, &pages, 0, 0);
        queue.prepare();
        let flushing = {
            let (queue, pages) = (queue.clone(), pages.clone());
            loom::thread::spawn(move || queue.flush(Cpu::new(1), &*pages))
        };
        free(&queue, &pages, 0, 1);
        queue.flush(Cpu::new(0), &*pages);
        assert!(!queue.waits(), "its own flush has completed");
        flushing.join().unwrap();
        assert!(pages.reused[..2].iter().all(|reused| reused.load(Relaxed)), "a page was lost");
    });
}
