//! Finding out what a file is, and opening it as text.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Cursor, Read},
    path::Path,
    sync::Arc,
};

use flate2::bufread::MultiGzDecoder;

use crate::{Error, Reader, zstd::Frames};

/// A capture's text: plain, or decompressed while it is read.
pub type Input<'a> = Box<dyn BufRead + Send + 'a>;

const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
/// The file of `perf record`, as written by little- and big-endian machines.
const PERF_DATA: [&[u8]; 2] = [b"PERFILE2", b"2ELIFREP"];
/// The file of `trace-cmd record`.
const TRACE_DAT: &[u8] = b"\x17\x08\x44tracing";

/// As long as the longest of the above.
const MAGIC_BYTES_MAX: usize = TRACE_DAT.len();

/// Opens a capture: text, or text compressed with gzip or zstd, told apart by the first bytes.
///
/// # Errors
///
/// [`Error::Open`] if the file cannot be read, [`Error::PerfData`] and [`Error::TraceDat`] if it is one of
/// those binary files.
pub fn open(path: impl AsRef<Path>) -> Result<Reader<Input<'static>>, Error> {
    let path = path.as_ref();
    let name = path.display().to_string();
    match File::open(path) {
        Ok(file) => Reader::from_reader(&name, file),
        Err(source) => Err(Error::Open { name: name.into(), source }),
    }
}

impl<'a> Reader<Input<'a>> {
    /// Reads a capture from anything, for example the standard input; `name` is used in errors.
    ///
    /// # Errors
    ///
    /// As [`open`].
    pub fn from_reader(name: &str, source: impl Read + Send + 'a) -> Result<Self, Error> {
        let name: Arc<str> = Arc::from(name);
        let (head, source) = peek(Box::new(BufReader::with_capacity(1 << 16, source)), &name)?;
        let text: Input<'a> = if head.starts_with(GZIP) {
            peek(Box::new(BufReader::new(MultiGzDecoder::new(source))), &name)?.1
        } else if head.starts_with(ZSTD) {
            peek(Box::new(BufReader::new(Frames::new(source))), &name)?.1
        } else {
            source
        };
        Ok(Self::new(name, text))
    }

    /// Reads a capture that is in memory, compressed or not; `name` is used in errors.
    ///
    /// # Errors
    ///
    /// As [`open`].
    pub fn from_bytes(name: &str, bytes: &'a [u8]) -> Result<Self, Error> {
        Self::from_reader(name, bytes)
    }
}

/// Reads the first bytes, refuses the tools' binary files, and puts the bytes back.
fn peek<'a>(mut source: Input<'a>, name: &Arc<str>) -> Result<(Vec<u8>, Input<'a>), Error> {
    let mut head = Vec::with_capacity(MAGIC_BYTES_MAX);
    let read = source.by_ref().take(MAGIC_BYTES_MAX as u64).read_to_end(&mut head);
    read.map_err(|source: io::Error| Error::Open { name: Arc::clone(name), source })?;
    if PERF_DATA.iter().any(|magic| head.starts_with(magic)) {
        return Err(Error::PerfData { name: Arc::clone(name) });
    }
    if head.starts_with(TRACE_DAT) {
        return Err(Error::TraceDat { name: Arc::clone(name) });
    }
    let whole = Box::new(Cursor::new(head.clone()).chain(source));
    Ok((head, whole))
}

#[cfg(test)]
mod tests;
