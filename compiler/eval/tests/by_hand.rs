//! The interpreter over queries that are built by hand: what no query text can
//! single out.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rulec_eval::{batch_to_json, run, trace, unsupported};
use rulec_functions::{Type, Value, scalar};
use rulec_ir::{
    Binding, BindingId, BindingKind, Column, Expr, ExprKind, JoinKind, MvItem, Origin, ProjectKind, Query,
    Rel, RelKind, SortKey,
};
use rulec_runtime::{Batch, Context, InMemory, Memory, RuntimeError, Schema, TableRequest, Tables};
use rulec_source::Span;

fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr {
        kind,
        ty,
        span: Span::default(),
    }
}

fn col(index: usize, ty: Type) -> Expr {
    expr(ExprKind::Column(index), ty)
}

fn long(value: i64) -> Expr {
    expr(ExprKind::Literal(Value::Long(value)), Type::Long)
}

fn text(value: &str) -> Expr {
    expr(ExprKind::Literal(Value::string(value)), Type::String)
}

fn call(name: &str, args: Vec<Expr>, ty: Type) -> Expr {
    expr(
        ExprKind::Call {
            function: scalar(name).unwrap(),
            args,
        },
        ty,
    )
}

fn columns(columns: &[(&str, Type)]) -> Arc<[Column]> {
    columns
        .iter()
        .map(|(name, ty)| Column {
            name: Arc::from(*name),
            ty: *ty,
        })
        .collect()
}

fn rel(kind: RelKind, out: &[(&str, Type)]) -> Rel {
    Rel {
        kind,
        columns: columns(out),
        open: false,
        span: Span::default(),
    }
}

fn table(out: &[(&str, Type)]) -> Rel {
    rel(RelKind::Table { name: "T".to_owned() }, out)
}

fn filter(input: Rel, predicate: Expr) -> Rel {
    let (columns, open) = (input.columns.clone(), input.open);
    Rel {
        kind: RelKind::Filter {
            input: Box::new(input),
            predicate,
        },
        columns,
        open,
        span: Span::default(),
    }
}

fn project(input: Rel, out: &[(&str, Type)], exprs: Vec<Expr>) -> Rel {
    rel(
        RelKind::Project {
            input: Box::new(input),
            kind: ProjectKind::Project,
            exprs,
        },
        out,
    )
}

fn numbers(name: &str, to: i64) -> Rel {
    rel(
        RelKind::Range {
            from: long(1),
            to: long(to),
            step: long(1),
        },
        &[(name, Type::Long)],
    )
}

fn query(root: Rel, bindings: Vec<BindingKind>) -> Query {
    let bindings = bindings.into_iter().enumerate().map(|(index, kind)| Binding {
        name: format!("b{index}"),
        name_span: Span::default(),
        span: Span::default(),
        derived_from: Vec::new(),
        kind,
    });
    Query {
        bindings: bindings.collect(),
        root: Some(root),
        tables: Vec::new(),
        functions: Vec::new(),
        operators: Vec::new(),
    }
}

const KV: &[(&str, Type)] = &[("k", Type::String), ("v", Type::Long)];

fn data() -> InMemory {
    let rows = [("a", 1), ("B", 2), ("c", 3)].map(|(k, v)| vec![Value::string(k), Value::Long(v)]);
    let mut tables = InMemory::new();
    tables.insert(
        "T",
        Batch::from_rows(Schema::of(KV), rows, &Memory::default()).unwrap(),
    );
    tables
}

fn rows(root: Rel, bindings: Vec<BindingKind>) -> String {
    let tables = data();
    let json = batch_to_json(&run(&query(root, bindings), &Context::new(5, &tables)).unwrap());
    let start = json.find("\"rows\":").unwrap() + 7;
    json[start..json.len() - 1].to_owned()
}

#[test]
fn shape_of_results() {
    let tables = data();
    let result = run(&query(table(KV), Vec::new()), &Context::new(5, &tables)).unwrap();
    assert_eq!(
        batch_to_json(&result),
        r#"{"columns":[{"name":"k","type":"string"},{"name":"v","type":"long"}],"rows":[["a",1],["B",2],["c",3]]}"#
    );
}

#[test]
fn and_or_are_three_valued() {
    let null = || expr(ExprKind::Literal(Value::Null), Type::Bool);
    // A comparison, so that it does not fold away.
    let truth = |b: bool| {
        call(
            if b { "==" } else { "!=" },
            vec![col(1, Type::Long), col(1, Type::Long)],
            Type::Bool,
        )
    };
    let and = |operands| expr(ExprKind::And(operands), Type::Bool);
    let or = |operands| expr(ExprKind::Or(operands), Type::Bool);
    let of = |e: Expr| {
        let json = rows(project(table(KV), &[("x", Type::Bool)], vec![e]), Vec::new());
        json[2..].split(']').next().unwrap().to_owned()
    };
    assert_eq!(of(and(vec![truth(true), null()])), "null");
    assert_eq!(of(and(vec![null(), truth(false)])), "false");
    assert_eq!(of(or(vec![null(), truth(true)])), "true");
    assert_eq!(of(or(vec![truth(false), null()])), "null");
    assert_eq!(of(and(vec![null(), null()])), "null");
}

#[test]
fn long_lists_are_looked_up() {
    let list = |name: &str| {
        let mut args = vec![col(0, Type::String)];
        args.extend(["x1", "x2", "x3", "x4", "x5", "x6", "x7", "A", "b"].map(text));
        rows(filter(table(KV), call(name, args, Type::Bool)), Vec::new())
    };
    assert_eq!(list("in"), "[]");
    assert_eq!(list("in~"), r#"[["a",1],["B",2]]"#);
    assert_eq!(list("!in~"), r#"[["c",3]]"#);
    // What is no string is compared as the operator compares it.
    let mut args = vec![col(1, Type::Long)];
    args.extend(["x1", "x2", "x3", "x4", "x5", "x6", "x7", "1"].map(text));
    assert_eq!(
        rows(filter(table(KV), call("!in", args, Type::Bool)), Vec::new())
            .matches('[')
            .count(),
        3
    );
}

#[test]
fn bindings_and_subqueries() {
    let most = expr(
        ExprKind::ToScalar(Box::new(rel(RelKind::Ref(BindingId(0)), &[("x", Type::Long)]))),
        Type::Long,
    );
    let bindings = vec![
        BindingKind::Table {
            rel: numbers("x", 3),
            materialized: true,
        },
        BindingKind::Scalar(call("+", vec![most, long(1)], Type::Long)),
        BindingKind::Function,
    ];
    let list = expr(
        ExprKind::List(Box::new(rel(RelKind::Ref(BindingId(0)), &[("x", Type::Long)]))),
        Type::Dynamic,
    );
    let kept = filter(table(KV), call("in", vec![col(1, Type::Long), list], Type::Bool));
    let scalar = expr(ExprKind::Binding(BindingId(1)), Type::Long);
    let out = project(
        kept,
        &[("v", Type::Long), ("s", Type::Long)],
        vec![col(1, Type::Long), scalar],
    );
    assert_eq!(rows(out, bindings), "[[1,2],[2,2],[3,2]]");
}

#[test]
fn windows_in_any_operator() {
    let window = |name: &str, args: Vec<Expr>| {
        expr(
            ExprKind::Window {
                function: scalar(name).unwrap(),
                args,
            },
            Type::Long,
        )
    };
    let before = || window("prev", vec![col(1, Type::Long), long(1), long(0)]);
    let nested = window("row_cumsum", vec![before()]);
    let out = project(
        table(KV),
        &[("v", Type::Long), ("s", Type::Long)],
        vec![col(1, Type::Long), nested],
    );
    assert_eq!(rows(out, Vec::new()), "[[1,0],[2,1],[3,3]]");
    let rising = filter(table(KV), call(">", vec![before(), long(0)], Type::Bool));
    assert_eq!(rows(rising, Vec::new()), r#"[["B",2],["c",3]]"#);
}

#[test]
fn mv_apply_runs_its_subquery_per_row() {
    let rows_of = |cells: &[&str]| {
        let cells = cells.iter().map(|cell| {
            vec![
                text(cell),
                expr(
                    ExprKind::Literal(rulec_functions::json::parse_json(cell)),
                    Type::Dynamic,
                ),
            ]
        });
        rel(
            RelKind::Rows(cells.collect()),
            &[("k", Type::String), ("d", Type::Dynamic)],
        )
    };
    let handed = &[("k", Type::String), ("d", Type::Long)];
    let subquery = rel(
        RelKind::Sort {
            input: Box::new(rel(RelKind::Input, handed)),
            keys: vec![SortKey {
                expr: col(1, Type::Long),
                descending: true,
                nulls_first: false,
            }],
        },
        handed,
    );
    let apply = rel(
        RelKind::MvApply {
            input: Box::new(rows_of(&["[1,3,2]", "[]", "[5]"])),
            items: vec![MvItem {
                expr: col(1, Type::Dynamic),
                output: 1,
                ty: Type::Long,
            }],
            passed: vec![Some(0), None],
            with_index: false,
            limit: None,
            subquery: Box::new(subquery),
            output: vec![Origin::Left(0), Origin::Right(1)],
        },
        handed,
    );
    assert_eq!(
        rows(apply, Vec::new()),
        r#"[["[1,3,2]",3],["[1,3,2]",2],["[1,3,2]",1],["[5]",5]]"#
    );
}

#[test]
fn open_tables_keep_unknown_columns() {
    let mut open = table(&[("v", Type::Unknown)]);
    open.open = true;
    let mut extended = rel(
        RelKind::Project {
            input: Box::new(open),
            kind: ProjectKind::Extend,
            exprs: vec![
                col(0, Type::Unknown),
                call("+", vec![col(0, Type::Unknown), long(1)], Type::Long),
            ],
        },
        &[("v", Type::Unknown), ("w", Type::Long)],
    );
    extended.open = true;
    let tables = data();
    let kept = filter(extended, call(">", vec![col(1, Type::Long), long(3)], Type::Bool));
    let result = run(&query(kept, Vec::new()), &Context::new(5, &tables)).unwrap();
    assert_eq!(
        batch_to_json(&result),
        r#"{"columns":[{"name":"v","type":"long"},{"name":"w","type":"long"},{"name":"k","type":"string"}],"rows":[[3,4,"c"]]}"#
    );
}

/// Counts how often it is asked, and what for.
struct Counting(InMemory, AtomicUsize, std::sync::Mutex<Vec<Option<Vec<usize>>>>);

impl Tables for Counting {
    fn table(&self, request: &TableRequest<'_>) -> Result<Batch, RuntimeError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.2.lock().unwrap().push(request.needed.map(<[usize]>::to_vec));
        self.0.table(request)
    }
}

#[test]
fn only_needed_columns_are_asked_for_and_bindings_run_once() {
    let counted = rel(
        RelKind::Count {
            input: Box::new(filter(
                table(KV),
                call(">", vec![col(1, Type::Long), long(1)], Type::Bool),
            )),
        },
        &[("Count", Type::Long)],
    );
    let twice = rel(
        RelKind::Join {
            left: Box::new(rel(RelKind::Ref(BindingId(0)), &[("Count", Type::Long)])),
            right: Box::new(rel(RelKind::Ref(BindingId(0)), &[("Count", Type::Long)])),
            kind: JoinKind::Inner,
            lookup: false,
            left_keys: vec![col(0, Type::Long)],
            right_keys: vec![col(0, Type::Long)],
            output: vec![Origin::Left(0), Origin::Right(0)],
        },
        &[("a", Type::Long), ("b", Type::Long)],
    );
    let tables = Counting(data(), AtomicUsize::new(0), std::sync::Mutex::default());
    let bindings = vec![
        BindingKind::Table {
            rel: counted,
            materialized: false,
        },
        BindingKind::Table {
            rel: table(KV),
            materialized: false,
        },
    ];
    let result = run(&query(twice, bindings), &Context::new(5, &tables)).unwrap();
    assert_eq!(result.row(0).long(1), Some(2));
    // The binding that nobody reads was not computed.
    assert_eq!(tables.1.load(Ordering::Relaxed), 1);
    assert_eq!(*tables.2.lock().unwrap(), [Some(vec![1])]);
}

#[test]
fn what_cannot_run_is_found_before_data_is_read() {
    let span = Span::default();
    let broken = rel(
        RelKind::Unsupported {
            inputs: vec![table(KV)],
            construct: "the plugin `autocluster`".to_owned(),
        },
        KV,
    );
    let unused = BindingKind::Table {
        rel: broken.clone(),
        materialized: false,
    };
    assert!(unsupported(&query(table(KV), vec![unused])).is_empty());
    let broken = query(
        filter(broken, call("==", vec![long(1), long(1)], Type::Bool)),
        Vec::new(),
    );
    assert_eq!(
        unsupported(&broken),
        [(span, "the plugin `autocluster`".to_owned())]
    );
    let tables = Counting(data(), AtomicUsize::new(0), std::sync::Mutex::default());
    let error = run(&broken, &Context::new(5, &tables)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "RR004: the plugin `autocluster` cannot be run here"
    );
    assert_eq!(tables.1.load(Ordering::Relaxed), 0);
}

#[test]
fn missing_tables_are_named() {
    let tables = InMemory::new();
    let error = run(&query(table(KV), Vec::new()), &Context::new(5, &tables)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "RR002: no data was given for `T`; add --data T=PATH"
    );
}

#[test]
fn traces_say_where_rows_went() {
    let less = |than| call("<", vec![col(1, Type::Long), long(than)], Type::Bool);
    let both = expr(ExprKind::And(vec![less(10), less(3)]), Type::Bool);
    let root = filter(filter(table(KV), both), less(0));
    let tables = data();
    let (result, stages) = trace(&query(root, Vec::new()), &Context::new(5, &tables)).unwrap();
    assert_eq!(result.rows(), 0);
    let found = stages.iter().map(|stage| {
        // Nobody follows an event, so nothing is said of one.
        assert!(stage.event_in == 0 && stage.why.is_none() && !stage.dropped());
        (stage.operator, stage.rows_in.clone(), stage.rows_out)
    });
    assert_eq!(
        found.collect::<Vec<_>>(),
        [("table", vec![], 3), ("where", vec![3], 2), ("where", vec![2], 0)]
    );
}

#[test]
fn now_is_given() {
    let now = project(
        table(KV),
        &[("t", Type::DateTime)],
        vec![expr(ExprKind::Now, Type::DateTime)],
    );
    assert!(rows(now, Vec::new()).starts_with(r#"[["0001-01-01T00:00:00.0000005Z"],"#));
}
