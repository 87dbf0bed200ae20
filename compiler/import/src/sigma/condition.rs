//! The condition of a detection: `all of selection_* and not 1 of filter_*`.
//!
//! In: the text, and the names of the searches. Out: a tree of search names.
//! Depth is bounded; a text that is no condition is an error in words.

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Search(String),
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
}

const DEEPEST: usize = 64;

/// Reads a condition over searches of these names.
pub(super) fn parse(text: &str, names: &[&str]) -> Result<Condition, String> {
    if text.contains('|') {
        return Err("its condition counts (`|`), which Sigma has given up for correlation rules".to_owned());
    }
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { words, at: 0, names };
    let condition = parser.or(0)?;
    match parser.words.get(parser.at) {
        None => Ok(condition),
        Some(word) => Err(format!("its condition goes on with `{word}` where it should end")),
    }
}

struct Parser<'t> {
    words: Vec<&'t str>,
    at: usize,
    names: &'t [&'t str],
}

impl<'t> Parser<'t> {
    fn eat(&mut self, word: &str) -> bool {
        let found = self
            .words
            .get(self.at)
            .is_some_and(|w| w.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn next(&mut self) -> Option<&'t str> {
        let word = self.words.get(self.at).copied();
        self.at += 1;
        word
    }

    fn or(&mut self, depth: usize) -> Result<Condition, String> {
        let mut all = vec![self.and(depth)?];
        while self.eat("or") {
            all.push(self.and(depth)?);
        }
        Ok(if all.len() == 1 {
            all.remove(0)
        } else {
            Condition::Or(all)
        })
    }

    fn and(&mut self, depth: usize) -> Result<Condition, String> {
        let mut all = vec![self.not(depth)?];
        while self.eat("and") {
            all.push(self.not(depth)?);
        }
        Ok(if all.len() == 1 {
            all.remove(0)
        } else {
            Condition::And(all)
        })
    }

    fn not(&mut self, depth: usize) -> Result<Condition, String> {
        if depth > DEEPEST {
            return Err("its condition is nested too deep".to_owned());
        }
        if self.eat("not") {
            return Ok(Condition::Not(Box::new(self.not(depth + 1)?)));
        }
        if self.eat("(") {
            let inside = self.or(depth + 1)?;
            if !self.eat(")") {
                return Err("a parenthesis of its condition is not closed".to_owned());
            }
            return Ok(inside);
        }
        let Some(word) = self.next() else {
            return Err("its condition ends too early".to_owned());
        };
        let all = match word.to_ascii_lowercase().as_str() {
            "all" => Some(true),
            "1" | "any" => Some(false),
            _ => None,
        };
        if let (Some(all), Some("of")) = (
            all,
            self.words.get(self.at).map(|w| w.to_ascii_lowercase()).as_deref(),
        ) {
            self.at += 1;
            let Some(pattern) = self.next() else {
                return Err("its condition ends too early".to_owned());
            };
            let chosen: Vec<Condition> = self
                .names
                .iter()
                .filter(|name| fits(pattern, name))
                .map(|name| Condition::Search((*name).to_owned()))
                .collect();
            return match chosen.len() {
                0 => Err(format!(
                    "its condition names `{pattern}`, and no search is called so"
                )),
                1 => Ok(chosen.into_iter().next().unwrap_or(Condition::Or(Vec::new()))),
                _ if all => Ok(Condition::And(chosen)),
                _ => Ok(Condition::Or(chosen)),
            };
        }
        if self.names.contains(&word) {
            Ok(Condition::Search(word.to_owned()))
        } else {
            Err(format!(
                "its condition names `{word}`, and no search is called so"
            ))
        }
    }
}

/// Whether `selection_*` or `them` means a search.
fn fits(pattern: &str, name: &str) -> bool {
    if pattern.eq_ignore_ascii_case("them") {
        return !name.starts_with('_');
    }
    let mut rest = name;
    let parts: Vec<&str> = pattern.split('*').collect();
    for (i, part) in parts.iter().enumerate() {
        if i == 0 {
            match rest.strip_prefix(part) {
                Some(behind) => rest = behind,
                None => return false,
            }
        } else if i == parts.len() - 1 {
            return rest.ends_with(part);
        } else {
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(condition: &Condition) -> String {
        let list = |all: &[Condition], mark: &str| {
            format!("({})", all.iter().map(shown).collect::<Vec<_>>().join(mark))
        };
        match condition {
            Condition::Search(name) => name.clone(),
            Condition::Not(inner) => format!("!{}", shown(inner)),
            Condition::And(all) => list(all, "&"),
            Condition::Or(all) => list(all, "|"),
        }
    }

    #[test]
    fn conditions_are_read() {
        let names = ["sel_a", "sel_b", "filter_main_x", "_base"];
        for (text, expected) in [
            ("sel_a", "sel_a"),
            ("sel_a and not 1 of filter_*", "(sel_a&!filter_main_x)"),
            (
                "all of sel_* or (_base and not sel_a)",
                "((sel_a&sel_b)|(_base&!sel_a))",
            ),
            ("1 of them", "(sel_a|sel_b|filter_main_x)"),
            ("any of sel_*", "(sel_a|sel_b)"),
            ("not not sel_a", "!!sel_a"),
            ("sel_a OR sel_b AND _base", "(sel_a|(sel_b&_base))"),
        ] {
            assert_eq!(
                parse(text, &names).map(|c| shown(&c)).as_deref(),
                Ok(expected),
                "{text}"
            );
        }
        for text in [
            "",
            "nope",
            "sel_a and",
            "(sel_a",
            "sel_a sel_b",
            "1 of x*",
            "sel_a | count() > 3",
        ] {
            assert!(parse(text, &names).is_err(), "{text}");
        }
        assert!(parse(&"(".repeat(10_000), &names).is_err());
        assert!(parse(&"not ".repeat(10_000), &names).is_err());
    }
}
