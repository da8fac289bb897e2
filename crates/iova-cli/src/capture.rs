//! Reading captures: from files, the standard input, or the program itself.

use std::io::{self, BufRead};
use std::path::Path;

use anyhow::{Result, anyhow, bail};
use iova_trace::{Counts, Error, Line, Malformed, Options, Reader, Requests};

use crate::progress::Progress;

/// The capture that is replayed if none is named: five devices at work, in as many domains.
const BUILT_IN: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../traces/all-devices-lazy.txt.zst"));
const BUILT_IN_NAME: &str = "built-in capture all-devices-lazy";

/// How many malformed lines are kept to be shown.
const MALFORMED_SHOWN_MAX: usize = 10;

/// A capture that was read.
#[derive(Debug)]
pub(crate) struct Capture {
    pub(crate) name: String,
    pub(crate) counts: Counts,
    /// The first malformed lines; `counts` has the number of all.
    pub(crate) malformed: Vec<Malformed>,
    pub(crate) requests: Requests,
}

impl Capture {
    /// Reads a file; `-` is the standard input.
    pub(crate) fn open(path: &Path, progress: &Progress) -> Result<Self> {
        if path == Path::new("-") {
            Self::read(Reader::from_reader("standard input", io::stdin()).map_err(in_full)?, progress)
        } else {
            if path.is_dir() {
                bail!("{}: this is a directory; name the captures in it", path.display());
            }
            Self::read(iova_trace::open(path).map_err(in_full)?, progress)
        }
    }

    /// Reads the capture that comes with the program.
    pub(crate) fn built_in(progress: &Progress) -> Result<Self> {
        Self::read(Reader::from_bytes(BUILT_IN_NAME, BUILT_IN).map_err(in_full)?, progress)
    }

    fn read<R: BufRead>(mut reader: Reader<R>, progress: &Progress) -> Result<Self> {
        let name = reader.name().to_owned();
        progress.reading(&name);
        let mut records = Vec::new();
        let mut malformed = Vec::new();
        for line in &mut reader {
            progress.step();
            match line {
                Ok(Line::Record(record)) if Requests::is_relevant(&record) => records.push(record),
                Ok(_) => {}
                Err(Error::Malformed(fault)) => {
                    if malformed.len() < MALFORMED_SHOWN_MAX {
                        malformed.push(fault);
                    }
                }
                Err(error) => return Err(in_full(error)),
            }
        }
        progress.understanding(&name);
        let requests = Requests::from_records(records, &Options::default());
        if requests.source.is_none() {
            let Counts { lines, unknown, malformed: count, .. } = *reader.counts();
            let first =
                malformed.first().map(|first| format!("; {count} lines are malformed, first {first}"));
            bail!(
                "{name}: no allocations in {lines} lines, {unknown} of them not an event known here; record the events `iommu:map` and `iommu:unmap` or \
                 `dma:*`, or probes of the allocator (see traces/README.md){}",
                first.unwrap_or_default()
            );
        }
        Ok(Self { name, counts: reader.counts().clone(), malformed, requests })
    }
}

/// An error whose text says everything: its causes are in it, and are not to be printed once more.
fn in_full(error: Error) -> anyhow::Error {
    anyhow!("{error}")
}
