//! The kinds of predicate: a closed list that tools can rely on.
//!
//! Deliberately absent: whether a comparison folds case, which
//! [`Predicate::ignore_case`](crate::explanation::Predicate) says.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, not $opposite:ident;)*) => {
        /// What a predicate asks of a field. Each has its opposite.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Kind { $($(#[$doc])* $variant,)* }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in JSON and on pages.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What holds where this one does not.
            #[must_use]
            pub fn opposite(self) -> Self {
                match self { $(Self::$variant => Self::$opposite,)* }
            }
        }
    };
}

kinds! {
    /// `==`, `=~`; also a column that is a truth value by itself.
    Eq = "eq", not Ne;
    /// `!=`, `!~`.
    Ne = "ne", not Eq;
    /// `in`, `in~`; also `==` of one field with several values behind `or`.
    In = "in", not NotIn;
    /// `!in`, `!in~`.
    NotIn = "not_in", not In;
    /// `has` (a whole term), and its relatives for addresses.
    Has = "has", not NotHas;
    /// `!has`.
    NotHas = "not_has", not Has;
    /// `has_any`; also several `has` of one field behind `or`.
    HasAny = "has_any", not NotHasAny;
    /// `not(… has_any …)`.
    NotHasAny = "not_has_any", not HasAny;
    /// `has_all`.
    HasAll = "has_all", not NotHasAll;
    /// `not(… has_all …)`.
    NotHasAll = "not_has_all", not HasAll;
    /// `hasprefix` (a term begins with it).
    HasPrefix = "has_prefix", not NotHasPrefix;
    /// `!hasprefix`.
    NotHasPrefix = "not_has_prefix", not HasPrefix;
    /// `hassuffix` (a term ends with it).
    HasSuffix = "has_suffix", not NotHasSuffix;
    /// `!hassuffix`.
    NotHasSuffix = "not_has_suffix", not HasSuffix;
    /// `contains` (anywhere).
    Contains = "contains", not NotContains;
    /// `!contains`.
    NotContains = "not_contains", not Contains;
    /// `startswith`.
    StartsWith = "starts_with", not NotStartsWith;
    /// `!startswith`.
    NotStartsWith = "not_starts_with", not StartsWith;
    /// `endswith`.
    EndsWith = "ends_with", not NotEndsWith;
    /// `!endswith`.
    NotEndsWith = "not_ends_with", not EndsWith;
    /// `matches regex`.
    RegexMatch = "regex_match", not NotRegexMatch;
    /// `not(… matches regex …)`.
    NotRegexMatch = "not_regex_match", not RegexMatch;
    /// `like`, `likecs`.
    Like = "like", not NotLike;
    /// `notlike`, `notlikecs`.
    NotLike = "not_like", not Like;
    /// `between`: the two ends, both included.
    Between = "between", not NotBetween;
    /// `!between`.
    NotBetween = "not_between", not Between;
    /// `<`.
    Lt = "lt", not Ge;
    /// `<=`.
    Le = "le", not Gt;
    /// `>`.
    Gt = "gt", not Le;
    /// `>=`.
    Ge = "ge", not Lt;
    /// `isempty`, `isnull`, `== ""`: there is no value. An empty string is none.
    IsNull = "is_null", not IsNotNull;
    /// `isnotempty`, `isnotnull`, `!= ""`: there is a value.
    IsNotNull = "is_not_null", not IsNull;
    /// An address within a network: `ipv4_is_in_range` and its relatives.
    InRange = "in_range", not NotInRange;
    /// An address outside of a network.
    NotInRange = "not_in_range", not InRange;
    /// `ipv4_is_private`.
    IsPrivate = "is_private", not IsNotPrivate;
    /// `not(ipv4_is_private(…))`.
    IsNotPrivate = "is_not_private", not IsPrivate;
    /// Any other function that answers yes or no; the value is the call as written.
    Holds = "holds", not HoldsNot;
    /// Such a function answering no.
    HoldsNot = "holds_not", not Holds;
}

impl Kind {
    /// Whether it asks for the absence of something. Order has no such side,
    /// and whether there is a value at all is no exclusion.
    pub fn is_negative(self) -> bool {
        matches!(
            self,
            Self::Ne
                | Self::NotIn
                | Self::NotHas
                | Self::NotHasAny
                | Self::NotHasAll
                | Self::NotHasPrefix
                | Self::NotHasSuffix
                | Self::NotContains
                | Self::NotStartsWith
                | Self::NotEndsWith
                | Self::NotRegexMatch
                | Self::NotLike
                | Self::NotBetween
                | Self::NotInRange
                | Self::IsNotPrivate
                | Self::HoldsNot
        )
    }

    /// Whether it asks for a place in an order.
    pub fn is_order(self) -> bool {
        matches!(
            self,
            Self::Lt | Self::Le | Self::Gt | Self::Ge | Self::Between | Self::NotBetween
        )
    }

    /// The kind with the sides exchanged; none where a comparison has a fixed direction.
    pub fn mirrored(self) -> Option<Self> {
        Some(match self {
            Self::Eq | Self::Ne => self,
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            Self::Gt => Self::Lt,
            Self::Ge => Self::Le,
            _ => return None,
        })
    }

    /// The kind of a comparison and whether it folds case; none for what
    /// compares no field with anything.
    pub fn of(function: &str) -> Option<(Self, bool)> {
        Some(match function {
            "==" => (Self::Eq, false),
            "=~" => (Self::Eq, true),
            "!=" => (Self::Ne, false),
            "!~" => (Self::Ne, true),
            "in" => (Self::In, false),
            "in~" => (Self::In, true),
            "!in" => (Self::NotIn, false),
            "!in~" => (Self::NotIn, true),
            "has" => (Self::Has, true),
            "!has" => (Self::NotHas, true),
            "has_cs" => (Self::Has, false),
            "!has_cs" => (Self::NotHas, false),
            "has_any" => (Self::HasAny, true),
            "has_all" => (Self::HasAll, true),
            "hasprefix" => (Self::HasPrefix, true),
            "!hasprefix" => (Self::NotHasPrefix, true),
            "hasprefix_cs" => (Self::HasPrefix, false),
            "!hasprefix_cs" => (Self::NotHasPrefix, false),
            "hassuffix" => (Self::HasSuffix, true),
            "!hassuffix" => (Self::NotHasSuffix, true),
            "hassuffix_cs" => (Self::HasSuffix, false),
            "!hassuffix_cs" => (Self::NotHasSuffix, false),
            "contains" => (Self::Contains, true),
            "!contains" => (Self::NotContains, true),
            "contains_cs" => (Self::Contains, false),
            "!contains_cs" => (Self::NotContains, false),
            "startswith" => (Self::StartsWith, true),
            "!startswith" => (Self::NotStartsWith, true),
            "startswith_cs" => (Self::StartsWith, false),
            "!startswith_cs" => (Self::NotStartsWith, false),
            "endswith" => (Self::EndsWith, true),
            "!endswith" => (Self::NotEndsWith, true),
            "endswith_cs" => (Self::EndsWith, false),
            "!endswith_cs" => (Self::NotEndsWith, false),
            "matches regex" => (Self::RegexMatch, false),
            "like" => (Self::Like, true),
            "!like" => (Self::NotLike, true),
            "like_cs" => (Self::Like, false),
            "!like_cs" => (Self::NotLike, false),
            "between" => (Self::Between, false),
            "!between" => (Self::NotBetween, false),
            "<" => (Self::Lt, false),
            "<=" => (Self::Le, false),
            ">" => (Self::Gt, false),
            ">=" => (Self::Ge, false),
            "isempty" | "isnull" => (Self::IsNull, false),
            "isnotempty" | "notempty" | "isnotnull" | "notnull" => (Self::IsNotNull, false),
            "ipv4_is_in_range"
            | "ipv4_is_in_any_range"
            | "ipv6_is_in_range"
            | "ipv6_is_in_any_range"
            | "ipv4_is_match"
            | "ipv6_is_match" => (Self::InRange, false),
            "ipv4_is_private" => (Self::IsPrivate, false),
            "has_ipv4" => (Self::Has, false),
            "has_any_ipv4" => (Self::HasAny, false),
            "has_ipv4_prefix" => (Self::HasPrefix, false),
            "has_any_ipv4_prefix" => (Self::HasPrefix, false),
            _ => return None,
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_opposite_of_the_opposite_is_the_kind() {
        for kind in Kind::ALL {
            assert_eq!(kind.opposite().opposite(), *kind);
            assert_eq!(
                serde_json::to_value(kind).unwrap(),
                serde_json::Value::from(kind.as_str())
            );
            assert!(
                !(kind.is_negative() && kind.opposite().is_negative()),
                "{kind} and its opposite"
            );
        }
    }
}
