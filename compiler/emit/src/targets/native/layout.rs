//! The columns of a relation as constants.
//!
//! In: columns by place, and which of them expressions read. Out: a constant
//! for each column that is read, and a function for the schema where a table
//! is asked for it.
//!
//! Operators that leave columns in their places share the columns of their
//! input, so that a column keeps its name along the pipeline.

use rulec_functions::Type;
use rulec_ir::Column;

use super::code::{Code, Statement, statements};

/// The columns at one stretch of a pipeline.
#[derive(Debug)]
pub(super) struct Layout {
    /// Its name, also that of the function that gives the schema.
    pub(super) name: String,
    /// What stands above its constants.
    about: String,
    columns: Vec<Column>,
    /// Its own constants: place and name.
    pub(super) constants: Vec<(usize, String)>,
    /// The columns of the schema and whether it is open, if there is one.
    schema: Option<(Vec<Column>, bool)>,
    /// Names of columns of the schema that the rule looks at, if there are others.
    looked_at: Vec<String>,
}

/// Index of a [`Layout`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LayoutId(pub(super) usize);

impl Layout {
    pub(super) fn new(name: String, about: String, columns: &[Column]) -> Self {
        Self {
            name,
            about,
            columns: columns.to_vec(),
            constants: Vec::new(),
            schema: None,
            looked_at: Vec::new(),
        }
    }

    /// Takes the columns of another relation in, if those that both have stand
    /// in the same places.
    pub(super) fn extend(&mut self, columns: &[Column]) -> bool {
        let common = self.columns.len().min(columns.len());
        let agree = columns[..common]
            .iter()
            .zip(&self.columns)
            .all(|(new, old)| new.name == old.name);
        // Fewer columns: a later one must not stand in the place of one that is gone.
        if !agree || columns.len() < self.columns.len() {
            return false;
        }
        self.columns.extend_from_slice(&columns[common..]);
        true
    }

    /// The name of the column in a place.
    pub(super) fn column(&self, place: usize) -> &str {
        self.columns.get(place).map_or("column", |column| &*column.name)
    }

    /// The call that gives the schema: all columns so far.
    pub(super) fn schema(&mut self, columns: &[Column], open: bool) -> Code {
        self.schema = Some((columns.to_vec(), open));
        Code::call(self.name.clone(), [])
    }

    /// Says in the schema which of its columns the rule looks at.
    pub(super) fn looking_at(&mut self, is_looked_at: impl Fn(&str) -> bool) {
        let Some((columns, false)) = &self.schema else {
            return;
        };
        let looked_at = columns.iter().filter(|column| is_looked_at(&column.name));
        self.looked_at = looked_at.map(|column| column.name.to_string()).collect();
        if self.looked_at.len() == columns.len() {
            self.looked_at.clear();
        }
    }

    /// The constants; nothing when nobody reads any.
    pub(super) fn print_constants(&self) -> Option<String> {
        if self.constants.is_empty() {
            return None;
        }
        let mut sorted = self.constants.clone();
        sorted.sort();
        let lines = sorted
            .iter()
            .map(|(place, name)| format!("const {name}: usize = {place};\n"));
        Some(format!("// {}\n{}", self.about, lines.collect::<String>()))
    }

    /// The function that gives the schema, if somebody asks for it.
    pub(super) fn print_schema(&self) -> Option<String> {
        let (columns, open) = self.schema.as_ref()?;
        let body = statements(&schema(columns, *open, &self.looked_at), 4);
        Some(format!(
            "/// {}\nfn {}() -> Schema {{\n{body}}}\n",
            self.about, self.name
        ))
    }
}

fn schema(columns: &[Column], open: bool, looked_at: &[String]) -> Vec<Statement> {
    let schema = Code::call("Schema::of", [pairs(columns)]);
    let (comment, tail) = if open {
        ("Further columns of the data follow.", Code::atom("schema.open()"))
    } else if looked_at.is_empty() {
        return vec![Statement::Tail(schema)];
    } else {
        let names = Code::array(looked_at.iter().map(|name| Code::string(name)));
        (
            "The others are only passed on.",
            Code::call("schema.looking_at", [names]),
        )
    };
    let made = Statement::Let {
        name: "schema".to_owned(),
        value: schema,
    };
    let comment = Statement::Comment(comment.to_owned());
    if open {
        vec![comment, made, Statement::Tail(tail)]
    } else {
        vec![made, comment, Statement::Tail(tail)]
    }
}

/// `&[("FileName", Type::String)]`.
pub(super) fn pairs(columns: &[Column]) -> Code {
    Code::slice(
        columns
            .iter()
            .map(|column| Code::tuple([Code::string(&column.name), ty(column.ty)])),
    )
}

/// `Type::String`.
pub(super) fn ty(ty: Type) -> Code {
    Code::atom(match ty {
        Type::Bool => "Type::Bool",
        Type::Int => "Type::Int",
        Type::Long => "Type::Long",
        Type::Real => "Type::Real",
        Type::Decimal => "Type::Decimal",
        Type::String => "Type::String",
        Type::DateTime => "Type::DateTime",
        Type::TimeSpan => "Type::TimeSpan",
        Type::Guid => "Type::Guid",
        Type::Dynamic => "Type::Dynamic",
        Type::Unknown => "Type::Unknown",
    })
}
