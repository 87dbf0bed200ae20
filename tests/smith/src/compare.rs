//! How two answers to one query differ.
//!
//! In: two answers. Out: at most one difference of each kind, with a signature
//! that many instances of one cause share.

use crate::answer::{Answer, Problem};

/// What can differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Whether the text is KQL.
    Syntax,
    /// Whether the query means something.
    Semantic,
    /// The columns of the result, their order and types.
    Columns,
    /// The columns of a query with errors, as far as both guess them.
    ColumnsDespiteErrors,
    /// The list of tabular operators.
    Operators,
}

impl Kind {
    /// All kinds, in the order of reports.
    pub const ALL: [Kind; 5] = [
        Kind::Syntax,
        Kind::Semantic,
        Kind::Columns,
        Kind::ColumnsDespiteErrors,
        Kind::Operators,
    ];

    /// A word for it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Syntax => "syntax",
            Kind::Semantic => "semantic",
            Kind::Columns => "columns",
            Kind::ColumnsDespiteErrors => "columns despite errors",
            Kind::Operators => "operators",
        }
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What differs.
    pub kind: Kind,
    /// What instances of the same cause have in common: for grouping.
    pub signature: String,
    /// Both answers, for people.
    pub detail: String,
}

/// Which kinds could be compared at all, and what differs. Of texts that are
/// not KQL to one side only the syntax is compared: what they would mean is
/// each side's guess.
pub fn compare(ours: &Answer, theirs: &Answer) -> (Vec<Kind>, Vec<Difference>) {
    let mut compared = vec![Kind::Syntax];
    let mut found = Vec::new();
    if let Some(difference) = verdict(Kind::Syntax, &ours.syntax, &theirs.syntax) {
        return (compared, vec![difference]);
    }
    if !ours.syntax.is_empty() {
        return (compared, found);
    }
    compared.extend([Kind::Semantic, Kind::Operators]);
    if ours.operators != theirs.operators {
        found.push(Difference {
            kind: Kind::Operators,
            signature: first_difference(&ours.operators, &theirs.operators),
            detail: format!("ours {:?}\ntheirs {:?}", ours.operators, theirs.operators),
        });
    }
    let verdicts = verdict(Kind::Semantic, &ours.semantic, &theirs.semantic);
    if verdicts.is_none() {
        let kind = if ours.semantic.is_empty() {
            Kind::Columns
        } else {
            Kind::ColumnsDespiteErrors
        };
        // The reference gives no columns where it gives up; nothing to compare then.
        if theirs.columns.is_some() || kind == Kind::Columns {
            compared.push(kind);
            found.extend(columns(kind, ours, theirs));
        }
    }
    found.extend(verdicts);
    (compared, found)
}

fn verdict(kind: Kind, ours: &[Problem], theirs: &[Problem]) -> Option<Difference> {
    let (side, problems) = match (ours.is_empty(), theirs.is_empty()) {
        (false, true) => ("ours rejects", ours),
        (true, false) => ("theirs rejects", theirs),
        _ => return None,
    };
    let first = problems.first()?;
    Some(Difference {
        kind,
        signature: format!("{side}: {} {}", first.code, without_names(&first.message)),
        detail: problems
            .iter()
            .take(3)
            .map(|p| format!("{side}: {} {}", p.code, p.message))
            .collect::<Vec<_>>()
            .join("\n"),
    })
}

fn columns(kind: Kind, ours: &Answer, theirs: &Answer) -> Option<Difference> {
    if ours.columns == theirs.columns {
        return None;
    }
    let (signature, detail) = match (&ours.columns, &theirs.columns) {
        (Some(ours), Some(theirs)) => {
            let at = ours.iter().zip(theirs).take_while(|(a, b)| a == b).count();
            let show = |columns: &[(String, String)]| {
                columns
                    .iter()
                    .skip(at)
                    .take(4)
                    .map(|(name, ty)| format!("{name}:{ty}"))
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            let what = match (ours.get(at), theirs.get(at)) {
                (Some((a, ours)), Some((b, theirs))) if a == b => {
                    format!("type: ours {ours}, theirs {theirs}")
                }
                (Some((a, _)), Some((b, _))) if ours.len() == theirs.len() => {
                    format!("name: ours {}, theirs {}", shape(a), shape(b))
                }
                _ if ours.len() < theirs.len() => "fewer columns".to_owned(),
                _ => "more columns".to_owned(),
            };
            let detail = format!(
                "{} ours, {} theirs; from {at}\nours   {}\ntheirs {}",
                ours.len(),
                theirs.len(),
                show(ours),
                show(theirs)
            );
            (what, detail)
        }
        (Some(_), None) => ("ours is a table, theirs is none".to_owned(), String::new()),
        _ => ("ours is no table, theirs is one".to_owned(), String::new()),
    };
    Some(Difference {
        kind,
        signature,
        detail,
    })
}

/// A name of which only the kind counts.
fn shape(name: &str) -> String {
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit());
    match plain {
        "Column" | "print_" | "count_" | "" => format!("{plain}#"),
        _ if plain.len() < name.len() => "name#".to_owned(),
        _ => "name".to_owned(),
    }
}

fn first_difference(ours: &[String], theirs: &[String]) -> String {
    let at = ours.iter().zip(theirs).take_while(|(a, b)| a == b).count();
    let show = |names: &[String]| names.get(at).cloned().unwrap_or_else(|| "none".to_owned());
    format!("ours {}, theirs {}", show(ours), show(theirs))
}

/// A message without what belongs to the query at hand: quoted words and numbers.
fn without_names(message: &str) -> String {
    let mut text = String::new();
    let mut quote = None;
    for c in message.chars() {
        match quote {
            Some(end) if c == end => {
                quote = None;
                text.push_str("_'");
            }
            Some(_) => {}
            None if c == '\'' || c == '`' => {
                quote = Some(c);
                text.push('\'');
            }
            None if c.is_ascii_digit() => {
                if !text.ends_with('#') {
                    text.push('#');
                }
            }
            None => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(columns: &[(&str, &str)]) -> Answer {
        Answer {
            columns: Some(
                columns
                    .iter()
                    .map(|(n, t)| ((*n).to_owned(), (*t).to_owned()))
                    .collect(),
            ),
            ..Answer::default()
        }
    }

    fn problem(message: &str) -> Problem {
        Problem {
            code: "X1".to_owned(),
            message: message.to_owned(),
            start: 0,
            length: 1,
        }
    }

    #[test]
    fn instances_of_one_cause_share_a_signature() {
        let theirs = answer(&[]);
        let signatures: Vec<String> = ["no column `a1`", "no column `bee`"]
            .iter()
            .map(|message| {
                let ours = Answer {
                    semantic: vec![problem(message)],
                    ..answer(&[])
                };
                compare(&ours, &theirs).1[0].signature.clone()
            })
            .collect();
        assert_eq!(signatures[0], "ours rejects: X1 no column '_'");
        assert_eq!(signatures[0], signatures[1]);
    }

    #[test]
    fn columns_differ_by_name_type_or_number() {
        let theirs = answer(&[("a", "long"), ("b", "string")]);
        for (ours, signature) in [
            (vec![("a", "int"), ("b", "string")], "type: ours int, theirs long"),
            (
                vec![("a", "long"), ("b1", "string")],
                "name: ours name#, theirs name",
            ),
            (vec![("a", "long")], "fewer columns"),
            (
                vec![("a", "long"), ("b", "string"), ("c", "long")],
                "more columns",
            ),
        ] {
            let (compared, found) = compare(&answer(&ours), &theirs);
            assert!(compared.contains(&Kind::Columns));
            assert_eq!(found.len(), 1);
            assert_eq!(
                (found[0].kind, found[0].signature.as_str()),
                (Kind::Columns, signature)
            );
        }
        assert_eq!(compare(&theirs, &theirs).1, []);
    }

    #[test]
    fn of_a_text_that_is_not_kql_only_the_syntax_counts() {
        let broken = Answer {
            syntax: vec![problem("x")],
            ..answer(&[])
        };
        let other = Answer {
            syntax: vec![problem("y")],
            ..answer(&[("a", "long")])
        };
        assert_eq!(compare(&broken, &other), (vec![Kind::Syntax], vec![]));
    }
}
