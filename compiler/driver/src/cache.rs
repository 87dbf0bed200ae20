//! What was found out before: results by the content of what they rest on.
//!
//! In: a name made of everything an answer depends on, and the answer's bytes.
//! Out: the same bytes, in this process or a later one. A file that is not
//! whole, not readable or of another compiler is as good as none; so is a
//! folder that cannot be written to. Nothing here knows what the bytes mean.
//!
//! Deliberately absent: anything that depends on other documents, on the time
//! or on the machine. Who keeps an answer here has to name all it rests on.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use rulec_facts::Pack;
use sha2::{Digest as _, Sha256};

use crate::{VERSION, config::Config, pipeline::hex};

/// Files of one kind that are kept, and their bytes; the ones that were written
/// longest ago go first, and the newest stays whatever its size.
const MOST_FILES: usize = 16;
const MOST_BYTES: u64 = 256 << 20;

/// A folder of answers, or none.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    folder: Option<PathBuf>,
}

impl Cache {
    /// No cache: nothing is found and nothing is kept.
    pub fn off() -> Self {
        Self::default()
    }

    /// The cache that the configuration of the repository at `root` asks for:
    /// its folder, else the user's folder for caches.
    pub fn open(root: &Path, config: &Config) -> Self {
        if !config.cache.enabled {
            return Self::off();
        }
        Self {
            folder: match &config.cache.folder {
                Some(folder) => Some(root.join(folder)),
                None => users().map(|folder| folder.join("rulec")),
            },
        }
    }

    /// Whether anything is found or kept.
    pub fn is_on(&self) -> bool {
        self.folder.is_some()
    }

    /// The bytes kept under a name.
    pub(crate) fn read(&self, kind: &str, name: &str) -> Option<Vec<u8>> {
        let mut bytes = fs::read(self.path(kind, name)?).ok()?;
        let start = bytes.len().checked_sub(32)?;
        let whole = Sha256::digest(&bytes[..start])[..] == bytes[start..];
        bytes.truncate(start);
        whole.then_some(bytes)
    }

    /// Keeps bytes under a name. Others never see half of them, and of two who
    /// keep the same name one wins; that it fails is of no consequence.
    pub(crate) fn write(&self, kind: &str, name: &str, bytes: &[u8]) {
        let _ = self.try_write(kind, name, bytes);
    }

    fn try_write(&self, kind: &str, name: &str, bytes: &[u8]) -> Option<()> {
        let path = self.path(kind, name)?;
        let folder = path.parent()?;
        fs::create_dir_all(folder).ok()?;
        let mut file = tempfile::Builder::new()
            .prefix(".new-")
            .tempfile_in(folder)
            .ok()?;
        file.write_all(bytes).ok()?;
        file.write_all(&Sha256::digest(bytes)).ok()?;
        file.persist(&path).ok()?;
        forget(folder, &path);
        Some(())
    }

    fn path(&self, kind: &str, name: &str) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(kind).join(name))
    }
}

/// Where programs keep what they can do without.
fn users() -> Option<PathBuf> {
    let folder = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    folder("XDG_CACHE_HOME")
        .or_else(|| folder("LOCALAPPDATA").filter(|_| cfg!(windows)))
        .or_else(|| {
            let own = if cfg!(target_os = "macos") {
                "Library/Caches"
            } else {
                ".cache"
            };
            folder("HOME").map(|home| home.join(own))
        })
}

/// Removes the oldest files of a folder until few enough are left.
fn forget(folder: &Path, newest: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut files: Vec<(SystemTime, PathBuf, u64)> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let meta = entry.metadata().ok()?;
            Some((meta.modified().ok()?, entry.path(), meta.len()))
        })
        .filter(|(_, path, _)| path != newest)
        .collect();
    files.sort();
    let mut bytes = 0;
    for (place, (_, path, length)) in files.iter().rev().enumerate() {
        bytes += length;
        if place + 1 >= MOST_FILES || bytes > MOST_BYTES {
            let _ = fs::remove_file(path);
        }
    }
}

/// Everything that the answer about a document depends on besides the
/// document: this compiler, the configuration, and the repository's own data
/// and templates.
pub(crate) fn setting(pack: &Pack, config: &Config) -> Sha256 {
    let mut all = Sha256::new();
    part(&mut all, VERSION.as_bytes());
    part(&mut all, env!("RULEC_SOURCES").as_bytes());
    part(&mut all, format!("{config:?}").as_bytes());
    pack.own_parts(|bytes| part(&mut all, bytes));
    all
}

/// Adds one part so that it cannot run into the next.
pub(crate) fn part(all: &mut Sha256, bytes: &[u8]) {
    all.update((bytes.len() as u64).to_le_bytes());
    all.update(bytes);
}

/// The name of what was added.
pub(crate) fn name(all: Sha256) -> String {
    hex(&all.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache {
            folder: Some(folder.path().to_path_buf()),
        };
        (folder, cache)
    }

    #[test]
    fn what_is_kept_is_found() {
        let (_folder, cache) = cache();
        assert_eq!(cache.read("k", "a"), None);
        cache.write("k", "a", b"one");
        cache.write("k", "b", b"");
        assert_eq!(cache.read("k", "a").as_deref(), Some(&b"one"[..]));
        assert_eq!(cache.read("k", "b").as_deref(), Some(&b""[..]));
        cache.write("k", "a", b"two");
        assert_eq!(cache.read("k", "a").as_deref(), Some(&b"two"[..]));
        assert_eq!(Cache::off().read("k", "a"), None);
    }

    #[test]
    fn what_is_not_whole_is_not_found() {
        let (folder, cache) = cache();
        cache.write("k", "a", b"some bytes");
        let path = folder.path().join("k/a");
        let good = fs::read(&path).unwrap();
        for place in 0..good.len() {
            let mut bad = good.clone();
            bad[place] ^= 1;
            fs::write(&path, &bad).unwrap();
            assert_eq!(cache.read("k", "a"), None, "{place}");
            fs::write(&path, &good[..place]).unwrap();
            assert_eq!(cache.read("k", "a"), None, "{place}");
        }
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let (folder, cache) = cache();
        for number in 0..3 * MOST_FILES {
            cache.write("k", &number.to_string(), b"x");
            assert!(cache.read("k", &number.to_string()).is_some());
        }
        assert_eq!(fs::read_dir(folder.path().join("k")).unwrap().count(), MOST_FILES);
    }

    #[test]
    fn a_folder_that_cannot_be_is_no_error() {
        let (folder, _) = cache();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let cache = Cache { folder: Some(file) };
        cache.write("k", "a", b"x");
        assert_eq!(cache.read("k", "a"), None);
    }
}
