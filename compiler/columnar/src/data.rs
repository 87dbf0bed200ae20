//! Bytes of a file at any place of it, for several threads at once.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

/// A file, or bytes as a file would have them. Unlike with a [`File`] itself,
/// nobody moves the place at which somebody else reads.
#[derive(Clone, Debug)]
pub(crate) enum Shared {
    File(Arc<File>, u64),
    Bytes(Bytes),
}

impl Shared {
    pub(crate) fn file(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self::File(Arc::new(file), length))
    }
}

impl Length for Shared {
    fn len(&self) -> u64 {
        match self {
            Self::File(_, length) => *length,
            Self::Bytes(bytes) => bytes.len() as u64,
        }
    }
}

impl ChunkReader for Shared {
    type T = At;

    fn get_read(&self, start: u64) -> Result<At> {
        Ok(At {
            data: self.clone(),
            place: start,
            read: Bytes::new(),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let end = start.checked_add(length as u64).filter(|end| *end <= self.len());
        if end.is_none() {
            return Err(ParquetError::EOF(format!(
                "{length} bytes at {start} are beyond its end"
            )));
        }
        match self {
            Self::File(file, _) => {
                let mut read = vec![0; length];
                read_at(file, &mut read, start)?;
                Ok(read.into())
            }
            Self::Bytes(bytes) => {
                let start = start as usize;
                Ok(bytes.slice(start..start + length))
            }
        }
    }
}

/// Reads on from a place.
#[derive(Debug)]
pub(crate) struct At {
    data: Shared,
    place: u64,
    /// What was read ahead: headers of pages are read byte by byte.
    read: Bytes,
}

/// Bytes read ahead.
const AHEAD: u64 = 1 << 10;

impl Read for At {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.read.is_empty() {
            let length = AHEAD.min(self.data.len().saturating_sub(self.place));
            self.read = self.data.get_bytes(self.place, length as usize)?;
            self.place += length;
        }
        let count = into.len().min(self.read.len());
        into[..count].copy_from_slice(&self.read.split_to(count));
        Ok(count)
    }
}

#[cfg(unix)]
fn read_at(file: &File, into: &mut [u8], place: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, into, place)
}

#[cfg(windows)]
fn read_at(file: &File, mut into: &mut [u8], mut place: u64) -> io::Result<()> {
    while !into.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, into, place)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                into = &mut into[count..];
                place += count as u64;
            }
        }
    }
    Ok(())
}
