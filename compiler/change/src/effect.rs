//! What a change does to the rows of a result.

use rulec_source::Span;

/// What a change does to the rows of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The same rows: written differently.
    Same,
    /// The same rows with other columns, values or order.
    Output,
    /// More rows.
    Widens,
    /// Fewer rows.
    Narrows,
    /// Rows come and others go.
    Both,
    /// Not known.
    Changed,
}

impl Effect {
    /// Both one after the other.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Changed, _) | (_, Self::Changed) => Self::Changed,
            (Self::Same | Self::Output, effect @ (Self::Widens | Self::Narrows | Self::Both))
            | (effect @ (Self::Widens | Self::Narrows | Self::Both), Self::Same | Self::Output) => effect,
            (Self::Same, Self::Same) => Self::Same,
            (Self::Output | Self::Same, Self::Output | Self::Same) => Self::Output,
            (a, b) if a == b => a,
            _ => Self::Both,
        }
    }

    /// The effect of rows that keep others out.
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            Self::Widens => Self::Narrows,
            Self::Narrows => Self::Widens,
            same => same,
        }
    }

    /// Whether rows come or go, as far as is known.
    pub fn moves_rows(self) -> bool {
        !matches!(self, Self::Same | Self::Output)
    }

    /// The effect of several differences together.
    pub(crate) fn of(items: &[Item]) -> Self {
        items.iter().fold(Self::Same, |all, item| all.and(item.effect))
    }
}

/// One difference between two queries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it does to the result.
    pub effect: Effect,
    /// What is different, as a sentence without a full stop.
    pub text: String,
    /// Where, in the old query.
    pub old: Option<Span>,
    /// Where, in the new query.
    pub new: Option<Span>,
    /// Whether another table is read: a break for those who send the data.
    pub table: bool,
}

impl Item {
    pub(crate) fn mirrored(mut self) -> Self {
        self.effect = self.effect.mirrored();
        self
    }
}
