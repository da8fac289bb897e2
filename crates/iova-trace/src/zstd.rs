//! Reading a zstd file: the decoder used here knows one frame, a file may hold several.

use std::io::{self, BufRead, Read};

use ruzstd::decoding::{
    BlockDecodingStrategy, FrameDecoder,
    errors::{FrameDecoderError, ReadFrameHeaderError},
};

/// Decompresses all frames of a source, one after the other, and checks their checksums.
pub(crate) struct Frames<R: BufRead> {
    source: R,
    decoder: Box<FrameDecoder>,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    /// Between two frames, or at the start or the end.
    Between,
    Inside,
    /// After an error: what the decoder holds is of no use.
    Failed,
}

impl<R: BufRead> Frames<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { source, decoder: Box::new(FrameDecoder::new()), state: State::Between }
    }

    /// Reads a frame's header; `Between` if there was a frame to skip, `None` at the end of the file.
    fn start(&mut self) -> io::Result<Option<State>> {
        if self.source.fill_buf()?.is_empty() {
            return Ok(None);
        }
        match self.decoder.init(&mut self.source) {
            Ok(()) => Ok(Some(State::Inside)),
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length, ..
            })) => {
                skip(&mut self.source, u64::from(length))?;
                Ok(Some(State::Between))
            }
            Err(error) => Err(invalid(error)),
        }
    }

    /// Decodes into `out`; 0 at the end of the frame.
    fn advance(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
            self.decoder
                .decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
                .map_err(invalid)?;
        }
        let count = self.decoder.read(out)?;
        if count == 0 {
            self.check()?;
        }
        Ok(count)
    }

    fn check(&self) -> io::Result<()> {
        match (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum()) {
            (Some(stored), Some(computed)) if stored != computed => {
                Err(invalid("the zstd frame's checksum does not match"))
            }
            _ => Ok(()),
        }
    }

    fn step(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.state {
                State::Failed => return Ok(0),
                State::Between => match self.start()? {
                    Some(state) => self.state = state,
                    None => return Ok(0),
                },
                State::Inside => match self.advance(out)? {
                    0 => self.state = State::Between,
                    count => return Ok(count),
                },
            }
        }
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let count = self.step(out);
        if count.is_err() {
            self.state = State::Failed;
        }
        count
    }
}

fn skip(source: &mut impl Read, length: u64) -> io::Result<()> {
    let skipped = io::copy(&mut source.take(length), &mut io::sink())?;
    if skipped < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
