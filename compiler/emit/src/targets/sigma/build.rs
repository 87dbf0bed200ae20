//! What a Sigma rule says besides its detection: title, id, tags, level, texts.
//!
//! In: a rule with its settings. Out: the members of the YAML document in the
//! order of the specification. Deliberately absent: log source and detection.

use rulec_model::{Severity, Status};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Prepared;
use crate::Input;
use crate::attack::tags;
use crate::codes::{SIGMA_ATTACK, SIGMA_DATE, SIGMA_DESCRIPTION, SIGMA_ID, SIGMA_TITLE};
use crate::findings::{Findings, Problem, Spot, described, description, title};
use crate::{Effect, identifier};

/// What all documents of a rule share.
pub(super) struct Meta {
    /// The rule's id with the query's slug.
    pub(super) name: String,
    pub(super) title: String,
    status: &'static str,
    description: String,
    references: Vec<String>,
    author: Option<String>,
    date: Option<String>,
    modified: Option<String>,
    tags: Vec<String>,
    falsepositives: Vec<String>,
    level: &'static str,
    /// The id under which the rule is known already, when it gives one document.
    known_as: Option<Uuid>,
}

/// Reads what the rule says of itself.
pub(super) fn meta(
    prepared: &Prepared,
    input: &Input<'_>,
    slug: Option<&str>,
    findings: &mut Findings,
) -> Meta {
    let rule = input.rule;
    let choices = &prepared.config.own.choices;
    let limits = &prepared.facts;
    let mut dates: Vec<&str> = rule
        .versions
        .iter()
        .filter_map(|version| version.date.as_deref().map(str::trim))
        .filter(|date| is_date(date))
        .collect();
    dates.sort_unstable();
    let date = dates.first().map(|date| (*date).to_owned());
    let modified = dates
        .last()
        .map(|date| (*date).to_owned())
        .filter(|last| Some(last) != date.as_ref());
    for (index, version) in rule.versions.iter().enumerate() {
        let Some(said) = version.date.as_deref().map(str::trim) else {
            continue;
        };
        if !said.is_empty() && !is_date(said) {
            let why = format!(
                "The date `{said}` is no day as Sigma writes it, {}.",
                limits.date_format
            );
            let problem = Problem::new(SIGMA_DATE, format!("date {said}"), why);
            let problem = problem.on_document(input, &format!("/versions/{index}/date"));
            findings.differ(
                problem.help(format!("write days as {}", limits.date_format)),
                Effect::Dropped,
            );
        }
    }
    let mut references: Vec<String> = Vec::new();
    for reference in &rule.references {
        let reference = one_line(reference);
        // What ATT&CK says is said by the tags.
        let refused = choices
            .references_refused
            .iter()
            .any(|part| reference.contains(part.as_str()));
        if !reference.is_empty() && !refused && !references.contains(&reference) {
            references.push(reference);
        }
    }
    let title = title_case(
        &fit_title(&title(input, slug), &limits.sigmahq.title_refused),
        &choices.small_words,
    );
    let about = begin(
        description(rule),
        &choices.description_verbs,
        &limits.sigmahq.description_start,
    );
    for (code, what, text, max, pointer) in [
        (
            SIGMA_TITLE,
            "title",
            &title,
            title_max(prepared),
            "/title".to_owned(),
        ),
        (
            SIGMA_DESCRIPTION,
            "description",
            &about,
            limits.description_max,
            described(rule),
        ),
    ] {
        let count = text.chars().count();
        if count > max {
            let why = format!("The {what} has {count} characters; Sigma takes {max}, so its {what} is cut.");
            let problem = Problem::new(code, what, why).on_document(input, &pointer);
            findings.differ(problem.help("shorten it"), Effect::Dropped);
        }
    }
    known_id(input, findings);
    Meta {
        name: match slug {
            Some(slug) => format!("{}#{slug}", rule.id),
            None => rule.id.clone(),
        },
        title,
        status: match input.resolved.status.value {
            Status::Experimental => "experimental",
            Status::Test => "test",
            Status::Stable => "stable",
            Status::Deprecated => "deprecated",
        },
        description: cut(&about, limits.description_max),
        references,
        author: rule
            .author
            .as_deref()
            .map(one_line)
            .filter(|author| !author.is_empty()),
        date,
        modified,
        tags: attack_tags(prepared, input, findings),
        falsepositives: false_positives(rule.section("false_positives").unwrap_or_default(), choices),
        level: match input.resolved.severity.value {
            Severity::Informational => "informational",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
        },
        known_as: rule
            .settings
            .id_at(super::NAME)
            .filter(|_| slug.is_none())
            .and_then(|id| Uuid::parse_str(id).ok()),
    }
}

/// Characters of a title: what both the specification and `SigmaHQ` take.
fn title_max(prepared: &Prepared) -> usize {
    prepared.facts.sigmahq.title_max.min(prepared.facts.title_max)
}

/// The id that the document gives the rule in Sigma: a UUID.
fn known_id(input: &Input<'_>, findings: &mut Findings) {
    let Some(ids) = &input.rule.settings.ids else {
        return;
    };
    let Some(said) = ids.value.get(super::NAME) else {
        return;
    };
    if Uuid::parse_str(said).is_err() {
        let why = format!("The rule is said to be `{said}` in Sigma, where a rule's id is a UUID.");
        let problem = Problem::new(SIGMA_ID, format!("id {said}"), why).on(
            input,
            Spot::Key("/settings/ids", super::NAME),
            &ids.origin,
        );
        findings.refuse(
            problem.help("write the UUID that the rule has in Sigma, or take the key out for a derived one"),
        );
    }
}

impl Meta {
    /// The document's id: of the rule's id and what tells its documents apart.
    pub(super) fn id(&self, prepared: &Prepared, suffix: &str) -> String {
        if let (Some(id), "") = (self.known_as, suffix) {
            return id.to_string();
        }
        let name = if suffix.is_empty() {
            self.name.clone()
        } else {
            format!("{}/{suffix}", self.name)
        };
        Uuid::new_v5(&prepared.config.own.choices.namespace, name.as_bytes()).to_string()
    }

    /// The title of one of several documents, within the limit.
    pub(super) fn title_of(&self, prepared: &Prepared, label: &str) -> String {
        let max = title_max(prepared);
        if label.is_empty() {
            return cut(&self.title, max);
        }
        let tail = format!(" - {label}");
        format!(
            "{}{tail}",
            cut(&self.title, max.saturating_sub(tail.chars().count())).trim_end()
        )
    }

    /// What a rule or correlation says: `middle` is its log source and
    /// detection, or the correlation.
    pub(super) fn document(
        &self,
        title: &str,
        id: &str,
        related: &[String],
        middle: Map<String, Value>,
    ) -> Value {
        let mut all = Map::new();
        all.insert("title".to_owned(), json!(title));
        all.insert("id".to_owned(), json!(id));
        if !related.is_empty() {
            let related: Vec<Value> = related
                .iter()
                .map(|id| json!({ "id": id, "type": "similar" }))
                .collect();
            all.insert("related".to_owned(), json!(related));
        }
        all.insert("status".to_owned(), json!(self.status));
        all.insert("description".to_owned(), json!(self.description));
        let mut add = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                all.insert(key.to_owned(), value);
            }
        };
        add(
            "references",
            (!self.references.is_empty()).then(|| json!(self.references)),
        );
        add("author", self.author.as_ref().map(|author| json!(author)));
        add("date", self.date.as_ref().map(|date| json!(date)));
        add("modified", self.modified.as_ref().map(|date| json!(date)));
        add("tags", (!self.tags.is_empty()).then(|| json!(self.tags)));
        all.extend(middle);
        all.insert("falsepositives".to_owned(), json!(self.falsepositives));
        all.insert("level".to_owned(), json!(self.level));
        Value::Object(all)
    }
}

/// The name of a file: `proc_creation_win_title_in_words`, without extension.
pub(super) fn file_name(prepared: &Prepared, prefix: &str, meta: &Meta, input: &Input<'_>) -> String {
    let max = prepared.config.own.choices.file_max.saturating_sub(4).max(40);
    let words = words(&meta.title);
    let words = if words.is_empty() {
        words_of_id(input)
    } else {
        words
    };
    let name = format!("{}_{words}", prefix.trim_end_matches('_'));
    if name.len() <= max {
        // Shorter names are refused.
        return if name.len() < 6 {
            format!("{name}_{}", words_of_id(input))
        } else {
            name
        };
    }
    // Two long titles may begin alike.
    let digest = Uuid::new_v5(&prepared.config.own.choices.namespace, meta.name.as_bytes())
        .simple()
        .to_string();
    let name: String = name.chars().take(max - 9).collect();
    format!("{}_{}", name.trim_end_matches('_'), &digest[..8])
}

fn words_of_id(input: &Input<'_>) -> String {
    let words = words(&input.rule.id);
    if words.is_empty() {
        "rule".to_owned()
    } else {
        words
    }
}

/// Lower-case letters and digits with `_` between words.
pub(super) fn words(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => out.push(c.to_ascii_lowercase()),
            // `system's` is one word.
            '\'' | '\u{2019}' => {}
            _ if !out.is_empty() && !out.ends_with('_') => out.push('_'),
            _ => {}
        }
    }
    out.trim_end_matches('_').to_owned()
}

/// The name by which a correlation knows a rule.
pub(super) fn rule_name(prepared: &Prepared, meta: &Meta, suffix: &str) -> String {
    let name = identifier(&format!("{} {suffix}", meta.name));
    cut(name.trim_start_matches("r_"), prepared.facts.name_max)
}

fn attack_tags(prepared: &Prepared, input: &Input<'_>, findings: &mut Findings) -> Vec<String> {
    let attack = &prepared.attack;
    let found = tags(attack, input.rule);
    found.tell_unknown(SIGMA_ATTACK, "Sigma", attack, input, findings);
    let mut all: Vec<String> = Vec::new();
    let mut add = |tag: String| {
        if !all.contains(&tag) {
            all.push(tag);
        }
    };
    for placed in &found.placed {
        for tactic in &placed.tactics {
            add(format!("attack.{}", attack.spelling(tactic)));
        }
        if let Some(technique) = placed.technique {
            add(format!("attack.{}", technique.to_ascii_lowercase()));
        }
    }
    all
}

/// `2026-11-21`, a day that there is.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return false;
    };
    let digits = |part: &str, count: usize| part.len() == count && part.bytes().all(|b| b.is_ascii_digit());
    if !(digits(year, 4) && digits(month, 2) && digits(day, 2)) {
        return false;
    }
    let number = |part: &str| part.parse::<u32>().unwrap_or(0);
    let (year, month, day) = (number(year), number(month), number(day));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    year > 0 && (1..=days).contains(&day)
}

/// Text on one line, blanks in order.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(max.saturating_sub(1)).collect();
    // At a word, if that does not cost half of it.
    let end = kept
        .rfind(' ')
        .filter(|end| *end > kept.len() / 2)
        .unwrap_or(kept.len());
    kept[..end].trim_end().to_owned()
}

fn fit_title(title: &str, refused: &[String]) -> String {
    let title = one_line(title);
    for start in refused {
        let rest = title
            .strip_prefix(start.as_str())
            .filter(|rest| rest.starts_with(' '));
        if let Some(rest) = rest.map(str::trim).filter(|rest| !rest.is_empty()) {
            return rest.to_owned();
        }
    }
    if title.is_empty() {
        "Untitled".to_owned()
    } else {
        title
    }
}

/// Each word with a capital, but small ones and names of files and functions.
fn title_case(title: &str, small: &[String]) -> String {
    title
        .split(' ')
        .enumerate()
        .map(|(i, word)| {
            let is_name = word.contains(['.', '/', '_', '\\']) || word.chars().any(char::is_uppercase);
            if is_name || i > 0 && small.iter().any(|known| known == word) {
                return word.to_owned();
            }
            let mut chars = word.chars();
            match chars.next() {
                Some(first) => first.to_uppercase().chain(chars).collect(),
                None => String::new(),
            }
        })
        .collect::<Vec<String>>()
        .join(" ")
}

/// A description that begins as descriptions of Sigma rules do, where its verb
/// is a known one.
fn begin(text: &str, verbs: &[String], start: &str) -> String {
    let text = text.trim();
    for verb in verbs {
        if let Some(rest) = text
            .strip_prefix(verb.as_str())
            .filter(|rest| rest.starts_with(' '))
        {
            return format!("{start}{rest}");
        }
    }
    text.to_owned()
}

/// The items of a list in markdown; a paragraph is one item.
fn false_positives(text: &str, choices: &super::Choices) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let trimmed = line.trim();
        let bullet = ["* ", "- ", "+ "]
            .iter()
            .find_map(|mark| trimmed.strip_prefix(mark))
            .or_else(|| {
                let digits = trimmed.trim_start_matches(|c: char| c.is_ascii_digit());
                digits.strip_prefix(". ").filter(|_| digits.len() < trimmed.len())
            });
        match bullet {
            Some(item) => {
                items.push(item.trim().to_owned());
                open = true;
            }
            None if trimmed.is_empty() => open = false,
            None => match items.last_mut().filter(|_| open) {
                Some(last) => {
                    last.push(' ');
                    last.push_str(trimmed);
                }
                None => {
                    items.push(trimmed.to_owned());
                    open = true;
                }
            },
        }
    }
    let mut kept: Vec<String> = Vec::new();
    for item in items {
        let item = one_line(&item);
        let plain = item.trim_end_matches('.').to_lowercase();
        let refused = choices.falsepositives_refused.contains(&plain);
        if item.chars().count() >= 2 && !refused && !kept.contains(&item) {
            kept.push(item);
        }
    }
    if kept.is_empty() {
        kept.push("Unknown".to_owned());
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for good in ["2026-11-21", "2024-02-29"] {
            assert!(is_date(good), "{good}");
        }
        for bad in [
            "2026-13-01",
            "2026-02-29",
            "21.11.2026",
            "2026-1-1",
            "",
            "2026-04-31",
        ] {
            assert!(!is_date(bad), "{bad}");
        }
    }

    #[test]
    fn titles_and_names() {
        let small = ["of", "to", "by"].map(str::to_owned);
        assert_eq!(
            title_case("dump of lsass.exe by a tool", &small),
            "Dump of lsass.exe by A Tool"
        );
        assert_eq!(fit_title("Detects  a thing", &["Detects".to_owned()]), "a thing");
        assert_eq!(words("A user's (big) Title: x-y "), "a_users_big_title_x_y");
        assert_eq!(begin("Finds x.", &["Finds".to_owned()], "Detects"), "Detects x.");
        assert_eq!(cut("aaaa bbbb cccc", 12), "aaaa bbbb");
    }
}
