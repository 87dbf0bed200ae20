//! Where pages are.

use std::collections::BTreeSet;

/// Path and address of one page, both below the site's folder.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// The file.
    pub(crate) path: String,
    /// The file as a link says it.
    pub(crate) href: String,
}

/// A page per rule, in the order of their ids. Two rules of one name, which
/// only a mistake gives, have two pages.
pub(crate) fn pages<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<Page> {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    ids.map(|id| {
        let name = rulec_emit::file_name(id);
        let mut path = format!("rules/{name}.html");
        let mut number = 2;
        while !taken.insert(path.to_lowercase()) {
            path = format!("rules/{name}~{number}.html");
            number += 1;
        }
        Page {
            href: encoded(&path),
            path,
        }
    })
    .collect()
}

/// A path as part of an address.
fn encoded(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_and_differ() {
        let ids = ["RL-1", "rl-1", "../../x", "a b#c?", "ä", "..", "<script>"];
        let pages = pages(ids.into_iter());
        let folded: BTreeSet<String> = pages.iter().map(|p| p.path.to_lowercase()).collect();
        assert_eq!(folded.len(), ids.len());
        for page in &pages {
            assert_eq!(page.path.matches('/').count(), 1, "{}", page.path);
            assert!(
                !page.path.contains("..") || page.path.contains(".._"),
                "{}",
                page.path
            );
            assert!(
                page.href
                    .bytes()
                    .all(|b| b.is_ascii_graphic() && !b"#?<>\"".contains(&b)),
                "{}",
                page.href
            );
        }
        assert_eq!(pages[0].href, "rules/RL-1.html");
    }
}
