//! Alerts in the format that was asked for, in pieces.

use rulec_runtime::alert::{self, Alert};

/// How alerts are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line (schema/alert.schema.json), as they come.
    #[default]
    Ndjson,
    /// One line an alert under a header, as they come.
    Csv,
    /// Columns for people, at the end.
    Table,
    /// One page, at the end.
    Html,
}

/// Writes alerts piece by piece; whatever has come out so far is valid.
pub(super) struct Writer {
    format: Format,
    /// What is only written at the end.
    held: Vec<Alert>,
}

impl Writer {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            held: Vec::new(),
        }
    }

    /// What stands before the first alert.
    pub(super) fn start(&mut self) -> String {
        match self.format {
            Format::Csv => alert::csv_header(),
            Format::Ndjson | Format::Table | Format::Html => String::new(),
        }
    }

    /// The alerts of a rule.
    pub(super) fn alerts(&mut self, alerts: Vec<Alert>) -> String {
        match self.format {
            Format::Ndjson => alerts.iter().map(|alert| alert::to_json(alert) + "\n").collect(),
            Format::Csv => alerts.iter().map(alert::csv_row).collect(),
            Format::Table | Format::Html => {
                self.held.extend(alerts);
                String::new()
            }
        }
    }

    /// What stands after the last alert; `page` makes a page of all of them.
    pub(super) fn finish(&mut self, page: impl FnOnce(&[Alert]) -> String) -> String {
        match self.format {
            Format::Ndjson | Format::Csv => String::new(),
            Format::Table => {
                let mut bytes = Vec::new();
                // Writing to memory does not fail.
                let _ = alert::write(&mut bytes, alert::Format::Table, &self.held);
                String::from_utf8_lossy(&bytes).into_owned()
            }
            Format::Html => page(&self.held),
        }
    }
}
