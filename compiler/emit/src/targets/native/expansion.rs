//! Operators that take a value apart: `mv-expand`, `mv-apply`, `parse`.

use rulec_functions::convert;
use rulec_ir::{Expr, MvItem, ParseKind, ParseStep, Rel, RelKind};

use super::code::{Code, grouped};
use super::emitter::{Emitter, Scope};
use super::layout::LayoutId;
use super::pipe::Pipe;
use super::sources::places;

impl Emitter<'_> {
    #[allow(clippy::too_many_arguments, reason = "the fields of an operator")]
    pub(super) fn expand(
        &mut self,
        scope: &mut Scope,
        row: LayoutId,
        schema: Code,
        items: &[MvItem],
        passed: &[Option<usize>],
        [with_index, bags_as_arrays]: [bool; 2],
        limit: Option<&Expr>,
    ) -> Code {
        let items = items
            .iter()
            .map(|item| {
                let expr = self.operand(scope, row, &item.expr);
                let ty = self.ty(item.ty);
                Code::call(self.op("item"), [expr, Code::Atom(item.output.to_string()), ty])
            })
            .collect::<Vec<_>>();
        let limit = match limit {
            None => Code::atom("None"),
            Some(limit) => match self.folded(limit) {
                Some(value) => match convert::to_long(&value) {
                    Some(limit) => Code::call("Some", [Code::Atom(grouped(limit))]),
                    None => Code::atom("None"),
                },
                None => {
                    let value = self.inline(scope, limit).by_ref();
                    Code::call(self.kernel("convert::to_long"), [value])
                }
            },
        };
        let first = passed.iter().enumerate();
        let first = first.take_while(|(place, from)| **from == Some(*place)).count();
        let rest = passed.len() - first;
        let passed = if passed[first..].iter().all(Option::is_none) {
            let counts = [first, rest].map(|count| Code::Atom(count.to_string()));
            Code::call(self.op("passed"), counts)
        } else {
            Code::vec(places(passed))
        };
        Code::Struct {
            name: "ops::Expand",
            fields: vec![
                ("schema", schema),
                ("items", Code::vec(items)),
                ("passed", passed),
                ("with_index", Code::atom(with_index.to_string())),
                ("bags_as_arrays", Code::atom(bags_as_arrays.to_string())),
                ("limit", limit),
            ],
        }
    }

    pub(super) fn mv_apply(&mut self, scope: &mut Scope, pipe: &mut Pipe, rel: &Rel) {
        let RelKind::MvApply {
            input,
            items,
            passed,
            with_index,
            limit,
            subquery,
            output,
        } = &rel.kind
        else {
            return;
        };
        let columns = handed_in(subquery).map_or_else(Vec::new, |input| input.columns.to_vec());
        let about = self.about(subquery);
        let item_layout = self.layout("item_columns", about, &columns);
        let schema = self.schema(item_layout, &columns, false);
        let function = self.within(subquery, "apply");
        let about = self.about(subquery);
        let result = self.layout("applied_columns", about, &subquery.columns);
        let expand = self.expand(
            scope,
            pipe.layout,
            schema,
            items,
            passed,
            [*with_index, false],
            limit.as_ref(),
        );
        pipe.let_("expand", expand);
        let short = self.left_all(pipe, result, input, &rel.columns, output);
        let picks = match short {
            Some(short) => short,
            None => Code::array(self.picks(pipe.layout, result, &rel.columns, output)),
        };
        pipe.let_("picks", picks);
        let apply = self.over_items(scope, &function);
        let args = [pipe.rows(), Code::atom("&expand"), Code::atom("picks"), apply];
        pipe.step(Code::call(self.op("mv_apply"), args));
        self.relaid(pipe, rel, "applied");
    }

    /// A pattern of `parse`, prepared once; gives its name.
    pub(super) fn pattern(
        &mut self,
        scope: &mut Scope,
        kind: ParseKind,
        flags: &str,
        steps: &[ParseStep],
    ) -> String {
        let kind = Code::Atom(format!(
            "{}::{}",
            self.op("ParseKind"),
            match kind {
                ParseKind::Simple => "Simple",
                ParseKind::Relaxed => "Relaxed",
                ParseKind::Regex => "Regex",
            }
        ));
        let step = self.op("Step");
        let steps = steps
            .iter()
            .map(|part| match part {
                ParseStep::Skip => Code::Atom(format!("{step}::Skip")),
                ParseStep::Text(text) => {
                    let text = Code::call("String::from", [Code::string(text)]);
                    Code::call(format!("{step}::Text"), [text])
                }
                ParseStep::Column { output, ty } => {
                    let ty = self.ty(*ty);
                    Code::call(format!("{step}::Column"), [Code::Atom(output.to_string()), ty])
                }
            })
            .collect::<Vec<_>>();
        let callee = format!("{}::new", self.op("Pattern"));
        let pattern = Code::call(callee, [kind, Code::string(flags), Code::vec(steps)]);
        scope.once("pattern", pattern.tried())
    }
}

/// The relation in a subquery that the enclosing operator hands in.
pub(super) fn handed_in(rel: &Rel) -> Option<&Rel> {
    let mut todo = vec![rel];
    while let Some(next) = todo.pop() {
        if matches!(next.kind, RelKind::Input) {
            return Some(next);
        }
        let from = todo.len();
        rulec_ir::walk::inputs(next, &mut |input| todo.push(input));
        todo[from..].reverse();
    }
    None
}
