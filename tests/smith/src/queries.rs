//! Which queries a run is about, as its arguments say.

use std::path::PathBuf;

use rulec_facts::tables::Environment;
use rulec_smith::answer::{World, typed_table};
use rulec_smith::campaign::Case;
use rulec_smith::dice::Dice;
use rulec_smith::generate::Generator;
use rulec_smith::mutate::mutate;

/// Arguments that say which queries.
#[derive(clap::Args)]
pub(crate) struct Queries {
    /// The tables: merged-columns, m365, sentinel, merged, docs or none.
    #[arg(long, default_value = "merged-columns")]
    pub(crate) env: String,
    /// Unknown tables are no error.
    #[arg(long)]
    open: bool,
    /// What the choices follow from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many queries; with files and --mutate, how many for each of theirs.
    #[arg(long, default_value_t = 1000)]
    count: u64,
    /// Damage every query in one or two places.
    #[arg(long)]
    mutate: bool,
    /// Files of queries instead of generated ones: .ndjson with `id` and
    /// `query`, or one query a file; or folders of such files.
    files: Vec<PathBuf>,
}

impl Queries {
    pub(crate) fn world(&self) -> Result<World, String> {
        let environment =
            Environment::parse(&self.env).ok_or_else(|| format!("there is no environment `{}`", self.env))?;
        World::new(environment, vec![typed_table()], self.open)
    }

    pub(crate) fn cases(&self, world: &World) -> Result<Vec<Case>, String> {
        let mut cases = Vec::new();
        if self.files.is_empty() {
            let generator = Generator::new(world);
            for n in 0..self.count {
                let mut query = generator.query(self.seed, n);
                if self.mutate {
                    // Other choices than those that made the query.
                    query = mutate(&query, &mut Dice::for_query(self.seed ^ 0x5eed, n));
                }
                cases.push(Case {
                    id: format!("{}.{n}", self.seed),
                    query,
                });
            }
            return Ok(cases);
        }
        let mut n = 0;
        for whole in read(&self.files)? {
            if !self.mutate {
                cases.push(whole);
                continue;
            }
            for copy in 0..self.count {
                cases.push(Case {
                    id: format!("{}.{}.{copy}", whole.id, self.seed),
                    query: mutate(&whole.query, &mut Dice::for_query(self.seed, n)),
                });
                n += 1;
            }
        }
        Ok(cases)
    }
}

/// The queries of files, and of the files in folders, by name.
fn read(paths: &[PathBuf]) -> Result<Vec<Case>, String> {
    let mut cases = Vec::new();
    for path in paths {
        let failed = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
        if path.is_dir() {
            let mut inside = Vec::new();
            for entry in std::fs::read_dir(path).map_err(|e| failed(&e))? {
                let path = entry.map_err(|e| failed(&e))?.path();
                let extension = path.extension().unwrap_or_default();
                if path.is_dir() || extension == "kql" || extension == "ndjson" {
                    inside.push(path);
                }
            }
            inside.sort();
            cases.extend(read(&inside)?);
            continue;
        }
        let text = std::fs::read_to_string(path).map_err(|e| failed(&e))?;
        if path.extension().is_some_and(|e| e == "ndjson") {
            for line in text.lines().filter(|l| !l.trim().is_empty()) {
                let value: serde_json::Value = serde_json::from_str(line).map_err(|e| failed(&e))?;
                let query = value["query"]
                    .as_str()
                    .ok_or_else(|| failed(&"a line without `query`"))?;
                let id = value["id"]
                    .as_str()
                    .map_or_else(|| value["id"].to_string(), str::to_owned);
                cases.push(Case {
                    id,
                    query: query.to_owned(),
                });
            }
        } else {
            cases.push(Case {
                id: path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
                query: text,
            });
        }
    }
    Ok(cases)
}
