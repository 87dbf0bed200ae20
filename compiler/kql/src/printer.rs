//! The canonical layout of a query: one operator a line.
//!
//! In: [`Parsed`]. Out: the same tokens and comments in the same order with
//! other blanks between them, so that the tree cannot change. A text with
//! errors comes out as it went in. Deliberately absent: rewriting of any kind
//! (no brackets added or removed, no spelling changed) and a maximal width.
//!
//! The rules: every `|` outside of brackets begins a line. In brackets, a query
//! that has one `|` and stands on one line stays there; any other is set on
//! lines of its own. Line breaks inside an operator are kept where the author
//! put them; indentation is by four blanks. A comment keeps its place: behind
//! the code on its line, or on a line of its own before what it belongs to. Of
//! several empty lines one is kept.

use crate::Parsed;
use crate::lexer::{Token, TokenKind as T};

/// The query in canonical layout. Ends with a line end unless it is empty.
pub fn print(parsed: &Parsed) -> String {
    if parsed.has_errors() {
        return parsed.text.clone();
    }
    let layout = Layout::of(parsed);
    let mut printer = Printer {
        out: String::with_capacity(parsed.text.len() + parsed.text.len() / 8),
        groups: vec![Group {
            base: 0,
            outside: 0,
            lines: true,
            broken: true,
            fresh: true,
            in_let: false,
        }],
        line_indent: 0,
    };
    for index in 0..layout.tokens.len() {
        printer.token(parsed, &layout, index);
    }
    if layout.tokens.is_empty() {
        printer.gap(parsed, &layout.gaps[0], Join::Nothing, 0, 0);
    }
    let end = printer.out.trim_end().len();
    printer.out.truncate(end);
    if !printer.out.is_empty() {
        printer.out.push('\n');
    }
    printer.out
}

/// What is known about the brackets before anything is printed.
struct Layout {
    /// Without trivia and without the end.
    tokens: Vec<Token>,
    /// For an opening bracket: how what is in it is laid out.
    plans: Vec<Plan>,
    /// The comments before each token; one more entry for those at the end.
    gaps: Vec<Gap>,
}

#[derive(Clone, Copy, Default)]
struct Plan {
    /// Statements or a query, and not items of a list.
    lines: bool,
    /// A line break follows the bracket.
    broken: bool,
}

/// What stands between two tokens.
#[derive(Clone, Default)]
struct Gap {
    comments: Vec<Comment>,
    /// Line ends behind the last comment, or all without comments.
    newlines: usize,
    /// Anything at all.
    blank: bool,
}

#[derive(Clone)]
struct Comment {
    token: Token,
    /// Line ends before it.
    newlines: usize,
}

impl Layout {
    fn of(parsed: &Parsed) -> Self {
        let mut tokens = Vec::new();
        let mut gaps = Vec::new();
        let mut gap = Gap::default();
        for token in &parsed.tokens {
            match token.kind {
                T::Whitespace => {
                    gap.blank = true;
                    gap.newlines += line_ends(token.span.of(&parsed.text));
                }
                T::Comment => {
                    gap.blank = true;
                    let newlines = std::mem::take(&mut gap.newlines);
                    gap.comments.push(Comment {
                        token: *token,
                        newlines,
                    });
                }
                T::Eof => gaps.push(std::mem::take(&mut gap)),
                _ => {
                    tokens.push(*token);
                    gaps.push(std::mem::take(&mut gap));
                }
            }
        }
        let plans = plans(&tokens, &gaps);
        Self { tokens, plans, gaps }
    }
}

fn line_ends(text: &str) -> usize {
    text.bytes().filter(|b| *b == b'\n').count()
}

/// Looks at every pair of brackets, inner ones first.
fn plans(tokens: &[Token], gaps: &[Gap]) -> Vec<Plan> {
    struct Open {
        index: usize,
        bars: usize,
        semicolons: usize,
        newline: bool,
    }
    let mut plans = vec![Plan::default(); tokens.len()];
    let mut stack: Vec<Open> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let newline = gaps[index].newlines > 0 || !gaps[index].comments.is_empty();
        if let Some(open) = stack.last_mut() {
            open.newline |= newline;
        }
        match token.kind {
            T::OpenParen | T::OpenBracket | T::OpenBrace => stack.push(Open {
                index,
                bars: 0,
                semicolons: 0,
                newline: false,
            }),
            T::Bar | T::Semicolon => {
                if let Some(open) = stack.last_mut() {
                    open.bars += usize::from(token.kind == T::Bar);
                    open.semicolons += usize::from(token.kind == T::Semicolon);
                }
            }
            T::CloseParen | T::CloseBracket | T::CloseBrace => {
                let Some(open) = stack.pop() else { continue };
                let before = open.index.checked_sub(1).map(|i| tokens[i].kind);
                let body = tokens[open.index].kind == T::OpenBrace
                    && !matches!(before, Some(T::OpenParen | T::Colon | T::Comma | T::OpenBracket));
                let lines = open.bars > 0 || open.semicolons > 0 || body;
                let broken = if lines {
                    open.newline || open.bars > 1
                } else {
                    gaps[open.index + 1].newlines > 0 || !gaps[open.index + 1].comments.is_empty()
                };
                plans[open.index] = Plan {
                    lines,
                    broken: broken && index > open.index + 1,
                };
                if let Some(outer) = stack.last_mut() {
                    outer.newline |= open.newline || broken;
                }
            }
            _ => {}
        }
    }
    plans
}

#[expect(clippy::struct_excessive_bools, reason = "four independent facts")]
struct Group {
    /// The indentation of what begins a line in it.
    base: usize,
    /// The indentation of the line with the opening bracket.
    outside: usize,
    lines: bool,
    broken: bool,
    /// Whether the next token begins a statement.
    fresh: bool,
    /// Whether the current statement is a `let`.
    in_let: bool,
}

struct Printer {
    out: String,
    groups: Vec<Group>,
    line_indent: usize,
}

/// How one token follows another.
#[derive(Clone, Copy, PartialEq)]
enum Join {
    Nothing,
    Space,
    Line,
}

impl Printer {
    fn token(&mut self, parsed: &Parsed, layout: &Layout, index: usize) {
        let token = layout.tokens[index];
        let closes = matches!(token.kind, T::CloseParen | T::CloseBracket | T::CloseBrace);
        let indent = self.indent(token.kind, closes);
        let comment_indent = if closes { self.group().base } else { indent };
        let join = self.join(layout, index, closes);
        self.gap(parsed, &layout.gaps[index], join, indent, comment_indent);
        self.out.push_str(token.span.of(&parsed.text));

        let fresh = token.kind == T::Semicolon;
        let is_let = token.kind == T::Keyword(crate::keyword::Keyword::Let);
        if let Some(group) = self.groups.last_mut() {
            if group.fresh && token.kind != T::Directive {
                group.in_let = is_let;
                group.fresh = false;
            }
            group.fresh |= fresh;
        }
        if matches!(token.kind, T::OpenParen | T::OpenBracket | T::OpenBrace) {
            let plan = layout.plans[index];
            self.groups.push(Group {
                base: self.line_indent + 1,
                outside: self.line_indent,
                lines: plan.lines,
                broken: plan.broken,
                fresh: true,
                in_let: false,
            });
        } else if closes && self.groups.len() > 1 {
            self.groups.pop();
        }
        if index + 1 == layout.tokens.len() {
            let gap = &layout.gaps[index + 1];
            self.gap(parsed, gap, Join::Nothing, 0, 0);
        }
    }

    fn group(&self) -> &Group {
        &self.groups[self.groups.len() - 1]
    }

    /// The indentation of the token if it begins a line.
    fn indent(&self, kind: T, closes: bool) -> usize {
        let group = self.group();
        if closes {
            group.outside
        } else if !group.lines || group.fresh || kind == T::Directive {
            group.base
        } else {
            group.base + usize::from(group.in_let) + usize::from(kind != T::Bar)
        }
    }

    fn join(&self, layout: &Layout, index: usize, closes: bool) -> Join {
        let kind = layout.tokens[index].kind;
        let gap = &layout.gaps[index];
        let Some(before) = index.checked_sub(1).map(|i| layout.tokens[i].kind) else {
            return Join::Nothing;
        };
        let group = self.group();
        let opened = matches!(before, T::OpenParen | T::OpenBracket | T::OpenBrace);
        if before == T::Directive {
            return Join::Line;
        }
        if opened && closes {
            return Join::Nothing;
        }
        if group.lines && group.broken && (kind == T::Bar || group.fresh && !opened && !closes) {
            return Join::Line;
        }
        if (opened || closes) && group.broken {
            return Join::Line;
        }
        if kind == T::Semicolon || before == T::Bar {
            return if kind == T::Semicolon {
                Join::Nothing
            } else {
                Join::Space
            };
        }
        // A bracket that was left unbroken begins and ends on the line of its contents.
        if opened {
            return if before == T::OpenBrace && gap.blank {
                Join::Space
            } else {
                Join::Nothing
            };
        }
        if gap.newlines > 0 {
            return Join::Line;
        }
        if matches!(kind, T::CloseParen | T::CloseBracket | T::Comma) {
            return Join::Nothing;
        }
        let spaced = matches!(
            kind,
            T::EqualEqual
                | T::BangEqual
                | T::EqualTilde
                | T::BangTilde
                | T::LessEqual
                | T::GreaterEqual
                | T::Arrow
                | T::Bar
        ) || matches!(
            before,
            T::EqualEqual
                | T::BangEqual
                | T::EqualTilde
                | T::BangTilde
                | T::LessEqual
                | T::GreaterEqual
                | T::Arrow
                | T::Comma
                | T::Semicolon
        );
        if spaced || gap.blank {
            Join::Space
        } else {
            Join::Nothing
        }
    }

    /// Comments, then what joins the next token.
    fn gap(&mut self, parsed: &Parsed, gap: &Gap, join: Join, indent: usize, comment_indent: usize) {
        let mut join = join;
        let start = self.out.is_empty();
        let after_open = self.out.ends_with(['(', '[', '{']);
        for (number, comment) in gap.comments.iter().enumerate() {
            let text = comment.token.span.of(&parsed.text).trim_end();
            if comment.newlines == 0 && number == 0 && !start {
                self.out.push(' ');
            } else if !self.out.is_empty() {
                let empty = comment.newlines > 1 && !(after_open && number == 0);
                self.new_line(empty, comment_indent);
            }
            self.out.push_str(text);
            join = Join::Line;
        }
        match join {
            Join::Nothing => {}
            Join::Space => self.out.push(' '),
            Join::Line => {
                let empty = gap.newlines > 1 && !start_or_open(start, after_open, gap);
                self.new_line(empty, indent);
            }
        }
    }

    fn new_line(&mut self, empty: bool, indent: usize) {
        let end = self.out.trim_end_matches([' ', '\t']).len();
        self.out.truncate(end);
        self.out.push('\n');
        if empty {
            self.out.push('\n');
        }
        for _ in 0..indent {
            self.out.push_str("    ");
        }
        self.line_indent = indent;
    }
}

/// Whether an empty line would stand at the beginning of something.
fn start_or_open(start: bool, after_open: bool, gap: &Gap) -> bool {
    gap.comments.is_empty() && (start || after_open)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    fn formatted(text: &str) -> String {
        print(&parse(text))
    }

    #[test]
    fn one_operator_stands_on_a_line() {
        assert_eq!(
            formatted("T|where a==1 and b  has \"x\" |project a,b;"),
            "T\n| where a == 1 and b has \"x\"\n| project a, b;\n"
        );
    }

    #[test]
    fn comments_keep_their_places() {
        let text = "// head\nT // the table\n\n\n// why\n| where a // trailing\n  //and b\n  and c\n// end\n";
        assert_eq!(
            formatted(text),
            "// head\nT // the table\n\n// why\n| where a // trailing\n    //and b\n    and c\n// end\n"
        );
    }

    #[test]
    fn queries_in_brackets_are_indented() {
        assert_eq!(
            formatted("T | join kind=inner (U | where a | project b) on c | take 1"),
            "T\n| join kind=inner (\n    U\n    | where a\n    | project b\n) on c\n| take 1\n"
        );
        assert_eq!(
            formatted("print x = toscalar(T | count)"),
            "print x = toscalar(T | count)\n"
        );
        assert_eq!(
            formatted("let f = (x: int) {\nlet y = 1; T\n| where a == x\n};\nf(1)"),
            "let f = (x: int) {\n    let y = 1;\n    T\n    | where a == x\n};\nf(1)\n"
        );
    }

    #[test]
    fn lists_keep_their_line_breaks() {
        assert_eq!(
            formatted("let l = dynamic([\n\"a\" ,\n  \"b\"]);\nT"),
            "let l = dynamic([\n    \"a\",\n    \"b\"\n]);\nT\n"
        );
    }

    #[test]
    fn a_text_with_errors_is_left_alone() {
        assert_eq!(formatted("T |  where"), "T |  where");
    }

    #[test]
    fn nothing_stays_nothing() {
        assert_eq!(formatted(""), "");
        assert_eq!(formatted(" // only this \n"), "// only this\n");
    }
}
