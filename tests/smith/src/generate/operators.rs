//! Every tabular operator, over the columns at hand.

use rulec_functions::Type;

use super::{Let, Maker, Scope};

impl Maker<'_> {
    /// Some operator.
    pub(super) fn operator(&mut self, scope: &Scope) -> String {
        // The usual ones as often as in rules, all others often enough.
        const WEIGHTS: [u32; 25] = [
            44, 48, 40, 18, 12, 10, 14, 10, 10, 8, 5, 5, 5, 6, 6, 6, 4, 4, 5, 8, 6, 2, 5, 5, 5,
        ];
        match self.dice.weighted(WEIGHTS) {
            0 => {
                let name = self.dice.pick(&["where", "where", "where", "filter"]);
                format!("{name} {}", self.condition(scope, 2))
            }
            1 => self.projection(scope),
            2 => self.summarize(scope),
            3 => self.join(scope),
            4 => self.expansion(scope),
            5 => self.parsing(scope),
            6 => self.sorting(scope),
            7 => self.union(),
            8 => self.make_series(scope),
            9 => self.plugin(scope),
            10 => self.top_nested(scope),
            11 => self.scan(scope),
            12 => self.partition(scope),
            13 => format!("distinct {}", self.distinct(scope)),
            14 => {
                let number = self.number();
                match self.dice.below(4) {
                    0 => format!("sample {number}"),
                    1 => format!("sample-distinct {number} of {}", self.any_expression(scope, 1)),
                    _ => format!("{} {number}", self.dice.pick(&["take", "limit"])),
                }
            }
            15 => {
                let names = self.list(0, 2, |m| {
                    let window = m.window(scope);
                    if m.dice.percent(70) {
                        format!("{} = {window}", m.new_name(scope))
                    } else {
                        window
                    }
                });
                format!("serialize {names}").trim_end().to_owned()
            }
            16 => {
                let legs = (0..self.dice.between(1, 2))
                    .map(|_| {
                        let name = self.maybe(30, |m| format!("{} = ", m.plain_name()));
                        format!("{name}({})", self.sub_operators(scope, 2))
                    })
                    .collect::<Vec<_>>()
                    .join(" ");
                format!("fork {legs}")
            }
            17 => {
                let columns = self.list(1, 2, |m| {
                    m.column_of_any_type(scope).unwrap_or_else(|| "a".into())
                });
                let with = self.maybe(50, |m| format!(" with ({})", m.sub_operators(scope, 1)));
                format!("facet by {columns}{with}")
            }
            18 => {
                let text = self.expression(scope, Type::String, 1);
                let with = self.maybe(40, |_| " with threshold=0.2, characters=','".to_owned());
                let kind = self.maybe(20, |_| "kind=source ".to_owned());
                format!("reduce {kind}by {text}{with}")
            }
            19 => self.simple(scope),
            20 => self.render(scope),
            21 => self.graph(scope),
            22 => {
                let condition = self.search(scope);
                format!("search {condition}")
            }
            23 => self.invoke(scope),
            _ => {
                let hits = self.number();
                let of = self.any_expression(scope, 1);
                let by = self.maybe(60, |m| format!(" by {}", m.expression(scope, Type::Long, 1)));
                format!("top-hitters {hits} of {of}{by}")
            }
        }
    }

    fn simple(&mut self, scope: &Scope) -> String {
        match self.dice.below(8) {
            0 => "count".to_owned(),
            1 => format!("count as {}", self.plain_name()),
            2 => "getschema".to_owned(),
            3 => "consume".to_owned(),
            4 => format!(
                "as {}{}",
                self.maybe(20, |_| "hint.materialized=true ".into()),
                self.plain_name()
            ),
            5 => "consume decodeblocks=true".to_owned(),
            6 => {
                let columns: Vec<String> = scope
                    .columns
                    .iter()
                    .take(self.dice.between(1, 3))
                    .map(|(name, ty)| format!("{}:{ty}", Self::written(name)))
                    .collect();
                format!("assert-schema ({})", columns.join(", "))
            }
            _ => "project-keep *".to_owned(),
        }
    }

    fn number(&mut self) -> String {
        let value = self.lets.iter().find_map(|l| match l {
            Let::Scalar(name, Type::Long) => Some(name.clone()),
            _ => None,
        });
        match (self.dice.below(12), value) {
            (0, Some(name)) => name,
            (1, _) => "2 + 3".to_owned(),
            (2, _) => "toint(5)".to_owned(),
            _ => self.dice.pick(&["1", "5", "10", "100"]).to_owned(),
        }
    }

    fn distinct(&mut self, scope: &Scope) -> String {
        if self.dice.one_in(5) {
            return "*".to_owned();
        }
        self.list(1, 3, |m| {
            if m.dice.percent(75) {
                m.column_of_any_type(scope).unwrap_or_else(|| "1".to_owned())
            } else {
                m.named(scope)
            }
        })
    }

    fn summarize(&mut self, scope: &Scope) -> String {
        let hint = self.maybe(6, |m| {
            let column = m.column_of_any_type(scope).unwrap_or_else(|| "a".to_owned());
            match m.dice.below(3) {
                0 => "hint.strategy=shuffle ".to_owned(),
                1 => format!("hint.shufflekey={column} "),
                _ => "hint.num_partitions=4 ".to_owned(),
            }
        });
        let aggregates = self.list(0, 4, |m| {
            let call = m.aggregate(scope);
            match m.dice.below(10) {
                0..=4 => call,
                5 => format!("({}, {}) = {call}", m.new_name(scope), m.new_name(scope)),
                _ => format!("{} = {call}", m.new_name(scope)),
            }
        });
        let keys = self.list(0, 3, |m| m.key(scope));
        match (aggregates.is_empty(), keys.is_empty()) {
            (false, true) => format!("summarize {hint}{aggregates}"),
            (true, false) => format!("summarize {hint}by {keys}"),
            (true, true) => "summarize count()".to_owned(),
            (false, false) => format!("summarize {hint}{aggregates} by {keys}"),
        }
    }

    fn key(&mut self, scope: &Scope) -> String {
        match self.dice.below(10) {
            0..=4 => self.column_of_any_type(scope).unwrap_or_else(|| "1".to_owned()),
            5 => format!(
                "bin({}, {})",
                self.expression(scope, Type::DateTime, 0),
                self.dice.pick(&["1h", "1d", "5m"])
            ),
            6 => format!("{} = {}", self.new_name(scope), self.any_expression(scope, 1)),
            7 => format!("bin({}, 10)", self.expression(scope, Type::Long, 0)),
            _ => self.any_expression(scope, 1),
        }
    }

    fn join(&mut self, scope: &Scope) -> String {
        let (right, other) = self.subquery();
        // A type that both sides have, so that there is something to compare.
        let pairs: Vec<(String, String)> = scope
            .columns
            .iter()
            .flat_map(|(left, ty)| {
                other
                    .columns
                    .iter()
                    .filter(move |(_, t)| t == ty)
                    .map(move |(right, _)| (left.clone(), right.clone()))
            })
            .take(400)
            .collect();
        let same: Vec<&(String, String)> = pairs.iter().filter(|(a, b)| a == b).collect();
        let count = self.dice.between(1, 2);
        let conditions: Vec<String> = (0..count)
            .map(|_| {
                let same = self.dice.choose(&same).map(|(a, _)| Self::written(a));
                match (same, self.dice.below(8)) {
                    (Some(name), 0..=4) => name,
                    (Some(name), 5) => format!("$left.{name} == $right.{name}"),
                    _ => {
                        let (a, b) = self.dice.choose(&pairs).cloned().unwrap_or_else(|| {
                            let first = |s: &Scope| s.columns.first().map_or("a".to_owned(), |c| c.0.clone());
                            (first(scope), first(&other))
                        });
                        let (a, b) = (Self::written(&a), Self::written(&b));
                        if self.dice.one_in(5) {
                            format!("$right.{b} == $left.{a}")
                        } else {
                            format!("$left.{a} == $right.{b}")
                        }
                    }
                }
            })
            .collect();
        let on = conditions.join(self.dice.pick(&[", ", " and ", ", "]));
        let lookup = self.dice.one_in(4);
        let kind = if lookup {
            self.dice
                .pick(&["", "kind=leftouter ", "kind=inner ", "kind=rightouter "])
        } else {
            self.dice.pick(&[
                "",
                "",
                "kind=inner ",
                "kind=innerunique ",
                "kind=leftouter ",
                "kind=rightouter ",
                "kind=fullouter ",
                "kind=leftanti ",
                "kind=leftsemi ",
                "kind=rightanti ",
                "kind=rightsemi ",
                "kind=anti ",
                "kind=leftantisemi ",
                "kind=rightantisemi ",
                "kind = inner ",
                "kind=outer ",
                "kind=semi ",
            ])
        };
        let hint = self.maybe(8, |m| {
            m.dice
                .pick(&[
                    "hint.strategy=shuffle ",
                    "hint.strategy=broadcast ",
                    "hint.remote=left ",
                    "hint.num_partitions=2 ",
                ])
                .to_owned()
        });
        let name = if lookup { "lookup" } else { "join" };
        format!("{name} {kind}{hint}{right} on {on}")
    }

    fn sorting(&mut self, scope: &Scope) -> String {
        let order = |m: &mut Self| {
            m.dice
                .pick(&[
                    "",
                    "",
                    " asc",
                    " desc",
                    " asc nulls first",
                    " desc nulls last",
                    " nulls first",
                ])
                .to_owned()
        };
        if self.dice.one_in(2) {
            let keys = self.list(1, 2, |m| format!("{}{}", m.any_expression(scope, 1), order(m)));
            format!("{} by {keys}", self.dice.pick(&["sort", "order"]))
        } else {
            let key = self.any_expression(scope, 1);
            format!("top {} by {key}{}", self.number(), order(self))
        }
    }

    fn union(&mut self) -> String {
        let kind = self.union_parameters();
        let legs = self.list(1, 2, |m| m.subquery().0);
        format!("union {kind}{legs}")
    }

    pub(super) fn union_parameters(&mut self) -> String {
        let mut text = String::new();
        if self.dice.percent(20) {
            text.push_str(self.dice.pick(&["kind=outer ", "kind=inner "]));
        }
        if self.dice.percent(20) {
            let name = self.plain_name();
            text.push_str(&format!(
                "{}={name} ",
                self.dice.pick(&["withsource", "with_source"])
            ));
        }
        if self.dice.percent(20) {
            text.push_str("isfuzzy=true ");
        }
        text
    }

    fn make_series(&mut self, scope: &Scope) -> String {
        let kind = self.maybe(10, |_| "kind=nonempty ".to_owned());
        let aggregates = self.list(1, 2, |m| {
            let name = m.maybe(50, |m| format!("{} = ", m.new_name(scope)));
            let call = m.aggregate(scope);
            let default = m.maybe(30, |m| {
                format!(" default={}", m.dice.pick(&["0", "long(null)", "1.5", "-1"]))
            });
            format!("{name}{call}{default}")
        });
        let numeric = self.dice.one_in(4);
        let (axis, low, high, step) = if numeric {
            (self.expression(scope, Type::Long, 0), "0", "100", "10")
        } else {
            let axis = self.expression(scope, Type::DateTime, 0);
            (axis, "ago(7d)", "now()", "1d")
        };
        let range = match self.dice.below(6) {
            0 => format!("in range({low}, {high}, {step})"),
            1 => format!("step {step}"),
            2 => format!("from {low} step {step}"),
            3 => format!("to {high} step {step}"),
            _ => format!("from {low} to {high} step {step}"),
        };
        let by = self.maybe(50, |m| format!(" by {}", m.list(1, 2, |m| m.key(scope))));
        let axis = if self.dice.one_in(8) {
            format!("{} = {axis}", self.new_name(scope))
        } else {
            axis
        };
        format!("make-series {kind}{aggregates} on {axis} {range}{by}")
    }

    fn top_nested(&mut self, scope: &Scope) -> String {
        self.list(1, 3, |m| {
            let count = m.maybe(80, |m| format!("{} ", m.number()));
            let name = m.maybe(30, |m| format!("{} = ", m.new_name(scope)));
            let of = m.any_expression(scope, 1);
            let others = m.maybe(30, |_| " with others = 'rest'".to_owned());
            let by_name = m.maybe(30, |m| format!("{} = ", m.new_name(scope)));
            let by = m.aggregate(scope);
            let order = m.dice.pick(&["", "", " asc", " desc"]);
            format!("top-nested {count}of {name}{of}{others} by {by_name}{by}{order}")
        })
    }

    fn scan(&mut self, scope: &Scope) -> String {
        let mut inner = scope.clone();
        let order = self.maybe(15, |m| {
            let column = m.column_of_any_type(scope).unwrap_or_else(|| "a".into());
            format!("partition by {column} ")
        });
        let declared = self.maybe(60, |m| {
            let columns = m.list(1, 2, |m| {
                let name = m.plain_name();
                let ty = m.any_type();
                inner.columns.push((name.clone(), ty));
                let default = m.maybe(50, |m| format!(" = {}", m.constant(ty)));
                format!("{name}:{ty}{default}")
            });
            format!("declare ({columns}) ")
        });
        let id = self.maybe(20, |m| format!("with_match_id={} ", m.plain_name()));
        let own: Vec<(String, Type)> = inner.columns[scope.columns.len()..].to_vec();
        let mut steps = String::new();
        let count = self.dice.between(1, 2);
        for n in 1..=count {
            let optional = self.maybe(15, |_| " optional".to_owned());
            let output = self.maybe(15, |m| {
                format!(" output={}", m.dice.pick(&["all", "last", "none"]))
            });
            let mut condition = self.condition(&inner, 1);
            if n > 1
                && self.dice.one_in(2)
                && let Some(column) = self.column_of_any_type(scope)
            {
                condition = format!("{condition} and isnotnull(s1.{column})");
            }
            let assigned = if own.is_empty() {
                String::new()
            } else {
                self.maybe(70, |m| {
                    let (name, ty) = own[m.dice.below(own.len())].clone();
                    format!(" => {name} = {}", m.expression(&inner, ty, 1))
                })
            };
            steps.push_str(&format!("step s{n}{optional}{output}: {condition}{assigned}; "));
        }
        // `order by` inside scan is rare; what it needs is rows in order.
        format!("sort by {} | scan {id}{order}{declared}with ({steps})", {
            self.column_of_any_type(scope).unwrap_or_else(|| "1".into())
        })
    }

    fn partition(&mut self, scope: &Scope) -> String {
        let column = self.column_of_any_type(scope).unwrap_or_else(|| "a".to_owned());
        let hint = self.dice.pick(&[
            "",
            "",
            "hint.strategy=native ",
            "hint.strategy=shuffle ",
            "hint.concurrency=2 ",
        ]);
        if self.dice.one_in(4) {
            let (table, inner) = self.plain_table();
            let most = self.sub_operators(&inner, 1);
            return format!("partition {hint}by {column} {{ {table} | {most} }}");
        }
        let inner = self.sub_operators(scope, 2);
        format!("partition {hint}by {column} ({inner})")
    }

    fn render(&mut self, scope: &Scope) -> String {
        let chart = self.dice.pick(&[
            "table",
            "timechart",
            "barchart",
            "columnchart",
            "piechart",
            "linechart",
            "areachart",
            "scatterchart",
            "card",
            "anomalychart",
            "ladderchart",
            "pivotchart",
            "stackedareachart",
            "timepivot",
            "treemap",
        ]);
        let column = self.column_of_any_type(scope).unwrap_or_else(|| "a".into());
        let with = self.maybe(50, |m| {
            let how = m
                .dice
                .pick(&[
                    "title='t'",
                    "kind=stacked",
                    "legend=hidden",
                    "xtitle='x', ytitle='y'",
                    "ymin=0, ymax=10",
                ])
                .to_owned();
            if m.dice.one_in(3) {
                format!(" with (xcolumn={column}, {how})")
            } else {
                format!(" with ({how})")
            }
        });
        format!("render {chart}{with}")
    }

    fn graph(&mut self, scope: &Scope) -> String {
        let text = |m: &mut Self| m.column_of(scope, Type::String).unwrap_or_else(|| "a".to_owned());
        let (from, to) = (text(self), text(self));
        let mut node = "id".to_owned();
        let with = match self.dice.below(4) {
            0 => {
                let (table, columns) = self.plain_table();
                if let Some(key) = self.column_of(&columns, Type::String) {
                    node.clone_from(&key);
                    format!(" with {table} on {key}")
                } else {
                    String::new()
                }
            }
            1 => " with_node_id=id".to_owned(),
            _ => String::new(),
        };
        let edge = text(self);
        let then = match self.dice.below(7) {
            0 => format!(
                " | graph-match (n)-[e]->(m) where n.{node} != m.{node} and e.{edge} has 'a' project n.{node}, X=m.{node}, e.{edge}"
            ),
            1 => format!(" | graph-match cycles=none (n)-[e*1..3]->(m) project n.{node}, P = map(e, {edge})"),
            2 => format!(" | graph-shortest-paths (n)-[e*1..5]->(m) project F = n.{node}, T = m.{node}"),
            3 => " | graph-to-table nodes".to_owned(),
            4 => " | graph-to-table nodes as N, edges as E with_source_id=S1 with_target_id=T1".to_owned(),
            5 => " | graph-mark-components with_component_id=C1 | graph-to-table nodes".to_owned(),
            _ => format!(" | graph-match (n)<-[e]-(m)-->(k) project k, e.{edge}"),
        };
        format!("make-graph {from} --> {to}{with}{then}")
    }

    pub(super) fn search(&mut self, scope: &Scope) -> String {
        let term = self.dice.pick(&[
            "'powershell'",
            "\"a*\"",
            "\"*b*\"",
            "'x' and 'y'",
            "'x' or 'y'",
            "\"svc\"",
        ]);
        match self.dice.below(6) {
            0 => {
                let column = self
                    .column_of(scope, Type::String)
                    .unwrap_or_else(|| "Name".to_owned());
                format!("{column}:{}", self.dice.pick(&["'a'", "\"a*\""]))
            }
            1 => {
                let column = self
                    .column_of(scope, Type::String)
                    .unwrap_or_else(|| "Name".to_owned());
                format!("{column} has 'a' and {term}")
            }
            2 => format!("not({term})"),
            3 => format!("kind=case_sensitive {term}"),
            _ => term.to_owned(),
        }
    }

    fn invoke(&mut self, scope: &Scope) -> String {
        let usable: Vec<String> = self
            .lets
            .iter()
            .filter_map(|l| match l {
                Let::Invoked(name, columns) if columns.iter().all(|c| scope.columns.contains(c)) => {
                    Some(name.clone())
                }
                _ => None,
            })
            .collect();
        if let Some(name) = self.dice.choose(&usable) {
            return format!("invoke {name}()");
        }
        let column = self
            .column_of(scope, Type::String)
            .unwrap_or_else(|| "SHA1".to_owned());
        match self.dice.below(3) {
            0 => format!("invoke FileProfile({column}, 1000)"),
            1 => format!("invoke FileProfile({column})"),
            _ => "invoke FileProfile()".to_owned(),
        }
    }
}
