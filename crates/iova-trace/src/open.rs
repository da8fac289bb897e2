//! Finding out what a file is, and opening it as text.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Cursor, Read},
    path::Path,
    sync::Arc,
};

use crate::{Error, Reader, gzip::Members, zstd::Frames};

/// A capture's text: plain, or decompressed while it is read.
pub type Input<'a> = Box<dyn BufRead + Send + 'a>;

const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
/// What follows the first byte, `0x50` to `0x5f`, of a zstd frame that is to be skipped; `pzstd` begins its
/// files with one.
const ZSTD_SKIPPABLE: &[u8] = b"\x2a\x4d\x18";
/// The file of `perf record`, as written by little- and big-endian machines.
const PERF_DATA: [&[u8]; 2] = [b"PERFILE2", b"2ELIFREP"];
/// The file of `trace-cmd record`.
const TRACE_DAT: &[u8] = b"\x17\x08\x44tracing";

/// Compressed files that are not read here, and the programs that decompress them.
const COMPRESSED: [(&[u8], &str); 3] =
    [(b"\xfd\x37\x7a\x58\x5a\x00", "xz"), (b"BZh", "bzip2"), (b"\x04\x22\x4d\x18", "lz4")];

/// More than the longest of the above, for most binary files have a zero among so many bytes.
const HEAD_BYTES_MAX: usize = 64;

/// Opens a capture: text, or text compressed with gzip or zstd, told apart by the first bytes.
///
/// # Errors
///
/// [`Error::Open`] if the file cannot be read, [`Error::Read`] if it is compressed and cannot be decompressed
/// from the start on, [`Error::PerfData`], [`Error::TraceDat`], [`Error::Compressed`] and [`Error::NotText`] if
/// it is one of those binary files.
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
        let source: Input<'a> = Box::new(BufReader::with_capacity(1 << 16, source));
        let (head, source, failed) = peek(source);
        if let Some(source) = failed {
            return Err(Error::Open { name, source });
        }
        let text = if head.starts_with(GZIP) {
            decompressed(&name, Members::new(source))?
        } else if is_zstd(&head) {
            decompressed(&name, Frames::new(source))?
        } else {
            check(&name, &head)?;
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

fn is_zstd(head: &[u8]) -> bool {
    let skippable =
        |first: &u8, rest: &[u8]| (0x50..=0x5f).contains(first) && rest.starts_with(ZSTD_SKIPPABLE);
    head.starts_with(ZSTD) || head.split_first().is_some_and(|(first, rest)| skippable(first, rest))
}

/// What a decoder gives, if that is text.
fn decompressed<'a>(name: &Arc<str>, decoder: impl Read + Send + 'a) -> Result<Input<'a>, Error> {
    let (head, text, failed) = peek(Box::new(BufReader::new(decoder)));
    check(name, &head)?;
    match failed {
        None => Ok(text),
        Some(source) if head.is_empty() => Err(Error::Read { name: Arc::clone(name), line: 1, source }),
        // There may be good lines before it.
        Some(source) => Ok(Box::new(text.chain(BufReader::new(Failed(Some(source)))))),
    }
}

/// Refuses what is not text.
fn check(name: &Arc<str>, head: &[u8]) -> Result<(), Error> {
    let name = || Arc::clone(name);
    if PERF_DATA.iter().any(|magic| head.starts_with(magic)) {
        return Err(Error::PerfData { name: name() });
    }
    if head.starts_with(TRACE_DAT) {
        return Err(Error::TraceDat { name: name() });
    }
    if let Some(&(_, tool)) = COMPRESSED.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Err(Error::Compressed { name: name(), tool });
    }
    if head.contains(&0) {
        return Err(Error::NotText { name: name() });
    }
    Ok(())
}

/// Reads the first bytes and puts them back; if that fails, also the reason and what was read before.
fn peek(mut source: Input<'_>) -> (Vec<u8>, Input<'_>, Option<io::Error>) {
    let mut head = Vec::with_capacity(HEAD_BYTES_MAX);
    let failed = source.by_ref().take(HEAD_BYTES_MAX as u64).read_to_end(&mut head).err();
    let whole = Box::new(Cursor::new(head.clone()).chain(source));
    (head, whole, failed)
}

/// Gives an error, once.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

#[cfg(test)]
mod tests;
