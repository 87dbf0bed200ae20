//! ATT&CK tags as they stand in the document, and how to rewrite them.
//!
//! In: a tag by its index. Out: where its tactic and technique belong in the
//! version in use, and the edits that make the document say so: in the cells
//! of a table, in a line of a list, in a metadata value. Deliberately absent:
//! the decision whether to (the lints).

use rulec_facts::attack::{Attack, Placement, Tactic, Technique, fold};
use rulec_model::AttackTag;
use rulec_source::{Diagnostic, Span};

use crate::Input;

/// One tag of the rule.
pub(crate) struct Tag<'a> {
    input: &'a Input<'a>,
    index: usize,
    pub(crate) said: &'a AttackTag,
}

/// The edits of a repair, in order; none when it cannot be made by itself.
pub(crate) type Edits = Option<Vec<(Span, String)>>;

/// All tags of a rule, in the order of the document.
pub(crate) fn tags<'a>(input: &'a Input<'a>) -> impl Iterator<Item = Tag<'a>> {
    let tags = input.rule.attack.iter().enumerate();
    tags.map(move |(index, said)| Tag { input, index, said })
}

impl<'a> Tag<'a> {
    fn attack(&self) -> &'a Attack {
        &self.input.facts.attack
    }

    /// The tactic as stated, by id before name.
    pub(crate) fn stated(&self) -> Option<&'a str> {
        self.said.tactic_id.as_deref().or(self.said.tactic.as_deref())
    }

    /// The tactic that is stated, as the version in use knows it.
    pub(crate) fn stated_tactic(&self) -> Option<&'a Tactic> {
        self.attack().tactic(self.stated()?)
    }

    /// The place of a field (`tactic`, `technique`, `subtechnique`, `name`),
    /// or of what is around it.
    pub(crate) fn place(&self, field: &str) -> Span {
        self.input.place(&format!("/attack/{}/{field}", self.index))
    }

    /// The half of the id that a finding about the id is about: the number of
    /// the sub-technique if the technique itself is one.
    pub(crate) fn id_place(&self) -> Span {
        let attack = self.attack();
        let known = |id: &str| attack.technique(id).is_some();
        let parent = self.said.technique.as_deref().is_some_and(known);
        let whole = self.said.technique_id().is_some_and(|id| known(&id));
        self.place(if parent && !whole {
            "subtechnique"
        } else {
            "technique"
        })
    }

    /// Where the tag belongs in the version in use; none without a technique
    /// or a tactic that are known there.
    pub(crate) fn placement(&self) -> Option<Placement<'a>> {
        self.attack().place(&self.said.technique_id()?, self.stated()?)
    }

    /// Whether technique and tactic, as stated, are a pair of the version in use.
    pub(crate) fn is_settled(&self) -> bool {
        self.placement().is_none_or(|placement| !placement.moved)
    }

    /// Adds the repair that makes the document say what [`Tag::placement`]
    /// found, unless several tactics are possible.
    pub(crate) fn carried(&self, diagnostic: Diagnostic, safe: bool) -> Diagnostic {
        let Some(placement) = self.placement() else {
            return diagnostic;
        };
        let id = &placement.technique.id;
        let (message, edits) = if self.duplicate(&placement) {
            (
                "remove the row, which says what another says".to_owned(),
                self.removed(),
            )
        } else if let [tactic] = placement.tactics.as_slice() {
            (
                format!("write {id} under {}", tactic.name),
                self.rewritten(Some(tactic), Some(placement.technique)),
            )
        } else {
            return diagnostic;
        };
        offered(diagnostic, message, edits, safe)
    }

    /// The edits that write another tactic, technique or both in place of
    /// what is stated.
    pub(crate) fn rewritten(&self, tactic: Option<&Tactic>, technique: Option<&Technique>) -> Edits {
        let mut edits = Vec::new();
        if let Some(tactic) = tactic {
            edits.extend(self.tactic_edits(tactic)?);
        }
        if let Some(technique) = technique {
            if self.said.technique_id().as_deref() != Some(technique.id.as_str()) {
                edits.extend(self.technique_edits(&technique.id)?);
            }
            edits.extend(self.name_edits(technique)?);
        }
        edits.sort_by_key(|(span, _)| (span.start, span.end));
        let apart = edits.windows(2).all(|pair| pair[0].0.end <= pair[1].0.start);
        (apart && !edits.is_empty()).then_some(edits)
    }

    fn tactic_edits(&self, new: &Tactic) -> Edits {
        let field = self.cell("tactic");
        let (id, name) = (self.said.tactic_id.as_deref(), self.said.tactic.as_deref());
        if id.is_none() && name.is_none() {
            // An empty cell is filled in the manner of the others.
            let with_id = self.input.rule.attack.iter().any(|t| t.tactic_id.is_some());
            let text = if with_id {
                format!("{} - {}", new.id, new.name)
            } else {
                new.name.clone()
            };
            return Some(vec![self.filled(field?, text)?]);
        }
        // One line may say the tactic of several tags: a new name suits them all, another tactic may not.
        let renamed = self.stated_tactic().is_some_and(|stated| stated.id == new.id);
        if !renamed
            && tags(self.input).any(|t| t.index != self.index && t.area("tactic") == self.area("tactic"))
        {
            return None;
        }
        let mut edits = Vec::new();
        for (old, new) in [(id, &new.id), (name, &new.name)] {
            if let Some(old) = old.filter(|old| *old != new) {
                edits.push((self.find("tactic", old)?, new.clone()));
            }
        }
        Some(edits)
    }

    fn technique_edits(&self, new: &str) -> Edits {
        let old = self.said.technique_id()?;
        let technique = self.said.technique.as_deref()?;
        let (parent, number) = new.split_once('.').map_or((new, ""), |(p, n)| (p, n));
        let Some(column) = self.cell("subtechnique") else {
            return Some(vec![(self.find("technique", &old)?, new.to_owned())]);
        };
        let said = column.of(&self.input.file.text);
        if let Some(whole) = self.find("technique", &old).filter(|_| old != technique) {
            // The whole id in one cell; the other says the same again, or nothing.
            let again = said.is_empty().then_some(Vec::new());
            return again.map(|mut edits| {
                edits.push((whole, new.to_owned()));
                edits
            });
        }
        let mut edits = Vec::new();
        if parent != technique {
            edits.push((self.find("technique", technique)?, parent.to_owned()));
        }
        let numbered = self.said.subtechnique.as_deref();
        match (numbered, number) {
            (None, "") => {}
            (None, number) => edits.push(self.filled(column, number.to_owned())?),
            (Some(old), number) if old == number => {}
            (Some(old), number) if said == old => edits.push((column, number.to_owned())),
            _ => return None,
        }
        Some(edits)
    }

    /// The name beside the id, in the manner it is written in: `Parent: Own`,
    /// `Parent - Own` or `Own`.
    pub(crate) fn name_edits(&self, new: &Technique) -> Edits {
        let Some(said) = self.said.name.as_deref() else {
            return Some(Vec::new());
        };
        let full = self.attack().full_name(new);
        if fold(said) == fold(&full) || (fold(said) == fold(&new.name)) {
            return Some(Vec::new());
        }
        let was_full = said.contains(": ") || said.contains(" - ");
        let dashed = |name: &str| name.contains(" - ");
        let anyone_dashes = || {
            let mut names = self.input.rule.attack.iter().filter_map(|t| t.name.as_deref());
            names.any(dashed)
        };
        let name = if new.parent.is_none() || (self.said.subtechnique.is_some() && !was_full) {
            new.name.clone()
        } else if dashed(said) || (!was_full && anyone_dashes()) {
            full.replacen(": ", " - ", 1)
        } else {
            full
        };
        Some(vec![(self.find("name", said)?, name)])
    }

    /// Whether the document has a place of its own for a field, empty or not.
    pub(crate) fn has_cell(&self, field: &str) -> bool {
        self.cell(field).is_some()
    }

    /// The place of a cell of a table, empty ones included.
    fn cell(&self, field: &str) -> Option<Span> {
        self.input
            .places
            .get(&format!("/attack/{}/{field}", self.index))
            .copied()
    }

    /// Where a field is written: its cell, or what the whole tag was read from.
    fn area(&self, field: &str) -> Option<Span> {
        self.cell(field).or_else(|| self.whole())
    }

    /// Where `text` stands alone, once, in the cell of a field or in what the
    /// whole tag was read from. A title is for reading and stays as it is.
    fn find(&self, field: &str, text: &str) -> Option<Span> {
        let area = self.area(field)?;
        let source = area.of(&self.input.file.text);
        // What links to a page would have to be changed along with the link.
        if source.contains("://") {
            return None;
        }
        let letter = |c: char| c.is_alphanumeric();
        let alone = |at: &usize| {
            let (before, after) = (&source[..*at], &source[at + text.len()..]);
            let longer =
                after.starts_with(['.', '/']) && after[1..].starts_with(|c: char| c.is_ascii_digit());
            !before.ends_with(letter) && !after.starts_with(letter) && !longer
        };
        // Ids in small letters, and `T1562/001`, are the same ids. Neither changes the places of bytes.
        let plain = |text: &str| text.to_ascii_lowercase().replace('/', ".");
        let (searched, wanted) = (plain(source), plain(text));
        let mut found = searched.match_indices(&wanted).map(|(at, _)| at).filter(alone);
        let (at, more) = (found.next()?, found.next());
        let start = area.start as usize + at;
        more.is_none().then(|| Span::new(start, start + text.len()))
    }

    /// What the tag was read from: a row, a line, a value of the metadata.
    fn whole(&self) -> Option<Span> {
        let span = *self.input.places.get(&format!("/attack/{}", self.index))?;
        let is_title = self.input.places.get("/title") == Some(&span);
        (!is_title && !span.is_empty()).then_some(span)
    }

    /// Puts text into an empty cell, with a blank at each side.
    fn filled(&self, cell: Span, text: String) -> Option<(Span, String)> {
        let source = &self.input.file.text;
        if !cell.is_empty() {
            return Some((cell, text));
        }
        let before = source[..cell.start as usize].trim_end_matches([' ', '\t']);
        let after = source[cell.end as usize..].trim_start_matches([' ', '\t']);
        let inside = before.ends_with('|') && after.starts_with('|');
        inside.then(|| {
            let span = Span::new(before.len(), source.len() - after.len());
            (span, format!(" {text} "))
        })
    }

    /// Whether an earlier tag, or one that need not change, comes to say the same.
    fn duplicate(&self, placement: &Placement<'_>) -> bool {
        let [tactic] = placement.tactics.as_slice() else {
            return false;
        };
        tags(self.input).any(|other| {
            let Some(its) = other.placement().filter(|_| other.index != self.index) else {
                return false;
            };
            let same = its.technique.id == placement.technique.id && its.tactics == [*tactic];
            same && (!its.moved || other.index < self.index)
        })
    }

    /// Without the line of the table that says this tag and no other.
    fn removed(&self) -> Edits {
        let row = self.whole()?;
        self.cell("technique")?;
        let alone = |other: Tag<'_>| other.index == self.index || other.whole() != Some(row);
        let source = &self.input.file.text;
        let start = source[..row.start as usize].rfind('\n').map_or(0, |at| at + 1);
        let end = source[row.end as usize..].find('\n')? + row.end as usize + 1;
        tags(self.input)
            .all(alone)
            .then(|| vec![(Span::new(start, end), String::new())])
    }
}

/// A finding with its repair, if that can be made.
pub(crate) fn offered(diagnostic: Diagnostic, message: String, edits: Edits, safe: bool) -> Diagnostic {
    match edits {
        Some(edits) if safe => diagnostic.fix_all(message, edits),
        Some(edits) => diagnostic.suggest_all(message, edits),
        None => diagnostic,
    }
}

/// `Stealth or Defense Impairment`.
pub(crate) fn named(tactics: &[&Tactic]) -> String {
    let names: Vec<&str> = tactics.iter().map(|t| t.name.as_str()).collect();
    names.join(" or ")
}
