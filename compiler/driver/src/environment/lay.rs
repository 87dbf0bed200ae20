//! One query as it is in an environment: its constants, its de-duplication and
//! its exclusions, in this order.

use rulec_environment::{self as environment, Edit, Excluded, Exclusion, codes};
use rulec_facts::yaml::places::{
    self,
    Step::{Item, Key},
};
use rulec_ir::{
    BindingKind, Query,
    walk::{self, Node},
};
use rulec_model::Rule;
use rulec_source::{Diagnostic, Fragment, SourceFile, Span};
use serde_json::{Value, json};

use super::{Overlay, about, template_path};
use crate::{
    config,
    pipeline::{Bound, Pipeline},
};

/// A query in an environment.
pub(crate) struct Laid {
    /// The query; not sound when something does not fit.
    pub(crate) bound: Bound,
    /// Findings, placed in the document or beside it.
    pub(crate) found: Vec<Diagnostic>,
    /// The query without its exclusions, if it has some.
    pub(crate) base: Option<Bound>,
}

/// Columns by which rows tell when something happened.
const TIMES: [&str; 2] = ["TimeGenerated", "Timestamp"];

impl Pipeline {
    /// A query of a rule in the environment. `file` is told where the parts of
    /// other files went.
    pub(crate) fn laid(
        &self,
        overlay: &Overlay,
        rule: &Rule,
        index: usize,
        bound: Bound,
        found: Vec<Diagnostic>,
        file: &mut SourceFile,
    ) -> Laid {
        let mut layer = Layer {
            pipeline: self,
            overlay,
            rule,
            index,
            about: about(rule, index),
            bound,
            found,
            placed: Vec::new(),
            file,
        };
        let done = layer.values() && layer.deduplication();
        let base = if done { layer.exclusions() } else { None };
        layer.done(base)
    }

    /// A query with some of the exclusions that are for it, as text.
    pub(super) fn excluding(
        &self,
        overlay: &Overlay,
        rule: &Rule,
        index: usize,
        base: &Bound,
        chosen: &[(usize, &Exclusion)],
        start: u32,
    ) -> Result<Excluding, Vec<Diagnostic>> {
        let slots = environment::slots(&base.fragment.text, &base.parsed.tokens, &self.aliases);
        let name = overlay.name.as_deref().unwrap_or_default();
        let edits = environment::exclusions(
            (name, &overlay.file.text, start),
            chosen,
            &about(rule, index),
            &base.fragment,
            &slots,
        )?;
        let (texts, excluded): (Vec<Edit>, Vec<Vec<Excluded>>) = edits.into_iter().unzip();
        let (fragment, places) = environment::splice(&base.fragment, &texts);
        let moved = |span: Span, at: &Span| Span {
            start: span.start + at.start,
            end: span.end + at.start,
        };
        let excluded = excluded.into_iter().zip(&places).flat_map(|(all, at)| {
            all.into_iter().map(move |one| Excluded {
                operator: moved(one.operator, at),
                condition: moved(one.condition, at),
                ..one
            })
        });
        Ok(Excluding {
            fragment,
            excluded: excluded.collect(),
            edits: texts,
        })
    }
}

/// A query with exclusions, not bound yet.
pub(super) struct Excluding {
    pub(super) fragment: Fragment,
    pub(super) excluded: Vec<Excluded>,
    pub(super) edits: Vec<Edit>,
}

/// A query on its way.
struct Layer<'l> {
    pipeline: &'l Pipeline,
    overlay: &'l Overlay,
    rule: &'l Rule,
    index: usize,
    about: String,
    bound: Bound,
    /// Findings about the query as it is by now, placed in its text.
    found: Vec<Diagnostic>,
    /// Findings placed in the document or beside it.
    placed: Vec<Diagnostic>,
    file: &'l mut SourceFile,
}

impl Layer<'_> {
    /// Binds another text of the query. Whether it is sound.
    fn bind(&mut self, fragment: &Fragment) -> bool {
        let environment = self.bound.environment;
        let (bound, found) = self.pipeline.bind(self.rule, self.index, fragment, environment);
        self.found = found;
        match bound {
            Some(bound) => {
                self.bound = bound;
                self.bound.sound
            }
            None => false,
        }
    }

    /// Where a file's text has its first byte, among the files beside the document.
    fn start(&self, path: &str) -> u32 {
        self.file.offset_of(path).unwrap_or_default()
    }

    /// A place of the environment file.
    fn there(&self, at: Option<Span>) -> Span {
        let at = at.unwrap_or_default();
        let start = self.start(&self.overlay.file.path);
        Span {
            start: at.start + start,
            end: at.end + start,
        }
    }

    /// Tells the document where parts of other files went: to the place of `at`,
    /// in the query as it is by now.
    fn put(&mut self, edits: &[Edit]) {
        for edit in edits {
            let at = self.bound.fragment.map(edit.at).start;
            // Where a slot is the last thing of a query, its opening comment is before it.
            for part in &edit.parts {
                let end = part.outer.saturating_add(part.len.max(1));
                let bytes = Span {
                    start: part.outer,
                    end,
                };
                if self.file.is_beside(bytes) {
                    self.file.put(bytes, at);
                }
            }
        }
    }

    /// Constants. Whether all fit.
    fn values(&mut self) -> bool {
        let said = &self.overlay.said;
        let own = said.rules.get_key_value(&self.rule.id);
        let mut values: Vec<(&str, &Value, Option<u32>)> = Vec::new();
        let mut keys: Vec<(&str, Span)> = Vec::new();
        let own_values = own.map(|(id, change)| (id, &change.parameters));
        for (name, value) in &said.parameters {
            let is_own = own_values.is_some_and(|(_, values)| values.contains_key(name));
            if !is_own && has_constant(&self.bound.ir, name) {
                let path = [Key("parameters"), Key(name)];
                let at = self.there(places::value(&self.overlay.file.text, &path));
                values.push((name, value, Some(at.start)));
                keys.push((name, at));
            }
        }
        if let Some((id, own)) = own_values {
            for (name, value) in own {
                let path = [Key("rules"), Key(id), Key("parameters"), Key(name)];
                let elsewhere = |query: &rulec_model::RuleQuery| query.text.contains(&format!("let {name}"));
                // A rule of several queries has it in some.
                if !has_binding(&self.bound.ir, name) && self.rule.queries.iter().any(elsewhere) {
                    continue;
                }
                let at = self.there(places::value(&self.overlay.file.text, &path));
                values.push((name, value, Some(at.start)));
                keys.push((name, at));
            }
        }
        if values.is_empty() {
            return true;
        }
        match environment::values(&self.bound.fragment, &self.bound.parsed, &self.bound.ir, &values) {
            Ok(fragment) => {
                for (name, at) in keys {
                    if let Some(place) = constant_place(&self.bound, name) {
                        self.file.put(at, place);
                    }
                }
                self.bind(&fragment)
            }
            Err(unfit) => {
                let at = keys
                    .iter()
                    .find(|(name, _)| *name == unfit.name)
                    .map(|(_, at)| *at);
                let diagnostic =
                    Diagnostic::new(codes::BAD_VALUE, format!("{}: {}", self.about, unfit.message))
                        .at(at.unwrap_or_default());
                self.placed.push(if unfit.unknown {
                    diagnostic.help("a value is for a constant that the query declares with `let`")
                } else {
                    diagnostic
                });
                false
            }
        }
    }

    /// The block between de-duplication markers. Whether it fits.
    fn deduplication(&mut self) -> bool {
        let Some((block, own, path)) = self.overlay.deduplication(&self.rule.id) else {
            return true;
        };
        let at = match &path {
            Some(path) => self.there(places::value(&self.overlay.file.text, path)),
            None => {
                let config = self.pipeline.repository.config_file.as_ref();
                let at = config.map(|file| config::key(&file.text, "deduplication", &block.template));
                let start = config.map_or(0, |file| self.start(&file.path));
                let at = at.unwrap_or_default();
                Span {
                    start: at.start + start,
                    end: at.end + start,
                }
            }
        };
        let refuse = |layer: &mut Self, message: String, help: &str, at: Span| {
            let diagnostic = Diagnostic::new(codes::BAD_DEDUPLICATION, message).at(at);
            layer.placed.push(if help.is_empty() {
                diagnostic
            } else {
                diagnostic.help(help)
            });
            false
        };
        let about = self.about.clone();
        let found = environment::slots(
            &self.bound.fragment.text,
            &self.bound.parsed.tokens,
            &self.pipeline.aliases,
        );
        let slots = found.named(environment::DEDUPLICATION);
        if slots.is_empty() {
            if !own {
                return true;
            }
            self.placed.push(
                Diagnostic::new(codes::NO_SLOT, format!("{about} has no slot for de-duplication"))
                    .at(at)
                    .help("put two comments into its query, each on a line of its own, where the block belongs: `// Begin de-duplication logic.` and `// End de-duplication logic.`"),
            );
            return false;
        }
        let template = template_path(&block.template);
        let source = self.pipeline.repository.pack.text(&template).unwrap_or_default();
        let fields = block
            .fields
            .clone()
            .or_else(|| rulec_explain::dedup_fields(&self.bound.ir));
        let start = self.start(&template);
        let mut edits = Vec::new();
        for slot in slots {
            let columns = columns(&self.bound.ir, slot.begin);
            let time = TIMES
                .iter()
                .find(|time| columns.iter().any(|column| column == *time));
            let mut context = json!({
                "rule": { "id": self.rule.id, "title": self.rule.title, "version": self.rule.version() },
                "columns": columns,
                "values": block.values,
            });
            if let Some(time) = time {
                context["time"] = json!(time);
            } else if uses(source, "time") {
                let message = format!(
                    "{about} has no column that says when something happened where the block belongs"
                );
                return refuse(
                    self,
                    message,
                    "the block `{{ time }}` needs `TimeGenerated` or `Timestamp` there",
                    at,
                );
            }
            match &fields {
                Some(fields) => {
                    if let Some(unknown) = fields.iter().find(|field| !columns.contains(field)) {
                        let close =
                            rulec_facts::close_matches(unknown, columns.iter().map(String::as_str), 1);
                        let help = match close.first() {
                            Some(close) => format!("did you mean `{close}`?"),
                            None => format!("the columns there are {}", columns.join(", ")),
                        };
                        let message = format!(
                            "{about} has no column `{unknown}` to tell alerts apart by where the block belongs"
                        );
                        return refuse(self, message, &help, at);
                    }
                    context["fields"] = json!(fields);
                }
                None if uses(source, "fields") => {
                    let message = format!("{about} does not say by which columns its alerts are told apart");
                    let help = "say `fields: [DeviceId, AccountName]` beside the name of the block, or `let DedupFields = dynamic([…]);` in the query";
                    return refuse(self, message, help, at);
                }
                None => {}
            }
            let rendered = match self.pipeline.emit_context() {
                Ok(emit) => {
                    let name = template.strip_prefix("templates/").unwrap_or(&template);
                    emit.templates.render(name, &context)
                }
                Err(error) => return refuse(self, error.to_string(), "", at),
            };
            let rendered = match rendered {
                Ok(text) => text,
                Err(error) => {
                    let line = error.line.map_or(0, |line| line.saturating_sub(1));
                    let before: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
                    let length = source[before..].lines().next().map_or(0, str::len);
                    let place = Span {
                        start: start + Span::at(before).start,
                        end: start + Span::at(before + length).start,
                    };
                    return refuse(self, format!("{about}: {}", error.message), "", place);
                }
            };
            match environment::block(&rendered, source, start, slot) {
                Ok(edit) => edits.push(edit),
                Err((message, place)) => {
                    let help = "a block is operators that go on with the pipeline, each behind a `|`";
                    return refuse(self, format!("{about}: {message}"), help, place);
                }
            }
        }
        self.put(&edits);
        let (fragment, _) = environment::splice(&self.bound.fragment, &edits);
        self.bind(&fragment)
    }

    /// Exclusions. The query without them, if there are some and all fit.
    fn exclusions(&mut self) -> Option<Bound> {
        let overlay = self.overlay;
        let start = self.start(&overlay.file.path);
        // A query that is not there would leave the exclusion out without a word.
        let all = overlay.said.exclusions.iter().enumerate();
        for (number, exclusion) in all.filter(|(_, one)| self.index == 0 && one.is_for(&self.rule.id)) {
            let there = self.rule.queries.len();
            if let Some(query) = exclusion.query.filter(|query| *query > there) {
                let path = [Key("exclusions"), Item(number), Key("query")];
                let at = self.there(places::value(&overlay.file.text, &path));
                let message = format!("{} has no query {query}: it has {there}", self.rule.id);
                self.placed.push(
                    Diagnostic::new(codes::NO_SLOT, message)
                        .at(at)
                        .help("leave `query` out for an exclusion from each query"),
                );
            }
        }
        let chosen = overlay.exclusions(&self.rule.id, self.index);
        if chosen.is_empty() {
            return None;
        }
        for (index, diagnostic) in overlay.expired() {
            if chosen.iter().any(|(chosen, _)| *chosen == index) {
                let at = self.there(diagnostic.span());
                let mut diagnostic = diagnostic;
                diagnostic.labels.clear();
                self.placed.push(diagnostic.at(at));
            }
        }
        let excluding =
            match self
                .pipeline
                .excluding(overlay, self.rule, self.index, &self.bound, &chosen, start)
            {
                Ok(excluding) => excluding,
                Err(found) => {
                    self.placed.extend(found);
                    return None;
                }
            };
        self.put(&excluding.edits);
        let environment = self.bound.environment;
        let (bound, found) = self
            .pipeline
            .bind(self.rule, self.index, &excluding.fragment, environment);
        let bound = bound?;
        self.found = environment::inspect(&excluding.excluded, &self.about, &bound.parsed, &bound.ir, found);
        let sound = bound.sound;
        let base = std::mem::replace(&mut self.bound, bound);
        sound.then_some(base)
    }

    fn done(self, base: Option<Bound>) -> Laid {
        let Self {
            mut bound,
            found,
            placed,
            file,
            about,
            ..
        } = self;
        let broken = |d: &Diagnostic| d.is_error();
        let mut all: Vec<Diagnostic> = found
            .into_iter()
            .map(|d| bound.fragment.map_diagnostic(d))
            .collect();
        for diagnostic in &mut all {
            // Who reads a finding in another file wants to know where that went.
            if let Some(span) = diagnostic.span().filter(|span| file.is_beside(*span)) {
                let line = file.position(span.start as usize).line;
                let note = format!("it is put into {about}, {}:{line}", file.path);
                diagnostic.notes.push(note);
            }
            for label in &mut diagnostic.labels {
                label.span = file.own(label.span);
            }
        }
        all.extend(placed);
        bound.sound &= !all.iter().any(broken);
        Laid {
            base: base.filter(|_| bound.sound),
            bound,
            found: all,
        }
    }
}

/// Whether a template asks for a variable of this name.
fn uses(template: &str, name: &str) -> bool {
    // What stands before the first brace is in no tag.
    template.split('{').skip(1).any(|tag| {
        let tag = tag.split('}').next().unwrap_or_default();
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        tag.split(|c| !word(c)).any(|found| found == name)
    })
}

/// Where the value of a constant stands in the document.
fn constant_place(bound: &Bound, name: &str) -> Option<u32> {
    let binding = bound.ir.bindings.iter().find(|binding| binding.name == name)?;
    Some(bound.fragment.map(binding.name_span).start)
}

fn has_binding(ir: &Query, name: &str) -> bool {
    ir.bindings.iter().any(|binding| binding.name == name)
}

/// Whether a query declares a constant that may have another value.
fn has_constant(ir: &Query, name: &str) -> bool {
    let scalar = |kind: &BindingKind| matches!(kind, BindingKind::Scalar(expr) if !matches!(expr.kind, rulec_ir::ExprKind::ToScalar(_)));
    ir.bindings
        .iter()
        .any(|binding| binding.name == name && scalar(&binding.kind))
}

/// The columns at a place of the query: those of the operator that ends last
/// before it.
fn columns(ir: &Query, place: Span) -> Vec<String> {
    let mut last: Option<(u32, Vec<String>)> = None;
    walk::query(ir, &mut |node| {
        if let Node::Rel(rel) = node
            && !rel.span.is_empty()
            && rel.span.end <= place.start
            && last.as_ref().is_none_or(|(end, _)| *end < rel.span.end)
        {
            let names = rel.columns.iter().map(|column| column.name.to_string());
            last = Some((rel.span.end, names.collect()));
        }
    });
    last.map(|(_, columns)| columns).unwrap_or_default()
}
