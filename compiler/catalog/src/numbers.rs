//! Coverage for other tools: CSV, JSON and a badge.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    attack::{Column, Matrix},
    events::Coverage,
    overview::{Link, Overview},
};

/// What is covered as a table: one row per technique and per event.
pub(crate) fn csv(matrices: &[Matrix<'_>], coverage: &Coverage<'_>) -> String {
    let mut out = String::from("kind,group,id,name,rules,rule_ids\n");
    for matrix in matrices {
        let group = format!("ATT&CK v{}", matrix.version);
        for tactic in &matrix.tactics {
            let group = format!("{group} {}", tactic.name);
            for cell in &tactic.cells {
                row(&mut out, "technique", &group, cell.id, cell.name, &cell.rules);
                for sub in &cell.sub {
                    row(&mut out, "sub-technique", &group, sub.id, sub.name, &sub.rules);
                }
            }
        }
    }
    for provider in &coverage.providers {
        for event in provider.events.iter().chain(&provider.gaps) {
            row(
                &mut out,
                "event",
                &provider.name,
                &event.name,
                &event.title,
                &event.rules,
            );
        }
    }
    for table in &coverage.tables {
        row(&mut out, "table", &table.provider, table.name, "", &table.rules);
    }
    out
}

fn row(out: &mut String, kind: &str, group: &str, id: &str, name: &str, rules: &[Link<'_>]) {
    let ids: Vec<&str> = rules.iter().map(|r| r.id).collect();
    let cells = [kind, group, id, name, &rules.len().to_string(), &ids.join(" ")].map(cell);
    out.push_str(&cells.join(","));
    out.push('\n');
}

/// A cell of CSV. What a spreadsheet would take for a formula is text.
fn cell(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// Coverage as JSON: what rules there are, and what they are about and look at.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Numbers<'a> {
    /// Version of rulec.
    rulec: &'a str,
    /// The rules, in the order of the catalog.
    rules: Vec<RuleNumbers<'a>>,
    /// Versions of ATT&CK, the one the repository pins first.
    attack: Vec<AttackNumbers<'a>>,
    /// Events by provider.
    events: Vec<ProviderNumbers<'a>>,
    /// Tables that queries name.
    tables: Vec<TableNumbers<'a>>,
}

/// A rule.
#[derive(Debug, Serialize, JsonSchema)]
struct RuleNumbers<'a> {
    id: &'a str,
    title: &'a str,
    /// Its page, from the folder of the site.
    page: &'a str,
    /// Its document, from the folder of the repository.
    document: &'a str,
    severity: &'a str,
    status: &'a str,
    /// Names of tactics in the newest version of ATT&CK.
    tactics: &'a [String],
    /// Ids of techniques in the newest version.
    techniques: Vec<&'a str>,
    tables: &'a [String],
}

/// A version of ATT&CK.
#[derive(Debug, Serialize, JsonSchema)]
struct AttackNumbers<'a> {
    version: &'a str,
    techniques: usize,
    /// Techniques that some rule is about, by itself or through a sub-technique.
    techniques_covered: usize,
    subtechniques: usize,
    subtechniques_covered: usize,
    /// In the order of the matrix.
    tactics: Vec<TacticNumbers<'a>>,
}

/// A tactic.
#[derive(Debug, Serialize, JsonSchema)]
struct TacticNumbers<'a> {
    id: &'a str,
    name: &'a str,
    techniques: usize,
    covered: usize,
    /// Rules that name the tactic and no technique.
    rules: Vec<&'a str>,
    /// Ids of rules by id of a technique or sub-technique.
    by_technique: BTreeMap<&'a str, Vec<&'a str>>,
}

/// A provider of events.
#[derive(Debug, Serialize, JsonSchema)]
struct ProviderNumbers<'a> {
    provider: &'a str,
    /// Events there are facts about.
    known: usize,
    /// Known events that some rule looks at.
    covered: usize,
    /// Ids of rules by event.
    by_event: BTreeMap<&'a str, Vec<&'a str>>,
    /// Known events that no rule looks at.
    gaps: Vec<&'a str>,
}

/// A table.
#[derive(Debug, Serialize, JsonSchema)]
struct TableNumbers<'a> {
    table: &'a str,
    rules: Vec<&'a str>,
}

/// The numbers of a catalog.
pub(crate) fn numbers<'a>(
    rulec: &'a str,
    overviews: &'a [Overview<'a>],
    matrices: &'a [Matrix<'a>],
    coverage: &'a Coverage<'a>,
) -> Numbers<'a> {
    Numbers {
        rulec,
        rules: overviews
            .iter()
            .map(|o| RuleNumbers {
                id: &o.document.rule.id,
                title: &o.document.rule.title,
                page: &o.page.href,
                document: o.document.path,
                severity: o.severity,
                status: o.status,
                tactics: &o.tactics,
                techniques: o.techniques.iter().map(|(id, _)| id.as_str()).collect(),
                tables: &o.tables,
            })
            .collect(),
        attack: matrices
            .iter()
            .map(|m| AttackNumbers {
                version: m.version,
                techniques: m.techniques,
                techniques_covered: m.covered,
                subtechniques: m.sub,
                subtechniques_covered: m.covered_sub,
                tactics: m.tactics.iter().map(tactic).collect(),
            })
            .collect(),
        events: coverage
            .providers
            .iter()
            .map(|p| ProviderNumbers {
                provider: &p.name,
                known: p.known,
                covered: p.covered,
                by_event: p
                    .events
                    .iter()
                    .map(|e| (e.name.as_str(), ids(&e.rules)))
                    .collect(),
                gaps: p.gaps.iter().map(|e| e.name.as_str()).collect(),
            })
            .collect(),
        tables: coverage
            .tables
            .iter()
            .map(|t| TableNumbers {
                table: t.name,
                rules: ids(&t.rules),
            })
            .collect(),
    }
}

fn tactic<'a>(tactic: &'a Column<'a>) -> TacticNumbers<'a> {
    let cells = tactic.cells.iter().flat_map(|c| std::iter::once(c).chain(&c.sub));
    TacticNumbers {
        id: tactic.id,
        name: tactic.name,
        techniques: tactic.cells.len(),
        covered: tactic.covered,
        rules: ids(&tactic.rules),
        by_technique: cells
            .filter(|c| !c.rules.is_empty())
            .map(|c| (c.id, ids(&c.rules)))
            .collect(),
    }
}

fn ids<'a>(rules: &[Link<'a>]) -> Vec<&'a str> {
    rules.iter().map(|rule| rule.id).collect()
}

/// A badge: how many techniques of the pinned version some rule is about.
pub(crate) fn badge(matrix: &Matrix<'_>) -> String {
    let label = "ATT&amp;CK techniques";
    let value = format!("{} of {}", matrix.covered, matrix.techniques);
    // Verdana at 11 pixels takes about 6.6 of them for a letter.
    let (left, right) = (128, 14 + value.chars().count() * 7);
    let width = left + right;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"20\" role=\"img\" \
         aria-label=\"{label}: {value}\"><title>{label}: {value}</title>\
         <rect width=\"{width}\" height=\"20\" rx=\"3\" fill=\"#3f4650\"/>\
         <path d=\"M{left} 0h{0}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{0}z\" fill=\"#1e5f8c\"/>\
         <g fill=\"#fff\" text-anchor=\"middle\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\">\
         <text x=\"{1}\" y=\"14\">{label}</text><text x=\"{2}\" y=\"14\">{value}</text></g></svg>\n",
        right - 3,
        left / 2,
        left + right / 2,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_of_csv() {
        assert_eq!(cell("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(cell("=1+1"), "'=1+1");
    }
}
