//! One rule's module.
//!
//! In: a bound query and what alerts say of the rule. Out: the Rust below the
//! header that the template writes, formatted.

use std::collections::{BTreeMap, BTreeSet};

use rulec_ir::{Query, Rel};
use rulec_source::Span;

use super::code::{Code, Statement, grouped, statements};
use super::emitter::{Emitter, Scope};
use super::info::Info;
use super::{prune, stateless};

/// The code of the module called `name`; a construct that cannot be said and
/// its place otherwise.
pub(super) fn print(
    query: &Query,
    root: &Rel,
    text: &str,
    name: &str,
    info: &Info,
    schedule: [u64; 2],
) -> Result<String, (Span, String)> {
    let mut emitter = Emitter::new(query, text, name);
    let mut scope = Scope::new(false);
    let whole = prune::whole(root);
    let body = emitter.knowing(&whole, |emitter| emitter.body(&mut scope, &whole));
    let bindings = emitter.run_bindings(&scope.needs);
    let mut all = Vec::new();
    for function in &bindings {
        let call = emitter.call(&mut scope, function);
        all.push(Statement::Let {
            name: function.name.clone(),
            value: call.by_ref(),
        });
    }
    if let Some(failure) = emitter.failure.take() {
        return Err(failure);
    }
    all.append(&mut scope.prelude);
    all.extend(body);
    for import in [
        "alert::RuleInfo",
        "rule::Rule",
        "rule::Schedule",
        "rule::Table",
        "Batch",
        "Context",
        "RuntimeError",
    ] {
        emitter.import(&format!("rulec_runtime::{import}"), "");
    }
    let mut sections = vec![imports(emitter.imports())];
    sections.extend(emitter.constants());
    sections.push(format!(
        "/// The rule as packages list it.\npub fn rule() -> Rule {{\n{}}}\n",
        statements(
            &[Statement::Tail(Code::Struct {
                name: "Rule",
                fields: vec![
                    ("info", Code::call("info", [])),
                    (
                        "schedule",
                        schedule_of(schedule, stateless::is_stateless(query, root))
                    ),
                    ("tables", Code::atom("tables")),
                    ("evaluate", Code::atom("evaluate"))
                ],
            })],
            4
        )
    ));
    sections.push(format!(
        "/// What alerts say of the rule.\npub fn info() -> RuleInfo {{\n{}}}\n",
        statements(&about(info), 4)
    ));
    let tables = Code::vec(emitter.tables.iter().map(|(name, schema, wanted)| {
        let table = [Code::string(name), schema.clone()];
        match wanted {
            Some(wanted) => Code::call("Table::of", table.into_iter().chain([wanted.clone()])),
            None => Code::call("Table::new", table),
        }
    }));
    sections.push(format!(
        "/// The tables of events that the rule reads.\npub fn tables() -> Vec<Table> {{\n{}}}\n",
        statements(&[Statement::Tail(tables)], 4)
    ));
    let context = if scope.needs.context {
        "context"
    } else {
        "_context"
    };
    sections.push(format!(
        "/// The rows that the rule gives.\npub fn evaluate({context}: &Context<'_>) -> Result<Batch, RuntimeError> {{\n{}}}\n",
        statements(&all, 4)
    ));
    sections.append(&mut emitter.functions);
    sections.extend(emitter.schemas());
    Ok(sections.join("\n").trim_end().to_owned())
}

/// `Schedule::seconds(3_600, 7_200)`.
fn schedule_of(seconds: [u64; 2], stateless: bool) -> Code {
    let seconds =
        seconds.map(|seconds| Code::Atom(grouped(i64::from(u32::try_from(seconds).unwrap_or(u32::MAX)))));
    let schedule = Code::call("Schedule::seconds", seconds);
    if stateless {
        Code::atom(format!("{}.stateless()", schedule.flat()))
    } else {
        schedule
    }
}

fn about(info: &Info) -> Vec<Statement> {
    let texts = [&info.id, &info.title, &info.severity];
    let mut list = vec![Statement::Let {
        name: "info".to_owned(),
        value: Code::call("RuleInfo::new", texts.map(|text| Code::string(text))),
    }];
    let mut value = Code::call(
        "info.at",
        [Code::string(&info.document), Code::Atom(info.line.to_string())],
    );
    for (kind, fields) in &info.entities {
        list.push(Statement::Let {
            name: "info".to_owned(),
            value,
        });
        let fields = fields
            .iter()
            .map(|(id, column)| Code::tuple([Code::string(id), Code::string(column)]));
        value = Code::call(
            "info.entity",
            [Code::string(kind), Code::slice(fields.collect::<Vec<_>>())],
        );
    }
    list.push(Statement::Tail(value));
    list
}

/// The `use` lines: the standard library, then ours, each sorted.
fn imports(paths: &BTreeSet<String>) -> String {
    let mut modules: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for path in paths {
        let Some((module, name)) = path.rsplit_once("::") else {
            continue;
        };
        // A module of which more is imported is named there as `self`.
        let within = paths.iter().any(|other| {
            other
                .strip_prefix(path.as_str())
                .is_some_and(|rest| rest.starts_with("::"))
        });
        if within {
            modules.entry(path).or_default().insert("self");
        } else {
            modules.entry(module).or_default().insert(name);
        }
    }
    let mut groups = [String::new(), String::new()];
    // Paths with a list come after those that go on with a name.
    let mut lines: Vec<(String, String)> = Vec::new();
    for (module, names) in modules {
        let key = match names.iter().next() {
            Some(name) if names.len() == 1 => format!("{module}::{name}"),
            _ => format!("{module}::{{"),
        };
        lines.push((key, line(module, &names)));
    }
    lines.sort();
    for (_, line) in lines {
        groups[usize::from(!line.starts_with("use std::"))].push_str(&line);
    }
    let groups = groups.into_iter().filter(|group| !group.is_empty());
    groups.collect::<Vec<_>>().join("\n")
}

fn line(module: &str, names: &BTreeSet<&str>) -> String {
    let mut sorted: Vec<&str> = names.iter().copied().filter(|name| *name != "self").collect();
    if names.contains("self") {
        sorted.insert(0, "self");
    }
    if let [name] = sorted[..] {
        return match name {
            "self" => format!("use {module};\n"),
            name => format!("use {module}::{name};\n"),
        };
    }
    let line = format!("use {module}::{{{}}};\n", sorted.join(", "));
    // As rustfmt breaks lists of imports: two columns earlier than other lines.
    if line.len() <= 99 {
        return line;
    }
    let mut text = format!("use {module}::{{\n    ");
    let mut width = 4;
    for name in sorted {
        if width + name.len() + 1 > 100 {
            text.truncate(text.trim_end().len());
            text.push_str("\n    ");
            width = 4;
        }
        text.push_str(name);
        text.push_str(", ");
        width += name.len() + 2;
    }
    text.truncate(text.trim_end().len());
    format!("{text}\n}};\n")
}
