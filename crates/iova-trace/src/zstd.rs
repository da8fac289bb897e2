//! Reading a zstd file: the decoder used here knows one frame, a file may hold several.

use std::{
    error::Error,
    io::{self, BufRead, Read},
};

use ruzstd::decoding::{
    BlockDecodingStrategy, FrameDecoder,
    errors::{FrameDecoderError, FrameHeaderError, ReadFrameHeaderError},
};

/// What a frame may begin with: the format's magic, or one of those of frames to be skipped.
const FIRST_BYTES: &[u8] = b"\x28\x50\x51\x52\x53\x54\x55\x56\x57\x58\x59\x5a\x5b\x5c\x5d\x5e\x5f";

const FOLLOWED: &str = "what follows the zstd data is not zstd data";

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
        match self.source.fill_buf()?.first() {
            None => return Ok(None),
            // The decoder would take fewer bytes than a magic has for a frame that was cut.
            Some(first) if !FIRST_BYTES.contains(first) => return Err(damaged(FOLLOWED)),
            Some(_) => {}
        }
        match self.decoder.init(&mut self.source) {
            Ok(()) => Ok(Some(State::Inside)),
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length, ..
            })) => {
                skip(&mut self.source, u64::from(length))?;
                Ok(Some(State::Between))
            }
            Err(error) => Err(self.explain(&error)),
        }
    }

    /// Decodes into `out`; 0 at the end of the frame.
    fn advance(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
            let decoded = self.decoder.decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1));
            if let Err(error) = decoded {
                return Err(self.explain(&error));
            }
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
                Err(damaged("the zstd data is damaged, its checksum does not match; copy the file again"))
            }
            _ => Ok(()),
        }
    }

    /// Says what is wrong in words for whoever has the file; the decoder's own are for who writes decoders.
    fn explain(&self, error: &FrameDecoderError) -> io::Error {
        match error {
            FrameDecoderError::WindowSizeTooBig { .. }
            | FrameDecoderError::FailedToInitialize(FrameHeaderError::WindowTooBig { .. })
            | FrameDecoderError::FrameHeaderError(FrameHeaderError::WindowTooBig { .. }) => {
                let limit = self.decoder.max_window_size() >> 20;
                let text = format!(
                    "compressed with a window of more than {limit} MiB; decompress it first: \
                     `zstd -dc --long=31 FILE | iova replay -`"
                );
                io::Error::new(io::ErrorKind::Unsupported, text)
            }
            FrameDecoderError::DictNotProvided { .. } => io::Error::new(
                io::ErrorKind::Unsupported,
                "compressed with a dictionary; decompress it first: `zstd -dc -D DICTIONARY FILE | iova replay -`",
            ),
            FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::BadMagicNumber(_)) => {
                damaged(FOLLOWED)
            }
            _ => match input_error(error) {
                Some(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
                    io::Error::new(error.kind(), error.to_string())
                }
                Some(_) => ended_early(),
                None => damaged("the zstd data is damaged; copy the file again"),
            },
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
    if skipped < length { Err(ended_early()) } else { Ok(()) }
}

/// The error of the source that made the decoder fail, if that is the cause.
fn input_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    let mut cause: Option<&'a (dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref() {
            return Some(error);
        }
        cause = error.source();
    }
    None
}

fn ended_early() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the zstd data ends too early; copy the file again")
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
