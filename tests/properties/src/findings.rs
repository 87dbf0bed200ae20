//! What holds of a stage's findings.

use rulec_source::{Diagnostic, Edit};

/// At most this many fixes of one text are tried: each costs reading the text again.
const FIXES: usize = 4;

/// Every finding has a place, and every place lies in the text and between
/// characters; edits of a fix are in order and do not overlap.
pub(crate) fn in_bounds(text: &str, diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        assert!(
            diagnostic.span().is_some(),
            "no place: {diagnostic:?} in {text:?}"
        );
        for label in &diagnostic.labels {
            assert!(
                text.get(label.span.range()).is_some(),
                "{diagnostic:?} in {text:?}"
            );
        }
        let mut end = 0;
        for edit in diagnostic.fix.iter().flat_map(|fix| &fix.edits) {
            assert!(
                text.get(edit.span.range()).is_some(),
                "{diagnostic:?} in {text:?}"
            );
            assert!(edit.span.start >= end, "{diagnostic:?} in {text:?}");
            end = edit.span.end;
        }
    }
}

/// A fix that may be applied without looking takes its finding away: reading the changed text with
/// `read` finds nothing of the same kind where the finding was.
pub(crate) fn fixes_work(text: &str, diagnostics: &[Diagnostic], read: impl Fn(&str) -> Vec<Diagnostic>) {
    let fixable = diagnostics
        .iter()
        .filter_map(|found| Some((found, found.fix.as_ref().filter(|fix| fix.safe)?)));
    for (found, fix) in fixable.take(FIXES) {
        let changed = apply(text, &fix.edits);
        let place = found
            .span()
            .map_or(0, |span| moved(span.start as usize, &fix.edits));
        let still = read(&changed).into_iter().find(|other| {
            other.code == found.code && other.span().is_some_and(|s| s.start as usize == place)
        });
        assert_eq!(still, None, "{found:?} in {text:?} comes again in {changed:?}");
    }
}

/// The text after the edits.
fn apply(text: &str, edits: &[Edit]) -> String {
    let mut changed = String::with_capacity(text.len());
    let mut end = 0;
    for edit in edits {
        changed.push_str(&text[end..edit.span.start as usize]);
        changed.push_str(&edit.text);
        end = edit.span.end as usize;
    }
    changed.push_str(&text[end..]);
    changed
}

/// Where `place` is after the edits; what is replaced keeps its beginning.
fn moved(place: usize, edits: &[Edit]) -> usize {
    let before = edits
        .iter()
        .filter(|edit| edit.span.end as usize <= place && !edit.span.is_empty());
    before.fold(place, |place, edit| place + edit.text.len() - edit.span.len())
}

#[cfg(test)]
mod tests {
    use rulec_source::Span;

    use super::*;

    #[test]
    fn edits_are_applied_and_places_move() {
        let edit = |start, end, text: &str| Edit {
            span: Span::new(start, end),
            text: text.to_owned(),
        };
        let edits = [edit(1, 2, "xyz"), edit(4, 4, "!")];
        assert_eq!(apply("abcdef", &edits), "axyzcd!ef");
        assert_eq!(moved(0, &edits), 0);
        assert_eq!(moved(1, &edits), 1);
        assert_eq!(moved(3, &edits), 5);
    }
}
