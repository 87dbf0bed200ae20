//! A rule repository: its root, its configuration, its own data and templates.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use rulec_facts::{Pack, attack::Attack};
use rulec_source::{Diagnostic, SourceFile};

use crate::{codes, config, config::Config, output::slashes};

/// A repository on disk.
#[derive(Debug)]
pub struct Repository {
    /// The folder that holds rulec.toml, or the working folder; absolute.
    pub root: PathBuf,
    /// Its configuration.
    pub config: Config,
    /// rulec.toml, for findings about it.
    pub config_file: Option<SourceFile>,
    /// Data and templates: the embedded ones with the repository's laid over.
    pub pack: Pack,
}

/// A repository that cannot be used: the file and what is wrong with it.
#[derive(Debug)]
pub struct Refused {
    /// The file.
    pub file: SourceFile,
    /// What is wrong.
    pub diagnostic: Diagnostic,
}

impl Repository {
    /// Finds the repository around `start`: the nearest folder upwards with a
    /// rulec.toml, else `start` itself. `config` names another file instead.
    pub fn open(start: &Path, config: Option<&Path>) -> Result<Self, Box<Refused>> {
        let start = fs::canonicalize(start).unwrap_or_else(|_| start.to_path_buf());
        let config_path = match config {
            Some(path) => Some(path.to_path_buf()),
            None => start
                .ancestors()
                .map(|a| a.join("rulec.toml"))
                .find(|p| p.is_file()),
        };
        let Some(config_path) = config_path else {
            let pack = overlay(&start)?;
            return Ok(Self {
                pack,
                root: start,
                config: Config::default(),
                config_file: None,
            });
        };
        let root = config_path
            .parent()
            .filter(|p| !p.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let root = fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
        let name = slashes(config_path.strip_prefix(&root).unwrap_or(&config_path));
        let text = fs::read_to_string(&config_path).map_err(|error| {
            Box::new(Refused {
                file: SourceFile::new(name.clone(), ""),
                diagnostic: Diagnostic::new(
                    codes::BAD_CONFIG,
                    format!("{} cannot be read: {error}", config_path.display()),
                ),
            })
        })?;
        let file = SourceFile::new(name, text);
        let config = config::parse(&file).map_err(|diagnostic| {
            Box::new(Refused {
                file: file.clone(),
                diagnostic: *diagnostic,
            })
        })?;
        let pack = overlay(&root)?;
        known_attack(&pack, &file, &config)?;
        Ok(Self {
            root,
            config,
            config_file: Some(file),
            pack,
        })
    }

    /// Where the root lies in the checkout around it, which code hosts show
    /// findings in: empty, or ending in `/`.
    pub fn folder(&self) -> String {
        let checkout = self.root.ancestors().find(|a| a.join(".git").exists());
        let inside = checkout.and_then(|checkout| self.root.strip_prefix(checkout).ok());
        match inside.map(slashes) {
            Some(folder) if !folder.is_empty() => folder + "/",
            _ => String::new(),
        }
    }

    /// A path of the configuration, absolute.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }
}

/// The embedded data with the repository's own schema/ and templates/ laid over.
fn overlay(root: &Path) -> Result<Pack, Box<Refused>> {
    let mut files = BTreeMap::new();
    for top in ["schema", "templates"] {
        collect(root, &root.join(top), &mut files, 0)?;
    }
    Ok(Pack::embedded().overlay(files))
}

/// `check.attack` names a version there is data for.
fn known_attack(pack: &Pack, file: &SourceFile, config: &Config) -> Result<(), Box<Refused>> {
    let versions = Attack::versions(pack);
    let version = &config.check.attack;
    if versions.contains(version) {
        return Ok(());
    }
    let diagnostic = Diagnostic::new(
        codes::BAD_CONFIG,
        format!("there is no data for ATT&CK {version}"),
    )
    .at(config::key(&file.text, "attack", version))
    .help(format!("the versions are {}", versions.join(", ")));
    Err(Box::new(Refused {
        file: file.clone(),
        diagnostic,
    }))
}

fn collect(
    root: &Path,
    folder: &Path,
    files: &mut BTreeMap<String, Vec<u8>>,
    depth: usize,
) -> Result<(), Box<Refused>> {
    let refuse = |path: &Path, error: &std::io::Error| {
        Box::new(Refused {
            file: SourceFile::new(slashes(path.strip_prefix(root).unwrap_or(path)), ""),
            diagnostic: Diagnostic::new(
                codes::BAD_DATA,
                format!("{} cannot be read: {error}", path.display()),
            ),
        })
    };
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(());
    };
    for entry in entries {
        let entry = entry.map_err(|e| refuse(folder, &e))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(|e| refuse(&path, &e))?;
        if kind.is_dir() && depth < 16 {
            collect(root, &path, files, depth + 1)?;
        } else if kind.is_file() {
            let bytes = fs::read(&path).map_err(|e| refuse(&path, &e))?;
            files.insert(slashes(path.strip_prefix(root).unwrap_or(&path)), bytes);
        }
    }
    Ok(())
}
