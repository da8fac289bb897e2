//! What is told to `tracing`: failures, flushes and wrong frees, and nothing else.
#![cfg(feature = "tracing")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has to stop")]

use std::fmt;
use std::sync::{Arc, Mutex};

use iova::cpu::Cpu;
use iova::{AllocMode, Checking, Domain, DomainConfig, Granule, Request, Space};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Keeps the events as text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(Level, String)>>>);

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0 += &format!("{field}={value:?};");
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "iova"
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.lock().unwrap().push((*event.metadata().level(), text.0));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn failures_flushes_and_wrong_frees_are_told() {
    let log = Log::default();
    let space = Space::new(Granule::FOUR_KIB, 0..0x1_0000).unwrap();
    let config = DomainConfig::new(1).checking(Checking::Exact);
    let cpu = || Cpu::new(0);
    let domain = Domain::<spin::Mutex<()>, _>::with_flush_queue(space, cpu, (), config).unwrap();
    // The queue and the caches get their memory, and a range to keep.
    for _ in 0..4 {
        domain.free(domain.allocate(&Request::new(1)).unwrap()).unwrap();
        domain.queue().unwrap().flush(Cpu::new(0), domain.caches());
    }
    tracing::subscriber::with_default(log.clone(), || {
        let ranges = [0; 3].map(|_| domain.allocate(&Request::new(1)).unwrap());
        domain.free(ranges[0]).unwrap();
        assert_eq!(*log.0.lock().unwrap(), [], "what succeeds is not told");
        domain.free(ranges[0]).unwrap_err();
        domain.allocate(&Request::new(32)).unwrap_err();
        domain.reserve(.., AllocMode::Normal).unwrap_err();
    });
    let events = log.0.lock().unwrap();
    let count = |level: Level, text: &str| {
        events.iter().filter(|(of, what)| *of == level && what.contains(text)).count()
    };
    assert_eq!(count(Level::ERROR, "freed already"), 1, "{events:?}");
    assert_eq!(count(Level::DEBUG, "IOTLB flush"), 1, "{events:?}");
    assert!(count(Level::INFO, "caches given back") > 0, "{events:?}");
    assert_eq!(count(Level::WARN, "no free range of 32 granules"), 1, "{events:?}");
    assert_eq!(count(Level::WARN, "is allocated"), 1, "{events:?}");
}
