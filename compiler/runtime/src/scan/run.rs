//! Whether a text holds so many bytes of a kind in a row.
//!
//! Expressions that look for encoded texts ask for fifty letters and digits in
//! a row. Most texts hold no such run, and to see that it is enough to look at
//! every fiftieth byte.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// Shorter runs are as quickly looked for in another way.
const SHORTEST: usize = 16;

/// Bytes of a kind, in a row.
#[derive(Debug)]
pub(super) struct Run {
    kind: Box<[bool; 256]>,
    least: usize,
}

impl Run {
    /// The longest run that every match of a regular expression holds, of bytes
    /// that JSON writes as they are.
    pub(super) fn of(pattern: &str) -> Option<Self> {
        let parsed = ParserBuilder::new().utf8(false).build().parse(pattern);
        Self::within(&parsed.ok()?)
    }

    fn within(hir: &Hir) -> Option<Self> {
        match hir.kind() {
            HirKind::Repetition(repeated) => {
                let least = repeated.min as usize;
                let run = (least >= SHORTEST).then(|| kind(&repeated.sub)).flatten();
                match run {
                    Some(kind) => Some(Self { kind, least }),
                    None if least > 0 => Self::within(&repeated.sub),
                    None => None,
                }
            }
            HirKind::Capture(capture) => Self::within(&capture.sub),
            HirKind::Concat(parts) => parts.iter().filter_map(Self::within).max_by_key(|run| run.least),
            _ => None,
        }
    }

    /// Whether there is one.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        let has = |byte: &u8| self.kind[usize::from(*byte)];
        // A run holds one of any bytes that are as far apart as it is long.
        let mut at = self.least - 1;
        while let Some(byte) = text.get(at) {
            if has(byte) {
                let start = text[..at]
                    .iter()
                    .rposition(|byte| !has(byte))
                    .map_or(0, |before| before + 1);
                let behind = &text[at..];
                let end = at + behind.iter().position(|byte| !has(byte)).unwrap_or(behind.len());
                if end - start >= self.least {
                    return true;
                }
                at = end;
            }
            at += self.least;
        }
        false
    }
}

/// The bytes of a class, if all are ASCII and none is escaped in JSON.
fn kind(hir: &Hir) -> Option<Box<[bool; 256]>> {
    let mut kind = Box::new([false; 256]);
    let mut add = |start: u32, end: u32| {
        let range = (end < 0x80).then(|| kind.get_mut(start as usize..=end as usize))??;
        range.fill(true);
        Some(())
    };
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => class
            .iter()
            .try_for_each(|range| add(range.start().into(), range.end().into()))?,
        HirKind::Class(Class::Bytes(class)) => class
            .iter()
            .try_for_each(|range| add(range.start().into(), range.end().into()))?,
        HirKind::Literal(literal) if literal.0.len() == 1 => add(literal.0[0].into(), literal.0[0].into())?,
        _ => return None,
    }
    let escaped = kind[..0x20].contains(&true) || kind[usize::from(b'"')] || kind[usize::from(b'\\')];
    (!escaped).then_some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::bytes::Regex;

    #[test]
    fn what_has_runs() {
        let least = |pattern: &str| Run::of(pattern).map(|run| run.least);
        assert_eq!(least(r"[A-Za-z0-9+/]{50,}={0,2}"), Some(50));
        assert_eq!(least(r"^(x(?:[0-9]{20}[a-f]{32})+)$"), Some(32));
        assert_eq!(least(r"-{30}"), Some(30));
        for none in [
            "[a-z]{3,}",
            "(?i)[a-z]{50}",
            "(?:[0-9]{50})?",
            "[0-9]{50}|x",
            r"[\\a]{50}",
            "[^a]{50}",
            r".{50}",
            "[0-9]{50",
        ] {
            assert_eq!(least(none), None, "{none}");
        }
    }

    #[test]
    fn runs_are_found() -> Result<(), regex::Error> {
        let (pattern, mut rng) = ("[a-c]{16,}", fastrand::Rng::with_seed(20_261_122));
        let regex = Regex::new(pattern)?;
        let run = Run::of(pattern);
        let mut found = 0;
        for _ in 0..20_000 {
            let seldom = rng.u8(4..40);
            let text: Vec<u8> = (0..rng.usize(..90))
                .map(|_| {
                    if rng.u8(..seldom) == 0 {
                        b'-'
                    } else {
                        rng.u8(b'a'..=b'c')
                    }
                })
                .collect();
            let expected = regex.is_match(&text);
            assert_eq!(
                run.as_ref().map(|run| run.is_in(&text)),
                Some(expected),
                "{text:?}"
            );
            found += usize::from(expected);
        }
        assert!((5_000..15_000).contains(&found), "{found}");
        Ok(())
    }
}
