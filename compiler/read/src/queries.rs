//! Which code blocks are the queries of a rule, and where they run.
//!
//! In: code blocks and the sections they stand in. Out: queries, byte for
//! byte. A block below a heading for queries is one. Where a document has no
//! such heading, blocks that say or look as if they were KQL are.

use std::collections::BTreeMap;

use rulec_model::{Environment, RuleQuery};
use rulec_source::{Diagnostic, Span};

use crate::codes;
use crate::lines::{Line, Scope, environment};
use crate::metadata::{Entry, item};
use crate::outline::{CodeBlock, plain, trim};
use crate::reader::Reader;

/// How sure it is that a block is a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    /// None at all.
    None,
    /// KQL within prose: an example, a step of the response.
    Prose,
    /// KQL below a heading that says nothing.
    Unclaimed,
    /// Below a heading for queries.
    Stated,
}

impl Reader<'_> {
    pub(crate) fn read_queries(&mut self) {
        let places: Vec<(usize, usize)> = self
            .outline
            .blocks
            .iter()
            .map(|block| {
                let line = self.lines.at(block.span.start);
                (line, self.part_of(line))
            })
            .collect();
        let mut in_part = vec![0_usize; self.parts.len()];
        for (_, part) in &places {
            in_part[*part] += 1;
        }
        let claims: Vec<(Claim, usize)> = places
            .iter()
            .enumerate()
            .map(|(i, (line, part))| {
                (
                    self.claim(self.block(i), *line, *part, in_part[*part] == 1),
                    *part,
                )
            })
            .collect();
        let best = claims
            .iter()
            .map(|(claim, _)| *claim)
            .max()
            .unwrap_or(Claim::None);
        if best == Claim::None {
            self.report_foreign();
            return;
        }
        let counts = self.counting(&claims, best);
        let chosen: Vec<(usize, usize)> = claims
            .iter()
            .enumerate()
            .filter(|(_, (claim, _))| *claim >= counts)
            .map(|(i, (_, part))| (i, *part))
            .collect();
        for (i, (claim, _)) in claims.iter().enumerate() {
            if *claim != Claim::None && *claim < counts {
                let opening = self.block(i).opening;
                self.report(
                    Diagnostic::new(
                        codes::QUERY_IN_PROSE,
                        "this KQL block is not read as a query of the rule",
                    )
                    .at(opening)
                    .note("it does not stand under a heading for queries, and others do")
                    .note("it is kept as part of its section"),
                );
            }
        }
        let mut taken = Vec::new();
        for (block, part) in chosen {
            if self.speaks_kusto(part) && !self.is_empty_query(block) {
                taken.push((block, part));
            }
        }
        self.take_queries(&taken);
        self.name_queries(&taken);
    }

    /// The least claim that makes a query. A document that has several queries
    /// for one environment is a collection: there every block counts that is
    /// not within prose.
    fn counting(&self, claims: &[(Claim, usize)], best: Claim) -> Claim {
        let stated = claims.iter().filter(|(claim, _)| *claim == Claim::Stated);
        let mut environments: Vec<Option<Environment>> = stated
            .map(|(_, part)| match self.parts[*part].scope {
                Scope::Query(environment) => environment,
                _ => None,
            })
            .collect();
        let queries = environments.len();
        environments.sort_unstable();
        environments.dedup();
        if environments.len() < queries {
            Claim::Unclaimed
        } else {
            best
        }
    }

    fn claim(&self, block: &CodeBlock, line: usize, part: usize, alone: bool) -> Claim {
        let marked = self.first(Some(part), "query").is_some_and(|e| e.line < line);
        let scope = match self.parts[part].scope {
            Scope::Query(_) => Scope::Query(None),
            _ if marked => Scope::Query(None),
            other => other,
        };
        let label = block.info.as_str();
        let kql = looks_like_kql(&block.body.text);
        let fence = block.fenced && self.aliases.is_query_fence(label);
        let says_so = fence && is_kusto(label);
        match scope {
            Scope::Query(_) if fence && (kql || !label.is_empty() || alone) => Claim::Stated,
            Scope::Query(_) if !block.fenced && kql => Claim::Stated,
            Scope::Query(_) | Scope::Neutral if fence && (says_so || kql) => Claim::Unclaimed,
            Scope::Query(_) | Scope::Neutral if kql => Claim::Prose,
            Scope::Prose if says_so || kql => Claim::Prose,
            _ => Claim::None,
        }
    }

    /// Names the blocks of a query section that are written in another language.
    fn report_foreign(&mut self) {
        let foreign = self.outline.blocks.iter().find(|block| {
            let part = self.part_of(self.lines.at(block.span.start));
            matches!(self.parts[part].scope, Scope::Query(_)) && !block.info.is_empty()
        });
        if let Some(block) = foreign {
            let (label, opening) = (block.info.clone(), block.opening);
            self.report(
                Diagnostic::new(
                    codes::UNKNOWN_LANGUAGE,
                    format!("a query in `{label}` cannot be read"),
                )
                .at(opening)
                .help("rulec reads KQL: label the fence `kusto`, or leave the label out"),
            );
        }
    }

    /// The metadata entry that holds for a part: its own, an ancestor's, or
    /// the document's.
    fn entry_for(&self, key: &str, part: usize) -> Option<Entry> {
        let near = self.ancestry(part).find_map(|p| self.first(Some(p), key));
        near.or_else(|| self.first(None, key)).cloned()
    }

    fn speaks_kusto(&mut self, part: usize) -> bool {
        let Some(entry) = self.entry_for("language", part) else {
            return true;
        };
        if is_kusto(&entry.value) || self.aliases.is_query_fence(&entry.value) {
            return true;
        }
        self.report_once(
            Diagnostic::new(
                codes::UNKNOWN_LANGUAGE,
                format!("a query in `{}` cannot be read", entry.value),
            )
            .at(entry.value_span)
            .help("rulec reads KQL; write `Kusto`"),
        );
        false
    }

    fn is_empty_query(&mut self, block: usize) -> bool {
        let block = self.block(block);
        let empty = block.body.text.trim().is_empty();
        if empty {
            let place = if block.opening.is_empty() {
                block.span
            } else {
                block.opening
            };
            self.report(
                Diagnostic::new(codes::EMPTY_QUERY, "the query is empty")
                    .at(place)
                    .help("write the query between the two lines of the code block"),
            );
        }
        empty
    }

    fn take_queries(&mut self, taken: &[(usize, usize)]) {
        for (block, part) in taken {
            let index = self.rule.queries.len();
            let body = self.block(*block).body.clone();
            let whole = self.block(*block).span;
            let language = self.entry_for("language", *part).map(|e| (e.value, e.value_span));
            let label = self.block(*block).info.clone();
            let (platform, environment) = self.platform(*part);
            self.rule.queries.push(RuleQuery {
                name: None,
                language: match &language {
                    Some((value, _)) => Some(value.clone()),
                    None => is_kusto(&label).then_some(label),
                },
                platform: platform.as_ref().map(|(value, _)| value.clone()),
                environment,
                text: body.text.clone(),
            });
            let inner = body.map(Span::new(0, body.text.len()));
            self.place(format!("/queries/{index}"), whole);
            self.place(format!("/queries/{index}/text"), inner);
            if let Some((_, span)) = language {
                self.place(format!("/queries/{index}/language"), span);
            }
            if let Some((_, span)) = platform {
                self.place(format!("/queries/{index}/platform"), span);
                self.place(format!("/queries/{index}/environment"), span);
            }
            self.queries.push(body);
            let lines = self.lines.touched(whole);
            self.lines.consume(lines);
        }
    }

    /// The platform as written, and what it means: the product heading the
    /// query stands under, else the metadata.
    fn platform(&mut self, part: usize) -> (Option<(String, Span)>, Option<Environment>) {
        if let Scope::Query(Some(environment)) = self.parts[part].scope {
            let heading = self
                .ancestry(part)
                .find(|p| self.aliases.query_heading(self.heading(*p)).flatten().is_some());
            let written = heading.and_then(|p| Some((self.heading(p).to_owned(), self.heading_span(p)?)));
            return (written, Some(environment));
        }
        let Some(entry) = self.entry_for("platform", part) else {
            return (None, None);
        };
        let found = self.aliases.platform(&entry.value).map(environment);
        let partly = entry
            .value
            .split(['/', ',', ';'])
            .any(|part| self.aliases.platform(part).is_some());
        if !partly && found.is_none() {
            self.report_once(
                Diagnostic::new(
                    codes::UNKNOWN_PLATFORM,
                    format!("`{}` is not a platform rulec knows", entry.value),
                )
                .at(entry.value_span)
                .help("write `M365 Security` or `Sentinel`, or add the name to schema/read/"),
            );
        }
        (Some((entry.value, entry.value_span)), found)
    }

    /// Where a document has several queries, each is called by its heading;
    /// where headings repeat, by the one above as well.
    fn name_queries(&mut self, taken: &[(usize, usize)]) {
        if taken.len() < 2 {
            return;
        }
        let own: Vec<String> = taken
            .iter()
            .map(|(_, part)| self.heading(*part).to_owned())
            .collect();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for name in &own {
            *counts.entry(name).or_default() += 1;
        }
        let mut in_part: BTreeMap<usize, usize> = BTreeMap::new();
        for (_, part) in taken {
            *in_part.entry(*part).or_default() += 1;
        }
        let topics = self.topics();
        let mut used: BTreeMap<String, usize> = BTreeMap::new();
        let mut names: Vec<String> = Vec::new();
        for (i, (block, part)) in taken.iter().enumerate() {
            let repeated = counts.get(own[i].as_str()).is_some_and(|n| *n > 1);
            let in_one_part = in_part.get(part).is_some_and(|n| *n > 1);
            let mut name = match (repeated, in_one_part) {
                (true, true) => self.caption(*block, *part).unwrap_or_else(|| own[i].clone()),
                (true, false) => match topics[*part].clone() {
                    Some(topic) if own[i].is_empty() => topic,
                    Some(topic) => format!("{topic}: {}", own[i]),
                    None => own[i].clone(),
                },
                (false, _) => own[i].clone(),
            };
            let times = used.entry(name.clone()).or_default();
            *times += 1;
            if *times > 1 {
                name = format!("{name} ({times})");
            }
            names.push(name);
        }
        for (i, (name, (_, part))) in names.into_iter().zip(taken).enumerate() {
            if let Some(span) = self.heading_span(*part) {
                self.place(format!("/queries/{i}/name"), span);
            }
            self.rule.queries[i].name = Some(name).filter(|n| !n.is_empty());
        }
    }

    /// The line right above a block, when it is short enough to be its name.
    fn caption(&self, block: usize, part: usize) -> Option<String> {
        let first = self.lines.at(self.block(block).span.start);
        let above = (self.parts[part].lines.start..first)
            .rev()
            .find(|line| !trim(self.line(*line)).is_empty())?;
        if self.lines.kinds[above] != Line::Text {
            return None;
        }
        let line = trim(self.line(above));
        let text = plain(&line[item(line).unwrap_or(0)..]);
        let text = text.trim_end_matches([':', '.']);
        (text.chars().count() <= 80 && !text.is_empty()).then(|| text.to_owned())
    }

    /// For each part the nearest heading before it that is not one for queries.
    fn topics(&self) -> Vec<Option<String>> {
        let mut last = None;
        let mut topics = Vec::with_capacity(self.parts.len());
        for (i, part) in self.parts.iter().enumerate() {
            topics.push(last.clone());
            if !part.opens_query {
                // The title is no topic, nor is a section of prose.
                let named = part.key.is_none() && part.level > 1;
                last = named.then(|| self.heading(i).to_owned());
            }
        }
        topics
    }
}

/// Whether a language or label means KQL, and not only may.
pub(crate) fn is_kusto(text: &str) -> bool {
    let text = text.to_lowercase();
    text.contains("kql") || text.contains("kusto")
}

/// Whether a text reads like KQL: a line that begins with a pipe and an
/// operator, or a `let` statement.
fn looks_like_kql(text: &str) -> bool {
    text.lines().map(str::trim_start).any(|line| {
        let operator = line.strip_prefix('|').is_some_and(|rest| {
            rest.trim_start().starts_with(|c: char| c.is_ascii_lowercase()) && !rest.ends_with('|')
        });
        let statement = line.starts_with("let ") && line.contains('=');
        let inline = [
            "| where ",
            "| summarize ",
            "| project ",
            "| extend ",
            "| take ",
            "| distinct ",
        ]
        .iter()
        .any(|stage| line.contains(stage));
        operator || statement || inline
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kql_by_its_look() {
        assert!(looks_like_kql("T\n| where x == 1\n"));
        assert!(looks_like_kql("let a = 1;\nprint a"));
        assert!(looks_like_kql("union * | where x"));
        assert!(!looks_like_kql("certutil -urlcache -f x"));
        assert!(!looks_like_kql("| a | b |\n|---|---|"));
    }
}
