//! Where rows come from.

use rulec_functions::Type;

use super::{Let, Maker, Scope};

impl Maker<'_> {
    /// The beginning of a pipeline, and its columns.
    pub(super) fn source(&mut self) -> (String, Scope) {
        let text = match self.dice.weighted([60, 8, 6, 4, 7, 3, 4, 4, 3, 3, 4, 2, 3]) {
            0 => return self.plain_table(),
            1 => self.datatable(),
            2 => {
                let empty = Scope::default();
                format!("print {}", self.list(1, 4, |m| m.named(&empty)))
            }
            3 => self.range(),
            4 => {
                let parameters = self.union_parameters();
                let legs = self.list(1, 3, |m| match m.dice.below(6) {
                    0 => m.wildcard(),
                    _ => m.subquery().0,
                });
                format!("union {parameters}{legs}")
            }
            5 => self.externaldata(),
            6 => self.find(),
            7 => {
                let tables = self.list(1, 3, |m| m.plain_table().0);
                let scope = self.scope_of_source(&format!("union {tables}"));
                let condition = self.search(&scope);
                match condition.strip_prefix("kind=case_sensitive ") {
                    Some(rest) => format!("search kind=case_sensitive in ({tables}) {rest}"),
                    None => format!("search in ({tables}) {condition}"),
                }
            }
            8 => {
                let (table, _) = self.plain_table();
                match self.dice.below(5) {
                    0 => format!("table('{table}')"),
                    1 => format!("({table} | as hint.materialized=true M1)"),
                    2 => format!("database('{}').{table}", self.database()),
                    3 => format!("({table})"),
                    _ => format!("(({table} | take 10))"),
                }
            }
            9 => self
                .dice
                .pick(&["_GetWatchlist('hosts')", "_GetWatchlist('users') | take 1"])
                .to_owned(),
            10 => match self.call_of_table_function() {
                Some(call) => call,
                None => return self.plain_table(),
            },
            11 => {
                let (table, _) = self.plain_table();
                format!(
                    "macro-expand entity_group [database('{0}'), database('{0}')] as X ( X.{table} | take 5 )",
                    self.database()
                )
            }
            _ => self.fixed_call(),
        };
        let scope = self.scope_of_source(&text);
        (text, scope)
    }

    fn database(&self) -> &'static str {
        if self.generator.world.environment == rulec_facts::tables::Environment::Docs {
            "Samples"
        } else {
            "db"
        }
    }

    fn fixed_call(&mut self) -> String {
        self.dice
            .pick(&[
                "SeenBy()",
                "AssignedIPAddresses('x')",
                "AssignedIPAddresses('x', now())",
                "NoSuchTable",
                "cluster('help').database('Samples').StormEvents",
                "workspace('w').Heartbeat",
                "toscalar(print 1)",
            ])
            .to_owned()
    }

    /// A table by its name: of the environment, or of a `let`.
    pub(super) fn plain_table(&mut self) -> (String, Scope) {
        let tables: Vec<(String, Scope)> = self
            .lets
            .iter()
            .filter_map(|l| match l {
                Let::Table(name, scope) => Some((name.clone(), scope.clone())),
                _ => None,
            })
            .collect();
        if self.dice.percent(40)
            && let Some(table) = self.dice.choose(&tables)
        {
            return table.clone();
        }
        // A table with a column of every type often, because it gives every function something to do.
        if self.dice.percent(25)
            && let Some(table) = self.generator.world.extra.first()
        {
            let scope = Scope {
                columns: table.columns.clone(),
            };
            return (table.name.clone(), scope);
        }
        let name = self
            .dice
            .choose(&self.generator.tables)
            .cloned()
            .unwrap_or_default();
        let scope = self
            .generator
            .world
            .catalog()
            .table(&name)
            .map_or_else(Scope::default, |table| Scope {
                columns: table.columns.clone(),
            });
        (Self::written(&name), scope)
    }

    fn wildcard(&mut self) -> String {
        let name = self
            .dice
            .choose(&self.generator.tables)
            .cloned()
            .unwrap_or_default();
        if name.len() < 8 || !name.is_ascii() {
            return name;
        }
        // Enough of the name that few tables match.
        format!("{}*", &name[..name.len() - 2])
    }

    fn schema(&mut self) -> (String, Vec<(String, Type)>) {
        let mut columns = Vec::new();
        let text = self.list(1, 4, |m| {
            let name = m.new_name(&Scope::default());
            let ty = m.any_type();
            columns.push((name.clone(), ty));
            format!("{name}: {ty}")
        });
        (text, columns)
    }

    fn datatable(&mut self) -> String {
        let (schema, columns) = self.schema();
        let rows = self.dice.between(0, 2);
        let mut values = Vec::new();
        for _ in 0..rows {
            for (_, ty) in &columns {
                values.push(self.constant(*ty));
            }
        }
        let comma = self.maybe(15, |_| ",".to_owned());
        let comma = if values.is_empty() { String::new() } else { comma };
        format!("datatable ({schema}) [{}{comma}]", values.join(", "))
    }

    fn externaldata(&mut self) -> String {
        let (schema, _) = self.schema();
        let with = self.maybe(60, |m| {
            let how = m.dice.pick(&[
                "format='csv'",
                "format='csv', ignoreFirstRecord=true",
                "format=multijson",
                "format='txt'",
            ]);
            format!(" with ({how})")
        });
        let name = self.dice.pick(&["externaldata", "externaldata", "external_data"]);
        format!("{name} ({schema}) [h@'https://example.org/a.csv']{with}")
    }

    fn range(&mut self) -> String {
        let name = self.plain_name();
        match self.dice.below(5) {
            0 => format!("range {name} from datetime(2024-01-01) to datetime(2024-02-01) step 1d"),
            1 => format!("range {name} from 0.5 to 10.0 step 0.5"),
            2 => format!("range {name} from 1h to 1d step 1h"),
            3 => format!("range {name} from ago(7d) to now() step 1d"),
            _ => format!(
                "range {name} from 1 to 10 step {}",
                self.dice.pick(&["1", "2", "1.5"])
            ),
        }
    }

    fn find(&mut self) -> String {
        let tables = self.list(1, 3, |m| m.plain_table().0);
        let scope = self.scope_of_source(&format!("union {tables}"));
        let source = self.maybe(30, |m| format!("withsource={} ", m.plain_name()));
        let condition = self.condition(&scope, 1);
        let project = match self.dice.below(6) {
            0 => " project-smart".to_owned(),
            1 => {
                let columns = self.list(1, 3, |m| {
                    let column = m.column_of_any_type(&scope).unwrap_or_else(|| "Name".to_owned());
                    let ty = m.maybe(15, |m| format!(":{}", m.type_name()));
                    format!("{column}{ty}")
                });
                format!(" project {columns}")
            }
            2 => {
                let column = self
                    .column_of_any_type(&scope)
                    .unwrap_or_else(|| "Name".to_owned());
                format!(" project {column}, pack(*)")
            }
            3 => {
                let column = self
                    .column_of_any_type(&scope)
                    .unwrap_or_else(|| "Name".to_owned());
                format!(" project {column}, {column}")
            }
            _ => String::new(),
        };
        format!("find {source}in ({tables}) where {condition}{project}")
    }

    fn call_of_table_function(&mut self) -> Option<String> {
        let functions: Vec<(String, Vec<Type>, usize)> = self
            .lets
            .iter()
            .filter_map(|l| match l {
                Let::TableFunction(name, types, optional) => Some((name.clone(), types.clone(), *optional)),
                _ => None,
            })
            .collect();
        let (name, types, optional) = self.dice.choose(&functions)?.clone();
        let given = types.len() - self.dice.below(optional + 1);
        let args: Vec<String> = types[..given].iter().map(|ty| self.literal(*ty)).collect();
        Some(format!("{name}({})", args.join(", ")))
    }
}
