//! What a rule says beside its queries.

use std::{collections::BTreeSet, fmt::Debug};

use rulec_model::{Entity, Resolved, Section, Sourced, Trigger, TriggerOperator};
use serde::Serialize;

use crate::rule::{Bump, Change, Class, Place, Side};

/// Sections whose words are part of what an analyst goes by.
const TELLING: [&str; 3] = ["false_positives", "blind_spots", "response"];

/// Differences of everything but queries and version history.
pub(crate) fn fields(old: &Side<'_>, new: &Side<'_>) -> Vec<Change> {
    let mut found = Fields {
        old,
        new,
        changes: Vec::new(),
    };
    let (a, b) = (old.rule, new.rule);
    if a.id != b.id {
        let text = format!("the id is `{}`, no longer `{}`", b.id, a.id);
        found.push(Class::Metadata, "id", text, Bump::Major);
    }
    found.plain("title", &a.title, &b.title);
    found.plain("kind", &a.kind, &b.kind);
    found.plain("os", &a.os, &b.os);
    found.plain("fp_rate", &a.fp_rate, &b.fp_rate);
    found.plain("author", &a.author, &b.author);
    found.items("attack", &a.attack, &b.attack);
    found.items("data_sources", &a.data_sources, &b.data_sources);
    found.items("references", &a.references, &b.references);
    let ids = |rule: &rulec_model::Rule| rule.settings.ids.as_ref().map(|ids| ids.value.clone());
    if ids(a) != ids(b) {
        let text = "the ids it has at its targets".to_owned();
        found.push(Class::Metadata, "settings/ids", text, Bump::Major);
    }
    let end = |rule: &rulec_model::Rule| rule.settings.deprecated.as_ref().map(|said| said.value.clone());
    found.plain("settings/deprecated", &end(a), &end(b));
    found.sections(&a.sections, &b.sections);
    for (index, (was, is)) in a.queries.iter().zip(&b.queries).enumerate() {
        let field = format!("queries/{index}");
        found.plain(&format!("{field}/name"), &was.name, &is.name);
        if was.environment != is.environment {
            let text = format!(
                "the query is for {}, no longer for {}",
                is.platform.as_deref().unwrap_or("any platform"),
                was.platform.as_deref().unwrap_or("any platform")
            );
            found.push(Class::Changed, &format!("{field}/platform"), text, Bump::Major);
        } else if was.platform != is.platform {
            found.plain(&format!("{field}/platform"), &was.platform, &is.platform);
        }
    }
    for (was, is) in old.queries.iter().zip(&new.queries) {
        found.settings(was.resolved, is.resolved);
    }
    found.changes
}

struct Fields<'s> {
    old: &'s Side<'s>,
    new: &'s Side<'s>,
    changes: Vec<Change>,
}

fn shown<T: Serialize + ?Sized>(value: &T) -> String {
    match written(value) {
        text if text.is_empty() => "nothing".to_owned(),
        text if text.chars().count() > 120 => {
            let mut cut: String = text.chars().take(119).collect();
            cut.push('…');
            format!("`{cut}`")
        }
        text => format!("`{text}`"),
    }
}

/// As JSON, without quotes around a text; empty for null.
fn written<T: Serialize + ?Sized>(value: &T) -> String {
    match serde_json::to_string(value) {
        Ok(text) if text != "null" => text.trim_matches('"').replace('`', "'"),
        _ => String::new(),
    }
}

impl Fields<'_> {
    fn places(&self, field: &str) -> (Option<Place>, Option<Place>) {
        let pointer = format!("/{field}");
        (self.old.at(&pointer), self.new.at(&pointer))
    }

    fn push(&mut self, class: Class, field: &str, text: String, bump: Bump) {
        let places = self.places(field);
        let name = field.trim_start_matches("settings/").replace('/', ".");
        let change = Change::new(class, &name, text, places).at_least(bump);
        if !self.changes.contains(&change) {
            self.changes.push(change);
        }
    }

    fn plain<T: Serialize + PartialEq>(&mut self, field: &str, old: &T, new: &T) {
        self.value(Class::Metadata, field, old, new);
    }

    fn value<T: Serialize + PartialEq>(&mut self, class: Class, field: &str, old: &T, new: &T) {
        if old != new {
            let name = field.rsplit('/').next().unwrap_or(field);
            let text = format!("the {name} is {}, no longer {}", shown(new), shown(old));
            self.push(class, field, text, Bump::None);
        }
    }

    /// Lists whose order says little: each item that came or went.
    fn items<T: Serialize + PartialEq + Debug>(&mut self, field: &str, old: &[T], new: &[T]) {
        let before = self.changes.len();
        for (index, item) in old.iter().enumerate().filter(|(_, item)| !new.contains(item)) {
            let mut change = Change::new(
                Class::Metadata,
                field,
                format!("{} is gone", shown(item)),
                (None, None),
            );
            change.old = self.old.at(&format!("/{field}/{index}"));
            self.changes.push(change);
        }
        for (index, item) in new.iter().enumerate().filter(|(_, item)| !old.contains(item)) {
            let mut change = Change::new(
                Class::Metadata,
                field,
                format!("{} is new", shown(item)),
                (None, None),
            );
            change.new = self.new.at(&format!("/{field}/{index}"));
            self.changes.push(change);
        }
        if before == self.changes.len() && old != new {
            self.push(
                Class::Metadata,
                field,
                format!("the {field} are in another order"),
                Bump::None,
            );
        }
    }

    fn sections(&mut self, old: &[Section], new: &[Section]) {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let name = |section: &Section| section.key.clone().unwrap_or_else(|| section.heading.clone());
        let mut known: Vec<&Section> = old.iter().collect();
        for (index, section) in new.iter().enumerate() {
            let class = match section.key.as_deref() {
                Some(key) if TELLING.contains(&key) => Class::Metadata,
                _ => Class::Cosmetic,
            };
            let pointer = format!("/sections/{index}");
            let place = known.iter().position(|other| name(other) == name(section));
            let text = match place.map(|place| known.remove(place)) {
                None => "the section is new",
                Some(other) if words(&other.text) != words(&section.text) => "the words of the section",
                Some(other) if other.heading != section.heading => "the heading of the section",
                Some(_) => continue,
            };
            let was = old.iter().position(|other| name(other) == name(section));
            let places = (
                was.and_then(|was| self.old.at(&format!("/sections/{was}"))),
                self.new.at(&pointer),
            );
            self.changes
                .push(Change::new(class, &name(section), text.to_owned(), places));
        }
        for section in known {
            let class = match section.key.as_deref() {
                Some(key) if TELLING.contains(&key) => Class::Metadata,
                _ => Class::Cosmetic,
            };
            let index = old.iter().position(|other| std::ptr::eq(other, section));
            let places = (index.and_then(|i| self.old.at(&format!("/sections/{i}"))), None);
            self.changes.push(Change::new(
                class,
                &name(section),
                "the section is gone".to_owned(),
                places,
            ));
        }
    }

    fn settings(&mut self, old: &Resolved, new: &Resolved) {
        fn of<T: Clone>(value: Option<&Sourced<T>>) -> Option<T> {
            value.map(|value| value.value.clone())
        }
        self.plain("settings/status", &old.status.value, &new.status.value);
        self.plain("settings/severity", &old.severity.value, &new.severity.value);
        self.plain(
            "settings/custom_details",
            &old.custom_details.value,
            &new.custom_details.value,
        );
        self.plain("settings/alert", &of(old.alert.as_ref()), &of(new.alert.as_ref()));
        self.plain(
            "settings/grouping",
            &of(old.grouping.as_ref()),
            &of(new.grouping.as_ref()),
        );
        let schedule = Class::Schedule;
        self.value(
            schedule,
            "settings/schedule/kind",
            &old.kind.value,
            &new.kind.value,
        );
        self.value(
            schedule,
            "settings/schedule/frequency",
            &old.frequency.value,
            &new.frequency.value,
        );
        self.value(
            schedule,
            "settings/schedule/period",
            &old.period.value,
            &new.period.value,
        );
        self.value(
            schedule,
            "settings/suppression",
            &old.suppression.value,
            &new.suppression.value,
        );
        self.trigger(old.trigger.value, new.trigger.value);
        let (was, is) = (&old.targets.value, &new.targets.value);
        for target in is.iter().filter(|target| !was.contains(target)) {
            self.push(
                Class::Metadata,
                "settings/targets",
                format!("it also goes to {target}"),
                Bump::Minor,
            );
        }
        for target in was.iter().filter(|target| !is.contains(target)) {
            self.push(
                Class::Metadata,
                "settings/targets",
                format!("it no longer goes to {target}"),
                Bump::Minor,
            );
        }
        self.entities(&old.entities.value, &new.entities.value);
    }

    fn trigger(&mut self, old: Trigger, new: Trigger) {
        if old == new {
            return;
        }
        let class = match (old.operator == new.operator, new.operator) {
            (true, TriggerOperator::Gt) if new.threshold < old.threshold => Class::Widens,
            (true, TriggerOperator::Gt) => Class::Narrows,
            (true, TriggerOperator::Lt) if new.threshold > old.threshold => Class::Widens,
            (true, TriggerOperator::Lt) => Class::Narrows,
            _ => Class::Changed,
        };
        self.value(class, "settings/trigger", &old, &new);
    }

    /// Those who read alerts go by the identifiers of entities.
    fn entities(&mut self, old: &[Entity], new: &[Entity]) {
        let names = |entities: &[Entity]| -> BTreeSet<(String, String)> {
            entities
                .iter()
                .flat_map(|entity| {
                    entity
                        .fields
                        .keys()
                        .map(|field| (entity.kind.clone(), field.clone()))
                })
                .collect()
        };
        let (was, is) = (names(old), names(new));
        for (kind, field) in was.difference(&is) {
            let text = format!("the entity {kind} has no {field} any more");
            self.push(Class::Metadata, "settings/entities", text, Bump::Major);
        }
        for (kind, field) in is.difference(&was) {
            let text = format!("the entity {kind} has a {field}");
            self.push(Class::Metadata, "settings/entities", text, Bump::Patch);
        }
        if was == is && old != new {
            let text = "entities are taken from other columns".to_owned();
            self.push(Class::Metadata, "settings/entities", text, Bump::Minor);
        }
    }
}
