//! Every way to write a value.

use rulec_functions::Type;

use super::Maker;

impl Maker<'_> {
    /// A literal of a type.
    pub(super) fn literal(&mut self, ty: Type) -> String {
        let all: &[&str] = match ty {
            Type::Bool => &["true", "false", "bool(true)", "bool(null)", "True", "bool(1)"],
            Type::Int => &["int(1)", "int(-3)", "int(null)", "int( 7 )", "int32(4)"],
            Type::Long | Type::Unknown => &[
                "0",
                "1",
                "2",
                "7",
                "42",
                "100",
                "1000000",
                "0x1F",
                "long(5)",
                "long(null)",
                "long(-1)",
                "int64(9)",
                "9223372036854775807",
            ],
            Type::Real => &[
                "0.5",
                "1.5",
                "1e3",
                "2.5e-2",
                "real(3)",
                "real(null)",
                "real(nan)",
                "real(+inf)",
                "double(1.25)",
                "0.0",
            ],
            Type::Decimal => &["decimal(1.5)", "decimal(0)", "decimal(null)", "decimal(1e3)"],
            Type::String => &[
                "'a'",
                "\"powershell.exe\"",
                "''",
                "@'c:\\windows\\x'",
                "@\"say \"\"hi\"\"\"",
                "h'secret'",
                "h@'se\\cret'",
                "\"tab\\tquote\\\"\"",
                "'it\\'s'",
                "```many\nlines```",
                "~~~a ' \" b~~~",
                "'a' 'b'",
                "\"\\u00e9\"",
                "'10.0.0.1'",
                "'10.0.0.0/8'",
                "'{\"a\":1}'",
                "'2024-01-01'",
                "'a,b;c'",
                "'[0-9]+'",
                "'x=1;y=2'",
                "'utf-8 é'",
                "'1.2.3'",
                "'UTC'",
                "'day'",
            ],
            Type::DateTime => &[
                "datetime(2024-01-01)",
                "datetime(2024-01-31 10:11:12.345)",
                "datetime(2024-01-31T10:11:12Z)",
                "datetime(null)",
                "datetime('2024-02-01')",
                "date(2024-01-01)",
                "datetime(1/2/2024)",
                "now()",
                "now(-1d)",
                "ago(1h)",
            ],
            Type::TimeSpan => &[
                "1h",
                "30m",
                "1d",
                "5s",
                "100ms",
                "10tick",
                "1.5h",
                "2days",
                "7hours",
                "1microsecond",
                "time(1h)",
                "timespan(1.02:03:04)",
                "timespan(null)",
                "time(10:00:00)",
                "3min",
                "timespan('1.00:00:00')",
            ],
            Type::Guid => &[
                "guid(74be27de-1e4e-49d9-b579-fe0b331d3642)",
                "guid(null)",
                "guid('74be27de-1e4e-49d9-b579-fe0b331d3642')",
            ],
            Type::Dynamic => &[
                "dynamic([1,2,3])",
                "dynamic(['a','b'])",
                "dynamic({'a':1,'b':{'c':[1]}})",
                "dynamic({\"a\":\"x\"})",
                "dynamic(null)",
                "dynamic([])",
                "dynamic({})",
                "dynamic([1,'a',null,true,1.5])",
                "dynamic(\"text\")",
                "dynamic([datetime(2024-01-01), 1h])",
                "dynamic(5)",
            ],
        };
        self.dice.pick(all).to_owned()
    }

    /// A literal that is no call.
    pub(super) fn constant(&mut self, ty: Type) -> String {
        let literal = self.literal(ty);
        if literal.starts_with("now") || literal.starts_with("ago") {
            return "datetime(2024-05-05)".to_owned();
        }
        literal
    }

    /// A name of a type, in any of its spellings.
    pub(super) fn type_name(&mut self) -> &'static str {
        const NAMES: [&str; 17] = [
            "string", "long", "int", "real", "double", "bool", "boolean", "datetime", "date", "timespan",
            "time", "dynamic", "guid", "decimal", "string", "long", "dynamic",
        ];
        NAMES[self.dice.below(NAMES.len())]
    }

    /// Any type, the usual ones more often.
    pub(super) fn any_type(&mut self) -> Type {
        const TYPES: [Type; 16] = [
            Type::String,
            Type::String,
            Type::String,
            Type::String,
            Type::Long,
            Type::Long,
            Type::Long,
            Type::DateTime,
            Type::DateTime,
            Type::Dynamic,
            Type::Dynamic,
            Type::Bool,
            Type::Int,
            Type::Real,
            Type::TimeSpan,
            Type::Guid,
        ];
        if self.dice.one_in(25) {
            return Type::Decimal;
        }
        TYPES[self.dice.below(TYPES.len())]
    }
}
