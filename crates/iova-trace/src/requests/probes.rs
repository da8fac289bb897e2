//! Requests from the probes of the allocator.

use std::collections::HashMap;

use super::{
    Granule, Requests, Source, Span, TreeRequest,
    ledger::{At, Ledger},
};
use crate::{DmaAction, DmaEvent, Event, IovaAlloc, IovaAllocTree, Record};

pub(super) fn requests(records: &[Record], granule: Granule) -> Requests {
    let mut ledger = Ledger::default();
    let mut pairs = pair(records);
    ledger.counts().tree_retries = pairs.retries;
    let mut last_answer = HashMap::new();

    for (at, record) in records.iter().enumerate() {
        match &record.event {
            Event::IovaAlloc(alloc) => {
                let tree = pairs.tree_of.remove(&at);
                let domain = allocate(&mut ledger, record, *alloc, tree);
                last_answer.insert(task(record), (domain, alloc.pfn));
            }
            Event::IovaAllocTree(tree) if pairs.alone.contains_key(&at) => {
                ledger.counts().tree_alone += 1;
                let alloc = IovaAlloc {
                    iovad: tree.iovad,
                    granules: tree.granules,
                    limit_pfn: tree.limit_pfn,
                    flush: None,
                    pfn: tree.pfn,
                };
                allocate(&mut ledger, record, alloc, Some(request(*tree)));
            }
            Event::IovaFree(free) => match Span::new(free.pfn, free.granules) {
                Some(span) => {
                    let domain = ledger.domain(&domain_name(free.iovad));
                    ledger.free(At::new(record, domain), span);
                }
                None => ledger.counts().unusable += 1,
            },
            // The task that has just got a range maps it: that tells whose domain it is.
            Event::Dma(event) => {
                if let Some(&(domain, pfn)) = last_answer.get(&task(record))
                    && pfn.is_some()
                    && first_pfn(event, granule) == pfn
                {
                    ledger.uses(domain, &event.device);
                }
            }
            _ => {}
        }
    }
    ledger.finish(Source::Probes)
}

fn allocate(
    ledger: &mut Ledger,
    record: &Record,
    alloc: IovaAlloc,
    tree: Option<TreeRequest>,
) -> super::DomainId {
    let domain = ledger.domain(&domain_name(alloc.iovad));
    let at = At::new(record, domain);
    match alloc.pfn {
        None => ledger.fail(at, alloc.granules, alloc.limit_pfn, tree),
        Some(pfn) => match Span::new(pfn, alloc.granules) {
            Some(span) => ledger.allocate(at, span, alloc.limit_pfn, tree),
            None => ledger.counts().unusable += 1,
        },
    }
    domain
}

/// Which `iova_alloc_tree` belongs to which `iova_alloc`.
#[derive(Debug, Default)]
struct Pairs {
    /// By the place of the `iova_alloc`.
    tree_of: HashMap<usize, TreeRequest>,
    /// Those that succeeded and have no partner, by their own place.
    alone: HashMap<usize, IovaAllocTree>,
    /// Those that failed and were tried again, or have no partner.
    retries: u64,
}

impl Pairs {
    /// Decides about a request of the tree that has no partner.
    fn give_up(&mut self, at: usize, tree: IovaAllocTree) {
        if tree.pfn.is_some() {
            self.alone.insert(at, tree);
        } else {
            self.retries += 1;
        }
    }
}

/// More than interrupts nest in one task; an older request will find no partner any more.
const NESTED_MAX: usize = 64;

/// Pairs the two probes.
///
/// Both fire on return, the tree's first, so the partner follows in the same task. An interrupt between the
/// two may allocate in the name of the same task, so the open ones are a stack, and the answer has to agree.
fn pair(records: &[Record]) -> Pairs {
    let mut pairs = Pairs::default();
    let mut open: HashMap<_, Vec<(usize, IovaAllocTree)>> = HashMap::new();
    for (at, record) in records.iter().enumerate() {
        match &record.event {
            Event::IovaAllocTree(tree) => {
                let stack = open.entry((task(record), tree.iovad)).or_default();
                if stack.len() == NESTED_MAX {
                    let (at, tree) = stack.remove(0);
                    pairs.give_up(at, tree);
                }
                stack.push((at, *tree));
            }
            Event::IovaAlloc(alloc) => {
                let Some(stack) = open.get_mut(&(task(record), alloc.iovad)) else { continue };
                let agrees = |tree: &IovaAllocTree| tree.pfn == alloc.pfn && tree.granules >= alloc.granules;
                if let Some(index) = stack.iter().rposition(|(_, tree)| agrees(tree)) {
                    let (_, tree) = stack.remove(index);
                    pairs.tree_of.insert(at, request(tree));
                }
                // The tree failed, the caches were flushed, and it was tried again.
                let before = stack.len();
                stack.retain(|(_, tree)| tree.pfn.is_some() || tree.granules < alloc.granules);
                pairs.retries += (before - stack.len()) as u64;
            }
            _ => {}
        }
    }
    for (at, tree) in open.into_values().flatten() {
        pairs.give_up(at, tree);
    }
    pairs
}

fn request(tree: IovaAllocTree) -> TreeRequest {
    TreeRequest {
        granules: tree.granules,
        limit_pfn: tree.limit_pfn,
        size_aligned: tree.size_aligned,
        placed: tree.pfn,
    }
}

/// What identifies a task: its number, which all idle tasks share, so for them the processor.
fn task(record: &Record) -> (Option<u32>, Option<u32>) {
    match record.pid {
        Some(0) | None => (record.pid, record.cpu),
        Some(_) => (record.pid, None),
    }
}

fn domain_name(iovad: u64) -> String {
    format!("iovad={iovad:#x}")
}

fn first_pfn(event: &DmaEvent, granule: Granule) -> Option<u64> {
    match &event.action {
        DmaAction::Map { block, .. } | DmaAction::Alloc(block) => Some(granule.pfn(block.address)),
        DmaAction::MapList(list) => list.blocks.first().map(|block| granule.pfn(block.address)),
        _ => None,
    }
}
