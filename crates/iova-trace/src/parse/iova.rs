//! The probes of the IOVA allocator.
//!
//! They are not part of Linux: whoever records a trace defines them, on the return of `alloc_iova_fast`
//! (`iova_alloc`) and `alloc_iova` (`iova_alloc_tree`) and on the entry of `free_iova_fast` (`iova_free`), with
//! the fields read here. Their group's name is free.

use super::fields::Fields;
use crate::{Event, EventName, Fault, IovaAlloc, IovaAllocTree, IovaFree};

pub(super) fn parse(name: EventName, body: &str) -> Result<Event, Fault> {
    let fields = Fields::new(body);
    let (iovad, granules, pfn) = (fields.number("iovad")?, fields.number("pages")?, fields.number("pfn")?);
    // The kernel answers 0 for "no room"; it never hands out pfn 0.
    let answer = Some(pfn).filter(|&pfn| pfn != 0);
    Ok(match name {
        EventName::IovaAllocTree => Event::IovaAllocTree(IovaAllocTree {
            iovad,
            granules,
            limit_pfn: fields.number("limit_pfn")?,
            size_aligned: fields.truth("size_aligned")?,
            pfn: answer,
        }),
        EventName::IovaFree => Event::IovaFree(IovaFree { iovad, pfn, granules }),
        _ => Event::IovaAlloc(IovaAlloc {
            iovad,
            granules,
            limit_pfn: fields.number("limit_pfn")?,
            flush: fields.get("flush").map(|_| fields.truth("flush")).transpose()?,
            pfn: answer,
        }),
    })
}
