//! One event as a line of JSON.

use std::io::Write as _;

use fastrand::Rng;

use crate::words::{NAMES, WORDS};

/// 100 ns ticks are more than an export shows; events have 10 million a second.
pub const TICKS: u64 = 10_000_000;

/// Writes one JSON object, key by key in the order of the calls.
pub struct Row<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
    /// Whether Sigma's names are written for the columns that have one.
    pub sigma: bool,
}

/// Sigma's names for columns of process starts.
const SIGMA: &[(&str, &str)] = &[
    ("FolderPath", "Image"),
    ("ProcessCommandLine", "CommandLine"),
    ("InitiatingProcessFolderPath", "ParentImage"),
    ("InitiatingProcessCommandLine", "ParentCommandLine"),
    ("ProcessVersionInfoOriginalFileName", "OriginalFileName"),
    ("ProcessVersionInfoProductName", "Product"),
    ("ProcessVersionInfoCompanyName", "Company"),
    ("ProcessVersionInfoFileDescription", "Description"),
    ("ProcessIntegrityLevel", "IntegrityLevel"),
];

impl<'a> Row<'a> {
    /// Opens the object.
    pub fn begin(out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            first: true,
            sigma: false,
        }
    }

    fn key(&mut self, name: &str) {
        self.out
            .extend_from_slice(if self.first { b"{\"" } else { b",\"" });
        self.first = false;
        let sigma = SIGMA.iter().find(|(column, _)| self.sigma && *column == name);
        let name = sigma.map_or(name, |(_, field)| field);
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    /// Text, escaped.
    pub fn text(&mut self, name: &str, value: &str) {
        self.key(name);
        escaped(self.out, value);
    }

    /// An integer.
    pub fn number(&mut self, name: &str, value: u64) {
        self.key(name);
        // Writing to memory does not fail.
        let _ = write!(self.out, "{value}");
    }

    /// true or false.
    pub fn flag(&mut self, name: &str, value: bool) {
        self.key(name);
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// A time in ticks since 1970.
    pub fn time(&mut self, name: &str, ticks: u64) {
        self.key(name);
        self.out.push(b'"');
        let seconds = ticks / TICKS;
        let (year, month, day) = date(seconds / 86_400);
        let rest = seconds % 86_400;
        let _ = write!(
            self.out,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:07}Z\"",
            rest / 3600,
            rest / 60 % 60,
            rest % 60,
            ticks % TICKS
        );
    }

    /// No value.
    pub fn null(&mut self, name: &str) {
        self.key(name);
        self.out.extend_from_slice(b"null");
    }

    /// Closes the object and the line.
    pub fn end(self) {
        self.out.extend_from_slice(b"}\n");
    }
}

/// A JSON string.
pub fn escaped(out: &mut Vec<u8>, value: &str) {
    out.push(b'"');
    let bytes = value.as_bytes();
    let mut start = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(byte, b'"' | b'\\') {
            out.extend_from_slice(&bytes[start..at]);
            out.push(b'\\');
            start = at;
        }
    }
    out.extend_from_slice(&bytes[start..]);
    out.push(b'"');
}

/// The date of a day since 1970-01-01. Source: Howard Hinnant, "chrono-compatible low-level date algorithms".
fn date(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let era = z / 146_097;
    let doe = z % 146_097;
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (
        yoe + era * 400 + u64::from(month <= 2),
        month,
        doy - (153 * mp + 2) / 5 + 1,
    )
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// `digits` hex digits that follow from `seed` alone.
pub fn hex(out: &mut String, seed: u64, digits: usize) {
    let mut rng = Rng::with_seed(seed);
    let mut bits = 0;
    for i in 0..digits {
        if i % 16 == 0 {
            bits = rng.u64(..);
        }
        out.push(char::from(HEX[(bits & 15) as usize]));
        bits >>= 4;
    }
}

/// A GUID that follows from `seed` alone.
pub fn guid(out: &mut String, seed: u64) {
    let mut digits = String::with_capacity(32);
    hex(&mut digits, seed, 32);
    for (i, end) in [8, 12, 16, 20, 32].into_iter().enumerate() {
        if i > 0 {
            out.push('-');
        }
        out.push_str(&digits[[0, 8, 12, 16, 20][i]..end]);
    }
}

/// Fills the places of a template.
pub fn fill(out: &mut String, template: &str, user: &str, rng: &mut Rng) {
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        let bytes = rest.as_bytes();
        if bytes.get(at + 2) != Some(&b'}') {
            out.push('{');
            rest = &rest[at + 1..];
            continue;
        }
        match bytes[at + 1] {
            b'g' => guid(out, rng.u64(..)),
            b'h' => hex(out, rng.u64(..), 16),
            b'b' => hex(out, rng.u64(..), 2),
            b'x' => hex(out, rng.u64(..), 4),
            b'n' => out.push_str(&rng.u32(100..65_000).to_string()),
            b'u' => out.push_str(user),
            b'w' => out.push_str(pick(WORDS, rng)),
            b'i' => {
                let [a, b, c] = [rng.u8(..), rng.u8(..), rng.u8(1..)];
                out.push_str(&format!("{}.{a}.{b}.{c}", rng.u8(11..200)));
            }
            b't' => {
                out.push_str(pick(WORDS, rng));
                out.push('-');
                out.push_str(pick(NAMES, rng));
                out.push_str([".com", ".net", ".org", ".io"][rng.usize(..4)]);
            }
            other => out.push_str(&format!("{{{}}}", char::from(other))),
        }
        rest = &rest[at + 3..];
    }
    out.push_str(rest);
}

/// One of a list.
pub fn pick<'a>(list: &[&'a str], rng: &mut Rng) -> &'a str {
    list[rng.usize(..list.len())]
}
