//! Requests from the `dma:*` events.

use std::collections::HashMap;

use super::{
    Granule, Requests, Source, Span,
    ledger::{At, Ledger},
    lists::Lists,
};
use crate::{DmaAction, DmaBlock, Event, Record, ScatterList};

pub(super) fn requests(records: &[Record], granule: Granule) -> Requests {
    let mut ledger = Ledger::default();
    let highest = highest_pfns(records, granule);
    let mut lists = Lists::default();

    for record in records {
        let Event::Dma(event) = &record.event else { continue };
        let domain = ledger.domain(&event.device);
        ledger.uses(domain, &event.device);
        let at = At::new(record, domain);
        let highest_pfn = highest.get(&*event.device).copied().unwrap_or(0);
        match &event.action {
            DmaAction::Map { block, .. } | DmaAction::Alloc(block) => match granule.span(*block) {
                Some(span) => ledger.allocate(at, span, granule.limit_pfn(span, highest_pfn), None),
                None => ledger.counts().unusable += 1,
            },
            DmaAction::Unmap(block) | DmaAction::Free(block) => match granule.span(*block) {
                Some(span) => ledger.free(at, span),
                None => ledger.counts().unusable += 1,
            },
            DmaAction::MapList(list) => {
                let spans = ranges(list, granule);
                ledger.counts().truncated_lists += u64::from(list.truncated);
                ledger.counts().scattered_lists += u64::from(spans.len() > 1);
                ledger.counts().unusable += u64::from(spans.is_empty());
                for span in &spans {
                    ledger.allocate(at, *span, granule.limit_pfn(*span, highest_pfn), None);
                }
                lists.open(domain, list, spans);
            }
            DmaAction::UnmapList { physical } => match lists.close(domain, physical) {
                Some(spans) => spans.into_iter().for_each(|span| ledger.free(at, span)),
                // The event prints no address of the device's, so there is no operation to record.
                None => ledger.counts().unmatched_frees += 1,
            },
            DmaAction::Failed => ledger.counts().failed_allocations += 1,
            DmaAction::Sync => {}
        }
    }
    ledger.finish(Source::Dma)
}

/// The highest pfn that each device was given.
fn highest_pfns(records: &[Record], granule: Granule) -> HashMap<&str, u64> {
    let mut highest: HashMap<&str, u64> = HashMap::new();
    for record in records {
        let Event::Dma(event) = &record.event else { continue };
        let blocks: &[DmaBlock] = match &event.action {
            DmaAction::Map { block, .. } | DmaAction::Alloc(block) => std::slice::from_ref(block),
            DmaAction::MapList(list) => &list.blocks,
            _ => continue,
        };
        for span in blocks.iter().filter_map(|&block| granule.span(block)) {
            let highest = highest.entry(&*event.device).or_default();
            *highest = (*highest).max(span.last);
        }
    }
    highest
}

/// The allocations behind a mapped list: one, unless the addresses cannot come from one.
///
/// The IOMMU code allocates one range for the whole list. It leaves a hole only to keep a buffer from
/// crossing a boundary, and then one shorter than the buffer. Descending addresses or wider holes mean that
/// each run of the list was mapped by itself.
fn ranges(list: &ScatterList, granule: Granule) -> Vec<Span> {
    let mut ranges: Vec<Span> = Vec::new();
    for span in list.blocks.iter().filter_map(|&block| granule.span(block)) {
        match ranges.last_mut() {
            Some(range) if span.first > range.last && span.first - range.last <= span.granules() => {
                range.last = span.last;
            }
            _ => ranges.push(span),
        }
    }
    ranges
}
