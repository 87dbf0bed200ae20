//! Links: what the references of a document point to.
//!
//! In: reference sections and metadata. Out: `http` and `https` links, each
//! once, in order. Links within prose are prose; relative ones as well.

use rulec_source::Span;

use crate::outline::{is_blank, trim_span};
use crate::reader::Reader;

impl Reader<'_> {
    pub(crate) fn read_references(&mut self) {
        let mut found: Vec<(String, Span)> = Vec::new();
        let entries: Vec<Span> = self
            .entries
            .iter()
            .filter(|e| e.key == "references")
            .map(|e| e.value_span)
            .collect();
        for span in entries {
            self.links_in(span, &mut found);
        }
        for part in 0..self.parts.len() {
            if self.parts[part].key.as_deref() != Some("references") {
                continue;
            }
            let lines = self.parts[part].lines.clone();
            let mut only_links = true;
            for line in lines.clone().filter(|line| self.is_text(*line)) {
                let span = self.lines.spans[line];
                let before = found.len();
                self.links_in(span, &mut found);
                let text = trim_span(self.text, span).of(self.text);
                let bare = text
                    .trim_start_matches(['-', '*', '+', '<', ' '])
                    .trim_end_matches(['>', ' ']);
                only_links &= match found.len() - before {
                    0 => text.is_empty() || crate::table::is_rule(text),
                    1 => found.last().is_some_and(|(url, _)| url == bare),
                    _ => false,
                };
            }
            // Titles of links, and words between them, are worth keeping.
            if only_links {
                for line in lines.filter(|line| self.is_text(*line)).collect::<Vec<_>>() {
                    self.lines.consume(line..line + 1);
                }
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        found.retain(|(url, _)| seen.insert(url.clone()));
        for (i, (_, span)) in found.iter().enumerate() {
            self.place(format!("/references/{i}"), *span);
        }
        self.rule.references = found.into_iter().map(|(url, _)| url).collect();
    }

    /// The links within a span of one line: those of markdown, and bare ones.
    fn links_in(&self, span: Span, found: &mut Vec<(String, Span)>) {
        let links = &self.outline.links;
        let first = links.partition_point(|link| link.span.start < span.start);
        let here: Vec<_> = links[first..]
            .iter()
            .take_while(|link| link.span.start < span.end)
            .filter(|link| link.span.end <= span.end)
            .collect();
        let mut at = span.start as usize;
        let bare = |from: usize, to: usize, found: &mut Vec<(String, Span)>| {
            let text = self.text.get(from..to).unwrap_or_default();
            for (start, url) in bare_links(text) {
                found.push((url.to_owned(), Span::new(from + start, from + start + url.len())));
            }
        };
        for link in here {
            let start = link.span.start as usize;
            if start < at {
                continue;
            }
            bare(at, start, found);
            if is_web(&link.url) {
                found.push((link.url.clone(), link.span));
            }
            at = link.span.end as usize;
        }
        bare(at, span.end as usize, found);
    }
}

fn is_web(url: &str) -> bool {
    let head = url.get(..8).unwrap_or(url).to_ascii_lowercase();
    (head.starts_with("http://") || head.starts_with("https://")) && url.len() > 8
}

/// `http://…` and `https://…` in a text. Marks that end a sentence, and a
/// closing bracket that was not opened within, do not belong to a link.
fn bare_links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find("http").map(|i| at + i) {
        let rest = &text[start..];
        if !is_web(rest) {
            at = start + 4;
            continue;
        }
        let end = rest
            .find(|c: char| is_blank(c) || matches!(c, '<' | '>' | '"' | '`' | '|'))
            .unwrap_or(rest.len());
        let mut url = &rest[..end];
        let mut unopened = url.matches(')').count().saturating_sub(url.matches('(').count());
        while let Some(last) = url.chars().next_back() {
            match last {
                '.' | ',' | ';' | ':' | '!' | '\'' | '*' | ']' | '}' | '”' | '’' => {}
                ')' if unopened > 0 => unopened -= 1,
                _ => break,
            }
            url = &url[..url.len() - last.len_utf8()];
        }
        if is_web(url) {
            found.push((start, url));
        }
        at = start + end.max(4);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(text: &str) -> Vec<&str> {
        bare_links(text).into_iter().map(|(_, url)| url).collect()
    }

    #[test]
    fn bare_links_end_where_they_should() {
        assert_eq!(urls("* https://a.b/c?d=e#f"), ["https://a.b/c?d=e#f"]);
        assert_eq!(
            urls("(see https://a.b/c_(d)). http://e.f, x"),
            ["https://a.b/c_(d)", "http://e.f"]
        );
        assert_eq!(urls("http:// https://"), Vec::<&str>::new());
        assert_eq!(urls("xhttp é https://ü.de/ß"), ["https://ü.de/ß"]);
    }
}
