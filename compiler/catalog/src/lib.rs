//! A folder of rules as a static site.
//!
//! In: rules, explanations, artifacts, losses ([`Input`]). Out: the files of
//! the site ([`File`]): pages that need no server and fetch nothing, a search
//! index, a Navigator layer, and coverage as CSV, JSON and a badge. The same
//! input gives the same bytes. Deliberately absent: file access, dates of
//! today, and any judgement of a rule beyond what the other stages found.

mod attack;
mod changes;
mod draw;
mod events;
mod html;
mod indicators;
mod input;
mod names;
mod numbers;
mod overview;
mod page;
mod render;
mod search;

pub use input::{Artifact, Document, Failure, File, Input, Loss, Problem, Query};
pub use numbers::Numbers;

use indicators::Indicators;
use overview::{Link, Overview};
use rayon::prelude::*;
use render::{FOLDER, Templates};
use rulec_source::Severity;
use serde::Serialize;
use std::collections::BTreeSet;

/// What every page says of the site.
#[derive(Clone, Copy, Serialize)]
struct Site<'a> {
    title: &'a str,
    rulec: &'a str,
    /// The way from the page to the site's folder: empty, or `../`.
    root: &'static str,
    /// Which part of the site the page belongs to.
    part: &'static str,
}

/// What a template is given.
#[derive(Serialize)]
struct Shown<'a, T> {
    site: Site<'a>,
    page: T,
}

/// The list of rules.
#[derive(Serialize)]
struct Index<'a> {
    rules: Vec<Entry<'a>>,
    facets: &'a [search::Facet],
    tactics: usize,
    techniques: usize,
    tables: usize,
    /// Documents that say what replaced them: id, and the rule that did, if it is here.
    replaced: Vec<(&'a str, &'a str, Option<Link<'a>>)>,
}

/// A rule in the list.
#[derive(Serialize)]
struct Entry<'a> {
    rule: Link<'a>,
    summary: &'a str,
    severity: &'static str,
    status: &'static str,
    tactics: &'a [String],
    techniques: Vec<&'a str>,
    tables: &'a [String],
    /// Whether something kept it from being compiled.
    broken: bool,
}

/// Makes the site. Rules are shown in the order they are given.
pub fn catalog(input: &Input<'_>) -> Result<Vec<File>, Failure> {
    let templates = Templates::new(input.pack)?;
    let pages = names::pages(input.documents.iter().map(|d| d.rule.id.as_str()));
    let overviews: Vec<Overview<'_>> = input
        .documents
        .par_iter()
        .zip(&pages)
        .map(|(document, page)| Overview::new(document, page))
        .collect();
    let indicators = Indicators::new(&overviews);
    let matrices: Vec<attack::Matrix<'_>> = input
        .attack
        .iter()
        .enumerate()
        .map(|(index, attack)| attack::matrix(attack, index == 0, &overviews))
        .collect();
    let coverage = events::coverage(input.events, &overviews);
    let facets = search::facets(&overviews);
    let site = |part, root| Site {
        title: input.title,
        rulec: input.rulec,
        root,
        part,
    };

    let mut files = overviews
        .par_iter()
        .enumerate()
        .map(|(at, overview)| {
            let shown = Shown {
                site: site("rules", "../"),
                page: page::page(at, &overviews, &indicators),
            };
            Ok(file(
                &overview.page.path,
                templates.render("rule.html.j2", shown)?,
            ))
        })
        .collect::<Result<Vec<File>, Failure>>()?;

    let index = Shown {
        site: site("rules", ""),
        page: index(input, &overviews, &facets),
    };
    files.push(file("index.html", templates.render("index.html.j2", index)?));
    for matrix in &matrices {
        let others: Vec<(&str, &str)> = matrices
            .iter()
            .filter(|m| m.version != matrix.version)
            .map(|m| (m.version, m.page.as_str()))
            .collect();
        let shown = Shown {
            site: site("attack", ""),
            page: (matrix, others),
        };
        files.push(file(&matrix.page, templates.render("attack.html.j2", shown)?));
        files.push(file(&matrix.layer, pretty(&attack::layer(matrix, input.title))));
    }
    let events = Shown {
        site: site("events", ""),
        page: &coverage,
    };
    files.push(file("events.html", templates.render("events.html.j2", events)?));
    let fields = Shown {
        site: site("indicators", ""),
        page: (indicators.len(), indicators.index(&overviews)),
    };
    files.push(file(
        "indicators.html",
        templates.render("indicators.html.j2", fields)?,
    ));
    let changes = Shown {
        site: site("changes", ""),
        page: changes::changes(&overviews),
    };
    files.push(file(
        "changes.html",
        templates.render("changes.html.j2", changes)?,
    ));

    files.push(file("coverage.csv", numbers::csv(&matrices, &coverage)));
    let numbers = numbers::numbers(input.rulec, &overviews, &matrices, &coverage);
    files.push(file("coverage.json", pretty(&numbers)));
    if let Some(matrix) = matrices.first() {
        files.push(file("badge.svg", numbers::badge(matrix)));
    }
    files.push(file(
        "assets/search.js",
        search::script(&overviews, &indicators, &facets),
    ));
    for name in ["catalog.css", "catalog.js"] {
        let text = input
            .pack
            .require(&format!("{FOLDER}{name}"))
            .map_err(Failure::Facts)?;
        files.push(file(&format!("assets/{name}"), text.replace("\r\n", "\n")));
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn index<'a>(input: &'a Input<'_>, overviews: &'a [Overview<'a>], facets: &'a [search::Facet]) -> Index<'a> {
    let distinct = |values: &dyn Fn(&'a Overview<'a>) -> Vec<&'a str>| {
        let all: BTreeSet<&str> = overviews.iter().flat_map(values).collect();
        all.len()
    };
    Index {
        rules: overviews
            .iter()
            .map(|o| Entry {
                rule: o.link(),
                summary: &o.summary,
                severity: o.severity,
                status: o.status,
                tactics: &o.tactics,
                techniques: o.techniques.iter().map(|(id, _)| id.as_str()).collect(),
                tables: &o.tables,
                broken: o.document.problems.iter().any(|p| p.severity == Severity::Error),
            })
            .collect(),
        facets,
        tactics: distinct(&|o| o.tactics.iter().map(String::as_str).collect()),
        techniques: distinct(&|o| o.techniques.iter().map(|(id, _)| id.as_str()).collect()),
        tables: distinct(&|o| o.tables.iter().map(String::as_str).collect()),
        replaced: input
            .replaced
            .iter()
            .map(|r| {
                let by = overviews.iter().find(|o| o.document.rule.id == r.replaced_by);
                (r.id.as_str(), r.replaced_by.as_str(), by.map(Overview::link))
            })
            .collect(),
    }
}

fn file(path: &str, text: String) -> File {
    File {
        path: path.to_owned(),
        bytes: text.into_bytes(),
    }
}

fn pretty(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
