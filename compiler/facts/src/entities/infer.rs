//! Which entities the columns of a result name.
//!
//! In: the output columns of a query, with their types, where they come from
//! and what they hold. Out: mappings, and what was passed over and why. Which
//! columns name what is `inference` in `schema/entities.yaml`; nothing is
//! known here of any one column.

use std::collections::BTreeSet;

use foldhash::{HashMap, HashMapExt as _};
use rulec_functions::Type;

use super::{Entities, Inference, one_is_there};

/// One column of a query's output, as far as inference cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputColumn<'a> {
    /// Its name in the output.
    pub name: &'a str,
    /// Its type.
    pub ty: Type,
    /// The column it holds unchanged, when that has another name.
    pub source: Option<&'a str>,
    /// The table that column is of, where it is known.
    pub table: Option<&'a str>,
    /// The text that it holds in every row, when there is one.
    pub text: Option<&'a str>,
}

/// A proposed mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inferred {
    /// Sentinel's entity type (`Account`), or Defender's list (`accounts`).
    pub entity: String,
    /// What the entity is in the event: `initiating account`.
    pub role: String,
    /// Identifier or property -> output column, best first.
    pub fields: Vec<(String, String)>,
    /// Whether these name one entity and no other; for Defender's lists: true.
    pub strong: bool,
}

/// A mapping that the columns suggest and that was not made, or identifiers
/// that were left out of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// Sentinel's entity type.
    pub entity: String,
    /// What the entity is in the event.
    pub role: String,
    /// Identifier -> output column.
    pub fields: Vec<(String, String)>,
    /// Why not.
    pub why: Why,
}

/// Why something was passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// A rule takes so many mappings, and those before it are more telling.
    Mappings(usize),
    /// A mapping takes so many identifiers, and the others are more telling.
    Identifiers(usize),
    /// The column has a type that the identifier does not take.
    Type {
        /// The column's.
        ty: Type,
        /// The identifier's.
        takes: Vec<String>,
    },
    /// No column holds this text, which the identifier has to have.
    NoText {
        /// The identifier.
        identifier: String,
        /// The text.
        text: String,
    },
    /// Identifiers of which one set is missing.
    NotEnough(Vec<Vec<String>>),
}

/// What the columns of a result propose for Sentinel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proposal {
    /// Mappings within Sentinel's limits, most telling first.
    pub mappings: Vec<Inferred>,
    /// What was passed over, in the order of the rows.
    pub passed_over: Vec<PassedOver>,
}

/// The role of an entity that its column names by itself (`IPCustomEntity`).
const BY_NAME: &str = "column of that name";

impl Entities {
    /// The Sentinel mappings that the output columns allow, most telling
    /// first, within Sentinel's limits; constants count among the identifiers.
    pub fn infer_sentinel(&self, columns: &[OutputColumn<'_>]) -> Proposal {
        let known = Columns::new(columns);
        let mut making = Making::default();
        // A query with such a column is refused unless a mapping uses it.
        for column in columns {
            if let Some(custom) = self.custom.get(column.name)
                && self.takes(&custom.entity, &custom.identifier, column.ty)
            {
                let fields = vec![(custom.identifier.as_str(), column.name)];
                making.propose(self, &custom.entity, BY_NAME, fields);
            }
        }
        for row in self.about(columns) {
            if making.roles.contains(&(&*row.entity, &*row.role)) {
                continue;
            }
            let (mut fields, mut mistyped) = (Vec::new(), Vec::new());
            for (identifier, names) in &row.sentinel.0 {
                let mut called = row.columns(names, &known);
                let taken = |c: &&OutputColumn<'_>| making.taken.contains(&(&*row.entity, c.name));
                let takes = |c: &&OutputColumn<'_>| self.takes(&row.entity, identifier, c.ty);
                match called.find(|c| !taken(c) && takes(c)) {
                    Some(column) => fields.push((identifier.as_str(), column.name)),
                    None => mistyped.extend(
                        row.columns(names, &known)
                            .find(|c| !taken(c))
                            .map(|column| (identifier.as_str(), *column)),
                    ),
                }
            }
            let mut missing = None;
            if !fields.is_empty() {
                for (identifier, text) in &row.constants {
                    match columns
                        .iter()
                        .find(|c| c.text.is_some_and(|held| same(held, text)))
                    {
                        Some(column) => fields.push((identifier.as_str(), column.name)),
                        None => missing = Some((identifier, text)),
                    }
                }
            }
            if !row
                .needs
                .iter()
                .all(|needed| fields.iter().any(|(identifier, _)| identifier == needed))
            {
                continue;
            }
            for (identifier, column) in &mistyped {
                let takes = self.types(&row.entity, identifier).to_vec();
                let why = Why::Type { ty: column.ty, takes };
                making.pass_over(&row.entity, &row.role, &[(identifier, column.name)], why);
            }
            if fields.is_empty() {
                continue;
            }
            let names: Vec<&str> = fields.iter().map(|(identifier, _)| *identifier).collect();
            if self.is_accepted(&row.entity, &names) {
                making.propose(self, &row.entity, &row.role, fields);
            } else {
                let why = match missing {
                    Some((identifier, text)) => Why::NoText {
                        identifier: identifier.clone(),
                        text: text.clone(),
                    },
                    None => Why::NotEnough(self.sentinel[&row.entity].required.clone()),
                };
                making.pass_over(&row.entity, &row.role, &fields, why);
            }
        }
        making.proposal
    }

    /// The Defender mappings that the output columns allow, most telling first.
    pub fn infer_defender(&self, columns: &[OutputColumn<'_>]) -> Vec<Inferred> {
        let known = Columns::new(columns);
        let mut taken = BTreeSet::new();
        let mut roles = BTreeSet::new();
        let mut found = Vec::new();
        for row in self.about(columns) {
            let Some(defender) = &row.defender else { continue };
            let list = defender.list.as_str();
            if roles.contains(&(list, row.role.as_str())) {
                continue;
            }
            let free = |c: &&OutputColumn<'_>| !taken.contains(&(list, c.name)) && is_text(c.ty);
            let fields: Vec<(&str, &str)> = defender
                .properties
                .0
                .iter()
                .filter_map(|(property, names)| {
                    let column = row.columns(names, &known).find(free)?;
                    Some((property.as_str(), column.name))
                })
                .collect();
            let names: Vec<&str> = fields.iter().map(|field| field.0).collect();
            if self.is_accepted_by_defender(list, &names) {
                taken.extend(fields.iter().map(|(_, column)| (list, *column)));
                roles.insert((list, row.role.as_str()));
                found.push(Inferred {
                    entity: list.to_owned(),
                    role: row.role.clone(),
                    fields: owned(&fields),
                    strong: true,
                });
            }
        }
        found
    }
}

impl Entities {
    /// The rows of the inference that speak of one of the columns, in their order.
    fn about(&self, columns: &[OutputColumn<'_>]) -> impl Iterator<Item = &Inference> {
        let names = columns.iter().flat_map(|c| [Some(c.name), c.source]);
        let rows: BTreeSet<usize> = names
            .flatten()
            .filter_map(|name| self.speaking.get(name))
            .flatten()
            .copied()
            .collect();
        rows.into_iter().filter_map(|row| self.inference.get(row))
    }
}

impl Inference {
    /// The columns of these names that the row is about, best first.
    fn columns<'c, 'a>(
        &'c self,
        names: &'c [String],
        columns: &'c Columns<'a>,
    ) -> impl Iterator<Item = &'c OutputColumn<'a>> {
        let is_one = |known: &[String], table: &str| {
            known.iter().any(|known| match known.strip_suffix('*') {
                Some(prefix) => table.starts_with(prefix),
                None => known == table,
            })
        };
        names
            .iter()
            .flat_map(|name| columns.called(name))
            .filter(move |column| match column.table {
                Some(table) => {
                    (self.tables.is_empty() || is_one(&self.tables, table)) && !is_one(&self.except, table)
                }
                None => self.tables.is_empty(),
            })
    }
}

/// Mappings in the making.
#[derive(Default)]
struct Making<'a> {
    proposal: Proposal,
    /// Entity and column.
    taken: BTreeSet<(&'a str, &'a str)>,
    /// Entity and role.
    roles: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Making<'a> {
    /// Makes a mapping of identifiers that are accepted, as far as the limits allow.
    fn propose(
        &mut self,
        known: &'a Entities,
        entity: &'a str,
        role: &'a str,
        fields: Vec<(&'a str, &'a str)>,
    ) {
        let limits = known.limits;
        if self.proposal.mappings.len() >= limits.mappings {
            self.pass_over(entity, role, &fields, Why::Mappings(limits.mappings));
            return;
        }
        let (kept, rest) = most_telling(known, entity, fields, limits.identifiers);
        if !rest.is_empty() {
            self.pass_over(entity, role, &rest, Why::Identifiers(limits.identifiers));
        }
        self.taken
            .extend(kept.iter().chain(&rest).map(|(_, column)| (entity, *column)));
        if role != BY_NAME {
            self.roles.insert((entity, role));
        }
        let names: Vec<&str> = kept.iter().map(|(identifier, _)| *identifier).collect();
        self.proposal.mappings.push(Inferred {
            entity: entity.to_owned(),
            role: role.to_owned(),
            strong: known.is_strong(entity, &names),
            fields: owned(&kept),
        });
    }

    fn pass_over(&mut self, entity: &str, role: &str, fields: &[(&str, &str)], why: Why) {
        let passed_over = PassedOver {
            entity: entity.to_owned(),
            role: role.to_owned(),
            fields: owned(fields),
            why,
        };
        // Two rows of one role may look at the same column, and of several hashes
        // of one file the first stands for all.
        let is_known = self.proposal.passed_over.iter().any(|known| {
            let same = known.entity == entity && known.role == role;
            let texts = matches!(
                (&known.why, &passed_over.why),
                (Why::NoText { .. }, Why::NoText { .. })
            );
            *known == passed_over || (same && texts)
        });
        if !is_known {
            self.proposal.passed_over.push(passed_over);
        }
    }
}

/// Identifier and column.
type Fields<'a> = Vec<(&'a str, &'a str)>;

/// As many identifiers as a mapping takes, and the rest: those first that name
/// one entity and no other, or at least make the mapping one that is accepted.
fn most_telling<'a>(
    known: &Entities,
    entity: &str,
    fields: Fields<'a>,
    most: usize,
) -> (Fields<'a>, Fields<'a>) {
    if fields.len() <= most {
        return (fields, Vec::new());
    }
    let names: Vec<&str> = fields.iter().map(|(identifier, _)| *identifier).collect();
    let sets = known.sentinel.get(entity).map(|e| (&e.strong, &e.required));
    let (strong, required) = sets.map_or((&[][..], &[][..]), |(s, r)| (s, r));
    let first = names.get(..most).unwrap_or_default();
    let kept: BTreeSet<&str> = if one_is_there(strong, first) {
        first.iter().copied().collect()
    } else {
        let there =
            |set: &&Vec<String>| set.len() <= most && set.iter().all(|name| names.contains(&name.as_str()));
        let set = strong.iter().find(there).or_else(|| required.iter().find(there));
        let set = set.into_iter().flatten().map(String::as_str);
        let mut kept: BTreeSet<&str> = set.collect();
        for name in &names {
            if kept.len() < most {
                kept.insert(name);
            }
        }
        kept.into_iter()
            .filter_map(|k| names.iter().find(|n| **n == k).copied())
            .collect()
    };
    fields
        .into_iter()
        .partition(|(identifier, _)| kept.contains(identifier))
}

/// Whether two spellings of an algorithm are the same: `SHA-256`, `sha256`.
fn same(held: &str, text: &str) -> bool {
    let plain = |text: &str| text.to_uppercase().replace(['-', '_'], "");
    plain(held) == plain(text)
}

fn is_text(ty: Type) -> bool {
    matches!(ty, Type::String | Type::Guid | Type::Unknown)
}

fn owned(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(field, column): &(&str, &str)| ((*field).to_owned(), (*column).to_owned());
    fields.iter().map(owned).collect()
}

/// Output columns by name: a search over all tables gives thousands.
struct Columns<'a> {
    named: HashMap<&'a str, Vec<OutputColumn<'a>>>,
    holding: HashMap<&'a str, Vec<OutputColumn<'a>>>,
}

impl<'a> Columns<'a> {
    fn new(columns: &[OutputColumn<'a>]) -> Self {
        let mut named: HashMap<&str, Vec<_>> = HashMap::with_capacity(columns.len());
        let mut holding: HashMap<&str, Vec<_>> = HashMap::new();
        for column in columns {
            named.entry(column.name).or_default().push(*column);
            if let Some(source) = column.source {
                holding.entry(source).or_default().push(*column);
            }
        }
        Columns { named, holding }
    }

    /// The columns of that very name, then those that hold the same under another.
    fn called(&self, name: &str) -> impl Iterator<Item = &OutputColumn<'a>> {
        let named = self.named.get(name).into_iter().flatten();
        named.chain(self.holding.get(name).into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pack;

    fn entities() -> Entities {
        Entities::load(&Pack::embedded()).unwrap()
    }

    fn columns<'a>(names: &[&'a str], table: &'a str) -> Vec<OutputColumn<'a>> {
        names
            .iter()
            .map(|name| OutputColumn {
                name,
                ty: Type::String,
                source: None,
                table: Some(table),
                text: None,
            })
            .collect()
    }

    fn shown(inferred: &[Inferred]) -> Vec<String> {
        let field = |(identifier, column): &(String, String)| format!("{identifier}={column}");
        let fields = |row: &Inferred| row.fields.iter().map(field).collect::<Vec<_>>().join(" ");
        inferred
            .iter()
            .map(|row| format!("{}: {}", row.entity, fields(row)))
            .collect()
    }

    #[test]
    fn sentinel_mappings() {
        let columns = columns(
            &[
                "DeviceId",
                "DeviceName",
                "InitiatingProcessAccountName",
                "InitiatingProcessAccountDomain",
                "SHA1",
            ],
            "DeviceEvents",
        );
        let inferred = entities().infer_sentinel(&columns);
        assert_eq!(
            shown(&inferred.mappings),
            [
                "Host: FullName=DeviceName",
                "Account: Name=InitiatingProcessAccountName NTDomain=InitiatingProcessAccountDomain",
            ]
        );
        assert!(inferred.mappings.iter().all(|mapping| mapping.strong));
        let why = Why::NoText {
            identifier: "Algorithm".to_owned(),
            text: "SHA1".to_owned(),
        };
        assert_eq!(inferred.passed_over[0].why, why);
    }

    #[test]
    fn defender_mappings() {
        let columns = columns(&["DeviceId", "FileName", "SHA1", "RemoteIP"], "DeviceEvents");
        assert_eq!(
            shown(&entities().infer_defender(&columns)),
            [
                "hosts: deviceId=DeviceId",
                "ips: address=RemoteIP",
                "files: name=FileName sha1=SHA1"
            ]
        );
    }

    #[test]
    fn tables_tell_columns_apart() {
        let user = |table| shown(&entities().infer_sentinel(&columns(&["UserId"], table)).mappings);
        assert_eq!(user("SigninLogs"), ["Account: AadUserId=UserId"]);
        assert_eq!(user("OfficeActivity"), ["Account: FullName=UserId"]);
        assert!(user("Other").is_empty());
    }

    #[test]
    fn renamed_columns_are_followed() {
        let column = OutputColumn {
            name: "Source",
            ty: Type::String,
            source: Some("DeviceName"),
            table: None,
            text: None,
        };
        assert_eq!(
            shown(&entities().infer_sentinel(&[column]).mappings),
            ["Host: FullName=Source"]
        );
    }

    #[test]
    fn types_decide() {
        let mut found = columns(
            &["DeviceName", "AccountName", "ProcessId", "ProcessCreationTime"],
            "T",
        );
        found[1].ty = Type::Dynamic;
        found[2].ty = Type::Long;
        found[3].ty = Type::DateTime;
        let inferred = entities().infer_sentinel(&found);
        assert_eq!(
            shown(&inferred.mappings),
            [
                "Host: FullName=DeviceName",
                "Process: ProcessId=ProcessId CreationTimeUtc=ProcessCreationTime"
            ]
        );
        let why = Why::Type {
            ty: Type::Dynamic,
            takes: vec!["string".to_owned()],
        };
        assert_eq!(inferred.passed_over[0].why, why);
    }

    #[test]
    fn a_hash_has_the_column_that_names_its_algorithm() {
        let mut found = columns(&["SHA256", "HashKind", "MD5"], "T");
        found[1].text = Some("sha-256");
        let inferred = entities().infer_sentinel(&found);
        assert_eq!(
            shown(&inferred.mappings),
            ["FileHash: Value=SHA256 Algorithm=HashKind"]
        );
        // One of several algorithms says it.
        assert!(inferred.passed_over.is_empty());
    }

    #[test]
    fn hosts_by_parts_or_whole() {
        let host = |names: &[&str]| shown(&entities().infer_sentinel(&columns(names, "T")).mappings);
        assert_eq!(
            host(&["HostName", "HostNameDomain", "DeviceName"]),
            ["Host: HostName=HostName DnsDomain=HostNameDomain"]
        );
        assert_eq!(host(&["HostName", "DeviceName"]), ["Host: FullName=DeviceName"]);
        assert_eq!(host(&["HostName"]), ["Host: HostName=HostName"]);
        assert_eq!(
            host(&["AccountName", "AccountUPNSuffix"]),
            ["Account: Name=AccountName UPNSuffix=AccountUPNSuffix"]
        );
    }

    #[test]
    fn limits_keep_what_tells_most() {
        let names = [
            "ProcessId",
            "ProcessCommandLine",
            "AccountName",
            "AccountSid",
            "AccountObjectId",
            "AccountUpn",
            "DeviceName",
            "RemoteIP",
            "IPAddress",
            "LocalIP",
            "FileName",
            "RegistryKey",
            "RegistryValueName",
            "RemoteUrl",
            "DnsQuery",
            "AppId",
        ];
        let inferred = entities().infer_sentinel(&columns(&names, "T"));
        assert_eq!(inferred.mappings.len(), 10);
        assert_eq!(
            shown(&inferred.mappings)[1],
            "Account: Name=AccountName Sid=AccountSid AadUserId=AccountObjectId"
        );
        let whys: Vec<&Why> = inferred.passed_over.iter().map(|p| &p.why).collect();
        assert_eq!(
            whys,
            [&Why::Identifiers(3), &Why::Mappings(10), &Why::Mappings(10)]
        );
        assert_eq!(inferred.passed_over[2].entity, "CloudApplication");
    }

    #[test]
    fn a_strong_set_is_kept_whole() {
        let fields = vec![
            ("Name", "a"),
            ("DisplayName", "b"),
            ("DnsDomain", "c"),
            ("NTDomain", "d"),
        ];
        let known = entities();
        let (kept, rest) = most_telling(&known, "Account", fields, 2);
        assert_eq!(kept, [("Name", "a"), ("NTDomain", "d")]);
        assert_eq!(rest, [("DisplayName", "b"), ("DnsDomain", "c")]);
    }

    #[test]
    fn columns_that_have_to_be_mapped_are() {
        let found = columns(&["AccountCustomEntity", "IPCustomEntity"], "T");
        assert_eq!(
            shown(&entities().infer_sentinel(&found).mappings),
            [
                "Account: FullName=AccountCustomEntity",
                "IP: Address=IPCustomEntity"
            ]
        );
    }

    #[test]
    fn some_tables_say_something_else() {
        let of = |table| {
            shown(
                &entities()
                    .infer_sentinel(&columns(&["ResourceId"], table))
                    .mappings,
            )
        };
        assert_eq!(of("AzureActivity"), ["AzureResource: ResourceId=ResourceId"]);
        assert!(of("AADSignInEventsBeta").is_empty());
    }
}
