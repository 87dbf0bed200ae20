//! Files of NDJSON that are looked through where they lie, instead of being
//! read line by line.
//!
//! In: files, and the conditions of the rules that will ask for them. Out: the
//! rows that matter to a rule. With several rules, [`Index`] keeps where the
//! rows of each are, found in one pass over a file for all of them.
#![allow(
    unsafe_code,
    reason = "mapping a file is unsafe because another process may cut it off meanwhile: then the system ends \
              this one. Logs are appended to or replaced, not cut off, and reading terabytes without copying is \
              worth that."
)]

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError};

use memmap2::Mmap;
use rulec_functions::Necessary;

use crate::error::RuntimeError;
use crate::read;
use crate::scan;

/// A condition that more than one line in so many meets is not worth an index.
const SHARE: usize = 8;

/// The bytes of a file, where they lie.
#[derive(Debug)]
pub struct Map(Mmap);

impl Map {
    /// Maps a file.
    pub fn of(file: &File) -> std::io::Result<Self> {
        // SAFETY: see the top of the module; the file is open, and nothing here writes to it.
        unsafe { Mmap::map(file) }.map(Self)
    }
}

impl AsRef<[u8]> for Map {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The text of a file, without its byte order mark.
#[derive(Debug)]
pub(super) struct Mapped(Mmap);

impl Mapped {
    /// Maps a file whose content begins with `head`; none where it has to be
    /// read in another way.
    pub(super) fn of(file: &File, head: &[u8], label: &str) -> Option<Self> {
        if !read::is_rows(without_mark(head), label) {
            return None;
        }
        Map::of(file).ok().map(|map| Self(map.0))
    }

    pub(super) fn text(&self) -> &[u8] {
        without_mark(&self.0)
    }

    /// Says that a part of the text is not looked at again soon. The system
    /// takes back what it set up for it now, on whatever processor this is,
    /// and not all at once when nobody else has anything to do any more.
    pub(super) fn forget(&self, part: &[u8]) {
        let start = part.as_ptr().addr().wrapping_sub(self.0.as_ptr().addr());
        if part.is_empty() || start.checked_add(part.len()).is_none_or(|end| end > self.0.len()) {
            return;
        }
        // SAFETY: the map is of a file and only read: whoever looks at it again
        // has the system read the same bytes again.
        #[cfg(unix)]
        let _ = unsafe {
            self.0
                .unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, start, part.len())
        };
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        self.text()
    }
}

fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text)
}

/// Where the lines are that meet a condition, by file and condition.
#[derive(Debug, Default)]
pub(super) struct Index(Mutex<BTreeMap<String, Looked>>);

/// Of one file.
#[derive(Debug)]
struct Looked {
    /// It stays mapped, so that not every rule opens it again.
    file: Arc<Mapped>,
    /// None for conditions that too many lines meet.
    places: HashMap<Necessary, Option<Arc<scan::Places>>>,
}

impl Index {
    /// Looks through a file for several conditions at once.
    pub(super) fn add(
        &self,
        path: &str,
        file: Mapped,
        conditions: &[&Necessary],
        now: i64,
        watch: &scan::Watch<'_>,
    ) -> Result<(), RuntimeError> {
        let found = scan::candidates(file.text(), conditions, now, SHARE, watch)?;
        let places = conditions
            .iter()
            .zip(found)
            .map(|(condition, places)| ((*condition).clone(), places.map(Arc::new)));
        let mut index = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = index.entry(path.to_owned()).or_insert_with(|| Looked {
            file: Arc::new(file),
            places: HashMap::new(),
        });
        known.places.extend(places);
        Ok(())
    }

    /// A file that was looked through.
    pub(super) fn file(&self, path: &str) -> Option<Arc<Mapped>> {
        let index = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Some(index.get(path)?.file.clone())
    }

    /// The lines of a file that meet a condition, if they are known.
    pub(super) fn get(&self, path: &str, condition: &Necessary) -> Option<Arc<scan::Places>> {
        let index = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        index.get(path)?.places.get(condition)?.clone()
    }
}
