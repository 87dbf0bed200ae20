use super::*;

fn tables(environment: Environment) -> Tables {
    Tables::new(&Pack::embedded(), environment).unwrap()
}

fn with(file: &str, text: &str, environment: Environment) -> Result<Tables, FactsError> {
    let files = BTreeMap::from([(format!("schema/tables/{file}"), text.as_bytes().to_vec())]);
    Tables::new(&Pack::embedded().overlay(files), environment)
}

#[test]
fn the_embedded_files_are_well_formed() {
    for name in ["m365", "sentinel", "docs"] {
        let path = format!("schema/tables/{name}.txt");
        Compact::load(&Pack::embedded(), &path)
            .unwrap()
            .verify(&path)
            .unwrap();
    }
}

#[test]
fn every_table_is_found_by_its_name() {
    for environment in Environment::ALL {
        let tables = tables(environment);
        for name in tables.names() {
            let table = tables.get(name).unwrap();
            assert_eq!(table.name, name);
            assert!(!table.columns.is_empty(), "{name}");
        }
        assert_eq!(tables.get("NoSuchTable"), None);
        assert_eq!(tables.get(""), None);
    }
}

#[test]
fn columns_keep_their_order() {
    let table = tables(Environment::M365).get("AlertInfo").unwrap();
    let names: Vec<_> = table
        .columns
        .iter()
        .take(3)
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["Timestamp", "AlertId", "Title"]);
    assert_eq!(table.column("Timestamp"), Some(Type::DateTime));
    assert_eq!(table.column("timestamp"), None);
}

#[test]
fn merged_columns_take_sentinels_order_and_defenders_types() {
    let merged = tables(Environment::MergedColumns)
        .get("DeviceProcessEvents")
        .unwrap();
    assert_eq!(merged.columns[0].0, "TenantId");
    assert_eq!(merged.column("AdditionalFields"), Some(Type::String));
    let sentinel = tables(Environment::Sentinel).get("DeviceProcessEvents").unwrap();
    assert_eq!(sentinel.column("AdditionalFields"), Some(Type::Dynamic));
    let whole = tables(Environment::Merged).get("DeviceProcessEvents").unwrap();
    assert_eq!(
        whole,
        tables(Environment::M365).get("DeviceProcessEvents").unwrap()
    );
    assert!(tables(Environment::Merged).get("AWSCloudTrail").is_some());
}

#[test]
fn renamed_tables_are_still_known_under_their_old_names() {
    let old = tables(Environment::M365).get("AADSignInEventsBeta").unwrap();
    assert_eq!(old.column("AadDeviceId"), Some(Type::String));
}

#[test]
fn functions_belong_to_environments() {
    let defender = tables(Environment::M365);
    let profile = defender.function("FileProfile").unwrap();
    assert_eq!(profile.parameters[0].default.as_deref(), Some("''"));
    assert!(profile.parameters[0].column);
    let FunctionResult::Appends(columns) = &profile.result else {
        panic!("{profile:?}")
    };
    assert_eq!(columns[4], ("GlobalPrevalence".to_owned(), Type::Long));
    assert!(defender.function("_GetWatchlist").is_none());
    assert!(tables(Environment::Sentinel).function("FileProfile").is_none());
    assert!(tables(Environment::Merged).function("FileProfile").is_some());
    assert_eq!(tables(Environment::None).functions().count(), 0);
}

#[test]
fn watchlists() {
    let tables = with(
        "mine.yaml",
        "watchlists: [{alias: Assets, columns: {Hostname: string, Tier: long}}]",
        Environment::Sentinel,
    )
    .unwrap();
    let known = tables.watchlist("Assets");
    assert_eq!(known.column("Tier"), Some(Type::Long));
    assert_eq!(known.column("SearchKey"), Some(Type::String));
    assert!(!known.open);
    assert!(tables.watchlist("Other").open);
}

#[test]
fn a_repository_adds_and_extends_tables() {
    let text = "
tables:
  - name: MyApp_CL
    environments: [sentinel]
    columns: {TimeGenerated: datetime, Message: string}
  - name: AuditLogs
    extend: true
    open: true
    columns: {Extra: long}
";
    let sentinel = with("mine.yaml", text, Environment::Sentinel).unwrap();
    assert_eq!(sentinel.get("MyApp_CL").unwrap().columns.len(), 2);
    let audit = sentinel.get("AuditLogs").unwrap();
    assert_eq!(audit.columns.last().unwrap(), &("Extra".to_owned(), Type::Long));
    assert!(audit.open && audit.column("TimeGenerated").is_some());
    assert!(sentinel.names().contains(&"MyApp_CL"));
    assert!(
        with("mine.yaml", text, Environment::M365)
            .unwrap()
            .get("MyApp_CL")
            .is_none()
    );
}

#[test]
fn mistakes_in_additions_are_named() {
    let error = |text: &str| {
        with("mine.yaml", text, Environment::Sentinel)
            .unwrap_err()
            .to_string()
    };
    let message = error("tables:\n  - name: A\n    colums: {}\n");
    assert!(message.starts_with("schema/tables/mine.yaml:"), "{message}");
    assert!(message.contains("unknown field `colums`"), "{message}");
    let message = error("tables:\n  - name: A\n    columns:\n      X: strin\n");
    assert!(
        message.contains("unknown type 'strin', expected one of bool, int"),
        "{message}"
    );
    let message = error("functions: [{name: F, scalar: long, body: X}]");
    assert!(message.contains("function 'F' needs exactly one of"), "{message}");
    let message = error("tables:\n  - name: A\n    columns:\n      X: long\n      X: long\n");
    assert!(message.contains("'X' is given twice"), "{message}");
}

#[test]
fn mistakes_in_a_replaced_file_are_named() {
    let error = |text: &str| with("m365.txt", text, Environment::M365).unwrap_err().to_string();
    assert_eq!(
        error("# mine\nB X\nA X\n"),
        "schema/tables/m365.txt:3: 'A' has to stand before 'B': lines are sorted by name"
    );
    assert_eq!(
        error("A X:strin\n"),
        "schema/tables/m365.txt:1: column 'X' has the unknown type 'strin'"
    );
    assert_eq!(
        with("m365.txt", "A X:long Y\n", Environment::M365)
            .unwrap()
            .names(),
        ["A"]
    );
}

#[test]
fn close_names_are_offered() {
    assert_eq!(
        tables(Environment::M365).close_matches("DeviceEvent")[0],
        "DeviceEvents"
    );
}
