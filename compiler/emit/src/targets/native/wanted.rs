//! What rows of a table must meet to matter, as the reader of large files asks
//! it before it decodes a row.
//!
//! In: a [`Necessary`] condition that the binder derived. Out: the function that
//! builds it, so that emitted rules skip the same rows as interpreted ones.

use rulec_functions::{Moment, Necessary, TextTest};
use rulec_ir::{Conditions, Rel};

use super::code::{Code, Statement, grouped, statements};
use super::emitter::{Emitter, signature};

impl Emitter<'_> {
    /// Does work on a relation whose conditions are known while it lasts.
    pub(super) fn knowing<T>(&mut self, rel: &Rel, work: impl FnOnce(&mut Self) -> T) -> T {
        let conditions = Conditions::of_rel(self.query, rel);
        let outer = std::mem::replace(&mut self.conditions, conditions);
        let done = work(self);
        self.conditions = outer;
        done
    }

    /// The call of the function that gives a table's condition, which is
    /// printed; none where any row may matter.
    pub(super) fn wanted(&mut self, table: &Rel, name: &str) -> Option<Code> {
        let condition = self.conditions.at(table);
        if condition.is_anything() {
            return None;
        }
        let function = self.names.item(&format!("{name}_wanted"));
        let code = self.necessary(&condition);
        let doc = format!("/// What rows of `{name}` must meet to matter.\n");
        let head = signature("fn", &function, &[], self.root("Necessary"));
        let body = statements(&[Statement::Tail(code)], 4);
        self.functions.push(format!("{doc}{head}{body}}}\n"));
        Some(Code::call(function, []))
    }

    fn necessary(&mut self, condition: &Necessary) -> Code {
        match condition {
            Necessary::All(parts) => self.parts("Necessary::all", parts),
            Necessary::Any(parts) => {
                let parts = self.alternatives(parts);
                match <[Code; 1]>::try_from(parts) {
                    Ok([only]) => only,
                    Err(parts) => Code::call("Necessary::any", [Code::array(parts)]),
                }
            }
            Necessary::Text {
                column,
                test,
                folded,
                texts,
            } => {
                let kind = match test {
                    TextTest::Is => "Is",
                    TextTest::StartsWith => "StartsWith",
                    TextTest::EndsWith => "EndsWith",
                    TextTest::Contains => "Contains",
                    TextTest::Inside => "Inside",
                };
                let test = Code::atom(format!("{}::{kind}", self.root("TextTest")));
                let texts = Code::array(texts.iter().map(|text| Code::string(text)));
                let callee = if *folded {
                    "Necessary::text_fold"
                } else {
                    "Necessary::text"
                };
                Code::call(callee, [Code::string(column), test, texts])
            }
            Necessary::Pattern { column, pattern } => Code::call(
                "Necessary::pattern",
                [Code::string(column), Code::string(pattern)],
            ),
            Necessary::Number { column, values } => {
                let values = Code::array(values.iter().map(|value| Code::atom(grouped(*value))));
                Code::call("Necessary::number", [Code::string(column), values])
            }
            Necessary::Time {
                column,
                earliest,
                bound,
            } => {
                let moment = self.moment(*bound);
                let callee = if *earliest {
                    "Necessary::since"
                } else {
                    "Necessary::until"
                };
                Code::call(callee, [Code::string(column), moment])
            }
        }
    }

    /// Any of several conditions. Those on when a row came in are many, and are
    /// said in one.
    fn alternatives(&mut self, mut parts: &[Necessary]) -> Vec<Code> {
        let mut said = Vec::new();
        while let [first, rest @ ..] = parts {
            if let Necessary::Time { earliest, bound, .. } = first {
                let (callee, ingested) = if *earliest {
                    ("Necessary::ingested_since", Necessary::ingested_since(*bound))
                } else {
                    ("Necessary::ingested_until", Necessary::ingested_until(*bound))
                };
                if let Necessary::Any(ingested) = ingested
                    && let Some(rest) = parts.strip_prefix(&ingested[..])
                {
                    said.push(Code::call(callee, [self.moment(*bound)]));
                    parts = rest;
                    continue;
                }
            }
            said.push(self.necessary(first));
            parts = rest;
        }
        said
    }

    /// `Moment::BeforeNow(36_000_000_000)`.
    fn moment(&mut self, moment: Moment) -> Code {
        let (kind, ticks) = match moment {
            Moment::At(ticks) => ("At", ticks),
            Moment::BeforeNow(ticks) => ("BeforeNow", ticks),
        };
        let kind = format!("{}::{kind}", self.root("Moment"));
        Code::call(kind, [Code::atom(grouped(ticks))])
    }

    fn parts(&mut self, callee: &str, parts: &[Necessary]) -> Code {
        let parts = parts.iter().map(|part| self.necessary(part)).collect::<Vec<_>>();
        Code::call(callee, [Code::array(parts)])
    }
}
