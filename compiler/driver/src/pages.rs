//! The pages of findings that are no lints: why each exists and what to do.
//!
//! One file for all codes that begin alike, in `pages/`; in it a heading
//! `## CODE name` and what is to be said. Those of what targets refuse are in
//! the same form beside the targets; lints have pages of their own.

/// The files.
const FILES: &[&str] = &[
    include_str!("../pages/RC.md"),
    include_str!("../pages/RD.md"),
    include_str!("../pages/RI.md"),
    include_str!("../pages/RK.md"),
    include_str!("../pages/RM.md"),
    include_str!("../pages/RN.md"),
    include_str!("../pages/RV.md"),
];

/// All files, those of what targets refuse included.
fn files() -> impl Iterator<Item = &'static str> {
    FILES.iter().chain(rulec_emit::PAGES).copied()
}

/// What stands below the heading of a code.
pub(crate) fn page(id: &str) -> Option<String> {
    files().find_map(|file| section(file, id))
}

fn section(file: &str, id: &str) -> Option<String> {
    let mut lines = file.lines();
    lines
        .by_ref()
        .find(|line| heading(line).is_some_and(|(code, _)| code == id))?;
    let text: Vec<&str> = lines.take_while(|line| heading(line).is_none()).collect();
    Some(text.join("\n").trim().to_owned())
}

/// Code and name of a heading.
fn heading(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("## ")?.split_once(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_has_a_page_and_no_page_is_without_one() {
        let codes = crate::list::codes();
        let mut wrong = Vec::new();
        for code in &codes {
            match crate::list::page(code) {
                None => wrong.push(format!("{} {} has no page", code.id, code.name)),
                Some(text) if text.split_whitespace().count() < 8 => {
                    wrong.push(format!("the page of {} says nothing", code.id));
                }
                Some(_) => {}
            }
        }
        for (id, name) in files().flat_map(str::lines).filter_map(heading) {
            if !codes.iter().any(|code| code.id == id && code.name == name) {
                wrong.push(format!("there is no finding {id} {name}"));
            }
        }
        assert!(
            wrong.is_empty(),
            "compiler/driver/pages holds a page for each code (`## CODE name`, then why and what to do), \
             and `cargo dev lints` writes docs/codes.md from them: {wrong:#?}"
        );
    }
}
