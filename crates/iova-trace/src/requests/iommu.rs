//! Requests from `iommu:map` and `iommu:unmap` alone.
//!
//! A map event is a page-table change: an allocation is mapped in as many pieces as its memory has. But it is
//! unmapped as a whole, so an unmap tells which pieces belonged together. That is known only later; so this
//! works in two passes: the first finds the allocations, the second puts them in order.

use std::collections::{BTreeMap, HashMap};

use super::{
    Granule, Requests, Source, Span,
    ledger::{At, Ledger},
};
use crate::{Device, DmaBlock, Event, Record};

const DOMAIN: &str = "iommu events";

pub(super) fn requests(records: &[Record], granule: Granule) -> Requests {
    let mut ledger = Ledger::default();
    let found = find(records, granule, &mut ledger);
    for step in found {
        let Some(record) = records.get(step.place) else { continue };
        let device = device(&record.event);
        let domain = ledger.domain(device.map_or(DOMAIN, |device| &**device));
        if let Some(device) = device {
            ledger.uses(domain, device);
        }
        let at = At::new(record, domain);
        if step.frees {
            ledger.free(at, step.span);
        } else {
            ledger.allocate(at, step.span, granule.limit_pfn(step.span, step.highest_pfn), None);
        }
    }
    ledger.finish(Source::Iommu)
}

/// An operation to be, at a place in the records.
#[derive(Clone, Copy, Debug)]
struct Step {
    place: usize,
    frees: bool,
    span: Span,
    highest_pfn: u64,
}

/// Finds the allocations and frees, in the order of the records.
fn find(records: &[Record], granule: Granule, ledger: &mut Ledger) -> Vec<Step> {
    let mut spaces: HashMap<Option<&Device>, Space> = HashMap::new();
    for (place, record) in records.iter().enumerate() {
        let (block, maps) = match &record.event {
            Event::Map(map) => (DmaBlock { address: map.iova, size_bytes: map.size_bytes }, true),
            Event::Unmap(unmap) => (DmaBlock { address: unmap.iova, size_bytes: unmap.size_bytes }, false),
            _ => continue,
        };
        let Some(span) = granule.span(block) else {
            ledger.counts().unusable += 1;
            continue;
        };
        let space = spaces.entry(device(&record.event)).or_default();
        if maps {
            space.map(place, span, ledger);
        } else {
            space.unmap(place, span, ledger);
        }
    }
    let mut steps: Vec<Step> = spaces.into_values().flat_map(|space| space.finish(records)).collect();
    steps.sort_by_key(|step| step.place);
    steps
}

/// A part of a map that has not been unmapped.
#[derive(Clone, Copy, Debug)]
struct Piece {
    last: u64,
    place: usize,
}

/// One address space: the pieces by first pfn, none overlapping another.
#[derive(Debug, Default)]
struct Space {
    pieces: BTreeMap<u64, Piece>,
    steps: Vec<Step>,
    highest_pfn: u64,
}

impl Space {
    fn map(&mut self, place: usize, span: Span, ledger: &mut Ledger) {
        // The kernel refuses to map over a mapping: this is another domain's address, or an unmap was lost.
        let over = self.cut(span);
        ledger.counts().overlapped += over.len() as u64;
        self.pieces.insert(span.first, Piece { last: span.last, place });
        self.highest_pfn = self.highest_pfn.max(span.last);
    }

    /// What one unmap removes was one allocation, made at the first of its maps.
    fn unmap(&mut self, place: usize, span: Span, ledger: &mut Ledger) {
        let parts = self.cut(span);
        let covered: u64 = parts.iter().map(|(part, _)| part.granules()).sum();
        if let Some(first_place) = parts.iter().map(|&(_, place)| place).min() {
            ledger.counts().partial_unmaps += u64::from(covered != span.granules());
            self.push(first_place, false, span);
        }
        self.push(place, true, span);
    }

    /// Takes `span` out of the pieces: what was there, with the places of the maps. Pieces that reach further
    /// keep their outer parts.
    fn cut(&mut self, span: Span) -> Vec<(Span, usize)> {
        let mut parts = Vec::new();
        while let Some((&first, &piece)) = self.pieces.range(..=span.last).next_back()
            && piece.last >= span.first
        {
            self.pieces.remove(&first);
            if piece.last > span.last {
                self.pieces.insert(span.last + 1, piece);
            }
            if first < span.first {
                self.pieces.insert(first, Piece { last: span.first - 1, ..piece });
            }
            let part = Span { first: first.max(span.first), last: piece.last.min(span.last) };
            parts.push((part, piece.place));
        }
        parts
    }

    fn push(&mut self, place: usize, frees: bool, span: Span) {
        self.steps.push(Step { place, frees, span, highest_pfn: 0 });
    }

    /// Makes allocations of what was never unmapped: a run of maps by one task, each starting where the one
    /// before ended, is taken for one.
    fn finish(mut self, records: &[Record]) -> Vec<Step> {
        let mut left: Vec<(usize, Span)> = self
            .pieces
            .iter()
            .map(|(&first, piece)| (piece.place, Span { first, last: piece.last }))
            .collect();
        left.sort_by_key(|&(place, span)| (place, span.first));
        let mut runs: HashMap<Option<u32>, (usize, Span)> = HashMap::new();
        for (place, span) in left {
            let pid = records.get(place).and_then(|record| record.pid);
            match runs.get_mut(&pid) {
                Some((_, run)) if run.last.checked_add(1) == Some(span.first) => run.last = span.last,
                _ => {
                    if let Some((place, run)) = runs.insert(pid, (place, span)) {
                        self.push(place, false, run);
                    }
                }
            }
        }
        for (place, run) in runs.into_values() {
            self.push(place, false, run);
        }
        for step in &mut self.steps {
            step.highest_pfn = self.highest_pfn;
        }
        self.steps
    }
}

fn device(event: &Event) -> Option<&Device> {
    match event {
        Event::Map(map) => map.device.as_ref(),
        Event::Unmap(unmap) => unmap.device.as_ref(),
        _ => None,
    }
}
