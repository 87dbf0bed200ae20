//! Texts of documents as HTML that is safe to put on a page.
//!
//! In: markdown and KQL as their authors wrote them, who may be anybody. Out:
//! HTML in which nothing runs and nothing is fetched: HTML in markdown is
//! shown, not obeyed; pictures are links; links lead to `http`, `https` and
//! `mailto` only. Deliberately absent: any other way for a text to get on a
//! page unescaped.

use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};
use rulec_kql::{TokenKind, keyword::Keyword, lexer};

/// Text with `&`, `<`, `>` and quotes escaped.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    push_escaped(&mut out, text);
    out
}

fn push_escaped(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => "&#39;",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

const SYNTAX: Options = Options::ENABLE_TABLES.union(Options::ENABLE_STRIKETHROUGH);

/// Prose as HTML; its headings stand below `level`.
pub(crate) fn markdown(text: &str, level: u8) -> String {
    let shallowest = Parser::new_ext(text, SYNTAX)
        .filter_map(|event| match event {
            Event::Start(Tag::Heading { level, .. }) => Some(level as u8),
            _ => None,
        })
        .min()
        .unwrap_or(1);
    let deeper = |found: pulldown_cmark::HeadingLevel| {
        let moved = (found as u8 - shallowest).saturating_add(level + 1).min(6);
        pulldown_cmark::HeadingLevel::try_from(usize::from(moved)).unwrap_or(found)
    };
    // Whether each open link or picture was kept, innermost last.
    let mut kept: Vec<bool> = Vec::new();
    let events = Parser::new_ext(text, SYNTAX).filter_map(move |event| {
        Some(match event {
            Event::Html(html) | Event::InlineHtml(html) => Event::Text(html),
            Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
            Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
            Event::Start(Tag::Heading { level, .. }) => Event::Start(Tag::Heading {
                level: deeper(level),
                id: None,
                classes: Vec::new(),
                attrs: Vec::new(),
            }),
            Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(deeper(level))),
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                let target = link(&dest_url);
                // A link around a picture is one link.
                let inside = kept.contains(&true);
                kept.push(target.is_some() && !inside);
                Event::Start(Tag::Link {
                    link_type: LinkType::Inline,
                    dest_url: CowStr::from(target.filter(|_| !inside)?),
                    title: CowStr::from(""),
                    id: CowStr::from(""),
                })
            }
            Event::End(TagEnd::Link | TagEnd::Image) => {
                if !kept.pop()? {
                    return None;
                }
                Event::End(TagEnd::Link)
            }
            other => other,
        })
    });
    let mut out = String::new();
    pulldown_cmark::html::push_html(&mut out, events);
    out.replace("<table>", "<div class=\"scroll\"><table>")
        .replace("</table>", "</table></div>")
}

/// A sentence of ours as HTML: what stands between backticks is code.
pub(crate) fn ticks(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in text.split('`').enumerate() {
        let code = index % 2 == 1;
        out.push_str(if code { "<code>" } else { "" });
        push_escaped(&mut out, part);
        out.push_str(if code { "</code>" } else { "" });
    }
    if text.matches('`').count() % 2 == 1 {
        return escape(text);
    }
    out
}

/// A capital first letter, and a full stop behind.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.trim().trim_end_matches('.').chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).chain(['.']).collect(),
        None => String::new(),
    }
}

/// A name as HTML that may be broken in front of its capitals, and after what joins words.
pub(crate) fn breaks(name: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for c in name.chars() {
        if (c.is_uppercase() && before.is_lowercase()) || matches!(before, '_' | '.' | '/' | '\\' | '-') {
            out.push_str("<wbr>");
        }
        push_escaped(&mut out, c.encode_utf8(&mut [0; 4]));
        before = c;
    }
    out
}

/// The first paragraph of some prose as text, cut to about `most` characters.
pub(crate) fn excerpt(text: &str, most: usize) -> String {
    let mut out = String::new();
    for event in Parser::new_ext(text, SYNTAX) {
        match event {
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                out.push_str(&text);
            }
            Event::SoftBreak | Event::HardBreak => out.push(' '),
            Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::Heading(_)) if !out.trim().is_empty() => {
                break;
            }
            _ => {}
        }
    }
    shorten(&out, most)
}

/// All of some prose as text, for searching.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::new();
    for event in Parser::new_ext(text, SYNTAX) {
        match event {
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                out.push_str(&text);
            }
            _ => out.push(' '),
        }
    }
    out
}

/// Blanks made one, and what is beyond `most` characters left out at a word.
pub(crate) fn shorten(text: &str, most: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((end, _)) = text.char_indices().nth(most) else {
        return text;
    };
    let cut = &text[..end];
    // A last word that is most of the text is cut in the middle.
    let word = cut.rfind(' ').filter(|at| *at * 2 > end).unwrap_or(end);
    format!("{}…", cut[..word].trim_end_matches([',', ';', ':', ' ']))
}

/// Code in one line, cut after `most` characters.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text,
    }
}

/// Where a link may lead: to the web and to mail, nowhere else.
pub(crate) fn link(target: &str) -> Option<String> {
    let target = target.trim();
    let (scheme, _) = target.split_once(':')?;
    let fine = ["http", "https", "mailto"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known));
    (fine && !target.contains(char::is_control)).then(|| target.to_owned())
}

/// KQL with its words marked: `k` keywords, `f` functions, `s` strings, `n`
/// other literals, `c` comments, `t` tables.
pub(crate) fn kql(text: &str, tables: &[String]) -> String {
    let (tokens, _) = lexer::lex(text);
    let mut out = String::with_capacity(text.len() * 2);
    let solid: Vec<_> = tokens.iter().filter(|t| !t.kind.is_trivia()).collect();
    let mut at: usize = 0;
    for token in &tokens {
        let word = token.span.of(text);
        if token.kind.is_trivia() {
            match token.kind {
                TokenKind::Comment => mark(&mut out, "c", word),
                _ => push_escaped(&mut out, word),
            }
            continue;
        }
        let before = at.checked_sub(1).and_then(|i| solid.get(i)).map(|t| t.kind);
        let after = solid.get(at + 1).map(|t| t.kind);
        at += 1;
        let member = before == Some(TokenKind::Dot) || after == Some(TokenKind::Dot);
        let class = match token.kind {
            TokenKind::String => Some("s"),
            TokenKind::Bool
            | TokenKind::Long
            | TokenKind::Real
            | TokenKind::TimeSpan
            | TokenKind::Typed(_) => Some("n"),
            TokenKind::Directive => Some("c"),
            TokenKind::Keyword(keyword) if !member => keyword_class(keyword, before, after),
            TokenKind::Ident if !member && after == Some(TokenKind::OpenParen) => Some("f"),
            TokenKind::Ident if !member && tables.iter().any(|t| t == word) => Some("t"),
            _ => None,
        };
        match class {
            Some(class) => mark(&mut out, class, word),
            None => push_escaped(&mut out, word),
        }
    }
    out
}

/// A keyword that is used as a name is a name, and one that is called a function.
fn keyword_class(
    keyword: Keyword,
    before: Option<TokenKind>,
    after: Option<TokenKind>,
) -> Option<&'static str> {
    use TokenKind as T;
    if matches!(before, None | Some(T::Bar | T::Semicolon)) {
        return Some("k");
    }
    // Behind an operand stands an operator: `x in (…)`.
    let operand = matches!(
        before,
        Some(T::Ident | T::String | T::Long | T::Real | T::TimeSpan | T::CloseParen | T::CloseBracket)
    );
    match after {
        Some(T::OpenParen) if !operand && !matches!(keyword, Keyword::By | Keyword::On) => Some("f"),
        Some(
            T::EqualEqual
            | T::EqualTilde
            | T::BangEqual
            | T::BangTilde
            | T::Less
            | T::LessEqual
            | T::Greater
            | T::GreaterEqual
            | T::Plus
            | T::Minus
            | T::Slash,
        ) => None,
        None | Some(T::Eof | T::Comma | T::CloseParen)
            if !matches!(keyword, Keyword::Asc | Keyword::Desc) =>
        {
            None
        }
        _ => Some("k"),
    }
}

fn mark(out: &mut String, class: &str, text: &str) {
    out.push_str("<span class=\"");
    out.push_str(class);
    out.push_str("\">");
    push_escaped(out, text);
    out.push_str("</span>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_in_markdown_is_shown() {
        let html = markdown(
            "a <script>alert(1)</script> b\n\n<img src=x onerror=alert(1)>\n",
            2,
        );
        assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
        assert!(html.contains("&lt;script&gt;"), "{html}");
    }

    #[test]
    fn links_lead_to_the_web_only() {
        let html = markdown(
            "[a](javascript:alert(1)) [b](https://x.test/?a=1&b=\"2\") <data:x> ![c](http://x.test/p.png)",
            2,
        );
        assert!(!html.contains("javascript") && !html.contains("<img"), "{html}");
        assert!(
            html.contains("a <a href=\"https://x.test/?a=1&amp;b=%222%22\">b</a>"),
            "{html}"
        );
        assert!(html.contains("<a href=\"http://x.test/p.png\">c</a>"), "{html}");
        assert_eq!(link("java\nscript:x"), None);
        assert_eq!(link("//x.test"), None);
        let nested = markdown("[![c](http://x.test/p.png)](https://x.test)", 2);
        assert_eq!(nested.matches("<a ").count(), 1, "{nested}");
    }

    #[test]
    fn headings_stand_below_their_section() {
        let html = markdown("# A\n\n### B\n", 2);
        assert!(
            html.contains("<h3>A</h3>") && html.contains("<h5>B</h5>"),
            "{html}"
        );
    }

    #[test]
    fn marked_kql_is_the_text() {
        let text = "let a = 1h; // x < y\nT | where kind == \"<b>\" and Type has 'x' | summarize count() by kind, bin(T, 1h)";
        let html = kql(text, &["T".to_owned()]);
        let mut bare = String::new();
        let mut inside = false;
        for c in html.chars() {
            match c {
                '<' => inside = true,
                '>' => inside = false,
                c if !inside => bare.push(c),
                _ => {}
            }
        }
        assert_eq!(bare, escape(text));
        assert!(html.contains("<span class=\"k\">where</span>"), "{html}");
        assert!(html.contains("<span class=\"t\">T</span>"), "{html}");
        assert!(html.contains("<span class=\"f\">count</span>"), "{html}");
        assert!(
            html.contains("<span class=\"s\">&quot;&lt;b&gt;&quot;</span>"),
            "{html}"
        );
    }

    #[test]
    fn excerpts_end_at_words() {
        assert_eq!(excerpt("One *two* three.\n\nFour.", 99), "One two three.");
        assert_eq!(shorten("alpha beta gamma", 12), "alpha beta…");
        assert_eq!(shorten("aaaaaaaaaaaaaaaa", 4), "aaaa…");
    }
}
