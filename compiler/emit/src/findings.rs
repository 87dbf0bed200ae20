//! How a target says that it cannot take a rule, or takes it differently.
//!
//! In: a construct, a reason and a place. Out: an entry of the ledger, and the
//! finding beside it. Deliberately absent: deciding anything; that is each
//! target's business.

use rulec_facts::FactsError;
use rulec_facts::tables::Tables;
use rulec_model::{AlertText, Origin, Rule};
use rulec_source::{Code, Diagnostic, Setting, Severity, Span};

use crate::codes::TARGET_FACTS;
use crate::{Effect, Emitted, Input, Loss, Places, columns};

/// What is wrong, for [`Findings::refuse`] and [`Findings::differ`].
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    /// The construct as its author knows it.
    pub(crate) construct: String,
    /// One sentence that stands alone, with its full stop.
    pub(crate) why: String,
    /// In the query.
    pub(crate) span: Option<Span>,
    /// In the document around it; counts when `span` says nothing.
    pub(crate) place: Option<Span>,
    pub(crate) note: Option<&'static str>,
    pub(crate) help: Option<String>,
}

/// What of a document a finding is about, when that is not in the query.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spot<'a> {
    /// A value of the rule by JSON pointer: `/title`.
    Value(&'a str),
    /// A key within a setting: `frequency` in `/settings/schedule`.
    Key(&'a str, &'a str),
    /// The value of a pair within a setting.
    Pair(&'a str, &'a str, &'a str),
    /// A `{{Column}}` within a setting.
    Placeholder(&'a str, &'a str),
    /// The entity mapping at this index.
    Entity(usize),
}

impl Spot<'_> {
    /// None when the document's places are not known.
    fn span(self, input: &Input<'_>) -> Option<Span> {
        let places = &input.places;
        let setting = |pointer: &str| places.setting(pointer);
        match self {
            Self::Value(pointer) => places.nearest(pointer),
            Self::Key(pointer, key) => Some(setting(pointer)?.key(key)),
            Self::Pair(pointer, key, value) => Some(setting(pointer)?.value(key, value)),
            Self::Placeholder(pointer, column) => Some(setting(pointer)?.placeholder(column)),
            Self::Entity(index) => {
                let setting = setting("/settings/entities")?;
                // Each takes its place in the text: two may be of one type.
                let all = input.resolved.entities.value.iter().take(index + 1);
                let found = all.map(|entity| setting.value("type", &entity.kind)).last();
                found.or_else(|| places.nearest("/settings/entities"))
            }
        }
    }
}

impl<'a> Places<'a> {
    /// The place of a value, or of what is around it; the title else.
    pub(crate) fn nearest(&self, pointer: &str) -> Option<Span> {
        let mut at = pointer;
        loop {
            if let Some(span) = self.spans.get(at) {
                return Some(*span);
            }
            match at.rfind('/') {
                Some(end) if end > 0 => at = &at[..end],
                _ => return self.spans.get("/title").copied(),
            }
        }
    }

    fn setting(&self, pointer: &str) -> Option<Setting<'a>> {
        let otherwise = self.nearest(pointer)?;
        Some(Setting::new(
            self.text,
            self.spans.get(pointer).copied(),
            otherwise,
        ))
    }
}

impl Problem {
    pub(crate) fn new(code: Code, construct: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            code,
            construct: construct.into(),
            why: why.into(),
            span: None,
            place: None,
            note: None,
            help: None,
        }
    }

    pub(crate) fn at(mut self, span: Option<Span>) -> Self {
        self.span = span;
        self
    }

    /// Places it in the document. `origin` is where the value came from that
    /// the finding is about.
    pub(crate) fn on(mut self, input: &Input<'_>, spot: Spot<'_>, origin: &Origin) -> Self {
        self.place = spot.span(input);
        // What somebody wrote is the cause; what was worked out has none there.
        if self.place.is_some() && !is_assumed(origin) {
            self.span = None;
        }
        self.note = (*origin == Origin::Config).then_some(CONFIG);
        self
    }

    /// Places it where the rule says something of its own: not settings.
    pub(crate) fn on_document(self, input: &Input<'_>, pointer: &str) -> Self {
        self.on(input, Spot::Value(pointer), &Origin::Document)
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Where a value came from that the document does not say.
const CONFIG: &str = "the value comes from [defaults] in rulec.toml";

/// Collects what a target has to say about one rule.
pub(crate) struct Findings {
    pub(crate) emitted: Emitted,
    /// Whether somebody said that the rule is for this target. When nobody
    /// did, a rule that does not fit is no mistake, and errors are warnings.
    chosen: bool,
}

impl Findings {
    pub(crate) fn new(input: &Input<'_>) -> Self {
        Self {
            emitted: Emitted::default(),
            chosen: !is_assumed(&input.resolved.targets.origin),
        }
    }

    /// The rule cannot go to the target.
    pub(crate) fn refuse(&mut self, problem: Problem) {
        self.say(problem, Effect::Rejected);
    }

    /// The rule goes to the target, but somebody should look.
    pub(crate) fn differ(&mut self, problem: Problem, effect: Effect) {
        self.say(problem, effect);
    }

    /// The rule goes to the target; the ledger alone says what is lost.
    pub(crate) fn lose(&mut self, construct: impl Into<String>, effect: Effect, why: impl Into<String>) {
        self.emitted.losses.push(Loss::new(construct, effect, why));
    }

    /// The rule goes to the target as it is meant; somebody should look all the same.
    pub(crate) fn note(&mut self, problem: Problem) {
        self.say(problem, Effect::Exact);
    }

    /// A finding without a loss.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.emitted.diagnostics.push(diagnostic);
    }

    fn say(&mut self, problem: Problem, effect: Effect) {
        let message = problem.why.trim_end_matches('.');
        let mut diagnostic = Diagnostic::new(problem.code, message);
        if diagnostic.is_error() && (effect != Effect::Rejected || !self.chosen) {
            diagnostic.severity = Severity::Warning;
        }
        if let Some(span) = problem.span.or(problem.place) {
            diagnostic = diagnostic.at(span);
        }
        diagnostic.help = problem.help;
        diagnostic.notes.extend(problem.note.map(str::to_owned));
        let around = problem.span.is_none() && problem.place.is_some();
        if around {
            self.emitted.around.push(diagnostic);
        } else {
            self.emitted.diagnostics.push(diagnostic);
        }
        if effect == Effect::Exact {
            return;
        }
        let mut loss = Loss::new(problem.construct, effect, problem.why);
        loss.span = problem.span.or(problem.place);
        loss.around = around;
        self.emitted.losses.push(loss);
    }
}

/// Whether a value was worked out or defaulted, so that no author is to blame.
pub(crate) fn is_assumed(origin: &Origin) -> bool {
    matches!(origin, Origin::Derived(_) | Origin::Default(_))
}

/// A data file that cannot be understood, as a finding.
pub(crate) fn facts_error(error: &FactsError) -> Box<Diagnostic> {
    Box::new(Diagnostic::new(TARGET_FACTS, error.to_string()))
}

/// The sections that say what the rule detects, the better first.
const DESCRIPTIONS: [&str; 2] = ["detection_description", "attack_description"];

/// What the rule detects, for people who see the alert: the section that
/// describes the detection, else the attack, else the title.
pub(crate) fn description(rule: &Rule) -> &str {
    DESCRIPTIONS
        .iter()
        .find_map(|key| rule.section(key))
        .unwrap_or(&rule.title)
        .trim()
}

/// Where [`description`] stands, as a JSON pointer.
pub(crate) fn described(rule: &Rule) -> String {
    let section = |key: &str| rule.sections.iter().position(|s| s.key.as_deref() == Some(key));
    match DESCRIPTIONS.iter().find_map(|key| section(key)) {
        Some(index) => format!("/sections/{index}"),
        None => "/title".to_owned(),
    }
}

/// What of the first line of a text is beyond its first `max` characters, as
/// services count them: where it becomes too long.
pub(crate) fn beyond(text: &str, max: usize) -> Option<Span> {
    let mut count = 0;
    let (start, _) = text.char_indices().find(|(_, c)| {
        count += c.len_utf16();
        count > max
    })?;
    let end = text[start..].find('\n').map_or(text.len(), |end| start + end);
    // A break of lines is nothing to look at.
    Some(Span::new(start, end.max(start)))
}

/// The title, told apart from that of the rule's other queries.
pub(crate) fn title(input: &Input<'_>, slug: Option<&str>) -> String {
    let title = &input.rule.title;
    let name = input.rule_query().and_then(|query| query.name.as_deref());
    match slug {
        Some(slug) => format!("{title} ({})", name.unwrap_or(slug)),
        None => title.clone(),
    }
}

/// The operator that decides what the query returns.
pub(crate) fn result_span(input: &Input<'_>) -> Option<Span> {
    input.ir.root.as_ref().map(|root| root.span)
}

/// The finding about a column the query does not return.
pub(crate) fn missing_column(code: Code, input: &Input<'_>, what: &str, column: &str) -> Problem {
    let query = input.ir;
    let problem = Problem::new(
        code,
        format!("{what}: {column}"),
        format!("The {what} names the column `{column}`, which the query does not return."),
    )
    .at(result_span(input));
    match columns::close(query, column) {
        Some(close) => problem.help(format!("did you mean `{close}`?")),
        None => problem.help(format!("the query returns {}", columns::names(query).join(", "))),
    }
}

/// Refuses columns that the query reads from a table of the target's and that
/// the table does not have there; `tables` are the target's, `where_` its name.
/// Tables that nothing is known about, and open ones, have every column.
pub(crate) fn foreign_columns(
    code: Code,
    tables: &Tables,
    where_: &str,
    input: &Input<'_>,
    findings: &mut Findings,
) {
    for used in columns::used(input.ir, input.text()) {
        let (table, column) = (used.table, used.column);
        let Some(schema) = tables.get(table) else { continue };
        if schema.open || schema.column(column).is_some() {
            continue;
        }
        let why = format!("The table {table} has no column `{column}` in {where_}.");
        let mut problem = Problem::new(code, format!("column {table}.{column}"), why).at(Some(used.span));
        let known = schema.columns.iter().map(|(name, _)| name.as_str());
        problem = problem.help(match rulec_facts::close_matches(column, known, 1).first() {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("give the rule a second query for {where_}, or leave {where_} out of `targets`"),
        });
        findings.refuse(problem);
    }
}

/// The columns of the `{{Column}}` placeholders, in order.
pub(crate) fn placeholders(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let Some(end) = rest[start..].find("}}") else {
            break;
        };
        found.push(rest[start + 2..start + end].trim());
        rest = &rest[start + end + 2..];
    }
    found
}

/// The alert's texts, if any.
pub(crate) fn alert<'a>(input: &Input<'a>) -> Option<&'a AlertText> {
    input.resolved.alert.as_ref().map(|alert| &alert.value)
}

/// Length as services of this kind count it: in UTF-16 code units.
pub(crate) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_columns() {
        assert_eq!(placeholders("{{A}} and {{ B }} {{C"), ["A", "B"]);
        assert_eq!(length("a\u{1f600}"), 3);
    }
}
