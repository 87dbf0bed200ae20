//! The scalar types of KQL.

use std::fmt;

/// A scalar type. Source: the KQL reference, "Scalar data types".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// `true`, `false`, null.
    Bool,
    /// 32 bits.
    Int,
    /// 64 bits.
    Long,
    /// 64-bit IEEE 754; `double` is another spelling.
    Real,
    /// 128-bit decimal floating point.
    Decimal,
    /// Unicode text; never null.
    String,
    /// 100 ns ticks since 0001-01-01T00:00:00Z.
    DateTime,
    /// 100 ns ticks.
    TimeSpan,
    /// 128 bits; `uuid` and `uniqueid` are other spellings.
    Guid,
    /// A value of any of the types above, an array, or a property bag.
    Dynamic,
    /// Not known, because the table is not; behaves as whatever is asked of it.
    Unknown,
}

impl Type {
    /// All types that a query can name.
    pub const NAMED: [Type; 10] = [
        Type::Bool,
        Type::Int,
        Type::Long,
        Type::Real,
        Type::Decimal,
        Type::String,
        Type::DateTime,
        Type::TimeSpan,
        Type::Guid,
        Type::Dynamic,
    ];

    /// The canonical spelling.
    pub fn name(self) -> &'static str {
        match self {
            Type::Bool => "bool",
            Type::Int => "int",
            Type::Long => "long",
            Type::Real => "real",
            Type::Decimal => "decimal",
            Type::String => "string",
            Type::DateTime => "datetime",
            Type::TimeSpan => "timespan",
            Type::Guid => "guid",
            Type::Dynamic => "dynamic",
            Type::Unknown => "unknown",
        }
    }

    /// The type a query means by `name`, in every spelling the language takes.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "bool" | "boolean" => Type::Bool,
            "int" | "int32" => Type::Int,
            "long" | "int64" => Type::Long,
            "real" | "double" => Type::Real,
            "decimal" => Type::Decimal,
            "string" => Type::String,
            "datetime" | "date" => Type::DateTime,
            "timespan" | "time" => Type::TimeSpan,
            "guid" | "uuid" | "uniqueid" => Type::Guid,
            "dynamic" => Type::Dynamic,
            _ => return None,
        })
    }

    /// int, long, real or decimal.
    pub fn is_numeric(self) -> bool {
        matches!(self, Type::Int | Type::Long | Type::Real | Type::Decimal)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
