//! What RE2 takes and what it refuses, as a table. The cases are those of
//! RE2's syntax page and of what its parser does at the edges.

use rulec_functions::regexes::compile;

/// Patterns, texts in which they match, and texts in which they do not.
const TAKES: &[(&str, &[&str], &[&str])] = &[
    // Literals that look like something else.
    ("^[0-9]{1-3}+$", &["5{1-3}", "5{1-3}}}"], &["5"]),
    ("a{,2}", &["a{,2}"], &["aa"]),
    ("a{1,x}", &["a{1,x}"], &["aa"]),
    ("a{01}", &["a{01}"], &["a"]),
    ("a{123456789}", &["a{123456789}"], &["a"]),
    ("{x}", &["{x}"], &[]),
    ("a{", &["a{"], &[]),
    ("}]", &["}]"], &[]),
    // Repetitions.
    ("a{2}", &["aa"], &["a"]),
    ("^a{2,}$", &["aa", "aaaa"], &["a"]),
    ("^a{0,1}b$", &["b", "ab"], &["aab"]),
    ("a{1000}b*?", &[], &["a"]),
    ("^(?:a{30}){33}$", &[], &["a"]),
    ("a{0}b", &["b"], &[]),
    ("(a*)*b", &["aab", "b"], &[]),
    ("(?:a*)+", &["aaa", ""], &[]),
    ("^*a", &["a"], &[]),
    ("a\\b+", &["a"], &[]),
    ("^a(?i)*b$", &["aaB"], &["AB"]),
    ("a*\\Q\\E*", &["aa"], &[]),
    ("x*?y", &["xxy"], &[]),
    ("x{2,3}?", &["xx", "xxx"], &[]),
    // Quotation.
    ("\\Qa.b\\E+", &["a.bb"], &["acb"]),
    ("\\Q[(*", &["[(*"], &[]),
    ("\\Qa\\b\\E", &["a\\b"], &[]),
    ("\\Q\\Ea", &["a"], &[]),
    // Escapes.
    ("\\101\\x42\\x{43}\\060", &["ABC0"], &[]),
    ("\\0", &["\0"], &[]),
    ("\\377", &["\u{ff}"], &[]),
    ("\\a\\f\\t\\n\\r\\v", &["\u{7}\u{c}\t\n\r\u{b}"], &[]),
    ("\\\"\\'\\/\\-\\ \\<\\>\\@", &["\"'/- <>@"], &[]),
    ("a\\Cb", &["axb", "a\nb"], &["ab"]),
    ("\\Aab\\z", &["ab"], &["ab\n"]),
    ("ab$", &["ab"], &["ab\n"]),
    ("\\x{D800}|a", &["a"], &[]),
    ("x*\\x{10FFFF}?", &["x"], &[]),
    // Perl's classes know ASCII only.
    ("^\\d$", &["5"], &["\u{663}"]),
    ("^\\w$", &["a", "_"], &["é"]),
    ("^\\W$", &["é", "-"], &["a"]),
    ("^\\s$", &["\t", "\n", "\u{c}", "\r", " "], &["\u{b}", "\u{a0}"]),
    ("\\bé", &[], &["é"]),
    ("é\\ba", &["éa"], &[]),
    // Unicode classes.
    ("^\\pN$", &["5", "\u{663}"], &["a"]),
    ("\\p{Greek}+", &["αβ"], &["a"]),
    ("\\P{Greek}|\\p{^Greek}", &["a"], &["α"]),
    ("[\\pL\\d]+", &["é5"], &["-"]),
    ("\\p{Lu}\\P{Lu}\\PN", &["Aaa"], &["aaa"]),
    ("\\p{Old_Italic}|\\p{Yi}|\\p{Han}|\\p{Any}", &["x"], &[]),
    ("\\pC", &["\u{1}", "\u{ad}"], &["a"]),
    // Classes.
    ("[[a]+", &["[a"], &[]),
    ("[a&&b]", &["&", "a", "b"], &["c"]),
    ("^[a~~b]$", &["~"], &[]),
    ("[]a]+", &["]a"], &[]),
    ("[^]a]", &["b"], &["]", "a"]),
    ("[\\w.-]+", &["a.b-c"], &["/"]),
    ("[a-z-]+", &["b-"], &["A"]),
    ("[-a]+", &["-a"], &["b"]),
    ("^[a-c-e]$", &["b", "-", "e"], &["d"]),
    ("^[\\d-z]$", &["5", "-", "z"], &["a"]),
    ("^[+--]$", &["+", ",", "-"], &["."]),
    ("^[!--]$", &["+"], &["."]),
    ("[\\]\\[\\^\\-]+", &["][^-"], &["a"]),
    ("[\\x{41}-\\103]+", &["ABC"], &["D"]),
    ("[\\D]", &["a"], &["5"]),
    ("[^\\d\\s]", &["a"], &["5", " "]),
    ("[^\\D5]", &["4"], &["5", "a"]),
    ("[[:alpha:][:digit:]_]+", &["aZ5_"], &["-"]),
    ("[[:^alpha:]]+", &["5-"], &["a"]),
    ("[^[:word:]]", &["-"], &["a"]),
    (
        "[[:ascii:][:blank:][:cntrl:][:graph:][:lower:][:print:][:punct:][:space:][:upper:][:xdigit:][:alnum:]]",
        &["a"],
        &["é"],
    ),
    ("[[:x]+", &["[:x"], &["a"]),
    ("[^a]", &["\n", "b"], &["a"]),
    ("[\\a\\n]", &["\u{7}", "\n"], &["a"]),
    ("[é-ü]", &["ö"], &["e"]),
    // Groups and flags.
    ("(?P<n>x)(?<m>y)", &["xy"], &[]),
    ("(?P<1st>x)", &["x"], &[]),
    ("(?i)straße", &["STRAßE", "Straße"], &["strasse"]),
    ("(?i:a)b", &["Ab"], &["AB"]),
    ("(?i)a(?-i)b", &["Ab"], &["AB"]),
    ("(?i-s:a.)", &["AB"], &["a\n"]),
    ("(?s)a.b", &["a\nb"], &[]),
    ("a.b", &["axb"], &["a\nb"]),
    ("(?m)^b$", &["b"], &["ab"]),
    ("(?U)a+", &["a"], &[]),
    ("(?ii)a", &["A"], &[]),
    ("(?i-i)a", &["a"], &["A"]),
    ("(?)a(?:)", &["a"], &[]),
    ("(?ims)a", &["A"], &[]),
    ("((a)|(?:b))*()", &["abba", ""], &[]),
    ("(|a)(b||c)", &["ab", "c"], &[]),
    ("", &[""], &[]),
    ("(?i)[^a]", &["b"], &["A"]),
    ("(?i)k", &["\u{212a}"], &[]),
];

const REFUSES: &[&str] = &[
    // Repetitions of nothing, or of repetitions.
    "a**",
    "a*+",
    "a+*",
    "a++",
    "a???",
    "a{2}{3}",
    "a*{2}",
    "a{2}*",
    "*a",
    "+",
    "?",
    "(*a)",
    "a|*",
    "(?:+)",
    "(?i)*",
    "\\Q\\E*",
    "{2}",
    "^**",
    // Too many of them, also within one another.
    "a{1001}",
    "a{1001,}",
    "a{0,1001}",
    "a{2,1}",
    "(((x{7}){11}){13})",
    "((a{100}){100})",
    "(a{2,1000}){2}",
    // Not regular.
    "(?=a)",
    "(?!a)",
    "(?<=a)",
    "(?<!a)",
    "(a)\\1",
    "(?P<n>a)(?P=n)",
    "(?>a)",
    "(?#a)",
    "(?|a)",
    "(?R)",
    "(?'n'a)",
    "\\k<n>",
    "\\g{1}",
    "(?(1)a)",
    // Flags there are not.
    "(?x)a",
    "(?u)a",
    "(?-)a",
    "(?i-)a",
    "(?i--s)a",
    "(?i",
    "(?",
    "(?P",
    "(?P<n",
    "(?P<>a)",
    "(?P<a-b>a)",
    "(?P<n>a)(?P<n>b)",
    "(?<n",
    "(?P>n)",
    // Escapes there are not.
    "\\Z",
    "\\G",
    "\\K",
    "\\X",
    "\\R",
    "\\h",
    "\\e",
    "\\cA",
    "\\N{x}",
    "\\u0041",
    "\\U0041",
    "\\_",
    "\\8",
    "\\9",
    "\\1",
    "\\é",
    "\\E",
    "\\i",
    "\\",
    "\\x",
    "\\x4",
    "\\x{}",
    "\\x{110000}",
    "\\x{41",
    "\\xg0",
    // Classes there are not.
    "\\p",
    "\\p{",
    "\\p{}",
    "\\p{Foo}",
    "\\p{greek}",
    "\\p{Letter}",
    "\\p{Alphabetic}",
    "\\p{Grek}",
    "\\p{lu}",
    "\\pX",
    "\\p{sc=Greek}",
    "[[:foo:]]",
    "[[:ALPHA:]]",
    "[z-a]",
    "[a-\\d]",
    "[!-\\d]",
    "[a--]",
    "[\\b]",
    "[\\B]",
    "[\\A]",
    "[\\C]",
    "[\\Qa\\E]",
    "[\\8]",
    "[",
    "[]",
    "[^]",
    "[a",
    "[a-",
    "[\\",
    "[[:alpha:]",
    // Parentheses.
    "(a",
    "a)",
    "(",
    ")",
    "(?:a",
    "((a)",
    "(?i:a",
];

#[test]
fn takes() {
    for (pattern, within, without) in TAKES {
        let regex = compile(pattern).unwrap_or_else(|why| panic!("{pattern}: {why}"));
        for text in *within {
            assert!(regex.is_match(text), "{pattern:?} on {text:?}");
        }
        for text in *without {
            assert!(!regex.is_match(text), "{pattern:?} matches in {text:?}");
        }
    }
}

#[test]
fn refuses() {
    let taken: Vec<&&str> = REFUSES
        .iter()
        .filter(|pattern| compile(pattern).is_ok())
        .collect();
    assert!(taken.is_empty(), "{taken:?}");
}

#[test]
fn deep_and_long() {
    let deep = format!("{}a{}", "(".repeat(150), ")".repeat(150));
    assert!(compile(&deep).is_ok_and(|regex| regex.is_match("a")));
    let deeper = format!("{}a{}", "(".repeat(5000), ")".repeat(5000));
    assert!(compile(&deeper).is_err());
    let long = "(?:ab|cd)".repeat(5000);
    assert!(compile(&long).is_ok());
}
