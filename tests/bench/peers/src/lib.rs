//! What the peers share: a mapped file in pieces of whole lines, and two threads.

use std::{
    fs::File,
    io, process,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use memmap2::Mmap;

/// What all contestants get.
pub const THREADS: usize = 2;

/// Bytes of a piece; small enough that the threads end together.
const PIECE: usize = 4 << 20;

/// A file as memory.
///
/// # Errors
/// When it cannot be opened or mapped.
pub fn map(path: &str) -> io::Result<Mmap> {
    // SAFETY: the benchmark's own data, which nothing writes while it runs.
    let map = unsafe { Mmap::map(&File::open(path)?)? };
    Ok(map)
}

/// Calls `each` with pieces of whole lines on two threads; the results in the order of the file.
pub fn pieces<'a, T: Send>(bytes: &'a [u8], each: impl Fn(&'a [u8]) -> T + Sync) -> Vec<T> {
    let mut cuts = vec![0];
    while let Some(last) = cuts.last().copied().filter(|last| *last < bytes.len()) {
        let from = (last + PIECE).min(bytes.len());
        let end = memchr::memchr(b'\n', &bytes[from..]).map_or(bytes.len(), |at| from + at + 1);
        cuts.push(end);
    }
    let next = AtomicUsize::new(0);
    let mut results: Vec<(usize, T)> = thread::scope(|scope| {
        let work = || {
            let mut own = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some([from, to]) = cuts.get(at..at + 2) else {
                    return own;
                };
                own.push((at, each(&bytes[*from..*to])));
            }
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_else(|_| process::abort()))
            .collect()
    });
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

/// The lines of a piece, without their ends.
pub fn lines(piece: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut from = 0;
    memchr::memchr_iter(b'\n', piece)
        .chain((!piece.ends_with(b"\n")).then_some(piece.len()))
        .map(move |to| {
            let line = &piece[from..to.max(from)];
            from = to + 1;
            line
        })
        .filter(|line| !line.is_empty())
}
