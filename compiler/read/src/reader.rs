//! One document on its way to a rule: the state that the readers of its parts share.
//!
//! In: the file and the [`Options`]. Out: a [`RuleDoc`]. Each field is read
//! by a module of its own; this one says in which order, and decides what the
//! document is.

use std::collections::{BTreeMap, BTreeSet};

use rulec_facts::aliases::Aliases;
use rulec_model::{FrontMatter, Origin, Replacement, Rule, RuleKind};
use rulec_source::{Code, Diagnostic, Fragment, SourceFile, Span};

use crate::lines::{self, Line, Lines, Part};
use crate::metadata::Entry;
use crate::outline::{CodeBlock, Outline, trim};
use crate::{Document, Options, RuleDoc, codes, fences, front, ids, outline, validate};

/// How many bytes of a document are looked through for the sentence that says
/// it was replaced: such documents have one line.
const STUB: usize = 4096;

pub(crate) struct Reader<'a> {
    pub(crate) text: &'a str,
    pub(crate) path: &'a str,
    pub(crate) aliases: &'a Aliases,
    pub(crate) outline: Outline,
    pub(crate) lines: Lines,
    pub(crate) parts: Vec<Part>,
    /// Metadata in the order of the document.
    pub(crate) entries: Vec<Entry>,
    /// The first entry of a key, in a part or in the document.
    pub(crate) index: BTreeMap<(Option<usize>, String), usize>,
    pub(crate) rule: Rule,
    pub(crate) places: BTreeMap<String, Span>,
    pub(crate) queries: Vec<Fragment>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Findings that several values may lead to, made once for each place.
    said: BTreeSet<(&'static str, Span)>,
}

pub(crate) fn read(file: &SourceFile, options: &Options<'_>) -> RuleDoc {
    let text = file.text.as_str();
    let mut diagnostics = Vec::new();
    let front = front::read(text, &mut diagnostics);
    let (outline, breaks) = fences::outline(text, front.end, options.aliases);
    let lines = Lines::new(text, front.end, &outline);
    let parts = lines::parts(options.aliases, &outline, &lines);
    let mut reader = Reader {
        text,
        path: &file.path,
        aliases: options.aliases,
        outline,
        lines,
        parts,
        entries: Vec::new(),
        index: BTreeMap::new(),
        rule: Rule::new("", ""),
        places: front.places,
        queries: Vec::new(),
        diagnostics,
        said: BTreeSet::new(),
    };
    for unclosed in breaks {
        reader.report(unclosed);
    }
    reader.invisible();
    let document = reader.document(front.said, &options.defaults);
    let mut diagnostics = reader.diagnostics;
    diagnostics.sort_by_key(|d| d.span().map_or((u32::MAX, 0), |s| (s.start, s.end)));
    RuleDoc {
        document,
        places: reader.places,
        queries: reader.queries,
        diagnostics,
    }
}

impl Reader<'_> {
    fn document(&mut self, front: FrontMatter, defaults: &FrontMatter) -> Document {
        if let Some(document) = self.replaced() {
            return document;
        }
        self.read_metadata();
        self.read_tables();
        self.read_queries();
        if self.queries.is_empty() {
            return self.not_a_rule();
        }
        self.read_title();
        self.read_id();
        self.read_attack();
        self.read_references();
        self.fill_tables();
        self.read_author();
        self.read_sections();
        self.read_kind();
        self.rule.settings.fill(front, &Origin::FrontMatter);
        self.read_settings();
        self.rule.settings.fill(defaults.clone(), &Origin::Config);
        for diagnostic in validate::violations(&self.rule, &self.places) {
            self.report(diagnostic);
        }
        Document::Rule(Box::new(self.rule.clone()))
    }

    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Reports a finding unless the same was reported about the same place.
    pub(crate) fn report_once(&mut self, diagnostic: Diagnostic) {
        let place = diagnostic.span().unwrap_or_default();
        if self.said.insert((diagnostic.code.id, place)) {
            self.report(diagnostic);
        }
    }

    pub(crate) fn warn(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.report(Diagnostic::new(code, message).at(span));
    }

    pub(crate) fn place(&mut self, pointer: impl Into<String>, span: Span) {
        self.places.insert(pointer.into(), span);
    }

    /// The heading's text of a part; empty before the first heading.
    pub(crate) fn heading(&self, part: usize) -> &str {
        self.parts[part]
            .heading
            .and_then(|h| self.outline.headings.get(h))
            .map_or("", |h| trim(&h.text))
    }

    pub(crate) fn heading_span(&self, part: usize) -> Option<Span> {
        let heading = self.outline.headings.get(self.parts[part].heading?)?;
        Some(if heading.inner.is_empty() {
            heading.span
        } else {
            heading.inner
        })
    }

    /// The part a line stands in.
    pub(crate) fn part_of(&self, line: usize) -> usize {
        self.parts
            .partition_point(|p| p.lines.start <= line)
            .saturating_sub(1)
    }

    /// The part and its ancestors, nearest first.
    pub(crate) fn ancestry(&self, part: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(part), |p| self.parts[*p].parent)
    }

    pub(crate) fn is_text(&self, line: usize) -> bool {
        self.lines.kinds[line] == Line::Text
    }

    pub(crate) fn line(&self, line: usize) -> &str {
        self.lines.spans[line].of(self.text)
    }

    /// Control characters, and those that make text read otherwise than it is.
    fn invisible(&mut self) {
        let bytes = self.text.as_bytes();
        let hidden = |at: usize, c: char| match c {
            '\t' | '\n' => false,
            // Alone it ends a line for some readers and not for others.
            '\r' => bytes.get(at + 1) != Some(&b'\n'),
            c => c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'),
        };
        let mut found = self.text.char_indices().filter(|(at, c)| hidden(*at, *c));
        let Some((at, c)) = found.next() else { return };
        let more = found.count();
        let mut diagnostic = Diagnostic::new(
            codes::INVISIBLE,
            format!("the document holds the control character U+{:04X}", u32::from(c)),
        )
        .at(Span::new(at, at + c.len_utf8()))
        .help("remove it, or write what it shows");
        if more > 0 {
            diagnostic = diagnostic.note(format!("and {more} more"));
        }
        self.report(diagnostic);
    }

    /// The id a document has by the name of its file.
    pub(crate) fn stem(&self) -> &str {
        ids::stem(self.path)
    }

    /// A document that names the rule in its place, and holds no query.
    fn replaced(&mut self) -> Option<Document> {
        if !self.outline.blocks.is_empty() {
            return None;
        }
        let index = self
            .lines
            .spans
            .iter()
            .take_while(|line| (line.start as usize) < STUB)
            .position(|line| line.len() < STUB && self.aliases.says_replaced(line.of(self.text)))?;
        let line = self.lines.spans[index];
        let link = self.outline.links.iter().find(|link| line.contains(link.span));
        let target = match link {
            Some(link) => ids::stem(&percent_decoded(&link.url)).to_owned(),
            // Without a link: the last word that looks like an id.
            None => line
                .of(self.text)
                .split_whitespace()
                .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
                .rfind(|word| word.contains(|c: char| c.is_ascii_digit()))
                .map(|word| ids::stem(word).to_owned())
                .unwrap_or_default(),
        };
        if !ids::is_safe_id(&target) {
            self.report(
                Diagnostic::new(
                    codes::REPLACED_BY_NOTHING,
                    "the document says it was replaced but not by which rule",
                )
                .at(line)
                .help("link to the document of the rule that stands in its place"),
            );
            return Some(Document::NotARule {
                reason: "the document says it was replaced but not by which rule".to_owned(),
            });
        }
        let id = ids::derived(self.path);
        self.place("/replaced_by", link.map_or(line, |link| link.span));
        Some(Document::Replaced(Replacement {
            id,
            replaced_by: target,
        }))
    }

    /// A document without a query: an error when all else is a rule's.
    fn not_a_rule(&mut self) -> Document {
        let wants_query = self.parts.iter().position(|p| p.opens_query);
        let looks_like_rule = wants_query.is_some()
            || self.entries.iter().any(|e| e.key == "id")
            || !self.rule.attack.is_empty()
            || !self.rule.versions.is_empty()
            || !self.rule.data_sources.is_empty();
        let reason = match (self.outline.headings.is_empty(), self.outline.blocks.is_empty()) {
            (true, true) => "the document has no heading and no code block",
            (false, true) => "the document has no code block",
            (true, false) => "the document has no heading, and no code block that holds a KQL query",
            (false, false) => "no code block of the document holds a KQL query",
        };
        // An empty or foreign query has been named already.
        let named = self
            .diagnostics
            .iter()
            .any(|d| d.code == codes::EMPTY_QUERY || d.code == codes::UNKNOWN_LANGUAGE);
        if looks_like_rule && !named {
            let mut diagnostic = Diagnostic::new(codes::MISSING_QUERY, "the rule has no query")
                .note(reason)
                .help("put the query into a code block fenced by ``` under the heading `Detection`");
            if let Some(span) = wants_query.and_then(|p| self.heading_span(p)) {
                diagnostic = diagnostic.label(span, "no query below this heading");
            } else if let Some(heading) = self.outline.headings.first() {
                diagnostic = diagnostic.at(heading.span);
            }
            self.report(diagnostic);
        }
        Document::NotARule {
            reason: reason.to_owned(),
        }
    }

    /// The first heading of the first level; else the first that is not a
    /// section's; else the name of the file.
    fn read_title(&mut self) {
        let headings = &self.outline.headings;
        if let Some(heading) = headings
            .iter()
            .find(|h| h.level == 1 && !trim(&h.text).is_empty())
        {
            self.rule.title = trim(&heading.text).to_owned();
            let span = heading.inner;
            self.place("/title", span);
            return;
        }
        let stranger = self
            .parts
            .iter()
            .find(|p| p.heading.is_some() && p.key.is_none())
            .and_then(|p| headings.get(p.heading?))
            .filter(|h| !trim(&h.text).is_empty());
        if let Some(heading) = stranger {
            self.rule.title = trim(&heading.text).to_owned();
            let (span, marks) = (heading.inner, "#".repeat(usize::from(heading.level)));
            self.place("/title", span);
            self.report(
                Diagnostic::new(
                    codes::TITLE_PLACE,
                    format!(
                        "no heading of the first level; `{marks} {}` is read as the title",
                        self.rule.title
                    ),
                )
                .at(span)
                .help("write the title as `# Title` in the first line"),
            );
            return;
        }
        self.rule.title = ids::derived(self.path);
        self.report(
            Diagnostic::new(codes::MISSING_TITLE, "the rule has no title")
                .at(Span::at(0))
                .help("write the title as `# Title` in the first line"),
        );
    }

    /// A hunt says so, or holds queries that are not one rule's for several products.
    fn read_kind(&mut self) {
        let said = (0..self.parts.len()).any(|p| self.aliases.is_hunt(self.heading(p)));
        let folder = self
            .path
            .rsplit('/')
            .skip(1)
            .any(|part| part.eq_ignore_ascii_case("hunts") || part.eq_ignore_ascii_case("hunting"));
        let mut environments: Vec<_> = self.rule.queries.iter().map(|q| q.environment).collect();
        let queries = environments.len();
        environments.sort_unstable();
        environments.dedup();
        if said || folder || environments.len() < queries {
            self.rule.kind = RuleKind::Hunt;
        }
    }

    /// Blocks that are part of a section's text.
    pub(crate) fn block(&self, index: usize) -> &CodeBlock {
        &self.outline.blocks[index]
    }
}

/// `%20` and its kin in the target of a link.
fn percent_decoded(url: &str) -> String {
    let bytes = url.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let decoded = (bytes[at] == b'%')
            .then(|| url.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(decoded.unwrap_or(bytes[at]));
        at += if decoded.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// An outline without gaps: used by [`fences`].
pub(crate) fn outline_of(text: &str, start: usize) -> Outline {
    outline::outline(text, start)
}
