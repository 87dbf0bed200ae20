//! A pipeline under construction: one statement after the other, each of them
//! giving the next table.

use rulec_ir::Rel;

use super::code::{Code, Statement};
use super::layout::LayoutId;

/// The pipeline so far.
pub(super) struct Pipe {
    pub(super) steps: Vec<Statement>,
    /// The rows as an argument: `&t`.
    pub(super) rows: String,
    /// Whether they are a flow: not there yet, and in pieces when they come.
    pub(super) flows: bool,
    pub(super) layout: LayoutId,
    /// Whether there may be columns behind those that the query knows.
    pub(super) extra: bool,
}

impl Pipe {
    /// Nothing yet of a pipeline over these rows.
    pub(super) fn over(rows: impl Into<String>, layout: LayoutId, extra: bool) -> Self {
        Self {
            steps: Vec::new(),
            rows: rows.into(),
            flows: false,
            layout,
            extra,
        }
    }

    /// The columns after an operator whose rows may have more than the query knows.
    pub(super) fn laid_out(&mut self, rel: &Rel, layout: LayoutId) {
        self.layout = layout;
        self.extra |= rel.open;
    }

    pub(super) fn comment(&mut self, text: String) {
        if !text.is_empty() {
            self.steps.push(Statement::Comment(text));
        }
    }

    pub(super) fn let_(&mut self, name: &str, value: Code) {
        self.steps.push(Statement::Let {
            name: name.to_owned(),
            value,
        });
    }

    /// The next table; `value` gives a `Result`.
    pub(super) fn step(&mut self, value: Code) {
        self.let_("t", value.tried());
        "&t".clone_into(&mut self.rows);
        self.flows = false;
    }

    /// The next flow.
    pub(super) fn flow(&mut self, value: Code) {
        self.let_("t", value);
        "&t".clone_into(&mut self.rows);
        self.flows = true;
    }

    pub(super) fn rows(&self) -> Code {
        Code::atom(self.rows.clone())
    }

    /// The statements, the last of them the result.
    pub(super) fn finish(mut self) -> Vec<Statement> {
        let tail = match self.steps.pop() {
            Some(Statement::Let {
                name,
                value: Code::Try(value),
            }) if name == "t" => *value,
            Some(last) => {
                self.steps.push(last);
                self.whole()
            }
            None => self.whole(),
        };
        self.steps.push(Statement::Tail(tail));
        self.steps
    }

    pub(super) fn whole(&self) -> Code {
        let rows = match self.rows.strip_prefix('&') {
            Some(owned) => owned.to_owned(),
            None => format!("{}.clone()", self.rows),
        };
        Code::call("Ok", [Code::Atom(rows)])
    }
}
