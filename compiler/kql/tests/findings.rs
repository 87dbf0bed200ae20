//! One mistake is one finding, and several mistakes are all found.

use rulec_kql::parse;

#[test]
fn one_mistake_is_one_finding() {
    for (text, code) in [
        ("T\n| where (a == 1 and b == 2\n| project a\n| take 1", "RK115"),
        ("T\n| where a == 1\nproject a, b\n| take 1", "RK113"),
        ("T\n| where f(a, b\n| take 1", "RK115"),
        ("T\n| wher a == 1\n| take 1", "RK108"),
        ("T\n| where a == \n| take 1", "RK106"),
        ("T\n| where a = = 1\n| take 1", "RK106"),
        ("T\n| project a b, c\n| take 1", "RK114"),
        ("let x = 1\nlet y = 2;\nT | take x", "RK116"),
        ("let x = 1\nT\n| take x", "RK116"),
        ("T\n| where a == \"open\n| take 1", "RK102"),
        ("T\n| where a == \"c:\\users\"\n| take 1", "RK103"),
        ("T\n| where a == datetime(2020-01-01\n| take 1", "RK104"),
        ("T\n| where a ^ b\n| take 1", "RK101"),
        ("T\n| extend kind = 1\n| take 1", "RK111"),
        ("T\n| extend where\n| take 1", "RK106"),
        ("T\n| sort a\n| take 1", "RK105"),
        ("datatable (a: strin) [1]", "RK112"),
        ("T\n| take 1 2 3\n| count", "RK109"),
        (".show tables", "RK109"),
        ("T\n| where a == “x”\n| take 1", "RK101"),
    ] {
        let parsed = parse(text);
        let codes: Vec<&str> = parsed.diagnostics.iter().map(|d| d.code.id).collect();
        assert_eq!(codes, [code], "{text}\n{:#?}", parsed.diagnostics);
    }
}

#[test]
fn several_mistakes_are_all_found() {
    let parsed = parse("T\n| where a ==\n| project b c\n| sort d\n| take 1;\nU | wher x");
    let codes: Vec<&str> = parsed.diagnostics.iter().map(|d| d.code.id).collect();
    assert_eq!(
        codes,
        ["RK106", "RK114", "RK105", "RK108"],
        "{:#?}",
        parsed.diagnostics
    );
}
