//! Regular expressions in the notation that every Sigma backend takes.
//!
//! In: a pattern in RE2's syntax, as a query has it. Out: the same pattern with
//! nothing but what the Sigma specification allows: literals, `.`, anchors,
//! quantifiers, bracketed classes, alternation and groups; or why it cannot be
//! said so. `\d`, `\w` and `\s` are written out, flags at the front become
//! modifiers, and a word boundary becomes the character beside it where that
//! character is not needed by the rest. Deliberately absent: any change of what
//! matches.

use regex_syntax::ast::parse::Parser;
use regex_syntax::ast::{
    AssertionKind, Ast, ClassAsciiKind, ClassBracketed, ClassPerlKind, ClassSet, ClassSetItem, Flag, Flags,
    FlagsItemKind, GroupKind, RepetitionKind, RepetitionRange,
};

/// A pattern and what goes into the modifier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) text: String,
    /// `|re|i`
    pub(super) insensitive: bool,
    /// `|re|m`
    pub(super) multi_line: bool,
    /// `|re|s`
    pub(super) dot_all: bool,
}

/// A text as a pattern that matches it and nothing else.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        literal(&mut out, c, false);
    }
    out
}

/// The class of what may not stand beside a term: letters and digits. `but` is
/// left out as well.
pub(super) fn no_term(insensitive: bool, but: Option<char>) -> String {
    no_class(if insensitive { "0-9a-z" } else { "0-9A-Za-z" }, but)
}

/// The class of everything but what stands in `set`, and but `but`.
fn no_class(set: &str, but: Option<char>) -> String {
    let mut out = format!("[^{set}");
    if let Some(c) = but {
        literal(&mut out, c, true);
    }
    out.push(']');
    out
}

/// `[^\\]*`: the rest of a path's last part.
pub(super) fn rest_of_part(separator: char) -> String {
    format!("{}*", no_class("", Some(separator)))
}

/// A pattern that is looked for anywhere in the text.
pub(super) fn anywhere(pattern: &str) -> Result<Pattern, String> {
    Writer::write(pattern, None)
}

/// A pattern that is looked for in the last part of a path.
pub(super) fn last_part(pattern: &str, separator: char) -> Result<Pattern, String> {
    let mut found = Writer::write(pattern, Some(separator))?;
    if found.multi_line {
        return Err("lines within a name".to_owned());
    }
    let rest = rest_of_part(separator);
    // Where the pattern ends at the end of the text, so does the name.
    if !found.text.ends_with('$') || found.text.contains('|') {
        found.text = format!("({}){rest}$", found.text);
    }
    Ok(found)
}

/// What a pattern begins or ends with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    /// Always a letter, digit or underscore.
    Word,
    /// Always another character.
    NoWord,
    /// Not always the same, or nothing.
    Unknown,
}

struct Writer {
    out: Pattern,
    separator: Option<char>,
}

impl Writer {
    fn write(pattern: &str, separator: Option<char>) -> Result<Pattern, String> {
        let translated = rulec_functions::regexes::translate(pattern)?;
        let ast = Parser::new()
            .parse(&translated)
            .map_err(|error| error.kind().to_string())?;
        let mut writer = Self {
            out: Pattern::default(),
            separator,
        };
        let (flags, rest) = front_flags(&ast);
        for flags in flags {
            writer.set(flags)?;
        }
        writer.sequence(&rest, true, true)?;
        Ok(writer.out)
    }

    /// Flags for the whole pattern.
    fn set(&mut self, flags: &Flags) -> Result<(), String> {
        let mut on = true;
        for item in &flags.items {
            match item.kind {
                FlagsItemKind::Negation => on = false,
                FlagsItemKind::Flag(Flag::CaseInsensitive) => self.out.insensitive = on,
                FlagsItemKind::Flag(Flag::MultiLine) => self.out.multi_line = on,
                FlagsItemKind::Flag(Flag::DotMatchesNewLine) => self.out.dot_all = on,
                // Which match is found is not asked, and text is text.
                FlagsItemKind::Flag(Flag::SwapGreed | Flag::Unicode) => {}
                FlagsItemKind::Flag(_) => return Err("a flag".to_owned()),
            }
        }
        Ok(())
    }

    /// Whether flags within the pattern say what holds already.
    fn agrees(&self, flags: &Flags) -> bool {
        let mut on = true;
        flags.items.iter().all(|item| match item.kind {
            FlagsItemKind::Negation => {
                on = false;
                true
            }
            FlagsItemKind::Flag(Flag::CaseInsensitive) => self.out.insensitive == on,
            FlagsItemKind::Flag(Flag::MultiLine) => self.out.multi_line == on,
            FlagsItemKind::Flag(Flag::DotMatchesNewLine) => self.out.dot_all == on,
            FlagsItemKind::Flag(Flag::SwapGreed | Flag::Unicode) => true,
            FlagsItemKind::Flag(_) => false,
        })
    }

    /// `first` and `last` say whether nothing of the match can lie before or
    /// behind.
    fn sequence(&mut self, parts: &[&Ast], first: bool, last: bool) -> Result<(), String> {
        for (i, part) in parts.iter().enumerate() {
            let (first, last) = (first && i == 0, last && i + 1 == parts.len());
            if boundary(part) {
                let before = i.checked_sub(1).and_then(|i| parts.get(i));
                let before = before.map_or(Edge::Unknown, |part| edge(part, false));
                let after = parts.get(i + 1).map_or(Edge::Unknown, |part| edge(part, true));
                self.word_boundary(before, after, first, last)?;
            } else {
                self.ast(part, first, last)?;
            }
        }
        Ok(())
    }

    fn word_boundary(&mut self, before: Edge, after: Edge, first: bool, last: bool) -> Result<(), String> {
        let word = if self.out.insensitive {
            "0-9a-z_"
        } else {
            "0-9A-Za-z_"
        };
        let text = match (before, after) {
            (Edge::Word, Edge::NoWord) | (Edge::NoWord, Edge::Word) => String::new(),
            (_, Edge::Word) if first => format!("(^|{})", no_class(word, None)),
            (_, Edge::NoWord) if first => format!("[{word}]"),
            (Edge::Word, _) if last => format!("({}|$)", no_class(word, self.separator)),
            (Edge::NoWord, _) if last => format!("[{word}]"),
            _ => return Err("a word boundary in the middle of a pattern".to_owned()),
        };
        self.out.text.push_str(&text);
        Ok(())
    }

    fn ast(&mut self, ast: &Ast, first: bool, last: bool) -> Result<(), String> {
        match ast {
            Ast::Empty(_) => {}
            Ast::Flags(flags) if self.agrees(&flags.flags) => {}
            Ast::Flags(_) => return Err("flags for a part of a pattern".to_owned()),
            Ast::Literal(found) => {
                if self.separator == Some(found.c) {
                    return Err("a separator of paths within a name".to_owned());
                }
                literal(&mut self.out.text, found.c, false);
            }
            Ast::Dot(_) => match self.separator {
                Some(separator) => self.out.text.push_str(&no_class("", Some(separator))),
                None => self.out.text.push('.'),
            },
            Ast::Assertion(found) => match (&found.kind, self.separator) {
                (AssertionKind::StartText, _) if self.out.multi_line => {
                    return Err("`\\A` beside `(?m)`".to_owned());
                }
                (AssertionKind::EndText, _) if self.out.multi_line => {
                    return Err("`\\z` beside `(?m)`".to_owned());
                }
                (AssertionKind::StartLine | AssertionKind::StartText, Some(separator)) => {
                    self.out.text.push_str("(^|");
                    literal(&mut self.out.text, separator, false);
                    self.out.text.push(')');
                }
                (AssertionKind::StartLine | AssertionKind::StartText, None) => self.out.text.push('^'),
                (AssertionKind::EndLine | AssertionKind::EndText, _) => self.out.text.push('$'),
                (AssertionKind::WordBoundary, _) => {
                    self.word_boundary(Edge::Unknown, Edge::Unknown, first, last)?;
                }
                _ => return Err("an assertion".to_owned()),
            },
            Ast::ClassUnicode(_) => return Err("a Unicode class".to_owned()),
            Ast::ClassPerl(found) => {
                let set = match found.kind {
                    ClassPerlKind::Digit => "0-9",
                    ClassPerlKind::Space => "\\t\\n\\f\\r ",
                    ClassPerlKind::Word => "0-9A-Za-z_",
                };
                let text = if found.negated {
                    no_class(set, self.separator)
                } else {
                    format!("[{set}]")
                };
                self.out.text.push_str(&text);
            }
            Ast::ClassBracketed(class) => self.class(class)?,
            Ast::Repetition(found) => {
                // What stands in a repetition has neighbours of its own kind.
                self.ast(&found.ast, false, false)?;
                let text = match &found.op.kind {
                    RepetitionKind::ZeroOrOne => "?".to_owned(),
                    RepetitionKind::ZeroOrMore => "*".to_owned(),
                    RepetitionKind::OneOrMore => "+".to_owned(),
                    RepetitionKind::Range(RepetitionRange::Exactly(n)) => format!("{{{n}}}"),
                    RepetitionKind::Range(RepetitionRange::AtLeast(n)) => format!("{{{n},}}"),
                    RepetitionKind::Range(RepetitionRange::Bounded(n, m)) => format!("{{{n},{m}}}"),
                };
                self.out.text.push_str(&text);
            }
            Ast::Group(group) => {
                if let GroupKind::NonCapturing(flags) = &group.kind
                    && !self.agrees(flags)
                {
                    return Err("flags for a part of a pattern".to_owned());
                }
                self.out.text.push('(');
                self.ast(&group.ast, first, last)?;
                self.out.text.push(')');
            }
            Ast::Alternation(all) => {
                for (i, part) in all.asts.iter().enumerate() {
                    if i > 0 {
                        self.out.text.push('|');
                    }
                    self.ast(part, first, last)?;
                }
            }
            Ast::Concat(all) => {
                let parts: Vec<&Ast> = all.asts.iter().collect();
                self.sequence(&parts, first, last)?;
            }
        }
        Ok(())
    }

    fn class(&mut self, class: &ClassBracketed) -> Result<(), String> {
        let ClassSet::Item(item) = &class.kind else {
            return Err("an intersection of classes".to_owned());
        };
        let mut set = String::new();
        class_item(&mut set, item)?;
        let text = match (class.negated, self.separator) {
            (true, Some(separator)) if !class_has(item, separator) => no_class(&set, Some(separator)),
            (true, _) => no_class(&set, None),
            (false, Some(separator)) if class_has(item, separator) => {
                return Err("a class that takes in separators of paths".to_owned());
            }
            (false, _) => format!("[{set}]"),
        };
        self.out.text.push_str(&text);
        Ok(())
    }
}

/// The flags at the front of a pattern, and what follows them.
fn front_flags(ast: &Ast) -> (Vec<&Flags>, Vec<&Ast>) {
    let parts: Vec<&Ast> = match ast {
        Ast::Concat(all) => all.asts.iter().collect(),
        one => vec![one],
    };
    let count = parts
        .iter()
        .take_while(|part| matches!(part, Ast::Flags(_)))
        .count();
    let flags = parts
        .iter()
        .take(count)
        .filter_map(|part| match part {
            Ast::Flags(flags) => Some(&flags.flags),
            _ => None,
        })
        .collect();
    (flags, parts.into_iter().skip(count).collect())
}

/// Whether a part is a word boundary; the binder's spelling puts it in a group.
fn boundary(ast: &Ast) -> bool {
    match ast {
        Ast::Assertion(found) => found.kind == AssertionKind::WordBoundary,
        Ast::Group(group) => matches!(group.kind, GroupKind::NonCapturing(_)) && boundary(&group.ast),
        _ => false,
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn edge(ast: &Ast, first: bool) -> Edge {
    let same = |mut edges: Vec<Edge>| match edges.pop() {
        Some(one) if edges.iter().all(|other| *other == one) => one,
        _ => Edge::Unknown,
    };
    match ast {
        Ast::Literal(found) if is_word(found.c) => Edge::Word,
        Ast::Literal(_) => Edge::NoWord,
        Ast::ClassPerl(found) => match (&found.kind, found.negated) {
            (ClassPerlKind::Digit | ClassPerlKind::Word, false) => Edge::Word,
            (ClassPerlKind::Space, false) | (ClassPerlKind::Word, true) => Edge::NoWord,
            _ => Edge::Unknown,
        },
        Ast::ClassBracketed(class) => match &class.kind {
            ClassSet::Item(item) => {
                let ascii: Vec<char> = (0u8..128).map(char::from).collect();
                let inside = |c: &char| class_has(item, *c) != class.negated;
                let (words, others): (Vec<char>, Vec<char>) = ascii.into_iter().partition(|c| is_word(*c));
                // Beyond ASCII only classes that name it take anything but `[^…]`.
                let no_other = !class.negated && !others.iter().any(inside) && class_is_ascii(item);
                if no_other {
                    Edge::Word
                } else if !words.iter().any(inside) {
                    Edge::NoWord
                } else {
                    Edge::Unknown
                }
            }
            ClassSet::BinaryOp(_) => Edge::Unknown,
        },
        Ast::Group(group) => edge(&group.ast, first),
        Ast::Concat(all) => {
            let part = if first { all.asts.first() } else { all.asts.last() };
            part.map_or(Edge::Unknown, |part| edge(part, first))
        }
        Ast::Alternation(all) => same(all.asts.iter().map(|part| edge(part, first)).collect()),
        Ast::Repetition(found) => match found.op.kind {
            RepetitionKind::OneOrMore => edge(&found.ast, first),
            RepetitionKind::Range(
                RepetitionRange::Exactly(n) | RepetitionRange::AtLeast(n) | RepetitionRange::Bounded(n, _),
            ) if n > 0 => edge(&found.ast, first),
            _ => Edge::Unknown,
        },
        _ => Edge::Unknown,
    }
}

fn class_has(item: &ClassSetItem, c: char) -> bool {
    match item {
        ClassSetItem::Literal(found) => found.c == c,
        ClassSetItem::Range(range) => (range.start.c..=range.end.c).contains(&c),
        ClassSetItem::Union(union) => union.items.iter().any(|item| class_has(item, c)),
        ClassSetItem::Ascii(class) => ascii_set(&class.kind).is_some_and(|(_, has)| has(c) != class.negated),
        ClassSetItem::Empty(_) => false,
        // These are refused when they are written.
        ClassSetItem::Unicode(_) | ClassSetItem::Perl(_) | ClassSetItem::Bracketed(_) => true,
    }
}

fn class_is_ascii(item: &ClassSetItem) -> bool {
    match item {
        ClassSetItem::Literal(found) => found.c.is_ascii(),
        ClassSetItem::Range(range) => range.end.c.is_ascii(),
        ClassSetItem::Union(union) => union.items.iter().all(class_is_ascii),
        ClassSetItem::Ascii(class) => !class.negated,
        ClassSetItem::Empty(_) => true,
        _ => false,
    }
}

/// What stands between brackets, and whether it takes a character in.
type AsciiSet = (&'static str, fn(char) -> bool);

/// The POSIX classes that are written out.
fn ascii_set(kind: &ClassAsciiKind) -> Option<AsciiSet> {
    Some(match kind {
        ClassAsciiKind::Alnum => ("0-9A-Za-z", |c| c.is_ascii_alphanumeric()),
        ClassAsciiKind::Alpha => ("A-Za-z", |c| c.is_ascii_alphabetic()),
        ClassAsciiKind::Digit => ("0-9", |c| c.is_ascii_digit()),
        ClassAsciiKind::Lower => ("a-z", |c| c.is_ascii_lowercase()),
        ClassAsciiKind::Upper => ("A-Z", |c| c.is_ascii_uppercase()),
        ClassAsciiKind::Word => ("0-9A-Za-z_", is_word),
        ClassAsciiKind::Xdigit => ("0-9A-Fa-f", |c| c.is_ascii_hexdigit()),
        _ => return None,
    })
}

fn class_item(out: &mut String, item: &ClassSetItem) -> Result<(), String> {
    match item {
        ClassSetItem::Empty(_) => {}
        ClassSetItem::Literal(found) => literal(out, found.c, true),
        ClassSetItem::Range(range) => {
            literal(out, range.start.c, true);
            out.push('-');
            literal(out, range.end.c, true);
        }
        ClassSetItem::Union(union) => {
            for item in &union.items {
                class_item(out, item)?;
            }
        }
        ClassSetItem::Ascii(class) if !class.negated => match ascii_set(&class.kind) {
            Some((set, _)) => out.push_str(set),
            None => return Err("a named class".to_owned()),
        },
        _ => return Err("a class within a class".to_owned()),
    }
    Ok(())
}

/// One character as itself; `in_class` between brackets.
fn literal(out: &mut String, c: char, in_class: bool) {
    match c {
        '\t' => out.push_str("\\t"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\u{c}' => out.push_str("\\f"),
        '\\' | ']' | '[' | '^' | '-' if in_class => {
            out.push('\\');
            out.push(c);
        }
        '\\' | '.' | '^' | '$' | '*' | '+' | '?' | '{' | '}' | '[' | ']' | '(' | ')' | '|' if !in_class => {
            out.push('\\');
            out.push(c);
        }
        c => out.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rulec_functions::regexes::cached;

    fn text(pattern: &str) -> String {
        anywhere(pattern).unwrap().text
    }

    #[test]
    fn only_what_the_specification_allows() {
        assert_eq!(
            text(r"(?i)\s(cl|clear-log)\s"),
            r"[\t\n\f\r ](cl|clear-log)[\t\n\f\r ]"
        );
        assert_eq!(text(r"\d{2,}?\.exe$"), r"[0-9]{2,}\.exe$");
        assert_eq!(text(r"(?:a|b)+?[\w.-]"), r"(a|b)+[0-9A-Za-z_.\-]");
        assert_eq!(
            text(r"(?i)\b(delete|resize)\s+shadow(s|storage)\b"),
            r"(^|[^0-9a-z_])(delete|resize)[\t\n\f\r ]+shadow(s|storage)([^0-9a-z_]|$)"
        );
        assert_eq!(text(r"a\b\.b"), r"a\.b");
        let found = anywhere("(?is)^a.b$").unwrap();
        assert_eq!(
            (
                found.text.as_str(),
                found.insensitive,
                found.dot_all,
                found.multi_line
            ),
            ("^a.b$", true, true, false)
        );
        for wrong in [r"a(?i)b", r"a.*\bb", r"\pL", r"[[:^alpha:]]", "("] {
            assert!(anywhere(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_at_the_end_of_paths() {
        let part = |pattern: &str| last_part(pattern, '\\').unwrap().text;
        assert_eq!(
            part("^a.c$"),
            r"(^|\\)a[^\\]c$"
                .to_owned()
                .replace("(^", "((^")
                .replace("c$", r"c$)[^\\]*$")
        );
        assert_eq!(part("a[^b]"), r"(a[^b\\])[^\\]*$");
        assert!(last_part(r"a\\b", '\\').is_err());
        assert!(last_part(r"[A-z]", '\\').is_err());
    }

    #[test]
    fn the_same_texts_match() {
        let texts = [
            "vssadmin delete shadows",
            "xdelete shadow",
            "delete\tshadowstorage /all",
            "a.b",
            "a_b",
            "ab",
            "A1\nb",
            "",
        ];
        for pattern in [
            r"(?i)\bdelete\s+shadow(s|storage)\b",
            r"a\b.b",
            r"^a.?b$",
            r"\W",
            r"(?i)^\w+$",
        ] {
            let Ok(found) = anywhere(pattern) else { continue };
            let flag = if found.insensitive { "(?i)" } else { "" };
            let ours = cached(&format!("{flag}{}", found.text)).unwrap();
            let theirs = cached(pattern).unwrap();
            for text in texts {
                assert_eq!(
                    ours.is_match(text),
                    theirs.is_match(text),
                    "{pattern} {} {text}",
                    found.text
                );
            }
        }
    }
}
