//! The operators, each with what sets it apart.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use rulec_functions::{Value, text};
use rulec_runtime::ops::{
    self, Expand, JoinKind, ParseKind, Pattern, Step, asc, column, constant, desc, each, item, left, out,
    part, right,
};
use rulec_runtime::{Batch, Column, Context, InMemory, Memory, Schema, Type, functions::json};

fn table(columns: &[(&str, Type)], rows: &[&str]) -> Batch {
    let rows = rows.iter().map(|row| match json::parse_json(row) {
        Value::Array(values) => values
            .iter()
            .zip(columns)
            .map(|(value, (_, ty))| {
                if value.is_null() {
                    Value::Null
                } else {
                    rulec_functions::convert(value, *ty)
                }
            })
            .collect(),
        other => vec![other],
    });
    Batch::from_rows(Schema::of(columns), rows, &Memory::default()).unwrap()
}

fn rows(batch: &Batch) -> Vec<String> {
    batch
        .iter()
        .map(|row| row.values().iter().map(text::print).collect::<Vec<_>>().join("|"))
        .collect()
}

fn names(batch: &Batch) -> Vec<String> {
    batch
        .schema()
        .columns()
        .iter()
        .map(|column| column.name.to_string())
        .collect()
}

const KV: &[(&str, Type)] = &[("k", Type::String), ("v", Type::Long)];

#[test]
fn filter_project_extend() {
    let t = table(KV, &[r#"["a",1]"#, r#"["b",2]"#, r#"["c",null]"#]);
    let t = ops::filter(&t, |r| r.long(1).is_some()).unwrap();
    assert_eq!(rows(&t), ["a|1", "b|2"]);
    let double = each(|r| r.long(1).map_or(Value::Null, |v| Value::Long(v * 2)));
    let t = ops::extend(
        &t,
        &[
            out("v", Type::Long, double),
            out("c", Type::Int, constant(Value::Int(7))),
        ],
    )
    .unwrap();
    assert_eq!(
        (names(&t), rows(&t)),
        (
            vec!["k".into(), "v".into(), "c".into()],
            vec!["a|2|7".into(), "b|4|7".into()]
        )
    );
    let t = ops::project(
        &t,
        &[out("x", Type::Int, column(2)), out("k", Type::String, column(0))],
    )
    .unwrap();
    assert_eq!(
        (names(&t), rows(&t)),
        (vec!["x".into(), "k".into()], vec!["7|a".into(), "7|b".into()])
    );
}

#[test]
fn ingestion_time_lives_through_row_operators_only() {
    let t = table(KV, &[r#"["a",1]"#, r#"["b",2]"#]);
    let times =
        rulec_runtime::Vector::from_values(Type::DateTime, [Value::DateTime(10), Value::DateTime(20)]);
    let t = t.with_ingestion_time(times).unwrap();
    let t = ops::sort(&t, &[desc(column(1))]).unwrap();
    let t = ops::extend(&t, &[out("x", Type::Long, constant(Value::Long(1)))]).unwrap();
    let t = ops::take(&t, 1).unwrap();
    assert!(matches!(t.row(0).ingestion_time(), Value::DateTime(20)));
    let t = ops::distinct(&t, &[out("k", Type::String, column(0))]).unwrap();
    assert!(t.row(0).ingestion_time().is_null());
}

#[test]
fn sort_and_top() {
    let t = table(KV, &[r#"["a",1]"#, r#"["b",null]"#, r#"["c",3]"#, r#"["d",1]"#]);
    assert_eq!(
        rows(&ops::sort(&t, &[asc(column(1))]).unwrap()),
        ["b|", "a|1", "d|1", "c|3"]
    );
    assert_eq!(
        rows(&ops::sort(&t, &[desc(column(1))]).unwrap()),
        ["c|3", "a|1", "d|1", "b|"]
    );
    assert_eq!(
        rows(&ops::sort(&t, &[desc(column(1)).nulls_first(), desc(column(0))]).unwrap()),
        ["b|", "c|3", "d|1", "a|1"]
    );
    assert_eq!(
        rows(&ops::top(&t, 2, &[asc(column(1)).nulls_last()]).unwrap()),
        ["a|1", "d|1"]
    );
    assert_eq!(ops::top(&t, 0, &[asc(column(1))]).unwrap().rows(), 0);
    assert_eq!(ops::take(&t, -1).unwrap().rows(), 0);
    assert_eq!(rows(&ops::count(&t).unwrap()), ["4"]);
}

#[test]
fn distinct_groups_nulls() {
    let t = table(
        KV,
        &[
            r#"["a",1]"#,
            r#"["a",null]"#,
            r#"["a",1]"#,
            r#"["",null]"#,
            r#"["a",null]"#,
        ],
    );
    let all = [out("k", Type::String, column(0)), out("v", Type::Long, column(1))];
    assert_eq!(rows(&ops::distinct(&t, &all).unwrap()), ["a|1", "a|", "|"]);
}

fn joined(kind: JoinKind, output: &[ops::Pick]) -> Vec<String> {
    let l = table(
        KV,
        &[
            r#"["a",1]"#,
            r#"["b",2]"#,
            r#"["b",3]"#,
            r#"["c",4]"#,
            r#"["n",null]"#,
        ],
    );
    let r = table(KV, &[r#"["b",10]"#, r#"["c",20]"#, r#"["c",30]"#, r#"["d",40]"#]);
    rows(&ops::join(&l, &r, kind, &[column(0)], &[column(0)], output).unwrap())
}

#[test]
fn joins() {
    let both = [left("k", 0), left("v", 1), right("k1", 0), right("v1", 1)];
    assert_eq!(
        joined(JoinKind::InnerUnique, &both),
        ["b|2|b|10", "c|4|c|20", "c|4|c|30"]
    );
    assert_eq!(
        joined(JoinKind::Inner, &both),
        ["b|2|b|10", "b|3|b|10", "c|4|c|20", "c|4|c|30"]
    );
    assert_eq!(
        joined(JoinKind::LeftOuter, &both),
        ["a|1||", "b|2|b|10", "b|3|b|10", "c|4|c|20", "c|4|c|30", "n|||"]
    );
    assert_eq!(joined(JoinKind::RightOuter, &both).last().unwrap(), "||d|40");
    assert_eq!(joined(JoinKind::FullOuter, &both).len(), 7);
    assert_eq!(joined(JoinKind::LeftSemi, &both[..2]), ["b|2", "b|3", "c|4"]);
    assert_eq!(joined(JoinKind::LeftAnti, &both[..2]), ["a|1", "n|"]);
    assert_eq!(joined(JoinKind::RightSemi, &both[2..]), ["b|10", "c|20", "c|30"]);
    assert_eq!(joined(JoinKind::RightAnti, &both[2..]), ["d|40"]);
}

#[test]
fn null_keys_join_null_keys() {
    let t = table(KV, &[r#"["a",null]"#]);
    let output = [left("k", 0)];
    let keys = || [column(1)];
    assert_eq!(
        ops::join(&t, &t, JoinKind::Inner, &keys(), &keys(), &output)
            .unwrap()
            .rows(),
        1
    );
    assert_eq!(
        ops::join(&t, &t, JoinKind::LeftAnti, &keys(), &keys(), &output)
            .unwrap()
            .rows(),
        0
    );
}

#[test]
fn union_by_place() {
    let t = table(KV, &[r#"["a",1]"#]);
    let schema = Schema::of(&[("from", Type::String), ("v", Type::Long), ("w", Type::Long)]);
    let parts = [part("one", &t, [Some(1), None]), part("two", &t, [None, Some(1)])];
    assert_eq!(
        rows(&ops::union(&schema, true, &parts).unwrap()),
        ["one|1|", "two||1"]
    );
}

fn expand(ty: Type, bags_as_arrays: bool, limit: Option<i64>, cell: &str) -> Vec<String> {
    let t = table(
        &[("k", Type::String), ("d", Type::Dynamic)],
        &[&format!("[\"a\",{cell}]")],
    );
    let expand = Expand {
        schema: Schema::of(&[("k", Type::String), ("d", ty), ("i", Type::Long)]),
        items: vec![item(column(1), 1, ty)],
        passed: vec![Some(0), None, None],
        with_index: true,
        bags_as_arrays,
        limit,
    };
    rows(&ops::mv_expand(&t, &expand).unwrap())
}

#[test]
fn mv_expand() {
    assert_eq!(
        expand(Type::Dynamic, false, None, "[1,\"x\",null]"),
        ["a|1|0", "a|x|1", "a||2"]
    );
    assert_eq!(expand(Type::Dynamic, false, Some(1), "[1,2]"), ["a|1|0"]);
    assert_eq!(
        expand(Type::Dynamic, false, None, "{\"x\":1,\"y\":2}"),
        ["a|{\"x\":1}|0", "a|{\"y\":2}|1"]
    );
    assert_eq!(expand(Type::Dynamic, true, None, "{\"x\":1}"), ["a|[\"x\",1]|0"]);
    assert_eq!(expand(Type::Dynamic, false, None, "5"), ["a|5|0"]);
    // A null is an item, an empty array has none.
    assert_eq!(expand(Type::Dynamic, false, None, "null"), ["a||0"]);
    assert_eq!(expand(Type::Dynamic, false, None, "[]"), Vec::<String>::new());
    // `to typeof` casts and does not parse.
    assert_eq!(
        expand(Type::Long, false, None, "[1,2.7,\"3\"]"),
        ["a|1|0", "a|2|1", "a||2"]
    );
}

#[test]
fn mv_apply() {
    let t = table(
        &[("k", Type::String), ("d", Type::Dynamic)],
        &[r#"["a",[3,1,2]]"#, r#"["b",[]]"#, r#"["c",[9]]"#],
    );
    let expand = Expand {
        schema: Schema::of(&[("k", Type::String), ("d", Type::Long)]),
        items: vec![item(column(1), 1, Type::Long)],
        passed: vec![Some(0), None],
        with_index: false,
        bags_as_arrays: false,
        limit: None,
    };
    let output = [left("k", 0), right("most", 1)];
    let t = ops::mv_apply(&t, &expand, &output, |items| {
        ops::top(items, 2, &[desc(column(1))])
    })
    .unwrap();
    assert_eq!(rows(&t), ["a|3", "a|2", "c|9"]);
    assert_eq!(t.schema().columns()[1].ty, Type::Long);
}

fn parsed(
    kind: ParseKind,
    flags: &str,
    input: &str,
    steps: Vec<Step>,
    columns: &[(&str, Type)],
) -> Vec<String> {
    let t = table(
        &[("t", Type::String)],
        &[&json::to_json(&Value::array([Value::string(input)]))],
    );
    let mut all = vec![("t", Type::String)];
    all.extend(columns);
    let pattern = Pattern::new(kind, flags, steps).unwrap();
    let schema = Schema::of(&all);
    let cells = rows(&ops::parse(&t, &column(0), &pattern, &schema).unwrap());
    let kept = ops::parse_where(&t, &column(0), &pattern, &schema)
        .unwrap()
        .rows();
    cells
        .into_iter()
        .map(|row| format!("{} {kept}", &row[input.len() + 1..]))
        .collect()
}

#[test]
fn parse() {
    let text = |text: &str| Step::Text(text.to_owned());
    let trace = "Event: NotifySliceRelease (resourceName=PipelineScheduler, totalSlices=27, sliceNumber=23, releaseTime=02/17/2016 08:40:01)";
    let columns = [
        ("name", Type::String),
        ("total", Type::Long),
        ("at", Type::DateTime),
    ];
    let steps = |total: &str| {
        vec![
            Step::Skip,
            text("resourceName="),
            Step::Column(1, Type::String),
            text(total),
            Step::Column(2, Type::Long),
            Step::Skip,
            text("releaseTime="),
            Step::Column(3, Type::DateTime),
            text(")"),
        ]
    };
    let found = ["PipelineScheduler|27|2016-02-17T08:40:01.0000000Z 1"];
    assert_eq!(
        parsed(ParseKind::Simple, "", trace, steps(", totalSlices="), &columns),
        found
    );
    assert_eq!(
        parsed(ParseKind::Simple, "", trace, steps(", other="), &columns),
        ["|| 0"]
    );
    let regex = vec![
        text("(.*?)[a-z]*NAME="),
        Step::Column(1, Type::String),
        text(r", totalSlices=\s*"),
        Step::Column(2, Type::Long),
        text(".*?releaseTime="),
        Step::Column(3, Type::DateTime),
        text("\\)"),
    ];
    assert_eq!(parsed(ParseKind::Regex, "i", trace, regex, &columns), found);
    let two = |second| {
        vec![
            text("a="),
            Step::Column(1, Type::String),
            text(";"),
            Step::Column(2, second),
        ]
    };
    let columns = [("x", Type::String), ("y", Type::Long)];
    assert_eq!(
        parsed(ParseKind::Simple, "", "a=1;z", two(Type::Long), &columns),
        ["| 0"]
    );
    assert_eq!(
        parsed(ParseKind::Relaxed, "", "a=1;z", two(Type::Long), &columns),
        ["1| 1"]
    );
    assert_eq!(
        parsed(ParseKind::Simple, "", " a=1;2", two(Type::Long), &columns),
        ["| 0"]
    );
}

#[test]
fn range() {
    let tables = InMemory::new();
    let ctx = Context::new(0, &tables);
    let of = |from, to, step| {
        let made = ops::range(
            &ctx,
            Column::new("x", Type::Long),
            &Value::Long(from),
            &Value::Long(to),
            &Value::Long(step),
        );
        made.map(|t| rows(&t).join(" "))
    };
    assert_eq!(of(1, 5, 2).unwrap(), "1 3 5");
    assert_eq!(of(5, 1, -2).unwrap(), "5 3 1");
    assert_eq!(of(5, 1, 1).unwrap(), "");
    assert_eq!(of(i64::MAX - 1, i64::MAX, 1).unwrap().split(' ').count(), 2);
    assert_eq!(of(1, 2, 0).unwrap_err().code.id, "RR005");
    let ctx = Context::new(0, &tables).with_memory(Memory::with_limit(4 << 20));
    let all = [Value::Long(0), Value::Long(i64::MAX), Value::Long(1)];
    let error = ops::range(&ctx, Column::new("x", Type::Long), &all[0], &all[1], &all[2]).unwrap_err();
    assert_eq!(error.code.id, "RR003");
    assert!(error.message.starts_with("`range`"), "{error}");
}

#[test]
fn getschema() {
    let t = ops::getschema(&table(KV, &[])).unwrap();
    assert_eq!(rows(&t), ["k|0|System.String|string", "v|1|System.Int64|long"]);
}

#[test]
fn file_profile() {
    let profiles = table(
        &[
            ("SHA1", Type::String),
            ("SHA256", Type::String),
            ("GlobalPrevalence", Type::Long),
            ("ProfileAvailability", Type::String),
        ],
        &[r#"["aa","bb",7,""]"#, r#"["cc","",null,"Error"]"#],
    );
    let mut tables = InMemory::new();
    tables.insert("FileProfile", profiles);
    let ctx = Context::new(0, &tables);
    let t = table(
        &[("SHA1", Type::String)],
        &[r#"["aa"]"#, r#"["bb"]"#, r#"["cc"]"#, r#"["AA"]"#, r#"[""]"#],
    );
    let added = [
        (Column::new("GlobalPrevalence", Type::Long), "GlobalPrevalence"),
        (
            Column::new("ProfileAvailability", Type::String),
            "ProfileAvailability",
        ),
    ];
    let t = ops::file_profile(&ctx, &t, &column(0), &added).unwrap();
    assert_eq!(
        rows(&t),
        [
            "aa|7|Available",
            "bb|7|Available",
            "cc||Error",
            "AA||Missing",
            "||Missing"
        ]
    );
    let nothing = InMemory::new();
    let error = ops::file_profile(&Context::new(0, &nothing), &t, &column(0), &added).unwrap_err();
    assert_eq!(
        error.message,
        "no data was given for `FileProfile`; add --data FileProfile=PATH"
    );
}

#[test]
fn windows() {
    use ops::window;
    let t = table(KV, &[r#"["a",1]"#, r#"["a",3]"#, r#"["b",5]"#, r#"["b",5]"#]);
    let last = |t: Batch| {
        t.iter()
            .map(|row| text::print(&row.get(2)))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let made = || Column::new("w", Type::Long);
    let none = constant(Value::Long(-1));
    let new_key = each(|r| Value::Bool(r.index() == 2));
    assert_eq!(
        last(window::prev(&t, made(), &column(1), 1, &none).unwrap()),
        "-1 1 3 5"
    );
    assert_eq!(
        last(window::next(&t, made(), &column(1), 2, &none).unwrap()),
        "5 5 -1 -1"
    );
    assert_eq!(
        last(window::row_number(&t, "w", 1, Some(&new_key)).unwrap()),
        "1 2 1 2"
    );
    assert_eq!(
        last(window::row_cumsum(&t, made(), &column(1), None).unwrap()),
        "1 4 9 14"
    );
    assert_eq!(
        last(window::row_rank_dense(&t, "w", &column(0), None).unwrap()),
        "1 1 2 2"
    );
    assert_eq!(
        last(window::row_rank_min(&t, "w", &column(0), None).unwrap()),
        "1 1 3 3"
    );
    let sessions = window::row_window_session(&t, made(), &column(1), 3, 2, None).unwrap();
    assert_eq!(last(sessions), "1 1 5 5");
}

#[test]
fn columns_under_another_schema() {
    let t = table(KV, &[r#"["a",1]"#]);
    let wanted = Schema::of(&[("v", Type::String), ("z", Type::String), ("k", Type::Unknown)]);
    assert_eq!(rows(&t.conform(&wanted).unwrap()), ["1||a"]);
    let open = Schema::of(&[("v", Type::Long)]).open();
    assert_eq!(names(&t.conform(&open).unwrap()), ["v", "k"]);
}

#[test]
fn memory_is_given_back() {
    let memory = Memory::with_limit(100_000);
    let rows = (0..1000).map(|n| vec![Value::Long(n)]);
    let t = Batch::from_rows(Schema::of(&[("x", Type::Long)]), rows, &memory).unwrap();
    assert_eq!(memory.held(), 8000);
    let two = ops::filter(&t, |r| r.long(0).unwrap() % 2 == 0).unwrap();
    assert_eq!(memory.held(), 12_000);
    drop(t);
    assert_eq!(memory.held(), 4000);
    let error = ops::join(
        &two,
        &two,
        JoinKind::Inner,
        &[constant(Value::Long(1))],
        &[constant(Value::Long(1))],
        &[left("x", 0), right("y", 0)],
    )
    .unwrap_err();
    assert!(error.message.starts_with("`join` needs"), "{error}");
    drop(two);
    assert_eq!(memory.held(), 0);
}
