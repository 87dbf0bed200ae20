//! From files to bound rules: read, parse, bind, resolve, lint.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use rayon::prelude::*;
use rulec_facts::{
    FactsError, Lazy,
    aliases::Aliases,
    tables::{Environment, Tables},
};
use rulec_ir::Catalog;
use rulec_model::{Resolved, Rule, RuleQuery};
use rulec_read::{Document as Read, RuleDoc};
use rulec_source::{Diagnostic, Fragment, Severity, SourceFile, render};
use sha2::{Digest as _, Sha256};

use crate::{
    cache::Cache,
    check::Mark,
    codes, data,
    environment::{self, Overlay},
    load::{Loaded, display, is_query_file},
    repository::{Refused, Repository},
};

/// A repository with its data loaded, ready to compile.
pub struct Pipeline {
    /// The repository.
    pub repository: Repository,
    /// What headings and table columns mean.
    pub aliases: Lazy<Aliases>,
    /// Data for explaining and checking.
    pub facts: rulec_explain::Facts,
    /// What was found out before.
    pub cache: Cache,
    /// What the place that rules are deployed to changes of them.
    pub overlay: Option<Arc<Overlay>>,
    catalogs: [OnceLock<Result<Catalog, FactsError>>; Environment::ALL.len()],
    emit: OnceLock<Result<rulec_emit::Context, FactsError>>,
}

/// Documents in the order they were given, compiled as far as they go.
pub struct Compilation {
    /// One per document.
    pub documents: Vec<Document>,
}

/// One document.
pub struct Document {
    /// Its text.
    pub file: SourceFile,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// What was read; none when the file could not be.
    pub read: Option<RuleDoc>,
    /// The rule's queries, bound; parallel to `Rule::queries`.
    pub queries: Vec<Bound>,
    /// All findings, placed in the document or beside it, in the order of their place.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether an environment leaves the rule out.
    pub disabled: bool,
}

/// A query, bound.
pub struct Bound {
    /// Its text and the way back to the document.
    pub fragment: Fragment,
    /// Its syntax tree.
    pub parsed: rulec_kql::Parsed,
    /// Its algebra.
    pub ir: rulec_ir::Query,
    /// How the rule is run, as this query tells it.
    pub resolved: Resolved,
    /// The environment it was bound in.
    pub environment: Environment,
    /// Whether it parsed and bound without errors.
    pub sound: bool,
}

impl Pipeline {
    /// Opens the repository around `start`.
    pub fn open(start: &Path, config: Option<&Path>) -> Result<Self, Box<Refused>> {
        let repository = Repository::open(start, config)?;
        let refuse = |e| data::refused(&repository.pack, &e);
        let aliases = Lazy::new(&repository.pack, &["schema/read/"], Aliases::load).map_err(refuse)?;
        let facts =
            rulec_explain::Facts::load(&repository.pack, &repository.config.check.attack).map_err(refuse)?;
        let pipeline = Self {
            aliases,
            facts,
            catalogs: Default::default(),
            emit: OnceLock::new(),
            cache: Cache::open(&repository.root, &repository.config),
            overlay: Overlay::of_repository(&repository)?.map(Arc::new),
            repository,
        };
        // Tables of the repository's own are read before the first rule needs
        // them: a mistake there is one finding, not one a rule.
        if pipeline.repository.pack.is_own("schema/tables/") {
            pipeline
                .catalog(Environment::MergedColumns)
                .map_err(|e| data::refused(&pipeline.repository.pack, &e))?;
        }
        Ok(pipeline)
    }

    /// The catalog of an environment, loaded once.
    pub fn catalog(&self, environment: Environment) -> Result<&Catalog, FactsError> {
        let index = Environment::ALL
            .iter()
            .position(|e| *e == environment)
            .unwrap_or_default();
        self.catalogs[index]
            .get_or_init(|| {
                Ok(Catalog::new(Arc::new(Tables::new(
                    &self.repository.pack,
                    environment,
                )?)))
            })
            .as_ref()
            .map_err(Clone::clone)
    }

    /// What emitting shares, loaded once.
    pub fn emit_context(&self) -> Result<&rulec_emit::Context, FactsError> {
        self.emit
            .get_or_init(|| rulec_emit::Context::load(&self.repository.pack))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// The paths given, or the repository's rules.
    pub fn paths(&self, given: &[PathBuf]) -> Vec<PathBuf> {
        if given.is_empty() {
            self.repository
                .config
                .repository
                .rules
                .iter()
                .map(|p| self.repository.path(p))
                .collect()
        } else {
            given.to_vec()
        }
    }

    /// Reads, compiles and lints documents. Never fails: what is wrong is in the findings.
    pub fn compile(&self, paths: &[PathBuf]) -> Compilation {
        let loaded = self.load(paths);
        self.compile_loaded(loaded, paths, true)
    }

    /// As [`Self::compile`], for those who only run rules: opinions about
    /// rules that compile are not asked for.
    pub fn compile_to_run(&self, paths: &[PathBuf]) -> Compilation {
        let loaded = self.load(paths);
        self.compile_loaded(loaded, paths, false)
    }

    /// Compiles what was loaded from `paths`.
    pub(crate) fn compile_loaded(&self, loaded: Vec<Loaded>, paths: &[PathBuf], lint: bool) -> Compilation {
        let mut documents: Vec<Document> = loaded
            .into_par_iter()
            .map(|loaded| match loaded.problem {
                Some(problem) => Document {
                    sha256: String::new(),
                    file: loaded.file,
                    read: None,
                    queries: Vec::new(),
                    diagnostics: vec![problem],
                    disabled: false,
                },
                None => self.compiled(loaded.file, lint),
            })
            .collect();
        duplicates(documents.iter_mut().map(|d| {
            let mark = d.mark();
            (d.file.path.as_str(), mark, &mut d.diagnostics)
        }));
        if documents.is_empty() {
            let (file, diagnostic) = no_documents(self, paths);
            documents.push(Document {
                diagnostics: vec![diagnostic],
                sha256: String::new(),
                file,
                read: None,
                queries: Vec::new(),
                disabled: false,
            });
        }
        let ids = documents.iter().filter_map(|d| Some(d.rule()?.id.as_str()));
        if let Some((file, diagnostics)) = self.environment_findings(&ids.collect()) {
            documents.push(Document {
                file,
                sha256: String::new(),
                read: None,
                queries: Vec::new(),
                diagnostics,
                disabled: false,
            });
        }
        Compilation { documents }
    }

    /// Compiles and lints one text.
    pub fn document(&self, file: SourceFile) -> Document {
        self.compiled(file, true)
    }

    pub(crate) fn compiled(&self, file: SourceFile, lint: bool) -> Document {
        if is_query_file(&file.path) {
            return self.query_file(file);
        }
        let sha256 = hex(&Sha256::digest(file.text.as_bytes()));
        let options = rulec_read::Options {
            aliases: &self.aliases,
            defaults: self.repository.config.defaults.clone(),
        };
        let mut file = match &self.overlay {
            Some(overlay) => overlay.beside(file),
            None => file,
        };
        let mut read = rulec_read::read(&file, &options);
        let mut diagnostics = std::mem::take(&mut read.diagnostics);
        let overlay = self.overlay.as_deref();
        let disabled = overlay.is_some_and(|overlay| overlay.settle(&mut read, &file));
        if disabled {
            return Document {
                file,
                sha256,
                read: Some(read),
                queries: Vec::new(),
                diagnostics: Vec::new(),
                disabled,
            };
        }
        let mut queries = Vec::new();
        let mut bases = Vec::new();
        if let Read::Rule(rule) = &read.document {
            for (index, (query, fragment)) in rule.queries.iter().zip(&read.queries).enumerate() {
                let (bound, found) = self.bind(rule, index, fragment, self.environment(query));
                match (overlay, bound) {
                    (Some(overlay), Some(bound)) if bound.sound => {
                        let laid = self.laid(overlay, rule, index, bound, found, &mut file);
                        diagnostics.extend(laid.found);
                        queries.push(laid.bound);
                        bases.push(laid.base);
                    }
                    (_, bound) => {
                        diagnostics.extend(found.into_iter().map(|d| fragment.map_diagnostic(d)));
                        queries.extend(bound);
                        bases.push(None);
                    }
                }
            }
        }
        if overlay.is_some()
            && let Read::Rule(rule) = &mut read.document
        {
            // From here on the rule says what it says in the environment.
            for ((query, fragment), bound) in rule.queries.iter_mut().zip(&mut read.queries).zip(&queries) {
                query.text.clone_from(&bound.fragment.text);
                fragment.clone_from(&bound.fragment);
            }
        }
        let mut document = Document {
            file,
            sha256,
            read: Some(read),
            queries,
            diagnostics,
            disabled,
        };
        if let Some(overlay) = overlay
            && bases.iter().any(Option::is_some)
            && document.is_sound()
        {
            let hidden = self.hidden(overlay, &document, bases);
            document.diagnostics.extend(hidden);
        }
        if lint {
            let lints = self.lint(&document);
            document.diagnostics.extend(lints);
        }
        document.order();
        document
    }

    /// A query in a file of its own: checked, but no rule.
    fn query_file(&self, file: SourceFile) -> Document {
        let sha256 = hex(&Sha256::digest(file.text.as_bytes()));
        let (file, diagnostics) = match self.query(file.clone()) {
            Ok(query) => (query.file, query.diagnostics),
            Err(error) => (file, vec![Diagnostic::new(codes::BAD_DATA, error.to_string())]),
        };
        Document {
            file,
            sha256,
            read: None,
            queries: Vec::new(),
            diagnostics,
            disabled: false,
        }
    }

    /// The environment a query is bound in: the configuration's, else its
    /// platform's, else all columns of both.
    fn environment(&self, query: &RuleQuery) -> Environment {
        let chosen = self
            .repository
            .config
            .check
            .environment
            .as_deref()
            .and_then(Environment::parse);
        chosen.unwrap_or(match query.environment {
            Some(rulec_model::Environment::M365) => Environment::Merged,
            Some(rulec_model::Environment::Sentinel) => Environment::Sentinel,
            None => Environment::MergedColumns,
        })
    }

    /// Binds the text of a rule's query against the tables of an environment.
    /// Findings are placed in the text.
    pub(crate) fn bind(
        &self,
        rule: &Rule,
        index: usize,
        fragment: &Fragment,
        environment: Environment,
    ) -> (Option<Bound>, Vec<Diagnostic>) {
        let parsed = rulec_kql::parse(&fragment.text);
        let mut found = parsed.diagnostics.clone();
        let catalog = match self.catalog(environment) {
            Ok(catalog) => catalog,
            Err(error) => {
                found.push(Diagnostic::new(codes::BAD_DATA, error.to_string()));
                return (None, found);
            }
        };
        let lowered = rulec_ir::lower(&parsed, catalog);
        found.extend(meaningful(&parsed, lowered.diagnostics));
        let sound = !found.iter().any(Diagnostic::is_error);
        let resolved = rulec_explain::resolve(rule, index, &lowered.query, &self.facts);
        let bound = Bound {
            fragment: fragment.clone(),
            parsed,
            ir: lowered.query,
            resolved,
            environment,
            sound,
        };
        (Some(bound), found)
    }

    fn lint(&self, document: &Document) -> Vec<Diagnostic> {
        let Some(RuleDoc {
            document: Read::Rule(rule),
            places,
            ..
        }) = &document.read
        else {
            return Vec::new();
        };
        let queries: Vec<rulec_check::Query<'_>> = document
            .queries
            .iter()
            .map(|bound| rulec_check::Query {
                fragment: &bound.fragment,
                parsed: &bound.parsed,
                ir: &bound.ir,
                catalog: self.catalog(bound.environment).ok(),
                resolved: &bound.resolved,
                sound: bound.sound,
            })
            .collect();
        let input = rulec_check::Input {
            file: &document.file,
            rule,
            places,
            queries: &queries,
            facts: &self.facts,
        };
        let config = &self.repository.config;
        let found = rulec_check::check(&input).into_iter();
        found.filter_map(|diagnostic| config.level(diagnostic)).collect()
    }
}

impl Bound {
    /// The line of the document of the predicate that decides whether the rule
    /// fires; of the query without one.
    pub fn deciding_line(&self, file: &SourceFile) -> usize {
        let place = rulec_explain::deciding(&self.ir).unwrap_or_default();
        file.position(self.fragment.map(place).start as usize).line
    }
}

impl Document {
    /// The rule, when the document holds one.
    pub fn rule(&self) -> Option<&Rule> {
        match &self.read.as_ref()?.document {
            Read::Rule(rule) => Some(rule),
            _ => None,
        }
    }

    /// Puts the findings in the order of their place, each once.
    pub(crate) fn order(&mut self) {
        self.diagnostics
            .sort_by_key(|d| d.span().map_or((0, 0), |s| (s.start, s.end)));
        self.diagnostics.dedup();
    }

    /// Whether the rule may be emitted and run: it was read and bound without errors.
    pub fn is_sound(&self) -> bool {
        self.rule().is_some()
            && !self.disabled
            && !self.diagnostics.iter().any(is_broken)
            && self.queries.iter().all(|q| q.sound)
    }

    fn findings(&self, only_errors: bool) -> impl Iterator<Item = render::Finding<'_>> {
        let rule = self.rule().map(|r| r.id.as_str());
        self.diagnostics
            .iter()
            .filter(move |d| !only_errors || is_broken(d))
            .filter(|d| !environment::is_repeated(&self.file, d))
            .map(move |diagnostic| render::Finding {
                file: &self.file,
                rule,
                diagnostic,
            })
    }
}

impl Compilation {
    /// The rule alone that has this id, or the only one whose id begins with it.
    pub fn only(mut self, id: &str) -> Result<Self, String> {
        let known: Vec<String> = self
            .documents
            .iter()
            .filter_map(|d| d.rule())
            .map(|r| r.id.clone())
            .collect();
        let exact = known.iter().any(|k| k == id);
        self.documents.retain(|d| {
            d.rule()
                .is_some_and(|r| if exact { r.id == id } else { r.id.starts_with(id) })
        });
        match self.documents.len() {
            1 => Ok(self),
            0 => {
                let close = rulec_facts::close_matches(id, known.iter().map(String::as_str), 3);
                Err(match close.first() {
                    Some(close) => format!("no rule has the id `{id}`; did you mean `{close}`?"),
                    None => format!("no rule has the id `{id}`, and no file has that name"),
                })
            }
            n => Err(format!("{n} rules have ids that begin with `{id}`")),
        }
    }

    /// All findings, document by document.
    pub fn findings(&self) -> Vec<render::Finding<'_>> {
        self.documents.iter().flat_map(|d| d.findings(false)).collect()
    }

    /// What kept rules from compiling.
    pub fn errors(&self) -> Vec<render::Finding<'_>> {
        self.documents.iter().flat_map(|d| d.findings(true)).collect()
    }

    /// The rules that may be emitted and run, in order of id.
    pub fn sound(&self) -> Vec<(&Document, &Rule)> {
        let mut sound: Vec<_> = self
            .documents
            .iter()
            .filter(|d| d.is_sound())
            .filter_map(|d| Some((d, d.rule()?)))
            .collect();
        sound.sort_by(|a, b| a.1.id.cmp(&b.1.id));
        sound
    }

    /// The names of all documents.
    pub fn files(&self) -> Vec<&str> {
        self.documents.iter().map(|d| d.file.path.as_str()).collect()
    }

    /// Totals.
    pub fn summary(&self) -> render::Summary {
        summary(
            self.documents
                .iter()
                .map(|d| (d.rule().is_some(), &d.file, d.diagnostics.as_slice())),
        )
    }
}

/// Whether a finding says that a rule does not compile, as opposed to an opinion about one that does, its
/// versions, a suppression, or the folder it is built into.
pub fn is_broken(diagnostic: &Diagnostic) -> bool {
    let code = diagnostic.code.id;
    let beside = [codes::EXPIRED_SUPPRESSION, codes::BAD_SUPPRESSION]
        .iter()
        .any(|known| known.id == code);
    // A warning that rulec.toml makes an error keeps no rule from compiling.
    let breaks = diagnostic.is_error() && diagnostic.code.severity == Severity::Error;
    breaks && !beside && !["RL", "RM", "RV"].iter().any(|family| code.starts_with(family))
}

/// Totals over documents: whether each holds a rule, and what is wrong with it.
pub(crate) fn summary<'d>(
    documents: impl Iterator<Item = (bool, &'d SourceFile, &'d [Diagnostic])>,
) -> render::Summary {
    let mut summary = render::Summary {
        files: 0,
        rules: 0,
        errors: 0,
        warnings: 0,
    };
    for (is_rule, file, diagnostics) in documents {
        let said = || diagnostics.iter().filter(|d| !environment::is_repeated(file, d));
        let count = |severity| said().filter(|d| d.severity == severity).count();
        summary.files += 1;
        summary.rules += usize::from(is_rule);
        summary.errors += count(Severity::Error);
        summary.warnings += count(Severity::Warning);
    }
    summary
}

/// What to say when there is nothing at the paths.
pub(crate) fn no_documents(pipeline: &Pipeline, paths: &[PathBuf]) -> (SourceFile, Diagnostic) {
    let paths: Vec<String> = pipeline
        .paths(paths)
        .iter()
        .map(|p| display(&pipeline.repository.root, p))
        .collect();
    let name = paths.join(", ");
    let diagnostic = Diagnostic::new(codes::NO_RULES, format!("there are no documents in {name}"))
        .help("`rulec new ID TITLE` writes one to start from");
    (SourceFile::new(name, ""), diagnostic)
}

/// Findings of binding without those behind a syntax error: what the parser
/// made of the rest is a guess, and findings about a guess mislead.
pub(crate) fn meaningful(
    parsed: &rulec_kql::Parsed,
    found: Vec<Diagnostic>,
) -> impl Iterator<Item = Diagnostic> {
    let start = |d: &Diagnostic| d.span().map_or(0, |s| s.start);
    let errors = || parsed.diagnostics.iter().filter(|d| d.is_error());
    let first = errors().map(start).min().unwrap_or(u32::MAX);
    let deep = errors().any(|d| d.code.id == rulec_kql::codes::TOO_DEEP.id);
    found.into_iter().filter(move |d| {
        // What is close to a name that exists is misspelt, whatever could not be read.
        let misspelt = d.fix.is_some() && NAMES.contains(&d.code.id);
        let repeats = deep && d.code.id == rulec_ir::codes::TOO_LARGE.id;
        (start(d) < first || misspelt) && !repeats
    })
}

/// Findings about a name alone.
const NAMES: [&str; 3] = [
    rulec_ir::codes::UNKNOWN_NAME.id,
    rulec_ir::codes::UNKNOWN_TABLE.id,
    rulec_ir::codes::UNKNOWN_FUNCTION.id,
];

/// Two documents with the same id would overwrite each other's artifacts, on
/// some systems even when only the case differs. Each document is its path,
/// how it names its rule, and its findings.
pub(crate) fn duplicates<'d>(
    documents: impl Iterator<Item = (&'d str, Option<Mark>, &'d mut Vec<Diagnostic>)>,
) {
    let mut first: BTreeMap<String, &str> = BTreeMap::new();
    for (path, mark, diagnostics) in documents {
        let Some(Mark { id, place }) = mark else { continue };
        match first.get(&id.to_lowercase()) {
            Some(other) => {
                // An id made from the name of the file is written nowhere.
                diagnostics.push(
                    Diagnostic::new(codes::DUPLICATE_ID, format!("the id `{id}` is taken by {other}"))
                        .at(place.unwrap_or_default())
                        .help("give the rule an id of its own: `**ID:** …` under the heading `Metadata`"),
                );
            }
            None => {
                first.insert(id.to_lowercase(), path);
            }
        }
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
