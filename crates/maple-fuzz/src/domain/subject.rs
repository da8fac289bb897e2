//! A domain and a model side by side.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use iova::cache::CacheConfig;
use iova::flush::{FlushConfig, FlushPolicy};
use iova::{Checking, Domain, DomainConfig, Granule, IovaRange, RangeState, Space};
use maple_faults::{FaultyAlloc, Plan};

use super::Setup;
use super::iommu::{Iommu, Turn};
use super::model::{GRANULE, Model, Owner, granules};
use super::ops::Op;

/// A domain, and what it should be like. Says where it was when a check fails.
pub(super) struct Subject {
    pub(super) domain: Domain<spin::Mutex<()>, Turn, Iommu, Arc<FaultyAlloc>>,
    pub(super) iommu: Iommu,
    pub(super) turn: Turn,
    pub(super) cpus: usize,
    pub(super) nodes: Arc<FaultyAlloc>,
    pub(super) model: Model,
    pub(super) exact: bool,
    pub(super) now: u64,
    steps: usize,
    op: Option<Op>,
}

impl Subject {
    pub(super) fn new(setup: &Setup) -> Self {
        let cpus = 1 + usize::from(setup.cpus % 4);
        let caches = CacheConfig::new(cpus)
            .classes((setup.classes % 8).into())
            .depot_magazines((setup.depot_magazines % 4).into())
            .magazines(if setup.magazines == u8::MAX { usize::MAX } else { setup.magazines.into() })
            .idle_after(5000);
        let policy = if setup.strict { FlushPolicy::Strict } else { FlushPolicy::Deferred };
        let queue = FlushConfig::new(cpus).entries(setup.queued.into()).age_after(2000).policy(policy);
        let checking = if setup.exact { Checking::Exact } else { Checking::Trust };
        let config = DomainConfig::new(cpus).caches(caches).queue(queue).checking(checking);
        let (iommu, turn, nodes) =
            (Iommu::default(), Turn::default(), Arc::new(FaultyAlloc::new(setup.memory.plan())));
        let granules = setup.size.granules();
        let space = Space::new_in(Granule::FOUR_KIB, 0..granules as u64 * GRANULE, Arc::clone(&nodes));
        let space = space.expect("an aperture of whole granules");
        let domain = Domain::with_flush_queue(space, turn.clone(), iommu.clone(), config);
        Self {
            domain: domain.expect("there is memory"),
            iommu,
            turn,
            cpus,
            nodes,
            model: Model::new(granules),
            exact: setup.exact,
            now: 0,
            steps: 0,
            op: None,
        }
    }

    /// One operation of a program.
    pub(super) fn apply(&mut self, op: Op) {
        self.op = Some(op);
        op.apply(self);
        self.steps += 1;
        if self.steps % 16 == 0 {
            self.check();
        }
    }

    /// Calls something that must not ask for a node.
    pub(super) fn without_nodes<T>(&self, call: impl FnOnce(&Self) -> T) -> T {
        let calls = self.nodes.counts().calls;
        let result = call(self);
        assert_eq!(self.nodes.counts().calls, calls, "asked for a node");
        result
    }

    /// All layers say the same, and the same as the model.
    pub(super) fn check(&self) {
        if let Err(violation) = self.domain.validate() {
            unreachable!("{violation}");
        }
        let mut live: BTreeMap<u64, IovaRange> =
            self.model.live.iter().map(|&range| (range.first(), range)).collect();
        let mut freed = BTreeMap::new();
        self.domain.for_each(|range, state| match state {
            RangeState::Live => assert_eq!(live.get(&range.first()), Some(&range)),
            _ => drop(freed.insert(range.first(), range)),
        });
        let statistics = self.domain.statistics();
        assert_eq!(statistics.live_ranges(), live.len() as u64);
        // What is allocated in the tree is live, or was freed and waits somewhere.
        let space = self.domain.space().lock();
        for range in space.allocations() {
            if live.remove(&range.first()).is_none() {
                assert_eq!(freed.remove(&range.first()), Some(range), "nobody has it");
                assert!(!self.model.has(granules(range), Owner::Reserved));
            }
        }
        assert!(live.is_empty() && freed.is_empty(), "not allocated: {live:?}, {freed:?}");
        let mut reserved = vec![false; self.model.owners.len()];
        space.reserved_regions().for_each(|region| reserved[granules(region)].fill(true));
        assert!(
            reserved.iter().eq(self
                .model
                .owners
                .iter()
                .map(|&owner| owner == Owner::Reserved)
                .collect::<Vec<_>>()
                .iter())
        );
        assert_eq!(self.nodes.counts().live_bytes, space.statistics().node_bytes as u64, "nodes are lost");
    }

    /// Frees all that is live, takes everything apart, and looks at what is left.
    pub(super) fn finish(mut self) {
        self.op = None;
        self.check();
        while let Some(range) = self.model.free(usize::MAX) {
            self.iommu.unmap(range);
            self.without_nodes(|subject| assert_eq!(subject.domain.free(range), Ok(())));
        }
        self.without_nodes(|subject| subject.domain.flush());
        self.check();
        assert_eq!(self.iommu.attachments(), 0, "words were not released");
        assert_eq!(self.domain.statistics().caches.refused, 0);
        let statistics = self.domain.space().statistics();
        assert_eq!(statistics.allocated_ranges, 0);
        // What is reserved is all that needs nodes.
        self.nodes.set_plan(Plan::Never);
        self.domain.unreserve(.., iova::AllocMode::Normal).expect("there is memory");
        assert_eq!(self.nodes.counts().live, 0, "nodes are lost");
    }
}

/// Where a failed check happened.
impl Drop for Subject {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("step {}, {:?}; live are {:?}", self.steps, self.op, self.model.live);
        }
    }
}
