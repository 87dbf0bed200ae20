//! What a row must meet to have a chance: a condition that follows from a
//! query's predicates and that a reader can decide before it decodes a row.
//!
//! A [`Necessary`] may hold for rows that the query drops, never the other way
//! round. It speaks of columns by name and of literals only. Deliberately
//! absent: how conditions are found (the binder's crate) and how they are
//! decided (the runtime).

use std::sync::Arc;

/// The columns that say when a row came in, of which the first that a row has
/// counts. Readers and conditions on `ingestion_time()` go by them.
pub const INGESTED: [&str; 4] = ["_IngestionTime", "IngestionTime", "Timestamp", "TimeGenerated"];

/// A condition that every row of interest meets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Necessary {
    /// Every one of them; with none, any row passes.
    All(Vec<Necessary>),
    /// At least one of them; with none, no row passes.
    Any(Vec<Necessary>),
    /// A column's text passes a test with at least one of several texts. No
    /// text is empty.
    Text {
        /// The column. A row without it counts as the empty text.
        column: Arc<str>,
        /// How text and column are compared.
        test: TextTest,
        /// Regardless of case.
        folded: bool,
        /// What to look for.
        texts: Vec<Arc<str>>,
    },
    /// A regular expression matches somewhere in a column's text, or there is
    /// something else to it than text.
    Pattern {
        /// The column. A row without it counts as the empty text.
        column: Arc<str>,
        /// In the syntax of the regex crate.
        pattern: Arc<str>,
    },
    /// A column is one of these whole numbers.
    Number {
        /// The column, of type `int` or `long`.
        column: Arc<str>,
        /// The numbers.
        values: Vec<i64>,
    },
    /// A column is a time not before, or not after, another.
    Time {
        /// The column, of type `datetime`.
        column: Arc<str>,
        /// Whether the bound is the earliest time that passes, or the latest.
        earliest: bool,
        /// The time.
        bound: Moment,
    },
}

/// How a text is compared with a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextTest {
    /// They are equal.
    Is,
    /// The column starts with it.
    StartsWith,
    /// The column ends with it.
    EndsWith,
    /// The column contains it.
    Contains,
    /// The column holds JSON, as text or as such, and some string in it
    /// contains the text, whose characters JSON writes as they are: see
    /// [`is_plain_inside`].
    Inside,
}

/// A point in time, in ticks of 100 ns since 0001-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moment {
    /// This one.
    At(i64),
    /// So many ticks before the time of the run.
    BeforeNow(i64),
}

impl Moment {
    /// The ticks in a run at a time; none where they leave the calendar.
    pub fn ticks(self, now: i64) -> Option<i64> {
        match self {
            Moment::At(ticks) => Some(ticks),
            Moment::BeforeNow(ticks) => now.checked_sub(ticks),
        }
    }
}

/// Whether a text within JSON is written there as it is, however the JSON is
/// printed, unless by its code point: letters, digits, and characters that are
/// not JSON's own, with a letter that no number has.
pub fn is_plain_inside(text: &str) -> bool {
    text.bytes().all(|b| {
        b.is_ascii_alphanumeric() || matches!(b, b' ' | b'_' | b'-' | b'.' | b'$' | b'%' | b'@' | b'*')
    }) && text
        .bytes()
        .any(|b| b.is_ascii_alphabetic() && !matches!(b, b'e' | b'E'))
}

impl Necessary {
    /// A condition that every row meets.
    pub const ANYTHING: Necessary = Necessary::All(Vec::new());

    /// Whether every row passes, so that nothing needs to be asked.
    pub fn is_anything(&self) -> bool {
        match self {
            Necessary::All(conditions) => conditions.iter().all(Necessary::is_anything),
            Necessary::Any(conditions) => conditions.iter().any(Necessary::is_anything),
            _ => false,
        }
    }

    /// Every one of several conditions.
    pub fn all(conditions: impl IntoIterator<Item = Necessary>) -> Self {
        let mut parts = Vec::new();
        for condition in conditions {
            match condition {
                Necessary::All(inner) => parts.extend(inner),
                other => parts.push(other),
            }
        }
        match parts.len() {
            1 => parts.swap_remove(0),
            _ => Necessary::All(parts),
        }
    }

    /// At least one of several conditions.
    pub fn any(conditions: impl IntoIterator<Item = Necessary>) -> Self {
        let mut parts = Vec::new();
        for condition in conditions {
            if condition.is_anything() {
                return Self::ANYTHING;
            }
            match condition {
                Necessary::Any(inner) => parts.extend(inner),
                other => parts.push(other),
            }
        }
        match parts.len() {
            1 => parts.swap_remove(0),
            _ => Necessary::Any(parts),
        }
    }

    /// A test of a column's text. Without a text nothing passes; with an
    /// empty one, anything does.
    pub fn text<T: Into<Arc<str>>>(
        column: impl Into<Arc<str>>,
        test: TextTest,
        texts: impl IntoIterator<Item = T>,
    ) -> Self {
        let texts: Vec<Arc<str>> = texts.into_iter().map(Into::into).collect();
        if texts.is_empty() {
            return Necessary::Any(Vec::new());
        }
        if texts.iter().any(|text| text.is_empty()) {
            return Self::ANYTHING;
        }
        Necessary::Text {
            column: column.into(),
            test,
            folded: false,
            texts,
        }
    }

    /// As [`Necessary::text`], regardless of case.
    pub fn text_fold<T: Into<Arc<str>>>(
        column: impl Into<Arc<str>>,
        test: TextTest,
        texts: impl IntoIterator<Item = T>,
    ) -> Self {
        match Self::text(column, test, texts) {
            Necessary::Text {
                column, test, texts, ..
            } => Necessary::Text {
                column,
                test,
                folded: true,
                texts,
            },
            other => other,
        }
    }

    /// A match in a column's text.
    pub fn pattern(column: impl Into<Arc<str>>, pattern: impl Into<Arc<str>>) -> Self {
        Necessary::Pattern {
            column: column.into(),
            pattern: pattern.into(),
        }
    }

    /// A column's whole numbers.
    pub fn number(column: impl Into<Arc<str>>, values: impl IntoIterator<Item = i64>) -> Self {
        Necessary::Number {
            column: column.into(),
            values: values.into_iter().collect(),
        }
    }

    /// The earliest time of a column.
    pub fn since(column: impl Into<Arc<str>>, bound: Moment) -> Self {
        Necessary::Time {
            column: column.into(),
            earliest: true,
            bound,
        }
    }

    /// The latest time of a column.
    pub fn until(column: impl Into<Arc<str>>, bound: Moment) -> Self {
        Necessary::Time {
            column: column.into(),
            earliest: false,
            bound,
        }
    }

    /// The earliest time at which a row came in, by whichever of the columns
    /// that say so it has.
    pub fn ingested_since(bound: Moment) -> Self {
        Self::any(INGESTED.map(|column| Self::since(column, bound)))
    }

    /// The latest time at which a row came in.
    pub fn ingested_until(bound: Moment) -> Self {
        Self::any(INGESTED.map(|column| Self::until(column, bound)))
    }

    /// The names of the columns that are asked for, each once, in order of appearance.
    pub fn columns(&self) -> Vec<Arc<str>> {
        let mut columns = Vec::new();
        self.add_columns(&mut columns);
        columns
    }

    fn add_columns(&self, columns: &mut Vec<Arc<str>>) {
        match self {
            Necessary::All(parts) | Necessary::Any(parts) => {
                for part in parts {
                    part.add_columns(columns);
                }
            }
            Necessary::Text { column, .. }
            | Necessary::Pattern { column, .. }
            | Necessary::Number { column, .. }
            | Necessary::Time { column, .. } => {
                if !columns.contains(column) {
                    columns.push(column.clone());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(text: &str) -> Necessary {
        Necessary::text_fold("A", TextTest::Contains, [text])
    }

    #[test]
    fn conditions_are_flat() {
        assert_eq!(Necessary::all([leaf("x")]), leaf("x"));
        assert_eq!(
            Necessary::all([leaf("x"), Necessary::all([leaf("y"), leaf("z")])]),
            Necessary::All(vec![leaf("x"), leaf("y"), leaf("z")])
        );
        assert!(Necessary::any([leaf("x"), Necessary::ANYTHING]).is_anything());
        assert!(leaf("").is_anything());
        assert!(!Necessary::text::<&str>("A", TextTest::Is, []).is_anything());
        assert_eq!(Necessary::all([leaf("x"), leaf("y")]).columns(), [Arc::from("A")]);
    }

    #[test]
    fn only_what_json_writes_as_it_is_is_looked_for_inside() {
        assert!(is_plain_inside("powershell.exe") && is_plain_inside("x1"));
        // Numbers are printed anew, and these characters may be escaped.
        for text in ["1000", "1e3", "a\"b", "a\\b", "a/b", "ä", "a,b", "{a"] {
            assert!(!is_plain_inside(text), "{text}");
        }
    }

    #[test]
    fn when_a_row_came_in_is_said_by_several_columns() {
        let now = Moment::BeforeNow(0);
        for (made, each) in [
            (
                Necessary::ingested_since(now),
                INGESTED.map(|name| Necessary::since(name, now)),
            ),
            (
                Necessary::ingested_until(now),
                INGESTED.map(|name| Necessary::until(name, now)),
            ),
        ] {
            assert_eq!(made, Necessary::any(each));
            assert_eq!(made.columns(), INGESTED.map(Arc::from));
        }
    }

    #[test]
    fn moments() {
        assert_eq!(Moment::BeforeNow(3).ticks(10), Some(7));
        assert_eq!(Moment::At(3).ticks(10), Some(3));
        assert_eq!(Moment::BeforeNow(1).ticks(i64::MIN), None);
    }
}
