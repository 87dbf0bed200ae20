//! `diff/*.old.md` and `diff/*.new.md`: two states of a document, and what is
//! said of them in the `.txt` beside them.

use std::{fs, path::Path};

use libtest_mimic::Trial;
use rulec_driver::{diff, since};
use rulec_source::{SourceFile, render};

use crate::{compare, files, pipeline};

pub(crate) fn trials(root: &Path) -> Vec<Trial> {
    let mut trials = Vec::new();
    for path in files(&root.join("cases/diff"), "md") {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let Some(name) = name.strip_suffix(".old.md").map(str::to_owned) else {
            continue;
        };
        trials.push(Trial::test(format!("diff/{name}"), move || {
            let folder = path.parent().unwrap();
            let read = |end: &str| {
                let text = fs::read_to_string(folder.join(format!("{name}.{end}.md"))).unwrap();
                SourceFile::new("case.md", text)
            };
            compare(
                &folder.join(format!("{name}.txt")),
                &said(read("old"), read("new")),
            )
        }));
    }
    trials
}

fn said(old: SourceFile, new: SourceFile) -> String {
    let pipeline = pipeline();
    let (old, new) = (pipeline.document(old), pipeline.document(new));
    let diff = diff::of_documents(pipeline, old, new, "before");
    let mut text = diff.diff.text(&|_, words| words.to_owned());
    for (file, diagnostic) in since::problems(&diff) {
        let finding = render::Finding {
            file: &file,
            rule: None,
            diagnostic: &diagnostic,
        };
        text.push('\n');
        text.push_str(&render::text(&finding, render::Style::Plain));
        text.push('\n');
    }
    text
}
