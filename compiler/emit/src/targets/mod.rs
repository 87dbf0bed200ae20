//! The targets, one file or folder each.

mod defender;
pub mod native;
#[cfg(test)]
mod saving;
mod sentinel;
mod sigma;
#[cfg(test)]
pub(crate) mod testing;

use crate::Target;

pub use defender::Defender;
pub use native::Native;
pub use sentinel::Sentinel;
pub use sigma::Sigma;

/// All targets in the order they are listed and built.
pub fn all() -> &'static [&'static dyn Target] {
    &[&Sentinel, &Defender, &Native, &Sigma]
}

/// The target of that name.
pub fn by_name(name: &str) -> Option<&'static dyn Target> {
    all().iter().copied().find(|t| t.name() == name)
}

#[cfg(test)]
mod tests {
    use super::testing::*;
    use super::*;
    use crate::{Input, check, emit};
    use proptest::prelude::*;
    use rulec_model::{Environment, Origin};
    use rulec_source::Span;

    #[test]
    fn names_are_unique_and_have_templates() {
        let mut names: Vec<_> = all().iter().map(|target| target.name()).collect();
        for name in &names {
            assert!(by_name(name).is_some());
            assert!(
                context()
                    .pack
                    .text(&format!("templates/{name}/target.toml"))
                    .is_some()
            );
            assert!(!context().templates.names(name).is_empty());
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all().len());
        assert!(context().templates.diagnostics().is_empty());
    }

    #[test]
    fn each_target_takes_the_queries_made_for_it() {
        let mut rule = rule(vec![]);
        let query = |environment, name: &str| rulec_model::RuleQuery {
            environment,
            name: Some(name.to_owned()),
            ..rule.queries[0].clone()
        };
        rule.queries = vec![
            query(Some(Environment::M365), "Defender"),
            query(Some(Environment::Sentinel), "Sentinel"),
            query(Some(Environment::Sentinel), "Old tables"),
        ];
        let (settings, ir) = (resolved(), device_query());
        let mut paths = Vec::new();
        for target in all()
            .iter()
            .filter(|target| ["sentinel", "defender"].contains(&target.name()))
        {
            for index in 0..3 {
                let emitted = with_input(&rule, &settings, &ir, |input| {
                    emit(
                        *target,
                        context(),
                        &Input {
                            query: index,
                            ..*input
                        },
                    )
                });
                assert!(emitted.losses.is_empty());
                paths.extend(emitted.artifacts.into_iter().map(|artifact| artifact.path));
            }
        }
        assert_eq!(
            paths,
            [
                "sentinel/Detections/DeviceProcessEvents/RL-0001.yaml",
                "sentinel/arm/RL-0001.arm.json",
                "sentinel/Detections/DeviceProcessEvents/RL-0001.3.yaml",
                "sentinel/arm/RL-0001.3.arm.json",
                "defender/RL-0001.json"
            ]
        );
        rule.queries.remove(1);
        rule.queries.remove(1);
        // A query made for the other is better than none.
        let emitted = with_input(&rule, &settings, &ir, |input| emit(&Sentinel, context(), input));
        assert_eq!(emitted.artifacts.len(), 2);
    }

    #[test]
    fn columns_that_the_other_product_lacks_are_refused() {
        for (name, table, column) in [
            ("sentinel", "DeviceProcessEvents", "NoSuchColumn"),
            ("defender", "AuditLogs", "NoSuchColumn"),
        ] {
            let mut rule = rule(vec![]);
            rule.queries[0].text = format!("{table} | where {column}");
            let at = table.len() + 9;
            let mut ir = query(
                table,
                &[
                    "Timestamp",
                    "DeviceId",
                    "ReportId",
                    "DeviceName",
                    "AccountName",
                    column,
                ],
            );
            let root = ir.root.take().unwrap();
            ir.root = Some(rulec_ir::Rel {
                columns: root.columns.clone(),
                open: true,
                span: Span::new(at - 6, at + column.len()),
                kind: rulec_ir::RelKind::Filter {
                    input: Box::new(root),
                    predicate: rulec_ir::Expr {
                        kind: rulec_ir::ExprKind::Column(5),
                        ty: rulec_functions::Type::Bool,
                        span: Span::new(at, at + column.len()),
                    },
                },
            });
            let target = by_name(name).unwrap();
            let emitted = with_input(&rule, &resolved(), &ir, |input| emit(target, context(), input));
            let found: Vec<_> = emitted.losses.iter().map(|loss| loss.construct.clone()).collect();
            assert_eq!(found, [format!("column {table}.{column}")]);
            assert_eq!(emitted.losses[0].span.unwrap().of(&rule.queries[0].text), column);
            assert!(emitted.is_rejected() && emitted.artifacts.is_empty());
        }
    }

    /// Text that notations stumble over, mixed with any other.
    fn hard_text() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            "\n",
            "\r\n",
            "\t",
            ": ",
            " #",
            "- ",
            "\"",
            "'",
            "\\",
            "{{",
            "}}",
            "{%",
            "[",
            "]",
            "\u{85}",
            "\u{2028}",
            "\u{feff}",
            "---",
            "...",
            "\0",
            "\u{1f600}",
            "|",
            ">",
            "&a",
            "*a",
            "!x",
            "%",
            "@",
            "`",
            "yes",
            "~",
            "1.0",
            " ",
        ])
        .prop_map(str::to_owned);
        prop::collection::vec(
            prop_oneof![3 => pieces, 1 => any::<String>(), 2 => "[a-z]{1,5}"],
            1..8,
        )
        .prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

        /// Whatever the document says, artifacts load, stay in their folder and
        /// say what was meant; or there is a finding and no artifact.
        #[test]
        fn any_text_is_said_or_refused(id in hard_text(), title in hard_text(), about in hard_text(), query in hard_text()) {
            let mut rule = rule(vec![tag("TA0005", "T1055.002")]);
            rule.id = id;
            rule.title = title;
            rule.author = Some(about.clone());
            rule.sections[0].text = about.clone();
            rule.sections[1].text = about.clone();
            rule.versions[0].version = about.clone();
            rule.queries[0].text = query;
            let mut resolved = resolved();
            resolved.entities.origin = Origin::Derived("from columns".to_owned());
            resolved.alert = Some(said(rulec_model::AlertText { title: Some(about.clone()), description: Some(about) }));
            for target in all() {
                let emitted = with_input(&rule, &resolved, &device_query(), |input| emit(*target, context(), input));
                prop_assert_eq!(emitted.artifacts.is_empty(), emitted.diagnostics.iter().any(rulec_source::Diagnostic::is_error));
                for artifact in &emitted.artifacts {
                    let name = artifact.path.strip_prefix(&format!("{}/", target.name())).unwrap();
                    prop_assert!(name.matches('/').count() <= 4 && !name.contains('\\'));
                    prop_assert!(name.split('/').all(|part| !part.is_empty() && !part.starts_with('.')));
                    let text = std::str::from_utf8(&artifact.bytes).unwrap();
                    // Rust is not read back here; its own tests ask rustfmt.
                    if target.name() == "native" {
                        continue;
                    }
                    let yaml = name.rsplit('.').next() == Some("yaml");
                    let format = if yaml { check::Format::Yaml } else { check::Format::Json };
                    prop_assert!(check::load(format, text).unwrap().is_some());
                }
            }
        }
    }
}
