//! Plugins that are told columns and constants in a fixed order.
//!
//! In: a plugin's name and arguments. Out: the call of the function of the
//! runtime that does it, with each argument where the function wants it.

use rulec_functions::Value;
use rulec_ir::{Expr, Rel};

use super::code::Code;
use super::emitter::{Emitter, Scope};
use super::pipe::Pipe;

/// Plugins over an activity (who, when, and apart by what): how many constants
/// stand between the time and the dimensions.
const ACTIVITIES: [(&str, usize); 7] = [
    ("sliding_window_counts", 4),
    ("activity_counts_metrics", 3),
    ("activity_engagement", 4),
    ("activity_metrics", 3),
    ("session_count", 4),
    ("new_activity_metrics", 4),
    ("active_users_count", 6),
];

/// Plugins whose function takes one description of everything: its name, and
/// those of the fields that constants fill.
const DESCRIBED: [(&str, &str, &[&str]); 2] = [
    (
        "new_activity_metrics",
        "ops::Newcomers",
        &["from", "to", "window", "cohort"],
    ),
    (
        "active_users_count",
        "ops::Active",
        &["from", "to", "lookback", "period", "least", "bin"],
    ),
];

/// Whether a plugin is known here, by its name.
pub(super) fn is_plugin(name: &str) -> bool {
    matches!(name, "rolling_percentile" | "rows_near") || ACTIVITIES.iter().any(|(known, _)| *known == name)
}

impl Emitter<'_> {
    /// Adds a plugin to a pipeline.
    pub(super) fn plugin(
        &mut self,
        scope: &mut Scope,
        pipe: &mut Pipe,
        rel: &Rel,
        inputs: &[Rel],
        name: &'static str,
        args: &[Expr],
    ) {
        let row = pipe.layout;
        let mut call = vec![pipe.rows()];
        match name {
            "rows_near" => {
                call.push(self.argument(scope, pipe, args, 0).by_ref());
                let before = self.number(scope, args, 1);
                let after = if args.len() > 2 {
                    self.number(scope, args, 2)
                } else {
                    before.clone()
                };
                call.extend([before, after]);
                pipe.step(Code::call(self.op("rows_near"), call));
                self.passed(pipe, rel, "near");
                return;
            }
            "rolling_percentile" => {
                call.push(self.argument(scope, pipe, args, 0).by_ref());
                call.push(self.known(scope, args, 1).by_ref());
                call.push(self.argument(scope, pipe, args, 2).by_ref());
                call.extend([3, 4].map(|index| self.known(scope, args, index).by_ref()));
                let by = self.operands(scope, row, args.get(5..).unwrap_or_default());
                call.push(Code::slice(by));
            }
            _ => {
                let Some((_, constants)) = ACTIVITIES.iter().find(|(known, _)| *known == name) else {
                    return self.fail(rel.span, format!("the plugin `{name}`"));
                };
                let (id, time) = (
                    self.argument(scope, pipe, args, 0),
                    self.argument(scope, pipe, args, 1),
                );
                let rest = args.get(2 + constants..).unwrap_or_default();
                let dimensions = Code::vec(self.operands(scope, row, rest));
                self.import("rulec_runtime::ops", "");
                let activity = Code::Struct {
                    name: "ops::Activity",
                    fields: vec![("id", id), ("time", time), ("dimensions", dimensions)],
                };
                pipe.let_("activity", activity);
                if let Some((_, described, fields)) = DESCRIBED.iter().find(|(known, ..)| *known == name) {
                    let all = self.described(scope, pipe, inputs, args, described, fields);
                    pipe.let_("described", all);
                    call.push(Code::atom("&described"));
                } else {
                    call.push(Code::atom("&activity"));
                    call.extend((2..2 + constants).map(|index| self.known(scope, args, index).by_ref()));
                }
            }
        }
        let layout = self.after(rel, "counted");
        let schema = self.schema(layout, &rel.columns, rel.open).by_ref();
        call.push(schema);
        pipe.step(Code::call(self.op(name), call));
        pipe.laid_out(rel, layout);
    }

    /// Everything that such a plugin is told.
    fn described(
        &mut self,
        scope: &mut Scope,
        pipe: &mut Pipe,
        inputs: &[Rel],
        args: &[Expr],
        name: &'static str,
        fields: &[&'static str],
    ) -> Code {
        let mut all = vec![("of", Code::atom("activity"))];
        for (place, field) in fields.iter().enumerate() {
            let value = if *field == "least" {
                self.number(scope, args, place + 2)
            } else {
                self.known(scope, args, place + 2)
            };
            all.push((field, value));
        }
        // Who is no newcomer, whenever they come.
        if fields.contains(&"cohort") {
            let known = inputs
                .get(1)
                .map(|known| match self.relation(scope, known, "known") {
                    Code::Prefix(_, made) => *made,
                    rows => Code::atom(format!("{}.clone()", rows.flat())),
                });
            let known = match known {
                Some(made) => {
                    pipe.let_("known", made);
                    Code::call("Some", [Code::atom("known")])
                }
                None => Code::atom("None"),
            };
            all.push(("known", known));
        }
        Code::Struct { name, fields: all }
    }

    /// An argument over the row.
    fn argument(&mut self, scope: &mut Scope, pipe: &Pipe, args: &[Expr], index: usize) -> Code {
        match args.get(index) {
            Some(arg) => self.operand(scope, pipe.layout, arg),
            None => {
                let null = self.literal(&Value::Null);
                Code::call(self.short("ops", "constant"), [null])
            }
        }
    }

    /// An argument that is known before the rows are.
    fn known(&mut self, scope: &mut Scope, args: &[Expr], index: usize) -> Code {
        match args.get(index) {
            Some(arg) => self.inline(scope, arg),
            None => self.literal(&Value::Null),
        }
    }

    fn number(&mut self, scope: &mut Scope, args: &[Expr], index: usize) -> Code {
        match args.get(index) {
            Some(arg) => self.long(scope, arg, 0),
            None => Code::atom("0"),
        }
    }
}
