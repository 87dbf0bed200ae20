//! Operators and plugins whose rows are not computed here but whose columns
//! are known: `make-series`, the `top-` family, `reduce`, `evaluate`.

use rulec_functions::Type;
use rulec_kql::ast::{self, ExprKind as Ast};

use super::bound::{Bound, column};
use super::expressions::scalar_type;
use super::names::{NameTable, Suggested, suggested};
use super::operators::unsupported;
use super::statements::strip;
use super::{Any, Binder, Ctx};
use crate::{Column, RelKind, codes};

impl Binder<'_> {
    pub(super) fn make_series(
        &mut self,
        op: &ast::Operator,
        series: &ast::MakeSeries,
        input: Bound,
    ) -> Bound {
        let mut names = NameTable::default();
        let mut columns: Vec<Column> = Vec::new();
        for item in &series.by {
            for given in self.given(item, Ctx::over(&input)) {
                if let Some(name) = self.take_name(&mut names, &given, item.span) {
                    columns.push(column(name, given.expr.ty));
                }
            }
        }
        for item in &series.aggregates {
            if let Some(default) = &item.default {
                self.constant(default);
            }
            let (name, explicit, _) = self.ranked(&item.column, &input);
            let name = match (explicit, &name) {
                (Some(explicit), _) => names
                    .declared(&explicit)
                    .unwrap_or_else(|| names.derived(&explicit)),
                (None, name) => match name.text() {
                    Some(text) => names.derived(text),
                    None => names.anonymous(&mut self.anonymous),
                },
            };
            columns.push(column(name, Type::Dynamic));
        }
        for given in self.given(&series.on, Ctx::over(&input)) {
            let name = match (&given.explicit, &given.name) {
                (Some((name, _)), _) | (None, Suggested::Name(name) | Suggested::Derived(name)) => {
                    names.derived(name)
                }
                (None, Suggested::Nothing) => names.anonymous(&mut self.anonymous),
            };
            columns.push(column(name, Type::Dynamic));
        }
        match &series.range {
            ast::SeriesRange::Steps { from, to, step } => {
                for bound in [from.as_deref(), to.as_deref(), Some(&**step)]
                    .into_iter()
                    .flatten()
                {
                    self.constant(bound);
                }
            }
            ast::SeriesRange::InRange(bounds) => {
                for bound in bounds {
                    self.constant(bound);
                }
            }
        }
        self.shaped(op, input, columns, |input| {
            unsupported(vec![*input], "`make-series`")
        })
    }

    pub(super) fn top_nested(
        &mut self,
        op: &ast::Operator,
        levels: &[ast::TopNestedLevel],
        input: Bound,
    ) -> Bound {
        let mut names = NameTable::default();
        let mut columns: Vec<Column> = Vec::new();
        for level in levels {
            if let Some(count) = &level.count {
                self.row_count(count);
            }
            if let Some(others) = &level.others {
                self.constant(others);
            }
            let mut of_name = String::new();
            for given in self.given(&level.of, Ctx::over(&input)) {
                if let Some(name) = self.take_name(&mut names, &given, level.of.span) {
                    of_name = name.to_string();
                    columns.push(column(name, given.expr.ty));
                }
            }
            let (_, explicit, ty) = self.ranked(&level.by.value, &input);
            let name = explicit.unwrap_or_else(|| format!("aggregated_{of_name}"));
            columns.push(column(names.derived(&name), ty));
        }
        self.shaped(op, input, columns, |input| {
            unsupported(vec![*input], "`top-nested`")
        })
    }

    pub(super) fn top_hitters(
        &mut self,
        op: &ast::Operator,
        count: &ast::Expr,
        of: &ast::Expr,
        by: Option<&ast::Expr>,
        input: Bound,
    ) -> Bound {
        self.row_count(count);
        let value = self.scalar(of, Ctx::over(&input));
        let of_name = suggested(of);
        let of_name = of_name.text().unwrap_or("Column1");
        let mut columns = vec![column(of_name, value.ty)];
        match by {
            Some(by) => {
                self.scalar(by, Ctx::over(&input));
                let by_name = suggested(by);
                columns.push(column(
                    format!("approximate_sum_{}", by_name.text().unwrap_or_default()),
                    Type::Long,
                ));
            }
            None => columns.push(column(format!("approximate_count_{of_name}"), Type::Long)),
        }
        self.shaped(op, input, columns, |input| {
            unsupported(vec![*input], "`top-hitters`")
        })
    }

    pub(super) fn sample_distinct(
        &mut self,
        op: &ast::Operator,
        count: &ast::Expr,
        of: &ast::Expr,
        input: Bound,
    ) -> Bound {
        self.row_count(count);
        let value = self.scalar(of, Ctx::over(&input));
        if !matches!(strip(of).kind, Ast::Name(_)) {
            self.error(
                codes::COLUMN_EXPECTED,
                of.span,
                "The name of a column is needed here.",
            );
        }
        let name = suggested(of);
        let columns = vec![column(name.text().unwrap_or("Column1"), value.ty)];
        self.shaped(op, input, columns, |input| {
            unsupported(vec![*input], "`sample-distinct`, which picks values at random")
        })
    }

    pub(super) fn reduce(&mut self, op: &ast::Operator, by: &ast::Column, input: Bound) -> Bound {
        self.scalar(&by.value, Ctx::over(&input));
        let columns = vec![
            column("Pattern", Type::String),
            column("Count", Type::Long),
            column("Representative", Type::String),
        ];
        self.shaped(op, input, columns, |input| unsupported(vec![*input], "`reduce`"))
    }

    /// `evaluate plugin(…)`: what comes out depends on the plugin, and for
    /// some on the data.
    pub(super) fn evaluate(
        &mut self,
        op: &ast::Operator,
        call: &ast::Call,
        schema: Option<&ast::RowSchema>,
        input: Option<Bound>,
    ) -> Bound {
        let at = self.at(op.span);
        let input = match input {
            Some(input) => input,
            None => self.source(RelKind::Rows(Vec::new()), Vec::new(), at),
        };
        let name = call.name.text.as_str();
        if !PLUGINS.contains(&name) {
            self.error(
                codes::UNKNOWN_PLUGIN,
                call.name.span,
                format!("There is no plugin `{name}`."),
            );
            return self.nothing(at);
        }
        self.note_call(name, call.name.span, true);
        let mut columns: Vec<Column> = Vec::new();
        let mut open = false;
        let arg = |i: usize| call.args.get(i).map(|a| &a.value);
        let mut other = None;
        match name {
            "bag_unpack" => {
                let unpacked = arg(0).map(|a| self.plugin_column(a, &input)).unwrap_or_default();
                for extra in call.args.iter().skip(1) {
                    self.constant(&extra.value);
                }
                columns = without(&input, &unpacked);
                open = true;
            }
            "pivot" => {
                let mut gone = arg(0).map(|a| self.plugin_column(a, &input)).unwrap_or_default();
                if let Some(aggregate) = call.args.get(1) {
                    let item = ast::Column {
                        names: ast::ColumnNames::Derived,
                        value: aggregate.value.clone(),
                        span: aggregate.span,
                    };
                    self.ranked(&item, &input);
                    names_in(&aggregate.value, &input, &mut gone);
                }
                if call.args.len() > 2 {
                    for kept in call.args.iter().skip(2) {
                        for index in self.plugin_column(&kept.value, &input) {
                            columns.push(input.columns()[index].clone());
                        }
                    }
                } else {
                    columns = without(&input, &gone);
                }
                open = true;
            }
            "autocluster" | "basket" => {
                columns = vec![
                    column("SegmentId", Type::Long),
                    column("Count", Type::Long),
                    column("Percent", Type::Real),
                ];
                columns.extend(input.columns().iter().cloned());
            }
            "diffpatterns" => {
                if let Some(split) = arg(0) {
                    self.scalar(split, Ctx::over(&input));
                }
                columns = vec![
                    column("SegmentId", Type::Long),
                    column("CountA", Type::Long),
                    column("CountB", Type::Long),
                    column("PercentA", Type::Real),
                    column("PercentB", Type::Real),
                    column("PercentDiffAB", Type::Real),
                ];
                columns.extend(input.columns().iter().cloned());
            }
            "narrow" => {
                columns = vec![
                    column("Row", Type::Long),
                    column("Column", Type::String),
                    column("Value", Type::String),
                ];
            }
            "ipv4_lookup" | "ipv6_lookup" | "geo_polygon_lookup" | "geo_line_lookup" => {
                if let Some(table) = arg(0) {
                    let table = self.table(table);
                    // Addresses are looked up by the input's column, shapes by
                    // the table's.
                    let shapes = name.starts_with("geo_");
                    let rows = if shapes {
                        [&table, &input]
                    } else {
                        [&input, &table]
                    };
                    for (key, row) in [arg(1), arg(2)].into_iter().zip(rows) {
                        if let Some(key) = key {
                            self.scalar(key, Ctx::over(row));
                        }
                    }
                    let mut names = NameTable::default();
                    columns = input.columns().to_vec();
                    for c in &columns {
                        names.derived(&c.name);
                    }
                    for c in table.columns().iter() {
                        columns.push(column(names.derived(&c.name), c.ty));
                    }
                    open = table.rel.open || input.rel.open;
                    other = Some(table);
                }
            }
            "dcount_intersect" => {
                columns = input.columns().to_vec();
                if call.args.len() < 2 {
                    self.error(
                        codes::ARGUMENT_COUNT,
                        call.name.span,
                        "`dcount_intersect` compares at least 2 columns.",
                    );
                }
                for (i, arg) in call.args.iter().enumerate() {
                    self.scalar(&arg.value, Ctx::over(&input));
                    columns.push(column(format!("s{i}"), Type::Long));
                }
            }
            "infer_storage_schema" | "infer_storage_schema_with_suggestions" => {
                columns = vec![column("CslSchema", Type::String)];
            }
            _ => {
                for arg in &call.args {
                    self.plugin_argument(&arg.value, &input);
                }
                columns = self.window_columns(name, call, &input);
                open = columns.is_empty();
            }
        }
        if let Some(schema) = schema {
            let mut stated = if schema.star { columns } else { Vec::new() };
            let declared = self.declared_columns(&schema.columns);
            stated.retain(|c| declared.iter().all(|d| d.name != c.name));
            stated.extend(declared);
            columns = stated;
            open = false;
        }
        let construct = format!("the plugin `{name}`");
        let key = format!("{name}@{}", call.name.span.start);
        let sources = input.meta.sources.clone();
        let mut bound = self.shaped(op, input, columns, |input| RelKind::Unsupported {
            inputs: std::iter::once(*input).chain(other.map(|o| o.rel)).collect(),
            construct,
        });
        if open {
            bound = self.opened(bound, &key);
            let mut all = sources.to_vec();
            all.extend(bound.meta.sources.iter().cloned());
            bound.meta.sources = all.into();
        }
        bound
    }

    /// An argument of a plugin that names a column of the input.
    fn plugin_column(&mut self, arg: &ast::Expr, input: &Bound) -> Vec<usize> {
        let value = self.scalar(arg, Ctx::over(input));
        if let crate::ExprKind::Column(index) = value.kind {
            return vec![index];
        }
        if value.ty != Type::Unknown {
            self.error(
                codes::COLUMN_EXPECTED,
                arg.span,
                "The name of a column is needed here.",
            );
        }
        Vec::new()
    }

    /// An argument of a plugin of which only mistakes are of interest.
    fn plugin_argument(&mut self, arg: &ast::Expr, input: &Bound) {
        match &strip(arg).kind {
            Ast::TypeOf(_) | Ast::Star => {}
            _ => if let Any::Table(_) = self.any(arg, Ctx::over(input)) {},
        }
    }

    /// `sequence_detect`: the dimensions, when each state was met, and how
    /// long it took.
    fn detected(&mut self, call: &ast::Call, input: &Bound) -> Vec<Column> {
        let time = call.args.first().map(|a| suggested(strip(&a.value)));
        let time = time.as_ref().and_then(|s| s.text()).unwrap_or_default();
        let mut columns = Vec::new();
        let mut states = Vec::new();
        for arg in call.args.iter().skip(3) {
            if let Some(name) = &arg.name {
                states.push(column(format!("{}_{time}", name.text), Type::DateTime));
            } else {
                let value = self.scalar(&arg.value, Ctx::over(input));
                columns.push(column(suggested(&arg.value).text().unwrap_or_default(), value.ty));
            }
        }
        columns.extend(states);
        columns.push(column("Duration", Type::TimeSpan));
        columns
    }

    /// The columns of the plugins that count users and sessions over time,
    /// and of those that run code and state what it returns.
    fn window_columns(&mut self, name: &str, call: &ast::Call, input: &Bound) -> Vec<Column> {
        if let Some(counts) = COUNTS.iter().find(|c| c.name == name) {
            return self.counted(counts, call, input);
        }
        let counts = |names: &[(&str, Type)]| names.iter().map(|(n, ty)| column(*n, *ty)).collect::<Vec<_>>();
        let mut columns = Vec::new();
        match name {
            "new_activity_metrics" => {
                if let Some(time) = self.argument_column(call, 1, input) {
                    columns.push(column(format!("from_{}", time.name), time.ty));
                    columns.push(column(format!("to_{}", time.name), time.ty));
                }
                for i in 5..call.args.len() {
                    columns.extend(self.argument_column(call, i, input));
                }
                columns.extend(counts(&[
                    ("dcount_new_values", Type::Long),
                    ("dcount_retained_values", Type::Long),
                    ("dcount_churn_values", Type::Long),
                    ("retention_rate", Type::Real),
                    ("churn_rate", Type::Real),
                ]));
            }
            "rolling_percentile" => {
                let value = self.argument_column(call, 0, input);
                columns.extend(self.argument_column(call, 2, input));
                for i in 5..call.args.len() {
                    columns.extend(self.argument_column(call, i, input));
                }
                if let Some(value) = value {
                    let number = |i: usize| {
                        call.args
                            .get(i)
                            .map(|a| strip(&a.value))
                            .map_or(String::new(), |e| match &e.kind {
                                Ast::Literal(ast::Literal::Long(n)) => n.to_string(),
                                _ => String::new(),
                            })
                    };
                    let name = format!("rolling_{}_percentile_{}_{}", number(4), value.name, number(1));
                    columns.push(column(name, value.ty));
                }
            }
            "sequence_detect" => columns.extend(self.detected(call, input)),
            "rows_near" | "identity" | "identity_v3" => columns.extend(input.columns().iter().cloned()),
            "http_request" | "http_request_post" => columns.extend(counts(&[
                ("ResponseHeaders", Type::Dynamic),
                ("ResponseBody", Type::Dynamic),
            ])),
            "estimate_rows_count" => columns.push(column("EstimatedRowsCount", Type::Long)),
            "ai_embed_text" => {
                columns.extend(input.columns().iter().cloned());
                if let Some(text) = self.argument_column(call, 0, input) {
                    columns.push(column(format!("{}_embedding", text.name), Type::Dynamic));
                }
            }
            "python" | "r" => {
                if let Some(Ast::TypeOf(ast::TypeOf::Tabular(table))) =
                    call.args.first().map(|a| &strip(&a.value).kind)
                {
                    if table.open {
                        columns.extend(input.columns().iter().cloned());
                    }
                    columns.extend(
                        table
                            .columns
                            .iter()
                            .map(|c| column(c.name.text.as_str(), scalar_type(c.ty.ty))),
                    );
                }
            }
            _ => {}
        }
        columns
    }

    /// An argument as a column of the output.
    fn argument_column(&mut self, call: &ast::Call, index: usize, input: &Bound) -> Option<Column> {
        let arg = call.args.get(index).map(|a| strip(&a.value))?;
        let value = self.scalar(arg, Ctx::over(input));
        suggested(arg).text().map(|n| column(n, value.ty))
    }

    /// Time, dimensions, and what is counted.
    fn counted(&mut self, counts: &Counts, call: &ast::Call, input: &Bound) -> Vec<Column> {
        let mut columns = Vec::new();
        columns.extend(self.argument_column(call, 1, input));
        if let Some(state) = counts.state {
            columns.extend(self.argument_column(call, state, input));
        }
        for i in counts.fixed..call.args.len() {
            columns.extend(self.argument_column(call, i, input));
        }
        columns.extend(counts.columns.iter().map(|(n, ty)| column(*n, *ty)));
        columns
    }
}

/// A plugin that counts over time: its second argument is the time, those
/// behind the fixed ones are dimensions.
struct Counts {
    name: &'static str,
    fixed: usize,
    /// An argument within the fixed ones that also comes out.
    state: Option<usize>,
    columns: &'static [(&'static str, Type)],
}

const fn counts(name: &'static str, fixed: usize, columns: &'static [(&'static str, Type)]) -> Counts {
    Counts {
        name,
        fixed,
        state: None,
        columns,
    }
}

const COUNTS: &[Counts] = &[
    counts("active_users_count", 8, &[("dcount", Type::Long)]),
    counts(
        "activity_counts_metrics",
        5,
        &[
            ("count", Type::Long),
            ("dcount", Type::Long),
            ("new_dcount", Type::Long),
            ("aggregated_dcount", Type::Long),
        ],
    ),
    counts(
        "activity_engagement",
        6,
        &[
            ("dcount_activities_inner", Type::Long),
            ("dcount_activities_outer", Type::Long),
            ("activity_ratio", Type::Real),
        ],
    ),
    counts(
        "activity_metrics",
        5,
        &[
            ("dcount_values", Type::Long),
            ("dcount_newvalues", Type::Long),
            ("retention_rate", Type::Real),
            ("churn_rate", Type::Real),
        ],
    ),
    Counts {
        name: "funnel_sequence_completion",
        fixed: 8,
        state: Some(5),
        columns: &[("Period", Type::TimeSpan), ("dcount", Type::Long)],
    },
    counts(
        "funnel_sequence",
        8,
        &[
            ("prev", Type::String),
            ("next", Type::String),
            ("dcount", Type::Long),
            ("samples", Type::Dynamic),
        ],
    ),
    counts("session_count", 6, &[("count_sessions", Type::Long)]),
    counts(
        "sliding_window_counts",
        6,
        &[("Count", Type::Long), ("Dcount", Type::Long)],
    ),
];

/// The plugins of the reference.
const PLUGINS: &[&str] = &[
    "active_users_count",
    "activity_counts_metrics",
    "activity_engagement",
    "activity_metrics",
    "ai_chat_completion",
    "ai_chat_completion_prompt",
    "ai_embed_text",
    "ai_embeddings",
    "autocluster",
    "azure_digital_twins_query_request",
    "bag_unpack",
    "basket",
    "cosmosdb_sql_request",
    "dcount_intersect",
    "diffpatterns",
    "estimate_rows_count",
    "funnel_sequence",
    "funnel_sequence_completion",
    "geo_line_lookup",
    "geo_polygon_lookup",
    "http_request",
    "http_request_post",
    "identity",
    "identity_v3",
    "infer_storage_schema",
    "infer_storage_schema_with_suggestions",
    "ipv4_lookup",
    "ipv6_lookup",
    "mysql_request",
    "narrow",
    "new_activity_metrics",
    "pivot",
    "postgresql_request",
    "preview",
    "python",
    "r",
    "rolling_percentile",
    "rows_near",
    "sequence_detect",
    "session_count",
    "sliding_window_counts",
    "sql_request",
];

/// The input's columns but some.
fn without(input: &Bound, gone: &[usize]) -> Vec<Column> {
    input
        .listed()
        .into_iter()
        .filter(|i| !gone.contains(i))
        .filter_map(|i| input.columns().get(i).cloned())
        .collect()
}

/// Adds the columns that the arguments of an aggregate name.
fn names_in(expr: &ast::Expr, input: &Bound, found: &mut Vec<usize>) {
    if let Ast::Call(call) = &strip(expr).kind {
        for arg in &call.args {
            if let Ast::Name(name) = &strip(&arg.value).kind
                && let Some(index) = input.find(&name.text)
            {
                found.push(index);
            }
        }
    }
}
