//! The properties of the front end on texts made by chance: any characters,
//! tokens in any order, pieces of queries, and own queries with damage.

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rulec_properties::{binder, lexer, own_queries, parser, printer};

/// Characters of every kind, from those of queries to what no query has.
fn any_unicode() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,60}",
        vec(any::<char>(), 0..60).prop_map(|chars| chars.into_iter().collect()),
        vec(select(ODD), 0..40).prop_map(|chars| chars.into_iter().collect()),
    ]
}

/// Characters that some rule of the lexer is about, and wide ones.
const ODD: &[char] = &[
    '"', '\'', '`', '~', '@', 'h', '\\', '\n', '\r', '\t', ' ', '\u{a0}', '\u{feff}', '\u{200b}', '/', '#',
    '!', '(', ')', '[', ']', '{', '}', '.', '0', '1', 'x', 'e', 'd', 'é', '“', '”', '„', '‘', '’', '日',
    '😀', '\u{0}', '$', '_', '-', '=', '<', '>', '|', ';', ':', ',', '*', '?', '%', '&', '^',
];

/// Tokens in any order, with and without blanks between them.
fn soup() -> impl Strategy<Value = String> {
    (vec(select(TOKENS), 0..40), select(vec![" ", "", "\n"])).prop_map(|(tokens, blank)| tokens.join(blank))
}

/// Whole operators one behind the other, so that most of the text is right.
fn pieces() -> impl Strategy<Value = String> {
    (select(SOURCES), vec(select(OPERATORS), 0..8), select(LETS))
        .prop_map(|(source, operators, lets)| format!("{lets}{source}\n{}", operators.join("\n")))
}

static OWN: LazyLock<Vec<String>> = LazyLock::new(own_queries);

/// Own queries with a part cut out, and with a token, or a part of another
/// query, put in.
fn damaged() -> impl Strategy<Value = String> {
    let place = || 0.0..1.0;
    let put = prop_oneof![
        select(TOKENS).prop_map(str::to_owned),
        (0..OWN.len(), place(), 0_usize..30).prop_map(|(own, at, len)| part(&OWN[own], at, len).1.to_owned()),
    ];
    let damage = (place(), prop_oneof![4 => 0_usize..5, 1 => 0_usize..200], put);
    (0..OWN.len(), vec(damage, 1..4)).prop_map(|(own, damages)| {
        let mut text = OWN[own].clone();
        for (at, len, put) in damages {
            let (before, _, after) = part(&text, at, len);
            text = format!("{before}{put}{after}");
        }
        text
    })
}

/// What stands before, in and behind `len` bytes at that share of a text.
fn part(text: &str, at: f64, len: usize) -> (&str, &str, &str) {
    let boundary = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = boundary((at * text.len() as f64) as usize);
    let end = boundary((start + len).min(text.len()));
    (&text[..start], &text[start..end], &text[end..])
}

macro_rules! hold {
    ($($subject:ident: $cases:literal;)*) => {$(
        mod $subject {
            use super::*;

            proptest! {
                #![proptest_config(ProptestConfig {
                    cases: $cases,
                    failure_persistence: None,
                    ..ProptestConfig::default()
                })]

                #[test]
                fn any_unicode(text in super::any_unicode()) {
                    $subject(&text);
                }

                #[test]
                fn any_tokens(text in soup()) {
                    $subject(&text);
                }

                #[test]
                fn pieces_of_queries(text in pieces()) {
                    $subject(&text);
                }

                #[test]
                fn damaged_queries(text in damaged()) {
                    $subject(&text);
                }
            }
        }
    )*};
}

hold! {
    lexer: 256;
    parser: 256;
    printer: 256;
    binder: 384;
}

const SOURCES: &[&str] = &[
    "DeviceProcessEvents",
    "DeviceEvents",
    "Unknown",
    "union Device*",
    "union withsource=t kind=outer DeviceInfo, (DeviceEvents | take 1)",
    "print a = 1, \"b\", c = dynamic({\"x\": [1, 2]})",
    "range x from 1 to 10 step 1",
    "datatable (a: string, b: long, d: dynamic) [\"x\", 1, dynamic(null)]",
    "t",
    "f(1)",
    "(t | take 1)",
    "find where a == 1 project a",
    "search in (DeviceInfo) \"x\"",
    "externaldata (a: string) [\"https://example.org/x\"] with (format=csv)",
    "_GetWatchlist('x')",
    "['a b']",
];

const LETS: &[&str] = &[
    "",
    "let t = DeviceProcessEvents | where FileName has \"x\";\n",
    "let f = (x: long) { DeviceInfo | take x };\n",
    "let f = (x: long, y: string = \"z\") { x + 1 }; let t = print a = f(1);\n",
    "let t = () { let u = materialize(DeviceInfo); u };\n",
    "let t = dynamic([1, 2]); // t\n",
    "declare query_parameters (t: string = \"x\");\n",
    "set truncationmaxrecords = 1; let t = view () { print b = 2 };\n",
];

const OPERATORS: &[&str] = &[
    "| where FileName == \"x\" and Timestamp > ago(1h)",
    "| where a in (1, 2) or b has_any (\"c\", \"d\")",
    "| where FileName in~ (t) or FileName matches regex @\"a.*\"",
    "| where DeviceId in ((t | project DeviceId))",
    "| where b between (1 .. 2)",
    "| extend a = 1, b = strlen(FileName), d = parse_json(AdditionalFields).x[0]",
    "| extend a = toscalar(t | count), bin(Timestamp, 1h)",
    "| extend AccountName = tostring(x), ['a b'] = y",
    "| project FileName, DeviceId, Timestamp, a",
    "| project-away A*, *b*",
    "| project-rename x = FileName",
    "| project-reorder b, *Id asc",
    "| project-keep File*",
    "| summarize count(), dcount(FileName), arg_max(Timestamp, *) by DeviceId",
    "| summarize n = make_set(a), take_any(*) by bin(Timestamp, 1h), x = b",
    "| summarize by FileName",
    "| join kind=leftouter (DeviceInfo | project DeviceId, OSPlatform) on DeviceId",
    "| join kind=inner hint.strategy=broadcast t on $left.a == $right.b",
    "| lookup t on DeviceId",
    "| mv-expand a, d to typeof(long) limit 5",
    "| mv-apply with_itemindex=i d to typeof(string) on (where d == 1 | top 1 by i)",
    "| make-series count() default=0 on Timestamp from ago(1d) to now() step 1h by FileName",
    "| parse kind=simple FileName with * \"a\" b: long \"c\" *",
    "| parse-where FileName with x \":\" y",
    "| parse-kv FileName as (a: string, b: long) with (pair_delimiter=\";\")",
    "| evaluate bag_unpack(d)",
    "| evaluate pivot(FileName)",
    "| partition by DeviceId (top 1 by Timestamp)",
    "| scan declare (s: long = 0) with (step a: true => s = s + 1;)",
    "| top-nested 2 of DeviceId by count(), top-nested of FileName by max(Timestamp)",
    "| top 5 by Timestamp desc nulls last",
    "| sort by FileName asc, a",
    "| distinct *",
    "| take 1",
    "| sample 5",
    "| count",
    "| getschema",
    "| serialize r = row_number()",
    "| union (DeviceInfo), t",
    "| fork a = (count) (take 1)",
    "| facet by FileName with (take 1)",
    "| reduce by FileName",
    "| invoke FileProfile(SHA1)",
    "| invoke f(1)",
    "| as y",
    "| render timechart with (title=\"x\")",
    "| consume",
    "| search FileName: \"x\"",
    "| make-graph a --> b with t on c",
    "| graph-match (n)-[e]->(m) where n.a == 1 project n.a",
    "// a comment",
    "| where // in between\n a == 1",
    "",
    ";",
];

const TOKENS: &[&str] = &[
    "T",
    "a",
    "b",
    "| where",
    "| extend",
    "| project",
    "| summarize",
    "| join kind=inner",
    "| mv-expand",
    "| make-series",
    "| parse",
    "| scan with",
    "| partition by",
    "| fork",
    "| render",
    "| union",
    "| top",
    "| evaluate",
    "| graph-match",
    "| mv-apply",
    "let",
    "set",
    "declare",
    "pattern",
    "query_parameters",
    "view",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "|",
    ",",
    ";",
    ":",
    ".",
    "..",
    "=",
    "==",
    "=>",
    "=~",
    "!~",
    "!=",
    "<",
    ">",
    "+",
    "-",
    "*",
    "/",
    "%",
    "@",
    "$left",
    "and",
    "or",
    "in",
    "!in~",
    "between",
    "has",
    "has_any",
    "by",
    "on",
    "with",
    "of",
    "to",
    "typeof",
    "dynamic",
    "datatable",
    "externaldata",
    "toscalar",
    "materialize",
    "\"x\"",
    "'y'",
    "@\"z\"",
    "h\"s\"",
    "```m\nn```",
    "\"open",
    "1",
    "1.5",
    "2h",
    "0x1f",
    "datetime(2020-01-01)",
    "int(null)",
    "long(",
    "true",
    "null",
    "// c\n",
    "\n",
    " ",
    "\t",
    "é",
    "“",
    "#x\n",
    "hint.strategy",
    "kind",
    "step",
    "asc",
    "nulls first",
    "default",
    "from",
    "limit",
    "step s: true;",
];
