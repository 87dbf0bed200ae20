//! Writing: complete or not at all, and only below the folder the user named.

use std::{
    collections::BTreeSet,
    fs, io,
    io::Write as _,
    path::{Component, Path, PathBuf},
};

/// Whether an artifact's path stays below the folder it is joined to.
pub fn is_safe(relative: &str) -> bool {
    !relative.is_empty()
        && !relative.contains(['\\', '\0', ':'])
        && Path::new(relative)
            .components()
            .all(|c| matches!(c, Component::Normal(_)))
}

/// What is at a path.
#[derive(Debug, PartialEq, Eq)]
pub enum Read {
    /// Nothing.
    Missing,
    /// A regular file with these bytes.
    File(Vec<u8>),
    /// Something else, as the end of a sentence about it.
    Other(&'static str),
}

/// A folder that is written to. No file is created or replaced outside it:
/// symbolic links below it are never followed.
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// Creates the folder if it is missing.
    pub fn create(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        Ok(Self {
            root: fs::canonicalize(root)?,
        })
    }

    /// A folder to read; none when there is no such thing.
    pub fn open(root: &Path) -> io::Result<Option<Self>> {
        match fs::read_dir(root) {
            Ok(_) => Ok(Some(Self {
                root: fs::canonicalize(root)?,
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a file whole: first beside its place, then renamed over it. A
    /// file that already has these bytes is left alone.
    pub fn write(&self, relative: &str, bytes: &[u8]) -> io::Result<()> {
        if !is_safe(relative) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("`{relative}` would leave the output folder"),
            ));
        }
        let path = self.root.join(relative);
        let parent = path.parent().unwrap_or(&self.root);
        self.make_folders(parent)?;
        match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_symlink() => fs::remove_file(&path)?,
            Ok(meta) if meta.is_dir() => {
                return Err(io::Error::new(
                    io::ErrorKind::AlreadyExists,
                    format!("`{relative}` is a folder"),
                ));
            }
            Ok(meta) if meta.len() == bytes.len() as u64 && fs::read(&path)? == bytes => return Ok(()),
            _ => {}
        }
        let mut file = tempfile::Builder::new().prefix(".rulec-").tempfile_in(parent)?;
        file.write_all(bytes)?;
        set_permissions(file.as_file())?;
        file.persist(&path).map_err(|e| e.error)?;
        Ok(())
    }

    /// Creates the folders down to `parent`, refusing symbolic links on the way.
    fn make_folders(&self, parent: &Path) -> io::Result<()> {
        let below = parent.strip_prefix(&self.root).unwrap_or(Path::new(""));
        let mut at = self.root.clone();
        for component in below.components() {
            at.push(component);
            match fs::symlink_metadata(&at) {
                Ok(meta) if meta.is_symlink() => {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidInput,
                        format!(
                            "`{}` is a symbolic link; rulec does not write through it",
                            at.display()
                        ),
                    ));
                }
                Ok(_) => {}
                // Several files are written at once, and may want the same folder.
                Err(_) => match fs::create_dir(&at) {
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                    _ if fs::symlink_metadata(&at)?.is_dir() => {}
                    _ => return Err(io::ErrorKind::NotADirectory.into()),
                },
            }
        }
        Ok(())
    }

    /// All files below the folder, relative and sorted; links are not followed.
    pub fn files(&self) -> io::Result<BTreeSet<String>> {
        self.files_below("", &|_| false)
    }

    /// All files below a folder in this one, relative to it and sorted; none
    /// when it is no folder. What `passed` says of a path is left out, with
    /// everything below. Links are not followed.
    pub fn files_below(&self, below: &str, passed: &dyn Fn(&str) -> bool) -> io::Result<BTreeSet<String>> {
        let root = self.root.join(below);
        let mut found = BTreeSet::new();
        let mut open = vec![root.clone()];
        // The folder itself may be a link, or not be there.
        if !fs::symlink_metadata(&root).is_ok_and(|meta| meta.is_dir()) {
            return Ok(found);
        }
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                let path = entry.path();
                let Ok(relative) = path.strip_prefix(&root) else {
                    continue;
                };
                let relative = slashes(relative);
                if passed(&relative) {
                    continue;
                }
                if entry.file_type()?.is_dir() {
                    open.push(path);
                } else {
                    found.insert(relative);
                }
            }
        }
        Ok(found)
    }

    /// The way to a path, if no link and no `..` leads out of the folder.
    fn inside(&self, relative: &str) -> Option<PathBuf> {
        if !is_safe(relative) {
            return None;
        }
        let path = self.root.join(relative);
        let mut at = self.root.clone();
        for component in Path::new(relative).parent()?.components() {
            at.push(component);
            if fs::symlink_metadata(&at).is_ok_and(|meta| meta.is_symlink()) {
                return None;
            }
        }
        Some(path)
    }

    /// Whether something directly in the folder is a symbolic link.
    pub fn is_link(&self, name: &str) -> bool {
        let meta = fs::symlink_metadata(self.root.join(name));
        is_safe(name) && meta.is_ok_and(|meta| meta.is_symlink())
    }

    /// What is at a path; a file of more than `most` bytes is not read.
    pub fn look(&self, relative: &str, most: u64) -> Read {
        let Some(path) = self.inside(relative) else {
            return Read::Other("it is behind a symbolic link");
        };
        match fs::symlink_metadata(&path) {
            // A file where a folder should be is no file at this path either.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Read::Missing
            }
            Err(_) => Read::Other("it cannot be looked at"),
            Ok(meta) if meta.is_symlink() => Read::Other("it is a symbolic link"),
            Ok(meta) if !meta.is_file() => Read::Other("it is no file"),
            Ok(meta) if meta.len() > most => Read::Other("it is too large"),
            Ok(_) => fs::read(&path).map_or(Read::Other("it cannot be read"), Read::File),
        }
    }

    /// Removes a file and the folders that became empty. Nothing is removed
    /// through a symbolic link.
    pub fn remove(&self, relative: &str) -> io::Result<()> {
        let Some(path) = self.inside(relative) else {
            return Ok(());
        };
        fs::remove_file(&path)?;
        let mut parent = path.parent();
        while let Some(folder) = parent {
            if folder == self.root || fs::remove_dir(folder).is_err() {
                break;
            }
            parent = folder.parent();
        }
        Ok(())
    }

    /// The bytes of a file; none when it is missing or not a regular file.
    pub fn read(&self, relative: &str) -> Option<Vec<u8>> {
        match self.look(relative, u64::MAX) {
            Read::File(bytes) => Some(bytes),
            Read::Missing | Read::Other(_) => None,
        }
    }
}

/// A path with `/` on every system.
pub fn slashes(path: &Path) -> String {
    path.components()
        .map(|c| c.as_os_str().to_string_lossy())
        .collect::<Vec<_>>()
        .join("/")
}

/// Temporary files are private; what is written for others is not.
#[cfg(unix)]
fn set_permissions(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn set_permissions(_: &fs::File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_the_folder_are_refused() {
        for path in ["../x", "a/../../x", "/etc/x", "", "a\\b", "c:x", "a\0b", "./x/.."] {
            assert!(!is_safe(path), "{path}");
        }
        for path in ["x", "a/b.yaml", "a/RL-0001.json"] {
            assert!(is_safe(path), "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn symbolic_links_are_not_written_through() {
        let outside = tempfile::tempdir().unwrap();
        let inside = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), inside.path().join("link")).unwrap();
        let victim = outside.path().join("victim");
        fs::write(&victim, "mine").unwrap();
        std::os::unix::fs::symlink(&victim, inside.path().join("file")).unwrap();
        let folder = Folder::create(inside.path()).unwrap();
        assert!(folder.write("link/x", b"y").is_err());
        folder.write("file", b"theirs").unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"mine");
        assert_eq!(folder.read("file").unwrap(), b"theirs");
        // Nor is anything read or removed.
        assert_eq!(folder.read("link/victim"), None);
        assert!(matches!(folder.look("link/victim", 9), Read::Other(_)));
        folder.remove("link/victim").unwrap();
        assert!(victim.is_file());
        assert!(folder.files_below("link", &|_| false).unwrap().is_empty());
    }

    #[test]
    fn what_is_at_a_path() {
        let inside = tempfile::tempdir().unwrap();
        let folder = Folder::create(inside.path()).unwrap();
        folder.write("a/b", b"bytes").unwrap();
        assert_eq!(folder.look("a/b", 5), Read::File(b"bytes".to_vec()));
        assert_eq!(folder.look("a/b", 4), Read::Other("it is too large"));
        assert_eq!(folder.look("a", 9), Read::Other("it is no file"));
        assert_eq!(folder.look("a/b/c", 9), Read::Missing);
        assert_eq!(folder.look("x/y", 9), Read::Missing);
        folder.write("a/c/d", b"").unwrap();
        let found = folder.files_below("a", &|path| path == "c").unwrap();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["b"]);
    }
}
