//! Reading a gzip file: all of its members, and what some programs put behind them.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// Decompresses all members of a source, one after the other, and checks their checksums.
///
/// Zero bytes behind a member are ignored, for tapes and some disks pad files with them.
pub(crate) struct Members<R: BufRead> {
    /// `None` at the end, and after an error.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Members<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { member: Some(GzDecoder::new(source)) }
    }

    fn step(&mut self, out: &mut [u8]) -> io::Result<usize> {
        // A member may be empty, so there is a next one to be tried after the end of each.
        while let Some(member) = &mut self.member {
            let count = member.read(out).map_err(explain)?;
            if count > 0 {
                return Ok(count);
            }
            let next = skip_zeros(member.get_mut())?;
            self.member = match (self.member.take(), next) {
                (_, None) => None,
                (Some(member), Some(MAGIC_FIRST)) => Some(GzDecoder::new(member.into_inner())),
                _ => return Err(damaged("what follows the gzip data is not gzip data")),
            };
        }
        Ok(0)
    }
}

/// The first byte of a member.
const MAGIC_FIRST: u8 = 0x1f;

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let count = self.step(out);
        if count.is_err() {
            self.member = None;
        }
        count
    }
}

/// Finds the next byte that is not zero, and leaves it there.
fn skip_zeros(source: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        let bytes = source.fill_buf()?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        let next = bytes.get(zeros).copied();
        source.consume(zeros);
        if next.is_some() {
            return Ok(next);
        }
    }
}

/// Says what is wrong in words for whoever has the file. An error of the source stays as it is.
fn explain(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            io::Error::new(error.kind(), "the gzip data ends too early; copy the file again")
        }
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            damaged("the gzip data is damaged; copy the file again")
        }
        _ => error,
    }
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
