//! What either side says about a query, in one shape.

use std::sync::Arc;

use rulec_facts::Pack;
use rulec_facts::tables::{Environment, TableSchema, Tables};
use rulec_functions::Type;
use rulec_ir::Catalog;
use rulec_ir::analyze::{Analysis, Finding, analyze};
use serde_json::{Value, json};

/// What a query is read against.
#[derive(Clone)]
pub struct World {
    /// The name of the environment, as both sides know it.
    pub environment: Environment,
    /// Tables beside those of the environment.
    pub extra: Vec<TableSchema>,
    /// Whether unknown tables are no error.
    pub open: bool,
    catalog: Catalog,
}

impl World {
    /// The embedded tables of an environment. Fails only when the embedded
    /// data is damaged.
    pub fn new(environment: Environment, extra: Vec<TableSchema>, open: bool) -> Result<Self, String> {
        let tables = Tables::new(&Pack::embedded(), environment).map_err(|e| e.to_string())?;
        let mut catalog = Catalog::new(Arc::new(tables)).open(open);
        for table in &extra {
            catalog = catalog.with_table(table.clone());
        }
        Ok(Self {
            environment,
            extra,
            open,
            catalog,
        })
    }

    /// The names of this world.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The request that asks the reference about `query`.
    pub fn request(&self, query: &str) -> Value {
        let mut request = json!({
            "env": self.environment.name(),
            "open": self.open,
            "query": query,
        });
        if !self.extra.is_empty() {
            let tables: serde_json::Map<String, Value> = self
                .extra
                .iter()
                .map(|table| {
                    let columns: serde_json::Map<String, Value> = table
                        .columns
                        .iter()
                        .map(|(name, ty)| (name.clone(), json!(ty.name())))
                        .collect();
                    (table.name.clone(), Value::Object(columns))
                })
                .collect();
            request["tables"] = Value::Object(tables);
        }
        request
    }

    /// What our analyser says about `query`.
    pub fn ours(&self, query: &str) -> Answer {
        Answer::from_analysis(&analyze(query, &self.catalog))
    }
}

/// The table that function sweeps and many generated queries use: a column
/// of every type, named by it.
pub fn typed_table() -> TableSchema {
    TableSchema {
        name: "Typed".to_owned(),
        columns: Type::NAMED
            .into_iter()
            .map(|ty| (format!("c_{}", ty.name()), ty))
            .collect(),
        open: false,
    }
}

/// An error of either side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// `RK201`, `KS142`.
    pub code: String,
    /// The sentence.
    pub message: String,
    /// Where it begins, in UTF-16 code units.
    pub start: usize,
    /// Its length, in the same unit.
    pub length: usize,
}

/// What one side says about a query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Errors of the parser.
    pub syntax: Vec<Problem>,
    /// Errors of the binder.
    pub semantic: Vec<Problem>,
    /// Columns and types of the result; none when it is no table.
    pub columns: Option<Vec<(String, String)>>,
    /// Tabular operators in the order of the text.
    pub operators: Vec<String>,
    /// Why there is no answer: the analyser threw, or ran out of time.
    pub failed: Option<String>,
}

impl Answer {
    fn from_analysis(analysis: &Analysis) -> Self {
        let problems = |findings: &[Finding]| -> Vec<Problem> {
            findings
                .iter()
                .map(|f| Problem {
                    code: f.code.to_owned(),
                    message: f.message.clone(),
                    start: f.start,
                    length: f.length,
                })
                .collect()
        };
        Self {
            syntax: problems(&analysis.syntax_errors),
            semantic: problems(&analysis.semantic_errors),
            columns: analysis
                .result_columns
                .as_ref()
                .map(|all| all.iter().map(|c| (c.name.clone(), c.kind.to_owned())).collect()),
            operators: analysis.operators.clone(),
            failed: None,
        }
    }

    /// Reads an answer of the reference.
    pub fn from_json(value: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let number = |value: &Value| usize::try_from(value.as_u64().unwrap_or(0)).unwrap_or(0);
        let list = |key: &str| value[key].as_array().cloned().unwrap_or_default();
        let problems = |key: &str| -> Vec<Problem> {
            list(key)
                .iter()
                .map(|p| Problem {
                    code: text(&p["code"]),
                    message: text(&p["message"]),
                    start: number(&p["start"]),
                    length: number(&p["length"]),
                })
                .collect()
        };
        let failed = ["error", "analysis_crash"]
            .iter()
            .find_map(|key| value[*key].as_str().map(str::to_owned));
        Self {
            syntax: problems("syntax_errors"),
            semantic: problems("semantic_errors"),
            columns: value["result_columns"].as_array().map(|columns| {
                columns
                    .iter()
                    .map(|c| (text(&c["name"]), text(&c["type"])))
                    .collect()
            }),
            // The reference takes the patterns of `graph-match` for operators.
            operators: list("operators")
                .iter()
                .map(text)
                .filter(|name| name != "(")
                .collect(),
            failed,
        }
    }

    /// No answer, and why.
    pub fn failure(why: impl Into<String>) -> Self {
        Self {
            failed: Some(why.into()),
            ..Self::default()
        }
    }
}
