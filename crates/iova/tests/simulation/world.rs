//! All there is: the domain, its IOMMU, the virtual CPUs and clock, and what is live.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use fastrand::Rng;
use iova::cache::CacheConfig;
use iova::cpu::{Cpu, CurrentCpu};
use iova::flush::{FlushConfig, FlushPolicy};
use iova::{AllocMode, Checking, Domain, DomainConfig, Granule, IovaRange, Space};
use maple_faults::{FaultyAlloc, Plan};

use crate::iommu::{Iommu, Iotlb};

pub(crate) const PAGE: u64 = 4096;

pub(crate) type Subject = Domain<spin::Mutex<()>, VirtualCpu, Iommu, Arc<FaultyAlloc>>;

/// The CPU whose turn it is.
#[derive(Clone, Default)]
pub(crate) struct VirtualCpu(Rc<Cell<usize>>);

impl CurrentCpu for VirtualCpu {
    fn current(&self) -> Cpu {
        Cpu::new(self.0.get())
    }
}

pub(crate) struct World {
    domain: OnceCell<Subject>,
    pub(crate) iotlb: Iotlb,
    pub(crate) rng: RefCell<Rng>,
    pub(crate) live: RefCell<BTreeMap<u64, IovaRange>>,
    pub(crate) nodes: Arc<FaultyAlloc>,
    pub(crate) now: Cell<u64>,
    pub(crate) granules: usize,
    pub(crate) exact: bool,
    /// How many flushes are in progress.
    pub(crate) depth: Cell<u32>,
    /// How many steps were made during one.
    pub(crate) meanwhile: Cell<u64>,
    pub(crate) max_depot: usize,
    pub(crate) max_magazines: usize,
    cpu: VirtualCpu,
    cpus: usize,
    pub(crate) totals: RefCell<Totals>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Rc<Self> {
        let mut rng = Rng::with_seed(seed);
        let cpus = rng.usize(1..=6);
        let granules = *rng.choice(&[40, 300, 1500, 4000]).unwrap();
        let (max_depot, exact) = (rng.usize(0..=3), rng.u8(0..4) > 0);
        let max_magazines = if rng.bool() { rng.usize(0..30) } else { usize::MAX };
        let caches = CacheConfig::new(cpus)
            .classes(rng.usize(0..=7))
            .depot_magazines(max_depot)
            .magazines(max_magazines)
            .idle_after(50_000);
        let policy = if rng.u8(0..5) == 0 { FlushPolicy::Strict } else { FlushPolicy::Deferred };
        let queue = FlushConfig::new(cpus).entries(rng.usize(0..100)).age_after(20_000).policy(policy);
        let (cpu, nodes) = (VirtualCpu::default(), Arc::new(FaultyAlloc::new(Plan::Never)));
        let world = Rc::new(Self {
            domain: OnceCell::new(),
            iotlb: Iotlb::default(),
            rng: RefCell::new(rng),
            live: RefCell::default(),
            nodes: nodes.clone(),
            now: Cell::new(0),
            granules,
            exact,
            depth: Cell::new(0),
            meanwhile: Cell::new(0),
            max_depot,
            max_magazines,
            cpu: cpu.clone(),
            cpus,
            totals: RefCell::default(),
        });
        let aperture = 0..granules as u64 * PAGE;
        let mut space = Space::new_in(Granule::FOUR_KIB, aperture, nodes).unwrap();
        space.reserve(5 * PAGE..8 * PAGE, AllocMode::Normal).unwrap();
        let checking = if exact { Checking::Exact } else { Checking::Trust };
        let config = DomainConfig::new(cpus).caches(caches).queue(queue).checking(checking);
        let domain = Domain::with_flush_queue(space, cpu, Iommu(Rc::downgrade(&world)), config).unwrap();
        assert!(world.domain.set(domain).is_ok());
        world
    }

    pub(crate) fn domain(&self) -> &Subject {
        self.domain.get().unwrap()
    }

    /// From now on it is the turn of another CPU.
    pub(crate) fn change_cpu(&self) {
        let cpu = self.rng.borrow_mut().usize(0..self.cpus);
        self.cpu.0.set(cpu);
    }

    /// What other CPUs do while the IOMMU is busy.
    pub(crate) fn meanwhile(&self) {
        if self.depth.get() >= 2 {
            return;
        }
        let before = self.cpu.0.get();
        self.depth.set(self.depth.get() + 1);
        let steps = self.rng.borrow_mut().usize(0..3);
        for _ in 0..steps {
            self.meanwhile.set(self.meanwhile.get() + 1);
            self.step();
        }
        self.depth.set(self.depth.get() - 1);
        self.cpu.0.set(before);
    }

    /// Frees what is live, takes everything apart, and looks at what is left.
    pub(crate) fn finish(self: Rc<Self>) -> Totals {
        // Nobody else does anything from now on.
        self.depth.set(u32::MAX);
        self.nodes.set_plan(Plan::Never);
        let calls = self.nodes.counts().calls;
        while let Some((_, range)) = self.pop_live() {
            self.change_cpu();
            self.iotlb.unmap(range);
            self.domain().free(range).unwrap();
        }
        self.domain().flush();
        self.check();
        assert_eq!(self.nodes.counts().calls, calls, "freeing asked for a node");
        assert_eq!(self.iotlb.attachments(), 0, "words were not released");
        let space = self.domain().space();
        assert_eq!(space.statistics().allocated_ranges, 0);
        space.validate().unwrap();
        let statistics = self.domain().statistics();
        let mut totals = self.totals.take();
        totals.depot_hits += statistics.caches.classes().iter().map(|class| class.depot_hits).sum::<u64>();
        totals.hits += statistics.caches.hits();
        totals.deferred += statistics.queue.deferred;
        totals.strict += statistics.queue.strict;
        totals.flushes_full += statistics.queue.flushes_full;
        totals.flushes_age += statistics.queue.flushes_age;
        totals.flushes_demand += statistics.queue.flushes_demand;
        totals.meanwhile += self.meanwhile.get();
        assert_eq!(statistics.caches.refused, 0);
        totals
    }

    fn pop_live(&self) -> Option<(u64, IovaRange)> {
        self.live.borrow_mut().pop_first()
    }
}

/// What occurred in all programs together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) allocations: u64,
    pub(crate) no_space: u64,
    pub(crate) no_memory: u64,
    pub(crate) wrong_frees: u64,
    pub(crate) trimmed: u64,
    hits: u64,
    depot_hits: u64,
    deferred: u64,
    strict: u64,
    flushes_full: u64,
    flushes_age: u64,
    flushes_demand: u64,
    meanwhile: u64,
}

impl Totals {
    fn numbers(&mut self) -> [&mut u64; 13] {
        [
            &mut self.allocations,
            &mut self.no_space,
            &mut self.no_memory,
            &mut self.wrong_frees,
            &mut self.trimmed,
            &mut self.hits,
            &mut self.depot_hits,
            &mut self.deferred,
            &mut self.strict,
            &mut self.flushes_full,
            &mut self.flushes_age,
            &mut self.flushes_demand,
            &mut self.meanwhile,
        ]
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (mine, others) in self.numbers().into_iter().zip(other.clone().numbers()) {
            *mine += *others;
        }
    }

    /// A simulation in which something never happens says nothing about it.
    pub(crate) fn must_have_everything(&mut self) {
        let all = self.clone();
        assert!(self.numbers().into_iter().all(|times| *times >= 100), "{all:?}");
    }
}
