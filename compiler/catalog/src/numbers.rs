//! Coverage for other tools: CSV, JSON and a badge.

use serde_json::{Value, json};

use crate::{
    attack::Matrix,
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

/// The same as JSON.
pub(crate) fn json(
    rulec: &str,
    overviews: &[Overview<'_>],
    matrices: &[Matrix<'_>],
    coverage: &Coverage<'_>,
) -> Value {
    json!({
        "rulec": rulec,
        "rules": overviews.iter().map(|o| json!({
            "id": o.document.rule.id,
            "title": o.document.rule.title,
            "page": o.page.href,
            "document": o.document.path,
            "severity": o.severity,
            "status": o.status,
            "tactics": o.tactics,
            "techniques": o.techniques.iter().map(|(id, _)| id).collect::<Vec<_>>(),
            "tables": o.tables,
        })).collect::<Vec<_>>(),
        "attack": matrices.iter().map(|m| json!({
            "version": m.version,
            "techniques": m.techniques, "techniques_covered": m.covered,
            "subtechniques": m.sub, "subtechniques_covered": m.covered_sub,
            "tactics": m.tactics.iter().map(|t| json!({
                "id": t.id, "name": t.name, "techniques": t.cells.len(), "covered": t.covered,
                "rules": ids(&t.rules),
                "by_technique": t.cells.iter()
                    .flat_map(|c| std::iter::once(c).chain(&c.sub))
                    .filter(|c| !c.rules.is_empty())
                    .map(|c| (c.id.to_owned(), json!(ids(&c.rules))))
                    .collect::<serde_json::Map<_, _>>(),
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "events": coverage.providers.iter().map(|p| json!({
            "provider": p.name, "known": p.known, "covered": p.covered,
            "by_event": p.events.iter()
                .map(|e| (e.name.clone(), json!(ids(&e.rules))))
                .collect::<serde_json::Map<_, _>>(),
            "gaps": p.gaps.iter().map(|e| &e.name).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "tables": coverage.tables.iter().map(|t| json!({ "table": t.name, "rules": ids(&t.rules) })).collect::<Vec<_>>(),
    })
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
