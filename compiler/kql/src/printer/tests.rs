//! Layouts, one topic a test.

use super::*;
use crate::parse;

/// The layout of a text, which has to be stable.
fn formatted(text: &str) -> String {
    let printed = print(&parse(text));
    assert_eq!(print(&parse(&printed)), printed, "not stable");
    printed
}

/// Whether a text comes out as it went in.
fn stays(text: &str) {
    assert_eq!(formatted(text), text);
}

#[test]
fn one_operator_stands_on_a_line() {
    assert_eq!(
        formatted("T|where a==1 and b  has \"x\" |project a,b;"),
        "T\n| where a == 1 and b has \"x\"\n| project a, b;\n"
    );
    assert_eq!(
        formatted("let x=2*1h; print x|take 1"),
        "let x = 2*1h;\nprint x\n| take 1\n"
    );
}

#[test]
fn what_a_let_names_is_indented() {
    assert_eq!(
        formatted("let X = T\n| where a;\nlet y = U | count;\nX"),
        "let X =\n    T\n    | where a;\nlet y =\n    U\n    | count;\nX\n"
    );
    stays("let X = materialize(\n    T\n    | where a\n    | count\n);\nX\n");
    stays("let l = dynamic([\"a\", \"b\"]);\nT\n");
}

#[test]
fn functions_have_their_body_on_lines_of_its_own() {
    assert_eq!(
        formatted("let f=(x:int,y:string=\"a\"){\nlet z = 1; T\n| where a == x\n};\nf(1)"),
        "let f = (x: int, y: string = \"a\") {\n    let z = 1;\n    T\n    | where a == x\n};\nf(1)\n"
    );
    stays("let f = (x: int) { x + 1 };\nlet g = () { T | take 1 };\nprint f(1)\n");
    stays("let f = (\n    x: int,\n    y: int\n) {\n    T\n    | take x\n};\nf(1, 2)\n");
}

#[test]
fn queries_in_brackets_are_indented() {
    assert_eq!(
        formatted("T | join kind = inner (U | where a | project b) on c | take 1"),
        "T\n| join kind=inner (\n    U\n    | where a\n    | project b\n) on c\n| take 1\n"
    );
    assert_eq!(
        formatted("print x = toscalar(T | count)"),
        "print x = toscalar(T | count)\n"
    );
    stays("T\n| where a in ((U | project a))\n");
    stays("union (\n    T\n    | where a\n    | take 1\n), (\n    U\n    | take 2\n)\n");
    stays("T\n| mv-apply a on (\n    where a == 1\n    | take 1\n)\n");
    stays("T\n| partition by a { U | take 1 }\n");
}

#[test]
fn what_does_not_fit_is_broken_from_the_outside_in() {
    let long = ["alpha", "beta", "gamma", "delta"].map(|name| format!("{name}_{}", "x".repeat(20)));
    let [a, b, c, d] = &long;
    assert_eq!(
        formatted(&format!("T | project {a}, {b}, {c}, {d}")),
        format!("T\n| project\n    {a},\n    {b},\n    {c},\n    {d}\n")
    );
    assert_eq!(
        formatted(&format!("T | summarize x = count({a}), y = max({b}) by {c}, {d}")),
        format!("T\n| summarize x = count({a}), y = max({b})\n    by {c}, {d}\n")
    );
    assert_eq!(
        formatted(&format!("T | where {a} == 1 and ({b} or {c}) and {d}")),
        format!("T\n| where {a} == 1\n    and ({b} or {c})\n    and {d}\n")
    );
    assert_eq!(
        formatted(&format!("T | extend x = case({a} == 1, {b}, {c} == 2, {d}, 0)")),
        format!("T\n| extend x = case(\n    {a} == 1, {b},\n    {c} == 2, {d},\n    0\n)\n")
    );
    assert_eq!(
        formatted(&format!("T | where not({a} in (\"{b}\", \"{c}\", \"{d}\"))")),
        format!("T\n| where not({a} in (\n    \"{b}\", \"{c}\", \"{d}\"\n))\n")
    );
    assert_eq!(
        formatted(&format!("T | extend x = {a} + {b} + {c} * {d} + {a}")),
        format!("T\n| extend x = {a}\n    + {b}\n    + {c} * {d}\n    + {a}\n")
    );
    assert_eq!(
        formatted(&format!(
            "T | extend x = toupper(tolower(trim(\"{a}{b}\", strcat({a}, {b}))))"
        )),
        format!("T\n| extend x = toupper(tolower(trim(\n    \"{a}{b}\",\n    strcat({a}, {b})\n)))\n")
    );
}

#[test]
fn short_values_fill_lines_and_long_ones_have_their_own() {
    let names: Vec<String> = (10..40).map(|n| format!("\"name{n}\"")).collect();
    let text = formatted(&format!("T | where a in ({})", names.join(",")));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "| where a in (");
    assert!(lines[2].starts_with("    \"name10\", \"name11\", "));
    assert!(lines[2].len() > 85 && lines[2].len() <= WIDTH);
    assert_eq!(lines.last(), Some(&")"));
    let hash = "0123456789abcdef".repeat(4);
    stays(&format!(
        "T\n| where a in (\n    \"{hash}\",\n    \"{hash}\"\n)\n"
    ));
}

#[test]
fn one_item_a_line_stays_so() {
    stays("T\n| where a in (\n    \"x\",\n    \"y\"\n)\n");
    stays("T\n| where a == 1\n    and b == 2\n");
    stays("T\n| project\n    a,\n    b\n");
    stays("print case(\n    a, 1,\n    b, 2,\n    3\n)\n");
    stays("datatable(a: int, b: string) [\n    1, \"x\",\n    2, \"y\"\n]\n");
    // What is set otherwise is joined, or broken as a whole.
    assert_eq!(formatted("T | project a, b,\n c, d"), "T\n| project a, b, c, d\n");
    // Commas in front go behind.
    assert_eq!(
        formatted("T | project a\n , b\n , c"),
        "T\n| project\n    a,\n    b,\n    c\n"
    );
}

#[test]
fn comments_keep_their_places() {
    let text = "// head\nT // the table\n\n\n// why\n| where a // trailing\n  //and b\n  and c\n// end\n";
    assert_eq!(
        formatted(text),
        "// head\nT // the table\n\n// why\n| where a // trailing\n    //and b\n    and c\n// end\n"
    );
    stays("T\n| where a in (\n    \"x\", // first\n    // second\n    \"y\"\n    // last\n) // behind\n");
    stays("T\n| project\n    a // one\n    , b // two\n    , c\n");
    stays("T\n| where\n    // above\n    a == 1\n");
    stays("let x =\n    // the table\n    T\n    | take 1\n    // no more\n    ;\nx\n");
    stays("let f = () {\n    // nothing yet\n    T\n};\nf\n");
}

#[test]
fn empty_lines_are_kept_one_at_a_time() {
    assert_eq!(
        formatted("\n\nlet a = 1;\n\n\n\nlet b = 2;\nT\n\n| where (\n\n  x\n  or y\n\n)\n\n"),
        "let a = 1;\n\nlet b = 2;\nT\n\n| where (\n    x\n    or y\n)\n"
    );
}

#[test]
fn blanks_that_have_a_meaning_stay() {
    // `long (x)` is a call, `long(x)` a literal; `a*` a wildcard, `a *` none.
    for text in [
        "print long (x)\n",
        "T\n| project-away a*\n",
        "T\n| where x matches regex \"a\"\n",
        "print \"a\" \"b\"\n",
        "print ['a b'], $left.x, a[0].b\n",
        "search a:\"x\" or b : \"y\"\n",
    ] {
        stays(text);
    }
}

#[test]
fn line_ends_are_those_of_the_text() {
    assert_eq!(formatted("T\r\n|take 1"), "T\r\n| take 1\r\n");
    assert_eq!(formatted("T // x\r\n|take 1\r\n"), "T // x\r\n| take 1\r\n");
    assert_eq!(
        formatted("print ```a\n  b```|take 1"),
        "print ```a\n  b```\n| take 1\n"
    );
}

#[test]
fn a_text_with_errors_is_left_alone() {
    assert_eq!(print(&parse("T |  where")), "T |  where");
}

#[test]
fn nothing_stays_nothing() {
    assert_eq!(formatted(""), "");
    assert_eq!(formatted(" // only this \n"), "// only this\n");
}
