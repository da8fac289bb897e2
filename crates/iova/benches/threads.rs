//! An allocation and a free, cached and not, on one thread and on two: `cargo bench -p iova`.
//!
//! In each round a thread allocates 64 single granules and frees them again, among 100 000 ranges that stay, with holes
//! between them. What is printed as items are pairs of an allocation and a free. All threads use the same allocator. A
//! sample is 200 rounds, so that it has its share of flushes.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has to stop")]

use divan::Bencher;
use divan::counter::ItemsCount;
use iova::cpu::ThisCpu;
use iova::flush::Invalidate;
use iova::{AllocMode, Checking, DomainConfig, Granule, IovaRange, LockedSpace, Request, Space, StdDomain};

const PAGE: u64 = 4096;
const ROUND: usize = 64;

fn space() -> Space {
    let mut space = Space::new(Granule::FOUR_KIB, 0..1 << 40).unwrap();
    for place in 0..100_000 {
        let first = place * 3 * PAGE;
        space.allocate_at(first..first + PAGE, AllocMode::Normal).unwrap();
    }
    space
}

fn rounds(
    bencher: Bencher<'_, '_>,
    allocate: impl Fn(&Request) -> IovaRange + Sync,
    free: impl Fn(IovaRange) + Sync,
) {
    // Below the highest range that stays, so that the holes are used.
    let request = Request::new(1).limit(300_000 * PAGE - 1);
    bencher.counter(ItemsCount::new(ROUND)).bench(|| {
        let ranges = [0; ROUND].map(|_| allocate(&request));
        ranges.into_iter().for_each(&free);
    });
}

fn domain_rounds<I: Invalidate + Sync>(bencher: Bencher<'_, '_>, domain: &StdDomain<I>) {
    rounds(bencher, |request| domain.allocate(request).unwrap(), |range| domain.free(range).unwrap());
}

#[divan::bench(threads = [1, 2], sample_size = 200)]
fn uncached(bencher: Bencher<'_, '_>) {
    let space: LockedSpace<parking_lot::RawMutex> = space().into();
    rounds(
        bencher,
        |request| space.allocate(request).unwrap(),
        |range| {
            space.free(range.first()).unwrap();
        },
    );
}

#[divan::bench(threads = [1, 2], sample_size = 200)]
fn cached(bencher: Bencher<'_, '_>) {
    let config = DomainConfig::for_this_machine().checking(Checking::Trust);
    domain_rounds(bencher, &StdDomain::new(space(), ThisCpu, config).unwrap());
}

#[divan::bench(threads = [1, 2], sample_size = 200)]
fn cached_and_checked(bencher: Bencher<'_, '_>) {
    let config = DomainConfig::for_this_machine().checking(Checking::Exact);
    domain_rounds(bencher, &StdDomain::new(space(), ThisCpu, config).unwrap());
}

/// An IOMMU that takes no time.
struct Iommu;

impl Invalidate for Iommu {
    fn flush_all(&self) {}
}

#[divan::bench(threads = [1, 2], sample_size = 200)]
fn cached_and_queued(bencher: Bencher<'_, '_>) {
    let config = DomainConfig::for_this_machine().checking(Checking::Trust);
    domain_rounds(bencher, &StdDomain::with_flush_queue(space(), ThisCpu, Iommu, config).unwrap());
}

fn main() {
    divan::main();
}
