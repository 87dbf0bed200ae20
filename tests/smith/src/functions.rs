//! Every row of the functions crate, called with every type in every place:
//! whether a call is right, the type it has, and the name its column gets.
//!
//! In: the rows. Out: the calls about which the two sides differ. Calls are
//! asked about many at a time, as the columns of one query; an error belongs
//! to the call it points into.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use fastrand::Rng;
use rulec_facts::tables::Environment;
use rulec_functions::scalar::scalars;
use rulec_functions::{Aggregate, Arg, Kind, ResultRule, ScalarFunction, Type, aggregates};

use crate::answer::{Answer, World, typed_table};
use crate::oracle::Oracle;

/// How many calls one query asks about. The reference takes about half a
/// millisecond for one, and twenty for a query.
const BATCH: usize = 150;

/// A way to write an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Atom {
    ty: Type,
    column: &'static str,
    literal: &'static str,
}

const ATOMS: [Atom; 10] = [
    Atom {
        ty: Type::Bool,
        column: "c_bool",
        literal: "true",
    },
    Atom {
        ty: Type::Int,
        column: "c_int",
        literal: "int(2)",
    },
    Atom {
        ty: Type::Long,
        column: "c_long",
        literal: "2",
    },
    Atom {
        ty: Type::Real,
        column: "c_real",
        literal: "0.5",
    },
    Atom {
        ty: Type::Decimal,
        column: "c_decimal",
        literal: "decimal(1.5)",
    },
    Atom {
        ty: Type::String,
        column: "c_string",
        literal: "'a'",
    },
    Atom {
        ty: Type::DateTime,
        column: "c_datetime",
        literal: "datetime(2024-01-01)",
    },
    Atom {
        ty: Type::TimeSpan,
        column: "c_timespan",
        literal: "1h",
    },
    Atom {
        ty: Type::Guid,
        column: "c_guid",
        literal: "guid(74be27de-1e4e-49d9-b579-fe0b331d3642)",
    },
    Atom {
        ty: Type::Dynamic,
        column: "c_dynamic",
        literal: "dynamic([1])",
    },
];

/// Arguments that are no plain value, tried in each place.
const ODD: [Atom; 4] = [
    Atom {
        ty: Type::Dynamic,
        column: "c_dynamic.x",
        literal: "dynamic({'a':1})",
    },
    Atom {
        ty: Type::Unknown,
        column: "typeof(long)",
        literal: "typeof(string)",
    },
    Atom {
        ty: Type::Unknown,
        column: "*",
        literal: "''",
    },
    Atom {
        ty: Type::Unknown,
        column: "dynamic(null)",
        literal: "long(null)",
    },
];

/// Where literals stand instead of columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Columns,
    Literals,
    /// A column, then literals: `percentile(x, 50)`.
    ColumnFirst,
}

const WAYS: [Written; 3] = [Written::Columns, Written::ColumnFirst, Written::Literals];

/// One thing to call.
#[derive(Clone, Copy)]
pub struct Subject {
    name: &'static str,
    aliases: &'static [&'static str],
    min: usize,
    max: Option<usize>,
    rule: ResultRule,
    kind: SubjectKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SubjectKind {
    Function,
    Operator,
    Aggregate,
}

impl From<&'static ScalarFunction> for Subject {
    fn from(row: &'static ScalarFunction) -> Self {
        Self {
            name: row.name,
            aliases: row.aliases,
            min: row.min,
            max: row.max,
            rule: row.result,
            kind: if row.kind == Kind::Operator {
                SubjectKind::Operator
            } else {
                SubjectKind::Function
            },
        }
    }
}

impl From<&'static Aggregate> for Subject {
    fn from(row: &'static Aggregate) -> Self {
        Self {
            name: row.name,
            aliases: row.aliases,
            min: row.min,
            max: row.max,
            rule: row.result,
            kind: SubjectKind::Aggregate,
        }
    }
}

/// All rows: scalar functions, operators, aggregates.
pub fn subjects() -> Vec<Subject> {
    scalars()
        .map(Subject::from)
        .chain(aggregates().map(Subject::from))
        // What takes a table has a syntax of its own.
        .filter(|s| !matches!(s.name, "toscalar" | "totable" | "materialize"))
        .collect()
}

impl Subject {
    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The text of a call; none where the syntax has no place for so many arguments.
    fn call(&self, name: &str, args: &[&str]) -> Option<String> {
        if self.kind != SubjectKind::Operator {
            return Some(format!("{name}({})", args.join(", ")));
        }
        let list = matches!(name.trim_start_matches('!'), "in" | "in~" | "has_any" | "has_all");
        let range = name.ends_with("between");
        match args {
            // The reference reads `-` before a literal as part of it.
            [only] if matches!(name, "-" | "+") => Some(format!("{name}({only})")),
            [left, rest @ ..] if list && !rest.is_empty() => {
                Some(format!("{left} {name} ({})", rest.join(", ")))
            }
            [left, from, to] if range => Some(format!("{left} {name} ({from} .. {to})")),
            [left, right] if !range && !list => Some(format!("{left} {name} {right}")),
            _ => None,
        }
    }

    /// The calls to ask about, shortest first.
    fn calls(&self, full: usize, rng: &mut Rng) -> Vec<String> {
        let mut calls: Vec<String> = Vec::new();
        let mut add = |atoms: &[Atom]| {
            for way in WAYS {
                let args: Vec<&str> = atoms
                    .iter()
                    .enumerate()
                    .map(|(at, atom)| match way {
                        Written::Columns => atom.column,
                        Written::ColumnFirst if at == 0 => atom.column,
                        Written::Literals | Written::ColumnFirst => atom.literal,
                    })
                    .collect();
                calls.extend(self.call(self.name, &args));
            }
        };
        // Functions with very many parameters repeat the last ones: after a few they say nothing new.
        let most = self.max.unwrap_or(usize::MAX).min(self.min.max(full) + 2);
        let bounds = self.max.into_iter().flat_map(|max| [max, max + 1, max + 2]);
        let few = (0..self.min).chain(bounds).filter(|n| *n < self.min || *n > most);
        for arity in few {
            for atom in [ATOMS[5], ATOMS[2], ATOMS[9]] {
                add(&vec![atom; arity]);
            }
        }
        for arity in self.min..=most {
            if arity <= full {
                let mut at = vec![0; arity];
                'all: loop {
                    add(&at.iter().map(|i| ATOMS[*i]).collect::<Vec<_>>());
                    for digit in at.iter_mut().rev() {
                        *digit += 1;
                        if *digit < ATOMS.len() {
                            continue 'all;
                        }
                        *digit = 0;
                    }
                    break;
                }
            } else {
                for _ in 0..100 {
                    add(&(0..arity).map(|_| any(rng)).collect::<Vec<_>>());
                }
            }
            for base in self.bases(arity, rng) {
                add(&base);
                for at in 0..arity {
                    for atom in ATOMS.iter().filter(|_| arity > full).chain(&ODD) {
                        // No operand, and would spoil the rest of the query.
                        if atom.column == "*" && self.kind == SubjectKind::Operator {
                            continue;
                        }
                        let mut atoms = base.clone();
                        atoms[at] = *atom;
                        add(&atoms);
                    }
                }
            }
        }
        let mut seen = std::collections::HashSet::new();
        calls.retain(|call| seen.insert(call.clone()));
        calls
    }

    /// Arguments that our row takes, at most three sets.
    fn bases(&self, arity: usize, rng: &mut Rng) -> Vec<Vec<Atom>> {
        let mut bases: Vec<Vec<Atom>> = Vec::new();
        for attempt in 0..4000 {
            let atoms: Vec<Atom> = match ATOMS.get(attempt) {
                Some(atom) => vec![*atom; arity],
                None => (0..arity).map(|_| any(rng)).collect(),
            };
            let args: Vec<Arg<'_>> = atoms.iter().map(|a| Arg::of(a.ty)).collect();
            if (self.rule)(&args).is_ok() && !bases.contains(&atoms) {
                bases.push(atoms);
            }
            if bases.len() == 3 || (attempt > ATOMS.len() && arity == 0) {
                break;
            }
        }
        if bases.is_empty() {
            bases.push(vec![ATOMS[5]; arity]);
        }
        bases
    }

    /// A query whose columns `q0`, `q1`, … are the calls, and where each call stands in it.
    fn batch(&self, calls: &[String]) -> (String, Vec<std::ops::Range<usize>>) {
        let mut query = match self.kind {
            SubjectKind::Aggregate => "Typed | summarize ".to_owned(),
            SubjectKind::Function | SubjectKind::Operator => "Typed | serialize | project ".to_owned(),
        };
        let mut places = Vec::new();
        for (n, call) in calls.iter().enumerate() {
            if n > 0 {
                query.push_str(", ");
            }
            let _ = write!(query, "q{n}=");
            let start = query.len();
            query.push_str(call);
            places.push(start..query.len());
        }
        (query, places)
    }

    /// Queries in which the call gives its column its name.
    fn naming(&self, call: &str) -> Vec<String> {
        match self.kind {
            SubjectKind::Aggregate => vec![
                format!("Typed | summarize {call}"),
                format!("Typed | summarize {call}, {call} by c_string"),
                format!("Typed | summarize (x, y)={call}"),
                format!("Typed | summarize x={call} + 1"),
            ],
            SubjectKind::Function | SubjectKind::Operator => vec![
                format!("Typed | serialize | project {call}"),
                format!("Typed | serialize | extend {call}"),
                format!("Typed | serialize | project {call}, {call}"),
                format!("Typed | serialize | project (x, y)={call}"),
                format!("Typed | summarize count() by {call}"),
                format!("print {call}"),
            ],
        }
    }
}

fn any(rng: &mut Rng) -> Atom {
    ATOMS[usize::from(rng.u8(0..10))]
}

/// What one side says about one call.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Opinion {
    error: Option<String>,
    ty: Option<String>,
}

fn opinions(answer: &Answer, places: &[std::ops::Range<usize>]) -> Vec<Opinion> {
    let types: HashMap<&str, &str> = answer
        .columns
        .iter()
        .flatten()
        .map(|(name, ty)| (name.as_str(), ty.as_str()))
        .collect();
    places
        .iter()
        .enumerate()
        .map(|(n, place)| {
            let all = answer.semantic.iter().chain(&answer.syntax);
            let error = all
                .filter(|p| place.contains(&p.start))
                .map(|p| format!("{} {}", p.code, p.message))
                .next();
            Opinion {
                error,
                ty: types.get(format!("q{n}").as_str()).map(|ty| (*ty).to_owned()),
            }
        })
        .collect()
}

/// A call or query about which the sides differ.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The function.
    pub function: &'static str,
    /// What kind of difference, for grouping: `verdict`, `type`, `name`, with both answers.
    pub kind: String,
    /// The call, or the whole query for names.
    pub text: String,
    /// The reference's error, or ours.
    pub message: String,
}

/// How a sweep went.
#[derive(Debug, Default)]
pub struct Sweep {
    /// Calls compared.
    pub calls: usize,
    /// Queries compared for the names of columns.
    pub namings: usize,
    /// Those that differ.
    pub differences: Vec<Difference>,
}

/// Compares every call of the subjects. `full` is the arity up to which every
/// combination of types is tried; `progress` hears of every subject done.
pub fn sweep(
    subjects: &[Subject],
    full: usize,
    oracle: &mut Oracle,
    mut progress: impl FnMut(&Subject, &Sweep),
) -> Result<Sweep, String> {
    let world = World::new(Environment::Docs, vec![typed_table()], false)?;
    let mut result = Sweep::default();
    for subject in subjects {
        // A seed of its own for each, so that one function alone gives what the whole sweep gives.
        let mut rng = Rng::with_seed(
            subject
                .name
                .bytes()
                .fold(7_u64, |h, b| h.wrapping_mul(31).wrapping_add(u64::from(b))),
        );
        let calls = subject.calls(full, &mut rng);
        let batches: Vec<_> = calls
            .chunks(BATCH)
            .map(|calls| (calls, subject.batch(calls)))
            .collect();
        let requests: Vec<_> = batches
            .iter()
            .map(|(_, (query, _))| world.request(query))
            .collect();
        let answers = oracle.ask(&requests)?;
        // Calls that both take, by arity, for the names.
        let mut fine: BTreeMap<usize, Vec<&String>> = BTreeMap::new();
        for ((calls, (query, places)), answer) in batches.iter().zip(&answers) {
            let theirs = opinions(answer, places);
            let ours = opinions(&world.ours(query), places);
            result.calls += calls.len();
            for ((call, theirs), ours) in calls.iter().zip(theirs).zip(ours) {
                let arity = call.matches(", ").count();
                if theirs.error.is_none() && ours.error.is_none() {
                    let fine = fine.entry(arity).or_default();
                    if fine.len() < 3 {
                        fine.push(call);
                    }
                }
                let ty = |o: &Opinion| o.ty.clone().unwrap_or_else(|| "none".to_owned());
                let (kind, message) = match (&ours.error, &theirs.error) {
                    (None, Some(e)) => ("verdict: ours takes, theirs rejects".to_owned(), e.clone()),
                    (Some(e), None) => ("verdict: ours rejects, theirs takes".to_owned(), e.clone()),
                    // What a wrong call would have been is a guess of either side.
                    (Some(_), Some(_)) => continue,
                    (None, None) if ours.ty != theirs.ty => (
                        format!("type: ours {}, theirs {}", ty(&ours), ty(&theirs)),
                        String::new(),
                    ),
                    (None, None) => continue,
                };
                result.differences.push(Difference {
                    function: subject.name,
                    kind,
                    text: call.clone(),
                    message,
                });
            }
        }
        let mut queries: Vec<String> = fine.values().flatten().flat_map(|c| subject.naming(c)).collect();
        for alias in subject.aliases {
            let args: Vec<&str> = vec!["c_string"; subject.min];
            queries.extend(subject.call(alias, &args).iter().flat_map(|c| subject.naming(c)));
        }
        let requests: Vec<_> = queries.iter().map(|q| world.request(q)).collect();
        for (query, theirs) in queries.iter().zip(oracle.ask(&requests)?) {
            result.namings += 1;
            let ours = world.ours(query);
            let head = |a: &Answer| {
                a.semantic
                    .iter()
                    .chain(&a.syntax)
                    .next()
                    .map(|p| p.message.clone())
            };
            let kind = if ours.semantic.is_empty() != theirs.semantic.is_empty() {
                "verdict of a query"
            } else if theirs.semantic.is_empty() && ours.columns != theirs.columns {
                "columns"
            } else {
                continue;
            };
            result.differences.push(Difference {
                function: subject.name,
                kind: kind.to_owned(),
                text: query.clone(),
                message: if kind == "columns" {
                    format!("ours {}; theirs {}", columns(&ours), columns(&theirs))
                } else {
                    head(&theirs)
                        .map(|m| format!("theirs: {m}"))
                        .or_else(|| head(&ours).map(|m| format!("ours: {m}")))
                        .unwrap_or_default()
                },
            });
        }
        progress(subject, &result);
    }
    Ok(result)
}

/// The columns as `name:type, …`, without those of the table.
fn columns(answer: &Answer) -> String {
    let Some(columns) = &answer.columns else {
        return "none".to_owned();
    };
    columns
        .iter()
        .filter(|(name, ty)| *name != format!("c_{ty}") || columns.len() < ATOMS.len())
        .map(|(name, ty)| format!("{name}:{ty}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The findings as text: a function, a kind, a count and examples at a time.
pub fn report(sweep: &Sweep, examples: usize) -> String {
    let mut groups: BTreeMap<(&str, &str), Vec<&Difference>> = BTreeMap::new();
    for difference in &sweep.differences {
        groups
            .entry((difference.function, &difference.kind))
            .or_default()
            .push(difference);
    }
    let mut text = format!(
        "{} calls and {} queries for names compared; {} differ, in {} groups\n",
        sweep.calls,
        sweep.namings,
        sweep.differences.len(),
        groups.len()
    );
    for ((function, kind), members) in groups {
        let _ = writeln!(text, "\n{function}: {kind} ({})", members.len());
        // Spread over the group, so that they are not all of one arity.
        let step = members.len().div_ceil(examples).max(1);
        for member in members.iter().step_by(step) {
            let _ = writeln!(text, "    {}    {}", member.text, member.message);
        }
    }
    text
}
