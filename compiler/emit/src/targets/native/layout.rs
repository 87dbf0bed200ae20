//! The columns of a relation as a module of constants.
//!
//! In: columns by place, and which of them expressions read. Out: `mod
//! device_process_events { … }` with a constant for each column that is read,
//! and the schema where a table is asked for it.
//!
//! Operators that leave columns in their places share the module of their
//! input, so that a column keeps its name along the pipeline.

use std::collections::BTreeMap;

use rulec_functions::Type;
use rulec_ir::Column;

use super::code::{Code, Statement, statements};
use super::names::Names;

/// A module of columns under construction.
#[derive(Debug)]
pub(super) struct Layout {
    /// Its name.
    pub(super) name: String,
    /// What the module says of itself.
    about: String,
    columns: Vec<Column>,
    /// Names of the constants by place.
    read: BTreeMap<usize, String>,
    names: Names,
    /// The columns of the schema and whether it is open, if there is one.
    schema: Option<(Vec<Column>, bool)>,
}

/// Index of a [`Layout`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LayoutId(pub(super) usize);

impl Layout {
    pub(super) fn new(name: String, about: String, columns: &[Column]) -> Self {
        let mut names = Names::default();
        names.reserve(["schema"]);
        Self {
            name,
            about,
            columns: columns.to_vec(),
            read: BTreeMap::new(),
            names,
            schema: None,
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

    /// The path of the constant for a place.
    pub(super) fn constant(&mut self, place: usize) -> String {
        let name = if let Some(name) = self.read.get(&place) {
            name.clone()
        } else {
            let wish = self.columns.get(place).map_or("column", |column| &*column.name);
            let name = self.names.constant(wish);
            self.read.insert(place, name.clone());
            name
        };
        format!("{}::{name}", self.name)
    }

    /// The call that gives the schema: all columns so far.
    pub(super) fn schema(&mut self, columns: &[Column], open: bool) -> Code {
        self.schema = Some((columns.to_vec(), open));
        Code::call(format!("{}::schema", self.name), [])
    }

    /// The module; nothing when nobody asks for anything in it.
    pub(super) fn print(&self) -> Option<String> {
        if self.read.is_empty() && self.schema.is_none() {
            return None;
        }
        let mut text = format!("/// {}\nmod {} {{\n", self.about, self.name);
        if self.schema.is_some() {
            text.push_str("    use rulec_runtime::{Schema, Type};\n\n");
        }
        for (place, name) in &self.read {
            text.push_str(&format!("    pub(super) const {name}: usize = {place};\n"));
        }
        if let Some((columns, open)) = &self.schema {
            if !self.read.is_empty() {
                text.push('\n');
            }
            text.push_str("    pub(super) fn schema() -> Schema {\n");
            text.push_str(&statements(&schema(columns, *open), 8));
            text.push_str("    }\n");
        }
        text.push_str("}\n");
        Some(text)
    }
}

fn schema(columns: &[Column], open: bool) -> Vec<Statement> {
    let schema = Code::call("Schema::of", [pairs(columns)]);
    if !open {
        return vec![Statement::Tail(schema)];
    }
    vec![
        Statement::Comment("Further columns of the data follow.".to_owned()),
        Statement::Let {
            name: "schema".to_owned(),
            value: schema,
        },
        Statement::Tail(Code::atom("schema.open()")),
    ]
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
