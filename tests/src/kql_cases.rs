//! tests/cases/kql: what the front end makes of a query.
//!
//! A case is a `.kql` file. Its first line is a comment that says what it
//! shows; a second line `// stages: tokens ast ir` asks for other stages than
//! the algebra. The `.txt` beside it has those stages as `rulec dump` prints
//! them, the columns of the result where the algebra is not among them, and
//! the findings.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use libtest_mimic::{Failed, Trial};
use rulec_driver::dump::Stage;
use rulec_kql::{
    ast::{Expr, ExprKind, Operator, OperatorKind, Statement},
    walk::{self, Visitor},
};
use rulec_source::{SourceFile, render};

use crate::{compare, pipeline};

/// One test a case, and those that hold the collection together.
pub(crate) fn trials(root: &Path) -> Vec<Trial> {
    let folder = root.join("cases/kql");
    let mut queries = Vec::new();
    let mut strays = Vec::new();
    find(&folder, &mut queries, &mut strays);
    let mut trials = Vec::new();
    for path in &queries {
        let name = path.strip_prefix(&folder).unwrap_or(path).with_extension("");
        let path = path.clone();
        trials.push(Trial::test(
            format!("kql/{}", name.to_string_lossy().replace('\\', "/")),
            move || {
                let found = case(&path)?;
                compare(&path.with_extension("txt"), &found)
            },
        ));
    }
    trials.push(Trial::test("kql/every file belongs to a case", move || {
        if strays.is_empty() {
            return Ok(());
        }
        Err(format!("no query stands beside {}", strays.join(", ")).into())
    }));
    trials.push(Trial::test("kql/every construct has a case", move || {
        every_construct(&queries)
    }));
    trials
}

/// Cases in order of their names, and files that are none and belong to none.
fn find(folder: &Path, queries: &mut Vec<PathBuf>, strays: &mut Vec<String>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            find(&path, queries, strays);
        } else if path.extension().is_some_and(|e| e == "kql") {
            queries.push(path);
        } else if !path.with_extension("kql").exists() {
            strays.push(path.display().to_string());
        }
    }
}

/// The stages a case asks for.
fn stages(text: &str) -> Result<Vec<Stage>, Failed> {
    let mut lines = text.lines();
    if !lines
        .next()
        .and_then(|line| line.strip_prefix("// "))
        .is_some_and(|what| what.ends_with('.'))
    {
        return Err("the first line is a comment, one sentence that says what the case shows".into());
    }
    let Some(asked) = lines.next().and_then(|line| line.strip_prefix("// stages: ")) else {
        return Ok(vec![Stage::Ir]);
    };
    asked
        .split(' ')
        .map(|word| match word {
            "tokens" => Ok(Stage::Tokens),
            "ast" => Ok(Stage::Ast),
            "ir" => Ok(Stage::Ir),
            _ => Err(format!("`{word}` is no stage of a query").into()),
        })
        .collect()
}

fn case(path: &Path) -> Result<String, Failed> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let text = fs::read_to_string(path).map_err(|e| e.to_string())?;
    let stages = stages(&text)?;
    let query = pipeline()
        .query(SourceFile::new(name, text))
        .map_err(|e| e.to_string())?;
    let mut found = String::new();
    for stage in &stages {
        found.push_str(match stage {
            Stage::Tokens => "# tokens\n",
            Stage::Ast => "# ast\n",
            _ => "# ir\n",
        });
        found.push_str(&query.stage(*stage));
        found.push('\n');
    }
    let findings: Vec<String> = query
        .findings()
        .map(|finding| render::text(&finding, render::Style::Plain))
        .collect();
    if !findings.is_empty() {
        found.push_str("# findings\n");
        found.push_str(&findings.join("\n\n"));
        found.push('\n');
    }
    Ok(found.trim_end().to_owned() + "\n")
}

/// What the language has and no case shows, nobody has seen work.
fn every_construct(queries: &[PathBuf]) -> Result<(), Failed> {
    let mut seen = Seen::default();
    for text in queries.iter().flat_map(fs::read_to_string) {
        walk::walk_query(&mut seen, &rulec_kql::parse(&text).query);
    }
    let all = [OperatorKind::NAMES, Statement::KINDS, ExprKind::KINDS];
    let missing: Vec<&str> = all
        .into_iter()
        .flatten()
        .copied()
        .filter(|name| !seen.0.contains(name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("no case in tests/cases/kql has {}", missing.join(", ")).into())
}

#[derive(Default)]
struct Seen(BTreeSet<&'static str>);

impl Visitor for Seen {
    fn statement(&mut self, statement: &Statement) {
        self.0.insert(statement.kind());
        walk::walk_statement(self, statement);
    }

    fn expr(&mut self, expr: &Expr) {
        self.0.insert(expr.kind.kind());
        walk::walk_expr(self, expr);
    }

    fn operator(&mut self, operator: &Operator) {
        self.0.insert(operator.kind.name());
        walk::walk_operator(self, operator);
    }
}
