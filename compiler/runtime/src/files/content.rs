//! Files, opened: what they hold shows in their first bytes.
//!
//! In: a path, or bytes. Out: text to read, unpacked where it is packed, or a
//! file of columns. What can be read only once, standard input and pipes, is
//! kept in memory, because several rules may ask for it; it counts against the
//! memory limit, and nothing of it is ever written to a disk.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Code, RuntimeError};
use crate::memory::{Memory, Reservation};
use crate::read::unpack::{self, Packing};

/// Bytes read from a file at a time.
const PIECE: usize = 1 << 20;

/// Bytes in which most files show what they hold. Every rule opens the files
/// of its tables, and of a file that is mapped nothing more is read.
const HEAD: usize = 1 << 16;

/// What a file holds.
pub(super) enum Content<'a> {
    /// Text as it is in a file.
    Plain(BufReader<File>),
    /// Text from elsewhere: unpacked, or in memory.
    Text(Box<dyn BufRead + 'a>),
    /// Columns, in a format that is not read here.
    Columns(ColumnFormat, Data<'a>),
}

/// A format that keeps columns instead of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnFormat {
    /// Apache Parquet.
    Parquet,
    /// An Arrow IPC file, also called Feather.
    ArrowFile,
    /// An Arrow IPC stream.
    ArrowStream,
}

impl ColumnFormat {
    /// Tells from the first bytes. Sources: the format documents of Apache
    /// Parquet and Arrow. The stream's four bytes begin each of its messages.
    fn of(head: &[u8]) -> Option<Self> {
        match head {
            [b'P', b'A', b'R', b'1' | b'E', ..] => Some(Self::Parquet),
            [b'A', b'R', b'R', b'O', b'W', b'1', ..] => Some(Self::ArrowFile),
            [0xff, 0xff, 0xff, 0xff, ..] => Some(Self::ArrowStream),
            _ => None,
        }
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Parquet => "Parquet",
            Self::ArrowFile => "Arrow",
            Self::ArrowStream => "Arrow stream",
        }
    }
}

/// A whole file of columns.
#[derive(Debug)]
pub enum Data<'a> {
    /// In a file, from its beginning.
    File(File),
    /// In memory.
    Bytes(&'a [u8]),
}

/// How large a file is; a stream, or what is not there, has no size.
pub(super) fn size(path: &str) -> u64 {
    #[allow(
        clippy::disallowed_methods,
        reason = "files that a command line names are looked at here"
    )]
    let size = std::fs::metadata(path).map(|file| file.len());
    if is_stream(path) { 0 } else { size.unwrap_or(0) }
}

/// Opens a file.
pub(super) fn file(path: &str) -> Result<Content<'static>, RuntimeError> {
    let mut input = BufReader::with_capacity(HEAD, open(path)?);
    // An error shows again, with its place, when the content is read.
    let head = input.fill_buf().unwrap_or_default();
    if let Some(format) = ColumnFormat::of(head) {
        drop(input);
        return Ok(Content::Columns(format, Data::File(open(path)?)));
    }
    let packing = Packing::of(head);
    let line = memchr::memchr(b'\n', head).is_some() || head.len() < HEAD;
    if line && matches!(packing, Packing::Plain) {
        return Ok(Content::Plain(input));
    }
    // What is read to its end is read in larger pieces, and what kind of text
    // it is shows in the first line, which is a long one here.
    drop(input);
    let mut input = BufReader::with_capacity(PIECE, open(path)?);
    let _ = input.fill_buf();
    match packing {
        Packing::Plain => Ok(Content::Plain(input)),
        packing => unpacked(path, packing, input).map(Content::Text),
    }
}

/// Bytes as if they were a file.
pub(super) fn bytes<'a>(label: &str, bytes: &'a [u8]) -> Result<Content<'a>, RuntimeError> {
    if let Some(format) = ColumnFormat::of(bytes) {
        return Ok(Content::Columns(format, Data::Bytes(bytes)));
    }
    unpacked(label, Packing::of(bytes), Cursor::new(bytes)).map(Content::Text)
}

fn unpacked<'a>(
    label: &str,
    packing: Packing,
    input: impl BufRead + 'a,
) -> Result<Box<dyn BufRead + 'a>, RuntimeError> {
    match packing {
        Packing::Plain => Ok(Box::new(input)),
        Packing::Gzip => Ok(unpack::gzip(input)),
        Packing::Zstd => Ok(unpack::zstd(input)),
        Packing::Other(name) => Err(RuntimeError::new(
            Code::INPUT_UNREADABLE,
            format!("`{label}` is a {name}, which is not read; unpack it, or pack it with gzip or zstd"),
        )),
    }
}

fn open(path: &str) -> Result<File, RuntimeError> {
    #[allow(
        clippy::disallowed_methods,
        reason = "this module opens the files that a command line names"
    )]
    File::open(path).map_err(|error| {
        RuntimeError::new(
            Code::INPUT_UNREADABLE,
            format!("`{path}` cannot be opened: {error}"),
        )
    })
}

/// Whether a path leads to something that can be read only once.
pub(super) fn is_stream(path: &str) -> bool {
    path == "-"
        || std::path::Path::new(path)
            .metadata()
            .is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// The content of what can be read only once, by path.
#[derive(Debug, Default)]
pub(super) struct Streams(Mutex<BTreeMap<String, Kept>>);

type Kept = Result<Arc<Stream>, RuntimeError>;

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) bytes: Vec<u8>,
    _held: Reservation,
}

impl Streams {
    /// The content, read when it is first asked for.
    pub(super) fn get(&self, path: &str, memory: &Memory) -> Kept {
        // A stream that somebody was reading when he panicked is not there.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = kept.get(path) {
            return found.clone();
        }
        let read = if path == "-" {
            keep("standard input", io::stdin().lock(), memory)
        } else {
            open(path).and_then(|file| keep(path, file, memory))
        };
        kept.insert(path.to_owned(), read.clone());
        read
    }
}

fn keep(name: &str, mut input: impl Read, memory: &Memory) -> Kept {
    let mut bytes = Vec::new();
    let mut held = memory.reserve(name, 0)?;
    loop {
        let read = input.by_ref().take(PIECE as u64).read_to_end(&mut bytes);
        let read = read.map_err(|error| {
            RuntimeError::new(Code::INPUT_UNREADABLE, format!("{name} cannot be read: {error}"))
        })?;
        if read == 0 {
            return Ok(Arc::new(Stream { bytes, _held: held }));
        }
        if bytes.capacity() > held.bytes() {
            drop(held);
            held = memory.reserve(name, bytes.capacity()).map_err(|error| {
                RuntimeError::new(
                    error.code,
                    format!("{name} is kept in memory and is too long for its limit; write it to a file first, which is read in pieces"),
                )
            })?;
        }
    }
}
