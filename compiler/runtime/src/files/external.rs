//! What a query says of outside data.
//!
//! In: the name of a table that `externaldata` reads, as the binder writes it:
//! `externaldata:ADDRESS[ ADDRESS…][ (format=NAME, ignoreFirstRecord=true)]`.
//! Out: one name for each address, under which files are given, and how the
//! data is written. Source: the reference of `externaldata`, and of ingestion
//! properties for the formats.

use crate::read::{Format, Header};

/// How names of outside data begin.
pub(crate) const PREFIX: &str = "externaldata:";

/// Outside data as a query asks for it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct External<'n> {
    addresses: &'n str,
    /// The format that the query names, or the address ends with; CSV, if
    /// neither does. None for JSON of any shape.
    pub(crate) format: Option<Format>,
    /// What the first line is, where the format has lines of fields.
    pub(crate) header: Header,
}

impl<'n> External<'n> {
    /// Takes a name apart; none when it is no outside data's.
    pub(crate) fn parse(name: &'n str) -> Option<Self> {
        let rest = name.strip_prefix(PREFIX)?;
        let (addresses, options) = match rest.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (")) {
            Some((addresses, options)) => (addresses, options),
            None => (rest, ""),
        };
        let mut options = options.split(", ").filter_map(|option| option.split_once('='));
        let said = options.clone().find(|(name, _)| *name == "format");
        let ignored = options.any(|option| option == ("ignoreFirstRecord", "true"));
        Some(Self {
            addresses,
            format: format(said.map_or_else(|| ending(addresses), |(_, format)| format)),
            header: if ignored { Header::Ignored } else { Header::Absent },
        })
    }

    /// The name of each address.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        self.addresses
            .split(' ')
            .map(|address| format!("{PREFIX}{address}"))
    }
}

/// How the name of the first file ends, without what says how it is packed.
fn ending(addresses: &str) -> &str {
    let address = addresses.split([' ', '?', '#', ';']).next().unwrap_or_default();
    let name = address.rsplit('/').next().unwrap_or_default();
    let name = name
        .strip_suffix(".gz")
        .or(name.strip_suffix(".zip"))
        .unwrap_or(name);
    name.rsplit_once('.').map_or("", |(_, ending)| ending)
}

fn format(name: &str) -> Option<Format> {
    match name {
        "json" | "multijson" | "singlejson" | "jsonl" | "ndjson" => None,
        "tsv" | "tsve" => Some(Format::Separated(b'\t')),
        "psv" => Some(Format::Separated(b'|')),
        "scsv" => Some(Format::Separated(b';')),
        "sohsv" => Some(Format::Separated(1)),
        "txt" => Some(Format::Lines),
        "raw" => Some(Format::Whole),
        _ => Some(Format::Separated(b',')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let both = External::parse(
            "externaldata:https://x.test/a.txt https://x.test/b (format=tsv, ignoreFirstRecord=true)",
        );
        let both = both.unwrap();
        assert_eq!(
            both.names().collect::<Vec<_>>(),
            [
                "externaldata:https://x.test/a.txt",
                "externaldata:https://x.test/b"
            ]
        );
        assert_eq!(
            (both.format, both.header),
            (Some(Format::Separated(b'\t')), Header::Ignored)
        );
        for (name, format) in [
            ("https://x.test/a.txt.gz?sig=x.json", Some(Format::Lines)),
            ("https://x.test/a.json;managed_identity=system", None),
            ("https://x.test/list", Some(Format::Separated(b','))),
            ("https://x.test/list (format=raw)", Some(Format::Whole)),
        ] {
            let name = format!("{PREFIX}{name}");
            let external = External::parse(&name).unwrap();
            assert_eq!(
                (external.format, external.header),
                (format, Header::Absent),
                "{name}"
            );
            assert_eq!(external.names().count(), 1);
        }
        assert_eq!(External::parse("DeviceEvents"), None);
    }
}
