//! Statements in front of the query: `let` above all.

use rulec_functions::Type;

use super::{Let, Maker, Scope};

impl Maker<'_> {
    /// Some statements; most queries have none or one.
    pub(super) fn statements(&mut self) {
        if self.dice.one_in(25) {
            let first = match self.dice.below(6) {
                0 => "set querytrace;\n",
                1 => "set truncationmaxrecords = 1000;\n",
                2 => "declare query_parameters(p_long:long = 5, p_text:string = 'x');\n",
                3 => "alias database D = cluster('c').database('d');\n",
                4 => "declare pattern App;\n",
                _ => "set notruncation; set best_effort = true;\n",
            };
            if first.starts_with("declare query_parameters") {
                self.lets.push(Let::Scalar("p_long".to_owned(), Type::Long));
                self.lets.push(Let::Scalar("p_text".to_owned(), Type::String));
            }
            self.statements.push_str(first);
        }
        let count = self.dice.weighted([50, 25, 15, 10]);
        for _ in 0..count {
            self.count += 1;
            let name = format!(
                "{}{}",
                self.dice.pick(&["v", "Let", "_l", "timeframe"]),
                self.count
            );
            let (text, meaning) = match self.dice.weighted([30, 25, 12, 14, 8, 6]) {
                0 => self.scalar(&name),
                1 => self.table(&name),
                2 => self.function(&name),
                3 => self.table_function(&name),
                4 => self.invoked(&name),
                _ => self.view(&name),
            };
            self.statements.push_str(&format!(
                "let {name} = {text};{}",
                self.dice.pick(&["\n", "\n", " ", " // c\n"])
            ));
            self.lets.push(meaning);
        }
    }

    fn scalar(&mut self, name: &str) -> (String, Let) {
        let ty = self.any_type();
        let text = self.expression(&Scope::default(), ty, 1);
        (text, Let::Scalar(name.to_owned(), ty))
    }

    fn table(&mut self, name: &str) -> (String, Let) {
        let most = self.dice.between(0, 2);
        let (mut text, scope) = self.pipeline(most);
        if self.dice.one_in(6) {
            text = format!("materialize({text})");
        }
        (text, Let::Table(name.to_owned(), scope))
    }

    /// Parameters and their types; some with defaults, at the end.
    fn parameters(&mut self) -> (String, Vec<(String, Type)>, usize) {
        let count = self.dice.below(4);
        let optional = if count == 0 { 0 } else { self.dice.below(count + 1) };
        let mut columns = Vec::new();
        let mut text = Vec::new();
        for n in 0..count {
            let name = self.plain_name();
            let ty = self.any_type();
            let mut default = String::new();
            if n + optional >= count {
                let value = self.constant(ty);
                default = format!(" = {value}");
            }
            text.push(format!("{name}:{ty}{default}"));
            columns.push((name, ty));
        }
        (text.join(", "), columns, optional)
    }

    fn function(&mut self, name: &str) -> (String, Let) {
        let (parameters, columns, _) = self.parameters();
        let ty = self.any_type();
        let types = columns.iter().map(|c| c.1).collect();
        let scope = Scope { columns };
        let inner = self.maybe(20, |m| {
            format!("let y = {}; ", m.expression(&scope, Type::Long, 0))
        });
        let body = self.expression(&scope, ty, 1);
        (
            format!("({parameters}) {{ {inner}{body} }}"),
            Let::Function(name.to_owned(), types, ty),
        )
    }

    fn table_function(&mut self, name: &str) -> (String, Let) {
        let (parameters, columns, optional) = self.parameters();
        let (source, mut scope) = self.source();
        let types = columns.iter().map(|c| c.1).collect();
        let plain = scope.clone();
        scope.columns.extend(columns);
        // The parameters are in sight of the first condition; the scope behind
        // it is that of the rows alone.
        let condition = self.condition(&scope, 1);
        let most = self.dice.below(2);
        let (rest, _) = self.operators(String::new(), plain, most);
        (
            format!("({parameters}) {{ {source} | where {condition}{rest} }}"),
            Let::TableFunction(name.to_owned(), types, optional),
        )
    }

    fn invoked(&mut self, name: &str) -> (String, Let) {
        let (_, table) = self.plain_table();
        let columns: Vec<(String, Type)> = table
            .columns
            .iter()
            .filter(|(name, ty)| Self::written(name) == *name && *ty != Type::Unknown)
            .take(2)
            .cloned()
            .collect();
        let schema: Vec<String> = columns.iter().map(|(name, ty)| format!("{name}:{ty}")).collect();
        let open = self.dice.one_in(3) || schema.is_empty();
        let schema = if open { "*".to_owned() } else { schema.join(", ") };
        let scope = Scope {
            columns: if open { Vec::new() } else { columns.clone() },
        };
        let added = self.any_expression(&scope, 1);
        let columns = if open { Vec::new() } else { columns };
        (
            format!("(T:({schema})) {{ T | extend Added = {added} }}"),
            Let::Invoked(name.to_owned(), columns),
        )
    }

    fn view(&mut self, name: &str) -> (String, Let) {
        let (text, scope) = self.pipeline(1);
        let view = self.dice.pick(&["view () ", "view() ", "() "]);
        (
            format!("{view}{{ {text} }}"),
            Let::Table(format!("{name}()"), scope),
        )
    }
}
