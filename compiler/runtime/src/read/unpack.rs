//! Compressed files, known by their first bytes whatever they are called.
//!
//! In: the bytes of a file. Out: the bytes that were packed. gzip files may
//! have several members, zstd files several frames, as tools that append or
//! work in parallel leave them. What ends early or is damaged is an error that
//! says so, after everything in front of it has been given.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Bytes handed on at a time.
const PIECE: usize = 1 << 18;

/// How a file is packed, as far as its first bytes tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// Not at all.
    Plain,
    Gzip,
    Zstd,
    /// In a way that is not read here; its name.
    Other(&'static str),
}

impl Packing {
    /// Tells from the first bytes. Sources: RFC 1952, RFC 8878, and the
    /// signatures that `file` knows the others by.
    pub(crate) fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [b'P', b'K', 3, 4, ..] => Self::Other("zip archive"),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Other("bzip2 file"),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Other("xz file"),
            [b'7', b'z', 0xbc, 0xaf, ..] => Self::Other("7-Zip archive"),
            _ => Self::Plain,
        }
    }
}

/// The content of a file that is packed with gzip.
pub(crate) fn gzip<'a>(input: impl BufRead + 'a) -> Box<dyn BufRead + 'a> {
    let decoder = Named {
        inner: MultiGzDecoder::new(input),
        name: "gzip",
        failed: None,
    };
    Box::new(BufReader::with_capacity(PIECE, decoder))
}

/// The content of a file that is packed with zstd.
pub(crate) fn zstd<'a>(input: impl BufRead + 'a) -> Box<dyn BufRead + 'a> {
    let frames = Frames {
        input,
        decoder: FrameDecoder::new(),
        within: false,
        failure: None,
    };
    let decoder = Named {
        inner: frames,
        name: "zstd",
        failed: None,
    };
    Box::new(BufReader::with_capacity(PIECE, decoder))
}

/// Says in errors what is wrong with the file and not with the decoder, and
/// says it again when asked again.
struct Named<R> {
    inner: R,
    name: &'static str,
    failed: Option<(io::ErrorKind, String)>,
}

impl<R: Read> Read for Named<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some((kind, message)) = &self.failed {
            return Err(io::Error::new(*kind, message.as_str()));
        }
        self.inner.read(buffer).map_err(|error| {
            let message = match error.kind() {
                io::ErrorKind::Interrupted => return error,
                io::ErrorKind::UnexpectedEof => {
                    format!("the {} data ends too early, so the file is cut off", self.name)
                }
                io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                    format!("the {} data is damaged ({error})", self.name)
                }
                _ => error.to_string(),
            };
            self.failed = Some((error.kind(), message.clone()));
            io::Error::new(error.kind(), message)
        })
    }
}

/// Frame after frame; those that hold no data are skipped.
struct Frames<R> {
    input: R,
    decoder: FrameDecoder,
    /// Whether a frame has been begun and not ended.
    within: bool,
    /// Why there is no more, once what is decoded has been given.
    failure: Option<io::Error>,
}

impl<R: BufRead> Frames<R> {
    /// Begins the next frame; false at the end.
    fn begin(&mut self) -> io::Result<bool> {
        loop {
            if self.input.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.reset(&mut self.input) {
                Ok(()) => {
                    self.within = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let length = u64::from(length);
                    let skipped = io::copy(&mut self.input.by_ref().take(length), &mut io::sink())?;
                    if skipped < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(self.why(&error)),
            }
        }
    }

    /// An error of the decoder. It reads exactly, so that a file that ends
    /// early shows in that nothing is left.
    fn why(&mut self, error: &FrameDecoderError) -> io::Error {
        match self.input.fill_buf() {
            Ok([]) => io::ErrorKind::UnexpectedEof.into(),
            Ok(_) => io::Error::new(io::ErrorKind::InvalidData, error.to_string()),
            Err(error) => error,
        }
    }

    /// Ends a frame that cannot be read on. The decoder keeps back a window of
    /// what it has decoded until it sees the last block, so it is shown an
    /// empty one, and a checksum that nobody looks at.
    fn give_up(&mut self, error: &FrameDecoderError) {
        self.failure = Some(self.why(error));
        let end = [1, 0, 0, 0, 0, 0, 0];
        // Its own failure would hide the one that matters.
        let _ = self.decoder.decode_blocks(&end[..], BlockDecodingStrategy::All);
    }

    fn is_sound(&self) -> bool {
        let given = self.decoder.get_checksum_from_data();
        given.is_none() || given == self.decoder.get_calculated_checksum()
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.within && !self.begin()? {
                return Ok(0);
            }
            if self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let decoded = self
                    .decoder
                    .decode_blocks(&mut self.input, BlockDecodingStrategy::UptoBlocks(1));
                if let Err(error) = decoded {
                    self.give_up(&error);
                }
            }
            let read = self.decoder.read(buffer)?;
            if read > 0 {
                return Ok(read);
            }
            if let Some(error) = self.failure.take() {
                return Err(error);
            }
            if self.decoder.is_finished() {
                self.within = false;
                if !self.is_sound() {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "its checksum is another",
                    ));
                }
            }
        }
    }
}
