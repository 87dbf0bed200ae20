//! Table functions of the platform, answered from tables that the user gives.

use std::collections::HashMap;

use rulec_functions::{Type, Value};

use super::{Expr, Result};
use crate::batch::Batch;
use crate::context::Context;
use crate::error::RuntimeError;
use crate::schema::{Column, Schema};
use crate::vector::Vector;

/// What `FileProfile` knows of a file, in order. Source: the reference of
/// Defender advanced hunting, "`FileProfile()`".
pub const FILE_PROFILE_COLUMNS: &[(&str, Type)] = &[
    ("SHA1", Type::String),
    ("SHA256", Type::String),
    ("MD5", Type::String),
    ("FileSize", Type::Long),
    ("GlobalPrevalence", Type::Long),
    ("GlobalFirstSeen", Type::DateTime),
    ("GlobalLastSeen", Type::DateTime),
    ("Signer", Type::String),
    ("Issuer", Type::String),
    ("SignerHash", Type::String),
    ("IsCertificateValid", Type::Bool),
    ("IsRootSignerMicrosoft", Type::Bool),
    ("SignatureState", Type::String),
    ("IsExecutable", Type::Bool),
    ("ThreatName", Type::String),
    ("Publisher", Type::String),
    ("SoftwareName", Type::String),
    ("ProfileAvailability", Type::String),
];

/// `invoke FileProfile(…)`: the columns of the input, then the function's.
///
/// Profiles come from a table `FileProfile` that has the columns of
/// [`FILE_PROFILE_COLUMNS`], as far as they are known. `hash` is a SHA1 or a
/// SHA256 in lower case and is looked up exactly; the first profile of a hash
/// counts. A file that has none gets nulls and "Missing" in
/// `ProfileAvailability`. `added` are the columns to add, each with the
/// function's column that it takes.
pub fn file_profile(
    ctx: &Context<'_>,
    input: &Batch,
    hash: &Expr<'_>,
    added: &[(Column, &str)],
) -> Result<Batch> {
    let profiles = ctx.table("FileProfile", &Schema::of(FILE_PROFILE_COLUMNS))?;
    let mut by_hash = HashMap::new();
    for profile in &profiles {
        for column in [0, 1] {
            let key = profile.str(column);
            if !key.is_empty() {
                by_hash.entry(key).or_insert(profile.index() as u32);
            }
        }
    }
    let found = input
        .iter()
        .map(|row| hash.of(row).as_str().and_then(|hash| by_hash.get(hash)).copied())
        .collect::<Vec<_>>();
    let mut columns = Vec::with_capacity(added.len());
    for (column, source) in added {
        let index = FILE_PROFILE_COLUMNS.iter().position(|(name, _)| name == source);
        let Some((vector, index)) = index.and_then(|index| Some((profiles.column(index)?, index))) else {
            return Err(RuntimeError::internal(format!(
                "`FileProfile` has no column `{source}`"
            )));
        };
        let vector = if *source == "ProfileAvailability" {
            let availability = found
                .iter()
                .map(|row| match row.map(|row| vector.str(row as usize)) {
                    None => Value::string("Missing"),
                    Some("") => Value::string("Available"),
                    Some(given) => Value::string(given),
                });
            Vector::from_values(Type::String, availability)
        } else {
            vector.select_or_null(FILE_PROFILE_COLUMNS[index].1, &found)
        };
        columns.push((column.clone(), vector));
    }
    input.append(columns, "invoke")
}
