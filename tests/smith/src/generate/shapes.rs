//! Operators that choose and rename columns, and that open nested values.

use rulec_functions::Type;

use super::{Maker, Scope};

impl Maker<'_> {
    /// `extend`, `project` and their relatives.
    pub(super) fn projection(&mut self, scope: &Scope) -> String {
        match self.dice.weighted([30, 26, 10, 6, 8, 6, 2]) {
            0 => format!("extend {}", self.list(1, 3, |m| m.named(scope))),
            1 => format!("project {}", self.list(1, 5, |m| m.named(scope))),
            2 => format!("project-away {}", self.list(1, 3, |m| m.column_or_pattern(scope))),
            3 => format!("project-keep {}", self.list(1, 4, |m| m.column_or_pattern(scope))),
            4 => {
                let renames = self.list(1, 2, |m| {
                    let new = m.new_name(scope);
                    let old = m.column_of_any_type(scope).unwrap_or_else(|| "Gone".to_owned());
                    format!("{new} = {old}")
                });
                format!("project-rename {renames}")
            }
            5 => {
                let columns = self.list(1, 4, |m| {
                    let column = m.column_or_pattern(scope);
                    let order = m
                        .dice
                        .pick(&["", "", "", " asc", " desc", " granny-asc", " granny-desc"]);
                    format!("{column}{order}")
                });
                format!("project-reorder {columns}")
            }
            _ => {
                let columns = self.list(1, 3, |m| match m.dice.below(4) {
                    0 => "'Name'".to_owned(),
                    1 => "dynamic(['a', 'Time*'])".to_owned(),
                    _ => m.column_or_pattern(scope),
                });
                format!("project-by-names {columns}")
            }
        }
    }

    /// `x = …`, or an expression that names itself.
    pub(super) fn named(&mut self, scope: &Scope) -> String {
        match self.dice.below(10) {
            0..=4 => format!("{} = {}", self.new_name(scope), self.any_expression(scope, 2)),
            5 => {
                let (a, b) = (self.new_name(scope), self.new_name(scope));
                let call = self.dice.pick(&[
                    "series_stats(dynamic([1,2]))",
                    "series_fit_line(dynamic([1,2,4]))",
                    "series_periods_detect(dynamic([1,2,4]), 1.0, 2.0, 1)",
                    "array_sort_asc(dynamic([2,1]), dynamic([3,4]))",
                    "series_fit_2lines(dynamic([1,2,4]))",
                    "series_decompose(dynamic([1,2,4]))",
                ]);
                match self.dice.below(4) {
                    0 => call.to_owned(),
                    1 => format!("{a} = {call}"),
                    _ => format!("({a}, {b}) = {call}"),
                }
            }
            6 => self.column_of_any_type(scope).unwrap_or_else(|| "1".to_owned()),
            _ => self.any_expression(scope, 2),
        }
    }

    /// A column, or a name with `*`.
    fn column_or_pattern(&mut self, scope: &Scope) -> String {
        let column = self
            .column_of_any_type(scope)
            .unwrap_or_else(|| "Gone".to_owned());
        if self.dice.percent(65) || !column.is_ascii() || column.starts_with('[') {
            return column;
        }
        let half = column.len().div_ceil(2);
        match self.dice.below(6) {
            0 => format!("{}*", &column[..half]),
            1 => format!("*{}", &column[half..]),
            2 => format!("{}*", &column[..1]),
            3 => format!("*{}*", &column[..half]),
            4 => format!("{}*{}", &column[..1], &column[column.len() - 1..]),
            _ => "*".to_owned(),
        }
    }

    /// `mv-expand` and `mv-apply`.
    pub(super) fn expansion(&mut self, scope: &Scope) -> String {
        let apply = self.dice.one_in(3);
        let name = if apply {
            self.dice.pick(&["mv-apply", "mv-apply", "mvapply"])
        } else {
            self.dice.pick(&["mv-expand", "mv-expand", "mvexpand"])
        };
        let kind = self.maybe(15, |m| {
            m.dice
                .pick(&["kind=array ", "bagexpansion=bag ", "kind=bag "])
                .to_owned()
        });
        let index = self.maybe(15, |m| format!("with_itemindex={} ", m.plain_name()));
        let mut inner = scope.clone();
        let items = self.list(1, 2, |m| {
            let value = m.expression(scope, Type::Dynamic, 1);
            let name = m.plain_name();
            let named = m.dice.percent(50);
            let ty = m.maybe(35, |m| format!(" to typeof({})", m.type_name()));
            if named {
                inner.columns.push((name.clone(), Type::Dynamic));
                format!("{name} = {value}{ty}")
            } else {
                format!("{value}{ty}")
            }
        });
        let limit = self.maybe(15, |_| " limit 10".to_owned());
        if !apply {
            return format!("{name} {kind}{index}{items}{limit}");
        }
        let most = self.dice.between(1, 2);
        let operators = self.sub_operators(&inner, most);
        format!("{name} {index}{items}{limit} on ({operators})")
    }

    /// `parse`, `parse-where`, `parse-kv`.
    pub(super) fn parsing(&mut self, scope: &Scope) -> String {
        let text = self.expression(scope, Type::String, 1);
        if self.dice.one_in(4) {
            let columns = self.list(1, 3, |m| {
                let name = m.new_name(&Scope::default());
                format!("{name}: {}", m.type_name())
            });
            let with = self.maybe(60, |m| {
                let how = m.dice.pick(&[
                    "pair_delimiter=';', kv_delimiter='='",
                    "pair_delimiter=' ', kv_delimiter=':', quote='\"'",
                    "quote=\"'\", escape='\\\\'",
                    "greedy=true, pair_delimiter=',', kv_delimiter='='",
                    "regex=@'(\\w+)=(\\w+)'",
                ]);
                format!(" with ({how})")
            });
            return format!("parse-kv {text} as ({columns}){with}");
        }
        let name = self.dice.pick(&["parse", "parse", "parse-where"]);
        let kind = self.dice.pick(&[
            "",
            "",
            "",
            "kind=simple ",
            "kind=relaxed ",
            "kind=regex ",
            "kind=regex flags=Ui ",
        ]);
        let first = self.dice.pick(&["", "* "]);
        let parts = (0..self.dice.between(1, 3))
            .map(|_| {
                let literal = self.dice.pick(&["'a='", "\" \"", "@'\\'", "', '", "'x' 'y'"]);
                let name = self.new_name(scope);
                let ty = self.maybe(50, |m| format!(":{}", m.type_name()));
                format!("{literal} {name}{ty}")
            })
            .collect::<Vec<_>>()
            .join(" ");
        let last = self.dice.pick(&["", " *", " ';'", " ';' *"]);
        format!("{name} {kind}{text} with {first}{parts}{last}")
    }

    /// `evaluate` with a plugin.
    pub(super) fn plugin(&mut self, scope: &Scope) -> String {
        let any = |m: &mut Self| m.column_of_any_type(scope).unwrap_or_else(|| "a".to_owned());
        let dynamic = self.column_of(scope, Type::Dynamic);
        let text = self
            .column_of(scope, Type::String)
            .unwrap_or_else(|| "'1.2.3.4'".to_owned());
        let time = self
            .column_of(scope, Type::DateTime)
            .unwrap_or_else(|| "now()".to_owned());
        let number = self
            .column_of(scope, Type::Long)
            .unwrap_or_else(|| "1".to_owned());
        let bounds = "datetime(2024-01-01), datetime(2024-01-31)";
        let call = match self.dice.below(26) {
            0..=3 if dynamic.is_some() => {
                let more = self.maybe(50, |m| {
                    m.dice
                        .pick(&[
                            ", 'p_'",
                            ", columnsConflict='replace_source'",
                            ", ''",
                            ", columnsConflict='keep_source'",
                            ", 'p_', 'error'",
                            ", OutputColumnPrefix='q_'",
                            ", ignoredProperties=dynamic(['a'])",
                        ])
                        .to_owned()
                });
                format!("bag_unpack({}{more})", dynamic.unwrap_or_default())
            }
            4 | 5 => {
                let pivoted = any(self);
                let aggregate = self.maybe(60, |m| format!(", {}", m.aggregate(scope)));
                let keys = if aggregate.is_empty() {
                    String::new()
                } else {
                    self.maybe(50, |m| format!(", {}", any(m)))
                };
                format!("pivot({pivoted}{aggregate}{keys})")
            }
            6 => format!("autocluster({})", self.dice.pick(&["", "0.5", "'~', '~', '*'"])),
            7 => format!("basket({})", self.dice.pick(&["", "0.2", "0.2, '~', 3"])),
            8 => format!("diffpatterns({text}, 'a', 'b')"),
            9 => "narrow()".to_owned(),
            10 => format!("preview({})", self.literal(Type::Long)),
            11 => format!("dcount_intersect({number}, {number})"),
            12 => format!("rolling_percentile({number}, 50, {time}, 1d, 7)"),
            13 => format!("rows_near({text} == 'a', 2)"),
            14 => format!("sliding_window_counts({text}, {time}, {bounds}, 7d, 1d)"),
            15 => format!("session_count({text}, {time}, {bounds}, 5m, 1h)"),
            16 => format!("active_users_count({text}, {time}, {bounds}, 1d, 7d, 3)"),
            17 => format!("activity_counts_metrics({text}, {time}, {bounds}, 1d)"),
            18 => format!("activity_engagement({text}, {time}, 1d, 7d)"),
            19 => format!("activity_metrics({text}, {time}, 1d)"),
            20 => format!("new_activity_metrics({text}, {time}, {bounds}, 1d)"),
            21 => format!("funnel_sequence({text}, {time}, {bounds}, 10m, 5m, {text}, dynamic(['a','b']))"),
            22 => {
                let (table, columns) = self.plain_table();
                let key = self
                    .column_of(&columns, Type::String)
                    .unwrap_or_else(|| "Network".to_owned());
                let plugin = self.dice.pick(&["ipv4_lookup", "ipv6_lookup"]);
                let more = self.maybe(40, |_| ", return_unmatched=true".to_owned());
                format!("{plugin}({table}, {text}, {key}{more})")
            }
            23 => format!(
                "python(typeof(*, x:long), 'code'{})",
                self.maybe(30, |_| ", dynamic({})".to_owned())
            ),
            24 => format!(
                "sequence_detect({time}, 10m, 5m, s1 = ({text} == 'a'), s2 = ({text} == 'b'), {text})"
            ),
            _ => format!("identity({})", self.maybe(50, |_| "1".to_owned())),
        };
        let hint = self.maybe(8, |_| "hint.distribution=per_node ".to_owned());
        let schema = self.maybe(10, |m| {
            m.dice
                .pick(&[" : (*)", " : (*, Extra1:long)", " : (A:string, B:long)"])
                .to_owned()
        });
        format!("evaluate {hint}{call}{schema}")
    }
}
