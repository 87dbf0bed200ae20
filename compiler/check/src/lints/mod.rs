//! The lints, one file each.

use rulec_kql::TokenKind;
use rulec_source::{Code, Severity, Span};

use crate::Lint;

mod abbreviated_hive;
mod ago_in_future;
mod alerts_repeat;
mod always_either;
mod and_or_mixed;
mod assignment_in_where;
mod attack_name;
mod attack_other_version;
mod between_reversed;
mod cased_name;
mod caseless_without_letters;
mod commented_out_stage;
mod constant_condition;
mod contains_of_terms;
mod count_as_result;
mod data_source_unused;
mod dedup_field_missing;
mod deprecated_function;
mod distinct_after_summarize;
mod doubled_backslash;
mod duplicate_value;
mod empty_list;
mod empty_needle;
mod empty_section;
mod equal_to_null;
mod event_columns_apart;
mod event_undeclared;
mod event_unused;
mod expand_cut_short;
mod extract_without_group;
mod fixed_date;
mod gap_between_runs;
mod has_without_term;
mod hash_comparison;
mod impacted_asset;
mod incomplete_entity;
mod ingestion_time_lost;
mod insecure_reference;
mod ip_as_text;
mod join_without_kind;
mod json_before_filter;
mod late_events_lost;
mod late_time_filter;
mod lookback_cut;
mod lower_never_equal;
mod mapped;
mod mapped_case;
mod mapped_column;
mod mapped_type;
mod materialize_once;
mod missing_section;
mod missing_tactic;
mod needless_lower;
mod never_both;
mod path_in_file_name;
mod placeholder_text;
mod prose;
mod regex_anchored;
mod regex_surrounded;
mod regex_unescaped_dot;
mod regex_without_pattern;
mod repeated_condition;
mod revoked_technique;
mod rows_left_out;
mod same_branches;
mod schedule;
mod search_everywhere;
mod severity_missing;
mod short_description;
mod signed_address;
mod sort_without_effect;
mod subtechnique_alone;
mod syntax;
mod table_undeclared;
mod tactic_mismatch;
mod target_columns;
mod time_bounds_disagree;
mod title_punctuation;
mod toscalar;
mod unfiltered_join_side;
mod unfinished_query;
mod union_column_types;
mod union_wildcard;
mod unknown_entity;
mod unknown_identifier;
mod unknown_technique;
mod unstable_hash;
mod unused_column;
mod unused_let;
mod version_date;
mod version_notes;
mod version_order;
mod weak_entity;
mod whole_number_division;
mod wildcard_taken_literally;

use prose::{heading, is_date, placeholder};

/// Where a setting came from that the document does not say.
const CONFIG: &str = "the mapping comes from [defaults] in rulec.toml";

const fn code(id: &'static str, name: &'static str, severity: Severity, summary: &'static str) -> Code {
    Code {
        id,
        name,
        severity,
        summary,
    }
}

/// All lints, in the order of their codes.
pub(crate) const ALL: &[Lint] = &[
    mapped_column::LINT,
    unknown_entity::LINT,
    unknown_technique::LINT,
    tactic_mismatch::LINT,
    attack_name::LINT,
    data_source_unused::LINT,
    table_undeclared::LINT,
    missing_section::LINT,
    deprecated_function::LINT,
    toscalar::LINT,
    unstable_hash::LINT,
    hash_comparison::LINT,
    revoked_technique::LINT,
    attack_other_version::LINT,
    missing_tactic::LINT,
    subtechnique_alone::LINT,
    event_unused::LINT,
    event_undeclared::LINT,
    has_without_term::LINT,
    caseless_without_letters::LINT,
    cased_name::LINT,
    lower_never_equal::LINT,
    needless_lower::LINT,
    regex_without_pattern::LINT,
    regex_surrounded::LINT,
    regex_anchored::LINT,
    regex_unescaped_dot::LINT,
    contains_of_terms::LINT,
    duplicate_value::LINT,
    equal_to_null::LINT,
    empty_list::LINT,
    constant_condition::LINT,
    never_both::LINT,
    always_either::LINT,
    repeated_condition::LINT,
    between_reversed::LINT,
    ago_in_future::LINT,
    fixed_date::LINT,
    join_without_kind::LINT,
    rows_left_out::LINT,
    sort_without_effect::LINT,
    distinct_after_summarize::LINT,
    count_as_result::LINT,
    whole_number_division::LINT,
    search_everywhere::LINT,
    union_wildcard::LINT,
    late_time_filter::LINT,
    unfiltered_join_side::LINT,
    json_before_filter::LINT,
    unused_let::LINT,
    unused_column::LINT,
    materialize_once::LINT,
    assignment_in_where::LINT,
    empty_needle::LINT,
    wildcard_taken_literally::LINT,
    doubled_backslash::LINT,
    and_or_mixed::LINT,
    ip_as_text::LINT,
    extract_without_group::LINT,
    same_branches::LINT,
    empty_section::LINT,
    placeholder_text::LINT,
    insecure_reference::LINT,
    version_order::LINT,
    version_date::LINT,
    version_notes::LINT,
    short_description::LINT,
    title_punctuation::LINT,
    unfinished_query::LINT,
    commented_out_stage::LINT,
    mapped_case::LINT,
    mapped_type::LINT,
    unknown_identifier::LINT,
    incomplete_entity::LINT,
    weak_entity::LINT,
    dedup_field_missing::LINT,
    target_columns::LINT,
    event_columns_apart::LINT,
    impacted_asset::LINT,
    gap_between_runs::LINT,
    late_events_lost::LINT,
    alerts_repeat::LINT,
    lookback_cut::LINT,
    ingestion_time_lost::LINT,
    time_bounds_disagree::LINT,
    expand_cut_short::LINT,
    union_column_types::LINT,
    path_in_file_name::LINT,
    abbreviated_hive::LINT,
    signed_address::LINT,
    severity_missing::LINT,
];

/// Their codes.
pub(crate) const CODES: [Code; ALL.len()] = {
    let mut codes = [ALL[0].code; ALL.len()];
    let mut i = 0;
    while i < ALL.len() {
        codes[i] = ALL[i].code;
        i += 1;
    }
    codes
};

/// Names in front of a parenthesis.
fn calls(parsed: &rulec_kql::Parsed) -> impl Iterator<Item = (&str, Span)> {
    let trivia = |kind| matches!(kind, TokenKind::Whitespace | TokenKind::Comment);
    let tokens: Vec<_> = parsed.tokens.iter().filter(|t| !trivia(t.kind)).collect();
    let called = tokens
        .windows(2)
        .filter(|pair| pair[1].kind == TokenKind::OpenParen)
        .map(|pair| pair[0].span);
    called
        .map(|span| (span.of(&parsed.text), span))
        .collect::<Vec<_>>()
        .into_iter()
}
