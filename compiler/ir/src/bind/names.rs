//! Names of result columns: which name an expression gives its column when
//! the query gives none, and how two columns of one name are told apart.

use std::sync::Arc;

use foldhash::HashMap;
use rulec_functions::{Aggregate, Naming, Type, Value, aggregate, scalar};
use rulec_kql::ast;

/// The names taken by one operator's output.
#[derive(Default)]
pub(super) struct NameTable {
    /// True where the query itself chose the name, false where it was derived.
    taken: HashMap<Arc<str>, bool>,
    /// The next number to try for a name.
    next: HashMap<Arc<str>, usize>,
}

impl NameTable {
    /// Whether the name is taken.
    pub(super) fn has(&self, name: &str) -> bool {
        self.taken.contains_key(name)
    }

    /// Takes a name that an expression suggests; a number is added while it is taken.
    pub(super) fn derived(&mut self, base: &str) -> Arc<str> {
        self.unique(base, false)
    }

    /// [`Self::derived`] of a name that is shared already.
    pub(super) fn derived_shared(&mut self, base: &Arc<str>) -> Arc<str> {
        if self.taken.contains_key(base) {
            return self.unique(base, false);
        }
        self.taken.insert(base.clone(), false);
        base.clone()
    }

    /// Takes a name that the query wrote. None: it wrote the same name before.
    pub(super) fn declared(&mut self, name: &str) -> Option<Arc<str>> {
        if self.taken.get(name) == Some(&true) {
            return None;
        }
        Some(self.unique(name, true))
    }

    /// Takes the next of `Column1`, `Column2`, …; they are counted through
    /// the whole query.
    pub(super) fn anonymous(&mut self, count: &mut usize) -> Arc<str> {
        *count += 1;
        self.derived(&format!("Column{count}"))
    }

    fn unique(&mut self, base: &str, declared: bool) -> Arc<str> {
        if !self.taken.contains_key(base) {
            let name: Arc<str> = base.into();
            self.taken.insert(name.clone(), declared);
            return name;
        }
        let key: Arc<str> = base.into();
        let mut number = self.next.get(&key).copied().unwrap_or(1);
        loop {
            let name: Arc<str> = format!("{base}{number}").into();
            number += 1;
            if !self.taken.contains_key(&name) {
                self.next.insert(key, number);
                self.taken.insert(name.clone(), declared);
                return name;
            }
        }
    }
}

/// The name an expression suggests for its column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Suggested {
    /// None: the column is numbered.
    Nothing,
    /// Made up from parts of the expression.
    Derived(String),
    /// The expression is a name.
    Name(String),
}

impl Suggested {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Suggested::Nothing => None,
            Suggested::Derived(text) | Suggested::Name(text) => Some(text),
        }
    }
}

/// Nesting at which names are no longer derived; nobody reads such a name.
const NAME_DEPTH: usize = 64;

/// What an expression's column is called.
pub(super) fn suggested(expr: &ast::Expr) -> Suggested {
    suggest(expr, NAME_DEPTH)
}

fn suggest(expr: &ast::Expr, depth: usize) -> Suggested {
    if depth == 0 {
        return Suggested::Nothing;
    }
    match &expr.kind {
        ast::ExprKind::Name(name) => Suggested::Name(name.text.clone()),
        ast::ExprKind::Parenthesised(inner) => suggest(inner, depth - 1),
        ast::ExprKind::Path(path) => path_name(path, depth - 1),
        ast::ExprKind::Call(call) => call_name(call, depth - 1),
        _ => Suggested::Nothing,
    }
}

fn path_name(path: &ast::Path, depth: usize) -> Suggested {
    // The members of a database are not part of a column's name.
    let mut parts: Vec<String> = Vec::new();
    match suggest(&path.base, depth) {
        Suggested::Nothing => {}
        Suggested::Derived(text) => parts.push(text),
        Suggested::Name(text) if text.starts_with('$') => {}
        Suggested::Name(text) => parts.push(text),
    }
    let mut indexed = false;
    for step in &path.steps {
        match &step.kind {
            ast::StepKind::Member(name) => parts.push(name.text.clone()),
            ast::StepKind::Index(index) => {
                indexed = true;
                parts.push(match &index.kind {
                    ast::ExprKind::Literal(ast::Literal::Long(n)) => n.to_string(),
                    ast::ExprKind::Literal(ast::Literal::Int(n)) => n.to_string(),
                    ast::ExprKind::Literal(ast::Literal::String(s)) => s.value.clone(),
                    _ => String::new(),
                });
            }
            ast::StepKind::Call(_) | ast::StepKind::Wildcard(_) => return Suggested::Nothing,
        }
    }
    let _ = indexed;
    Suggested::Derived(parts.join("_"))
}

/// The name of a call, for those that fill one column.
fn call_name(call: &ast::Call, depth: usize) -> Suggested {
    let Some(naming) = naming_of(&call.name.text, call.args.len()) else {
        return Suggested::Nothing;
    };
    let first = call.args.first().map(|arg| match &arg.name {
        Some(name) => Suggested::Name(name.text.clone()),
        None => suggest(&arg.value, depth),
    });
    let first_text = first.as_ref().and_then(|s| s.text()).map(str::to_owned);
    match naming {
        Naming::Default => Suggested::Nothing,
        Naming::FirstArgument => first_text.map_or(Suggested::Nothing, Suggested::Derived),
        Naming::OnlyArgument if call.args.len() == 1 => {
            first_text.map_or(Suggested::Nothing, Suggested::Derived)
        }
        Naming::OnlyArgument => Suggested::Nothing,
        Naming::Prefix(prefix) => Suggested::Derived(format!("{prefix}_{}", first_text.unwrap_or_default())),
        Naming::PrefixBoth(prefix) => {
            let second = call.args.get(1).map(|arg| suggest(&arg.value, depth));
            let second = second.as_ref().and_then(|s| s.text()).unwrap_or_default();
            Suggested::Derived(format!("{prefix}_{}_{second}", first_text.unwrap_or_default()))
        }
        Naming::Exactly(name) => Suggested::Derived(name.to_owned()),
        // Which column it is, if any, is known to whoever binds the call.
        Naming::FirstArgumentValue => Suggested::Nothing,
        // Whoever lists the columns of such an aggregate names each; within an
        // expression they have no name.
        Naming::Percentiles { .. }
        | Naming::PrefixAlone(_)
        | Naming::Columns(_)
        | Naming::AnyColumns(_)
        | Naming::PrefixedColumns(_) => Suggested::Nothing,
        Naming::PrefixedAnyColumns(prefix) => {
            Suggested::Derived(format!("{prefix}_{}", first_text.unwrap_or_default()))
        }
    }
}

/// `percentile_x_95`; a fraction's point becomes an underscore. What is not a
/// number without a sign, written or named by a `let`, is left out.
pub(super) fn percentile_name(prefix: &str, of: &str, percentile: Option<&Value>) -> String {
    let number = match percentile {
        Some(Value::Long(n)) => n.to_string(),
        Some(Value::Int(n)) => n.to_string(),
        Some(Value::Real(n)) => n.to_string(),
        Some(Value::Decimal(n)) => n.to_string(),
        _ => String::new(),
    };
    let number = if number.starts_with('-') {
        String::new()
    } else {
        number.replace('.', "_")
    };
    format!("{prefix}_{of}_{number}")
}

/// Names that are both an aggregate and a function are told apart by how many
/// arguments they take.
fn naming_of(name: &str, args: usize) -> Option<Naming> {
    let row = aggregate(name).filter(|row| takes(row, args) || scalar(name).is_none());
    row.map(|row| row.naming)
        .or_else(|| scalar(name).map(|row| row.naming))
}

/// Whether an aggregate takes that many arguments.
pub(super) fn takes(row: &Aggregate, args: usize) -> bool {
    args >= row.min && row.max.is_none_or(|max| args <= max)
}

/// Whether a conversion that finds its argument to be of the type already is
/// no more than the argument: then it also counts as its column.
pub(super) fn is_identity(function: &str, from: Type, to: Type) -> bool {
    from == to
        && matches!(
            function,
            "tostring"
                | "tolong"
                | "toint"
                | "todouble"
                | "toreal"
                | "todecimal"
                | "todatetime"
                | "totimespan"
                | "tobool"
                | "toboolean"
                | "toguid"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clashes_are_numbered() {
        let mut names = NameTable::default();
        assert_eq!(&*names.derived("count_"), "count_");
        assert_eq!(&*names.derived("count_"), "count_1");
        assert_eq!(names.declared("count_").as_deref(), Some("count_2"));
        assert_eq!(names.declared("x").as_deref(), Some("x"));
        assert_eq!(names.declared("x"), None);
        let mut count = 0;
        assert_eq!(&*names.anonymous(&mut count), "Column1");
        assert_eq!(&*names.anonymous(&mut count), "Column2");
    }
}
