//! What holds of all rows, and of all kernels on any arguments.

use std::collections::HashSet;

use proptest::prelude::*;
use rulec_functions::{
    Arg, Kind, Type, Value, aggregate, aggregates, calendar, json, order, regexes, scalar, scalars, text,
};

#[test]
fn names_are_found_and_unique() {
    let mut seen = HashSet::new();
    for row in scalars() {
        for name in std::iter::once(&row.name).chain(row.aliases) {
            assert!(seen.insert(*name), "{name} twice");
            assert_eq!(scalar(name).map(|found| found.name), Some(row.name));
        }
    }
    let mut seen = HashSet::new();
    for row in aggregates() {
        for name in std::iter::once(&row.name).chain(row.aliases) {
            assert!(seen.insert(*name), "{name} twice");
            assert_eq!(aggregate(name).map(|found| found.name), Some(row.name));
        }
    }
    assert!(scalar("ToLower").is_none());
}

#[test]
fn rows_are_whole() {
    for row in scalars() {
        assert_eq!(row.kernel.is_some(), !row.path.is_empty(), "{}", row.name);
        assert!(row.doc.ends_with('.'), "{}", row.name);
        assert!(row.max.is_none_or(|max| max >= row.min), "{}", row.name);
        assert!(row.kind != Kind::Operator || row.kernel.is_some(), "{}", row.name);
        if let Some(instead) = row.deprecated {
            assert!(
                scalar(instead).is_some_and(|new| new.deprecated.is_none()),
                "{}",
                row.name
            );
        }
    }
    for row in aggregates() {
        assert_eq!(row.new.is_some(), !row.path.is_empty(), "{}", row.name);
        assert!(row.doc.ends_with('.') && !row.examples.is_empty(), "{}", row.name);
        if let Some(instead) = row.deprecated {
            assert!(aggregate(instead).is_some(), "{}", row.name);
        }
    }
}

/// Any text: mostly what functions look for.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,12}",
        "[0-9.:/ -]{0,16}",
        "[a-z(){}\\[\\]*+?|^$\\\\.]{0,12}",
        Just("192.168.1.1/24".to_owned()),
        Just("2017-01-01T00:00:00Z".to_owned()),
        Just("day".to_owned()),
        Just("$.a[0]".to_owned()),
        Just("windows".to_owned()),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    // Datetimes are out of range, too: kernels must survive what sums make.
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(Value::Int),
        prop_oneof![any::<i64>(), -5i64..5, Just(i64::MIN), Just(i64::MAX)].prop_map(Value::Long),
        prop_oneof![any::<f64>(), -5.0..5.0, Just(f64::NAN), Just(f64::INFINITY)].prop_map(Value::Real),
        any::<i64>().prop_map(|n| Value::Decimal(n.into())),
        prop_oneof![0..=calendar::MAX, Just(0), Just(rulec_functions::calendar::MAX)]
            .prop_map(Value::DateTime),
        prop_oneof![any::<i64>(), Just(i64::MIN), Just(0)].prop_map(Value::TimeSpan),
        any::<u128>().prop_map(Value::Guid),
        any_text().prop_map(Value::string),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::array),
            prop::collection::vec((any_text(), inner), 0..4).prop_map(|entries| {
                let entries = entries.into_iter().map(|(key, value)| (key.into(), value));
                Value::Bag(std::sync::Arc::new(entries.collect()))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// No kernel panics, and what it gives prints.
    #[test]
    fn kernels_are_total(args in prop::collection::vec(any_value(), 0..7)) {
        for row in scalars() {
            // These make as much as they are asked for.
            if let Some(kernel) = row.kernel && !matches!(row.name, "range" | "repeat") {
                let _ = text::print(&kernel(&args));
            }
        }
    }

    #[test]
    fn accumulators_are_total(rows in prop::collection::vec(prop::collection::vec(any_value(), 0..4), 0..6)) {
        for row in aggregates() {
            let Some(new) = row.new else { continue };
            for whole in [true, false] {
                let mut state = new(rows.first().map_or(&[][..], |row| &row[..]));
                for args in &rows {
                    state.add(args);
                }
                let _ = state.size();
                let _ = if whole { vec![state.finish()] } else { state.finish_row() };
            }
        }
    }

    #[test]
    fn types_are_total(types in prop::collection::vec(0..11usize, 0..7)) {
        let of = |i: &usize| Type::NAMED.get(*i).copied().unwrap_or(Type::Unknown);
        let args: Vec<Arg<'_>> = types.iter().map(|ty| Arg::of(of(ty))).collect();
        for rule in scalars().map(|row| row.result).chain(aggregates().map(|row| row.result)) {
            let _ = rule(&args);
        }
    }

    /// Text that parses prints and parses the same again.
    #[test]
    fn printed_text_parses(ticks in 0..=calendar::MAX, span in any::<i64>(), real in any::<f64>(), guid in any::<u128>()) {
        prop_assert_eq!(text::parse_datetime(&text::print_datetime(ticks)), Some(ticks));
        if span != i64::MIN {
            prop_assert_eq!(text::parse_timespan(&text::print_timespan(span)), Some(span));
        }
        prop_assert_eq!(text::parse_real(&text::print_real(real)), Some(real));
        prop_assert_eq!(text::parse_guid(&text::print_guid(guid)), Some(guid));
    }

    #[test]
    fn text_parsers_are_total(input in ".{0,40}") {
        let _ = (text::parse_datetime(&input), text::parse_timespan(&input), text::parse_real(&input));
        let _ = (text::parse_decimal(&input), text::parse_guid(&input), text::parse_long(&input));
        let _ = (json::parse_json(&input), regexes::compile(&input));
    }

    /// The order is total, and equal keys order equal.
    #[test]
    fn order_is_total(a in any_value(), b in any_value(), c in any_value()) {
        prop_assert_eq!(order::compare(&a, &b), order::compare(&b, &a).reverse());
        if order::compare(&a, &b).is_le() && order::compare(&b, &c).is_le() {
            prop_assert!(order::compare(&a, &c).is_le());
        }
        if order::same(&a, &b) {
            prop_assert!(order::compare(&a, &b).is_eq());
        }
    }
}
