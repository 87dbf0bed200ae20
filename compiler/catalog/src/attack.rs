//! The ATT&CK matrix of one version with the rules behind each cell, and the
//! same as a layer for the ATT&CK Navigator.
//!
//! In: the tags of all rules, as their documents have them. Out: every tactic
//! and technique of the version, covered or not. A tag goes where this version
//! has it ([`Attack::place`]); one that it has no place for is listed apart.

use std::collections::{BTreeMap, BTreeSet};

use rulec_facts::attack::{Attack, Technique};
use serde::Serialize;
use serde_json::{Value, json};

use crate::overview::{Link, Overview};

/// A matrix.
#[derive(Debug, Serialize)]
pub(crate) struct Matrix<'a> {
    pub(crate) version: &'a str,
    /// Whether it is the version the repository pins.
    pub(crate) pinned: bool,
    /// The page.
    pub(crate) page: String,
    /// The Navigator layer.
    pub(crate) layer: String,
    pub(crate) tactics: Vec<Column<'a>>,
    /// Techniques some rule is about, by itself or through a sub-technique, and all of them.
    pub(crate) covered: usize,
    pub(crate) techniques: usize,
    /// The same of sub-techniques.
    pub(crate) covered_sub: usize,
    pub(crate) sub: usize,
    /// Tags that this version has no place for.
    pub(crate) unplaced: Vec<Unplaced<'a>>,
}

/// A tactic.
#[derive(Debug, Serialize)]
pub(crate) struct Column<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
    pub(crate) shortname: &'a str,
    pub(crate) cells: Vec<Cell<'a>>,
    pub(crate) covered: usize,
    /// Rules that name the tactic and no technique.
    pub(crate) rules: Vec<Link<'a>>,
}

/// A technique under a tactic.
#[derive(Debug, Serialize)]
pub(crate) struct Cell<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
    /// Rules about it; of a technique, without those about its sub-techniques.
    pub(crate) rules: Vec<Link<'a>>,
    /// All rules, those about sub-techniques included.
    pub(crate) count: usize,
    /// 0 to 5.
    pub(crate) heat: usize,
    pub(crate) sub: Vec<Cell<'a>>,
    pub(crate) covered_sub: usize,
}

/// A tag without a place.
#[derive(Debug, Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unplaced<'a> {
    pub(crate) rule: Link<'a>,
    pub(crate) tag: String,
}

/// Rules by tactic and technique; no technique for those that name none.
type Placed<'a> = BTreeMap<(&'a str, Option<&'a str>), BTreeSet<usize>>;

/// The matrix of `attack`; the first of a catalog is pinned.
pub(crate) fn matrix<'a>(attack: &'a Attack, pinned: bool, overviews: &'a [Overview<'a>]) -> Matrix<'a> {
    let (placed, unplaced) = place(attack, overviews);
    let links = |rules: Option<&BTreeSet<usize>>| -> Vec<Link<'a>> {
        let rules = rules.into_iter().flatten();
        rules.map(|at| overviews[*at].link()).collect()
    };
    let live = || attack.techniques().filter(|t| t.revoked_by.is_none());
    let mut children: BTreeMap<&str, Vec<&Technique>> = BTreeMap::new();
    for technique in live() {
        if let Some(parent) = &technique.parent {
            children.entry(parent).or_default().push(technique);
        }
    }
    for list in children.values_mut() {
        list.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    }
    let mut tactics: Vec<Column<'_>> = Vec::new();
    for tactic in attack.tactics() {
        let under = |t: &&Technique| t.tactics.contains(&tactic.shortname);
        let mut top: Vec<&Technique> = live().filter(|t| t.parent.is_none()).filter(under).collect();
        top.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        let cells: Vec<Cell<'_>> = top
            .into_iter()
            .map(|technique| {
                let own = placed.get(&(tactic.shortname.as_str(), Some(technique.id.as_str())));
                let mut all: BTreeSet<usize> = own.into_iter().flatten().copied().collect();
                let sub: Vec<Cell<'_>> = children
                    .get(technique.id.as_str())
                    .into_iter()
                    .flatten()
                    .copied()
                    .filter(|t| under(t))
                    .map(|t| {
                        let rules = placed.get(&(tactic.shortname.as_str(), Some(t.id.as_str())));
                        all.extend(rules.into_iter().flatten());
                        Cell {
                            id: &t.id,
                            name: &t.name,
                            rules: links(rules),
                            count: rules.map_or(0, BTreeSet::len),
                            heat: 0,
                            sub: Vec::new(),
                            covered_sub: 0,
                        }
                    })
                    .collect();
                Cell {
                    id: &technique.id,
                    name: &technique.name,
                    rules: links(own),
                    count: all.len(),
                    heat: 0,
                    covered_sub: sub.iter().filter(|s| s.count > 0).count(),
                    sub,
                }
            })
            .collect();
        tactics.push(Column {
            id: &tactic.id,
            name: &tactic.name,
            shortname: &tactic.shortname,
            covered: cells.iter().filter(|c| c.count > 0).count(),
            cells,
            rules: links(placed.get(&(tactic.shortname.as_str(), None))),
        });
    }
    let hottest = tactics
        .iter()
        .flat_map(|t| &t.cells)
        .map(|c| c.count)
        .max()
        .unwrap_or_default();
    for cell in tactics.iter_mut().flat_map(|t| &mut t.cells) {
        cell.heat = heat(cell.count, hottest);
        for sub in &mut cell.sub {
            sub.heat = heat(sub.count, hottest);
        }
    }
    let about: BTreeSet<&str> = placed
        .keys()
        .filter_map(|(_, technique)| *technique)
        .flat_map(|id| [Some(id), id.split_once('.').map(|(parent, _)| parent)])
        .flatten()
        .collect();
    let count = |sub: bool, covered: bool| {
        live()
            .filter(|t| t.parent.is_some() == sub && (!covered || about.contains(t.id.as_str())))
            .count()
    };
    let named = |kind: &str, end: &str| {
        if pinned {
            format!("{kind}.{end}")
        } else {
            format!("{kind}-{}.{end}", attack.version())
        }
    };
    Matrix {
        version: attack.version(),
        pinned,
        page: named("attack", "html"),
        layer: named("layer", "json"),
        covered: count(false, true),
        techniques: count(false, false),
        covered_sub: count(true, true),
        sub: count(true, false),
        tactics,
        unplaced,
    }
}

fn place<'a>(attack: &'a Attack, overviews: &'a [Overview<'a>]) -> (Placed<'a>, Vec<Unplaced<'a>>) {
    let mut placed = Placed::new();
    let mut unplaced = BTreeSet::new();
    for (at, overview) in overviews.iter().enumerate() {
        for tag in &overview.document.rule.attack {
            let stated = tag
                .tactic_id
                .as_deref()
                .or(tag.tactic.as_deref())
                .unwrap_or_default();
            let id = tag.technique_id();
            match (&id, attack.tactic(stated)) {
                (Some(id), tactic) => {
                    // A technique whose tactic nobody can read stands under all of its own.
                    let found = attack
                        .place(id, stated)
                        .map(|p| (p.technique, p.tactics))
                        .or_else(|| {
                            let technique = attack.equivalent(id).filter(|_| tactic.is_none())?;
                            let own = attack
                                .tactics()
                                .iter()
                                .filter(|t| technique.tactics.contains(&t.shortname));
                            Some((technique, own.collect()))
                        });
                    let Some((technique, tactics)) = found else {
                        unplaced.insert(Unplaced {
                            rule: overview.link(),
                            tag: format!("{id} {stated}").trim().to_owned(),
                        });
                        continue;
                    };
                    for tactic in tactics {
                        let key = (tactic.shortname.as_str(), Some(technique.id.as_str()));
                        placed.entry(key).or_default().insert(at);
                    }
                }
                (None, Some(tactic)) => {
                    placed
                        .entry((tactic.shortname.as_str(), None))
                        .or_default()
                        .insert(at);
                }
                (None, None) if !stated.is_empty() => {
                    unplaced.insert(Unplaced {
                        rule: overview.link(),
                        tag: stated.to_owned(),
                    });
                }
                (None, None) => {}
            }
        }
    }
    (placed, unplaced.into_iter().collect())
}

/// From 0 to 5, by doublings below the hottest.
fn heat(count: usize, hottest: usize) -> usize {
    if hottest <= 5 {
        return count;
    }
    match count {
        0 => 0,
        n if n * 16 <= hottest => 1,
        n if n * 8 <= hottest => 2,
        n if n * 4 <= hottest => 3,
        n if n * 2 <= hottest => 4,
        _ => 5,
    }
}

/// The matrix as a layer of the ATT&CK Navigator, format 4.5
/// (layers/spec/v4.5/layerformat.md of mitre-attack/attack-navigator).
pub(crate) fn layer(matrix: &Matrix<'_>, title: &str) -> Value {
    let mut techniques = Vec::new();
    let mut highest = 1;
    for tactic in &matrix.tactics {
        for cell in tactic.cells.iter().filter(|c| c.count > 0) {
            for (cell, parent) in std::iter::once((cell, true)).chain(cell.sub.iter().map(|s| (s, false))) {
                if cell.count == 0 {
                    continue;
                }
                let ids: Vec<&str> = cell.rules.iter().map(|r| r.id).collect();
                let mut technique = json!({
                    "techniqueID": cell.id,
                    "tactic": tactic.shortname,
                    "comment": ids.join(", "),
                    "enabled": true,
                    "showSubtechniques": parent && cell.covered_sub > 0,
                });
                // A technique that only its sub-techniques cover has no score of its own.
                if !cell.rules.is_empty() {
                    highest = highest.max(cell.rules.len());
                    technique["score"] = cell.rules.len().into();
                }
                techniques.push(technique);
            }
        }
    }
    let major = matrix.version.split('.').next().unwrap_or(matrix.version);
    json!({
        "name": title,
        "versions": { "attack": major, "navigator": "5.2.0", "layer": "4.5" },
        "domain": "enterprise-attack",
        "description": format!("Rules by technique, ATT&CK v{}; the score is the number of rules, the comment their ids.", matrix.version),
        "sorting": 0,
        "layout": {
            "layout": "side", "showID": true, "showName": true, "showAggregateScores": true,
            "countUnscored": false, "aggregateFunction": "sum", "expandedSubtechniques": "annotated",
        },
        "hideDisabled": false,
        "techniques": techniques,
        "gradient": { "colors": ["#dbeafe", "#1e40af"], "minValue": 0, "maxValue": highest },
        "legendItems": [],
        "showTacticRowBackground": false,
        "selectTechniquesAcrossTactics": false,
        "selectSubtechniquesWithParent": false,
        "selectVisibleTechniques": false,
    })
}
