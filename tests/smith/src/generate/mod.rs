//! Queries that mean something: every operator, statement, literal and
//! function of the language, over tables that exist and columns that are there.
//!
//! In: a seed and a number. Out: a query, the same on every machine. What
//! columns there are after an operator is asked of our own binder, which knows
//! best; where it errs, the comparison says so. A few mistakes (a misspelled
//! column, a value of another type) are made on purpose.

mod calls;
mod expressions;
mod literals;
mod operators;
mod shapes;
mod sources;
mod statements;

use rulec_facts::tables::TableSchema;
use rulec_functions::Type;
use rulec_ir::analyze::analyze;

use crate::answer::World;
use crate::dice::Dice;
use calls::Calls;

/// What a pipeline's rows have at one point.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    pub(crate) columns: Vec<(String, Type)>,
}

impl Scope {
    fn of(&self, ty: Type) -> Vec<&str> {
        self.columns
            .iter()
            .filter(|(_, t)| *t == ty)
            .map(|(name, _)| name.as_str())
            .collect()
    }
}

/// What a `let` of the query at hand stands for.
#[derive(Clone, Debug)]
enum Let {
    Scalar(String, Type),
    Table(String, Scope),
    /// A function of values that gives a value.
    Function(String, Vec<Type>, Type),
    /// A function of values that gives a table; how many of the last have defaults.
    TableFunction(String, Vec<Type>, usize),
    /// A function of a table with some columns, to be invoked.
    Invoked(String, Vec<(String, Type)>),
}

/// What queries are made of.
pub struct Generator<'w> {
    world: &'w World,
    calls: Calls,
    /// Tables by name; tables with the most columns are left out, because
    /// they say nothing new and take long.
    tables: Vec<String>,
}

/// One query in the making.
struct Maker<'g> {
    generator: &'g Generator<'g>,
    dice: Dice,
    /// The statements so far, each ended with `;`.
    statements: String,
    lets: Vec<Let>,
    /// For new names.
    count: usize,
    /// How many queries are around this one.
    depth: usize,
}

impl<'w> Generator<'w> {
    /// A generator over a world's tables.
    pub fn new(world: &'w World) -> Self {
        let tables = world.catalog().tables();
        let mut names: Vec<String> = tables
            .names()
            .into_iter()
            .filter(|name| {
                tables
                    .get(name)
                    .is_some_and(|t| (1..=60).contains(&t.columns.len()))
            })
            .map(str::to_owned)
            .collect();
        names.extend(world.extra.iter().map(|t| t.name.clone()));
        Self {
            world,
            calls: Calls::new(),
            tables: names,
        }
    }

    /// Query number `index` of a seed.
    pub fn query(&self, seed: u64, index: u64) -> String {
        let mut maker = Maker {
            generator: self,
            dice: Dice::for_query(seed, index),
            statements: String::new(),
            lets: Vec::new(),
            count: 0,
            depth: 0,
        };
        maker.query()
    }
}

impl Maker<'_> {
    fn query(&mut self) -> String {
        self.statements();
        let most = self.dice.between(1, 5);
        let (pipeline, _) = self.pipeline(most);
        let mut text = std::mem::take(&mut self.statements);
        text.push_str(&pipeline);
        if self.dice.one_in(12) {
            text.push_str(self.dice.pick(&[";", "\n", " // end", ";\n// end\n", " ;"]));
        }
        if self.dice.one_in(40) {
            text = format!(
                "{}{text}",
                self.dice.pick(&["// first\n", "\n\n", "#directive\n", "//\r\n"])
            );
        }
        text
    }

    /// A source and operators behind it.
    fn pipeline(&mut self, most: usize) -> (String, Scope) {
        let (text, scope) = self.source();
        self.operators(text, scope, most)
    }

    /// A pipeline inside something else, in brackets where that is not a plain name.
    fn subquery(&mut self) -> (String, Scope) {
        if self.depth >= 2 || self.dice.percent(35) {
            return self.plain_table();
        }
        self.depth += 1;
        let most = self.dice.below(3);
        let (text, scope) = self.pipeline(most);
        self.depth -= 1;
        (format!("({text})"), scope)
    }

    /// Operators behind `text`, whose rows have `scope`.
    fn operators(&mut self, mut text: String, mut scope: Scope, most: usize) -> (String, Scope) {
        for _ in 0..most {
            let (operator, next) = self.operator_and_scope(&scope);
            text.push_str(self.dice.pick(&[" | ", "\n| ", "\n| ", "|", "\n    | "]));
            if self.dice.one_in(60) {
                text.push_str("// why\n");
            }
            text.push_str(&operator);
            let Some(next) = next else { break };
            scope = next;
        }
        (text, scope)
    }

    /// Operators without a source, as `mv-apply` and others have them.
    fn sub_operators(&mut self, scope: &Scope, most: usize) -> String {
        self.depth += 1;
        let (first, mut scope_then) = self.operator_and_scope(scope);
        let mut text = first;
        for _ in 1..most {
            let Some(scope) = &scope_then else { break };
            let (operator, next) = self.operator_and_scope(&scope.clone());
            text.push_str(" | ");
            text.push_str(&operator);
            scope_then = next;
        }
        self.depth -= 1;
        text
    }

    fn operator_and_scope(&mut self, scope: &Scope) -> (String, Option<Scope>) {
        let operator = self.operator(scope);
        let next = self.scope_after(scope, &operator);
        (operator, next)
    }

    /// The columns behind an operator; none where it ends the pipeline.
    fn scope_after(&self, scope: &Scope, operator: &str) -> Option<Scope> {
        // In the statements' sight the rows at hand are just another table.
        let table = TableSchema {
            name: "__rows".to_owned(),
            columns: scope.columns.clone(),
            open: false,
        };
        let catalog = self.generator.world.catalog().clone().with_table(table);
        let text = format!("{}__rows | {operator}", self.statements);
        scope_of(analyze(&text, &catalog))
    }

    /// The columns of a source.
    fn scope_of_source(&self, source: &str) -> Scope {
        let text = format!("{}{source}", self.statements);
        scope_of(analyze(&text, self.generator.world.catalog())).unwrap_or_default()
    }

    /// A name for something new. Some are quoted, odd, or taken.
    fn new_name(&mut self, scope: &Scope) -> String {
        self.count += 1;
        match self.dice.below(24) {
            0 => self
                .column_of_any_type(scope)
                .unwrap_or_else(|| "Extra".to_owned()),
            1 => format!("['new {}']", self.count),
            2 => format!("[\"n{}\"]", self.count),
            // Keywords that may be names, and some that may be in brackets.
            3 => {
                let word = self.dice.pick(&[
                    "title",
                    "id",
                    "of",
                    "on",
                    "guid",
                    "step",
                    "count",
                    "pack",
                    "view",
                    "with",
                    "from",
                    "to",
                    "has",
                    "contains",
                    "default",
                    "nodes",
                    "regex",
                    "range",
                    "bin",
                    "type",
                    "value",
                    "timestamp",
                    "key",
                    "sum",
                    "search",
                    "print",
                ]);
                word.to_owned()
            }
            5 => {
                let word = self.dice.pick(&[
                    "kind", "first", "last", "time", "string", "date", "missing", "by", "and",
                ]);
                format!("['{word}']")
            }
            4 => format!("_n{}", self.count),
            _ => format!("N{}", self.count),
        }
    }

    /// A name that can be used wherever a name is declared.
    fn plain_name(&mut self) -> String {
        self.count += 1;
        format!("{}{}", self.dice.pick(&["x", "Item", "val_", "Z"]), self.count)
    }

    /// How a column is written: quoted where it has to be.
    fn written(name: &str) -> String {
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && rulec_kql::parse(&format!("print {name}")).diagnostics.is_empty();
        if plain {
            name.to_owned()
        } else {
            format!("['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"))
        }
    }

    fn column_of_any_type(&mut self, scope: &Scope) -> Option<String> {
        let (name, _) = self.dice.choose(&scope.columns)?;
        Some(self.maybe_wrong(&name.clone()))
    }

    fn column_of(&mut self, scope: &Scope, ty: Type) -> Option<String> {
        let names = scope.of(ty);
        let name = self.dice.choose(&names)?.to_owned();
        Some(self.maybe_wrong(name))
    }

    /// Now and then a column that is not there.
    fn maybe_wrong(&mut self, name: &str) -> String {
        if self.dice.one_in(150) {
            return match self.dice.below(3) {
                0 => name.to_lowercase() + "x",
                1 => {
                    name.chars()
                        .rev()
                        .filter(char::is_ascii_alphabetic)
                        .collect::<String>()
                        + "q"
                }
                _ => "NoSuchColumn".to_owned(),
            };
        }
        let written = Self::written(name);
        if self.dice.one_in(60) && !written.starts_with('[') {
            return format!("['{name}']");
        }
        written
    }

    /// Between `low` and `high` of something, comma between.
    fn list(&mut self, low: usize, high: usize, mut item: impl FnMut(&mut Self) -> String) -> String {
        let count = self.dice.between(low, high);
        (0..count).map(|_| item(self)).collect::<Vec<_>>().join(", ")
    }

    /// `text` so many times in a hundred, else nothing.
    fn maybe(&mut self, percent: usize, text: impl FnOnce(&mut Self) -> String) -> String {
        if self.dice.percent(percent) {
            text(self)
        } else {
            String::new()
        }
    }
}

fn scope_of(analysis: rulec_ir::analyze::Analysis) -> Option<Scope> {
    let columns = analysis.result_columns?;
    Some(Scope {
        columns: columns
            .into_iter()
            .filter(|c| !c.name.is_empty())
            .map(|c| (c.name, Type::parse(c.kind).unwrap_or(Type::Unknown)))
            .collect(),
    })
}
