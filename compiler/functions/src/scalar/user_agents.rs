//! What a user agent says of the browser, the operating system and the device.
//!
//! In: a user agent. Out: a bag, by the first rule of each kind that matches.
//! The rules are data, `user_agents.tsv`: those of uap-core, which is what the
//! service uses, of the version named there.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use regex::{Captures, Regex};

use super::dynamic::new_bag;
use crate::args::flatten;
use crate::{Value, regexes, text};

rows! { ROWS: Function in user_agents {
    parse_user_agent "parse_user_agent", [(Text; TextOrArray) -> Bag], "The browser, operating system and device that a user agent names.",
        "parse_user_agent('Mozilla/5.0 (Windows; U; en-US) AppleWebKit/531.9 (KHTML, like Gecko) AdobeAIR/2.5.1', 'browser').Browser.Family" => "AdobeAIR",
        "parse_user_agent('curl/8.5.0', dynamic(['os', 'device'])).OperatingSystem.Family" => "Other";
}}

/// One rule: a pattern, and what to give in place of what its groups caught.
struct Rule {
    pattern: &'static str,
    fold: bool,
    gives: Vec<&'static str>,
    /// Text in lower case that every match has, so that most rules need no look.
    literal: String,
    /// Compiled when it is first needed.
    regex: OnceLock<Option<Regex>>,
}

impl Rule {
    /// The agent is given in lower case, too.
    fn captures<'t>(&self, agent: &'t str, lower: &str) -> Option<Captures<'t>> {
        if !lower.contains(&self.literal) {
            return None;
        }
        self.regex
            .get_or_init(|| regexes::small(self.pattern, self.fold).ok())
            .as_ref()?
            .captures(agent)
    }

    /// A part of the result: the text of the rule if it has one, with groups
    /// filled in, else that of a group.
    fn part(&self, captures: &Captures<'_>, place: usize, group: usize) -> String {
        let caught = |group: usize| captures.get(group).map_or("", |found| found.as_str());
        let given = match self.gives.get(place) {
            Some(given) if !given.is_empty() => given,
            _ => return caught(group).trim().to_owned(),
        };
        let mut out = String::new();
        let mut chars = given.chars().peekable();
        while let Some(c) = chars.next() {
            match chars.peek().and_then(|next| next.to_digit(10)) {
                Some(digit) if c == '$' => {
                    out.push_str(caught(digit as usize));
                    chars.next();
                }
                _ => out.push(c),
            }
        }
        out.trim().to_owned()
    }
}

/// One kind of thing that rules tell.
struct Kind {
    /// What a call asks for it by.
    asked: &'static str,
    /// Its letter in the table.
    letter: &'static str,
    /// Its key in the result.
    key: &'static str,
    /// The keys of its parts, each with the group that it comes from.
    parts: &'static [(&'static str, usize)],
}

/// No pattern has so many groups.
const NO_GROUP: usize = usize::MAX;

const KINDS: [Kind; 3] = [
    Kind {
        asked: "browser",
        letter: "b",
        key: "Browser",
        parts: &[
            ("Family", 1),
            ("MajorVersion", 2),
            ("MinorVersion", 3),
            ("Patch", 4),
        ],
    },
    Kind {
        asked: "os",
        letter: "o",
        key: "OperatingSystem",
        parts: &[
            ("Family", 1),
            ("MajorVersion", 2),
            ("MinorVersion", 3),
            ("Patch", 4),
            ("PatchMinor", 5),
        ],
    },
    Kind {
        asked: "device",
        letter: "d",
        key: "Device",
        parts: &[("Family", 1), ("Brand", NO_GROUP), ("Model", 1)],
    },
];

/// The rules of each kind, in their order.
fn rules() -> &'static [Vec<Rule>; 3] {
    static RULES: OnceLock<[Vec<Rule>; 3]> = OnceLock::new();
    RULES.get_or_init(|| {
        KINDS.map(|kind| {
            include_str!("user_agents.tsv")
                .lines()
                .filter_map(|line| {
                    let mut columns = line.split('\t');
                    let rule = columns.next() == Some(kind.letter);
                    let (fold, pattern) = (columns.next()? == "i", columns.next()?);
                    rule.then(|| Rule {
                        pattern,
                        fold,
                        gives: columns.collect(),
                        literal: literal(pattern),
                        regex: OnceLock::new(),
                    })
                })
                .collect()
        })
    })
}

/// The longest text, in lower case, that every match of a pattern has: empty
/// if that does not show at once.
fn literal(pattern: &str) -> String {
    let chars: Vec<char> = pattern.chars().collect();
    let mut at = 0;
    longest(&chars, &mut at).unwrap_or_default()
}

/// The longest necessary text of a pattern, or of a group up to its closing
/// parenthesis; none where there are alternatives.
fn longest(chars: &[char], at: &mut usize) -> Option<String> {
    let mut best = String::new();
    let mut run = String::new();
    let mut alternatives = false;
    let keep = |run: &mut String, best: &mut String| {
        if run.len() > best.len() {
            best.clone_from(run);
        }
        run.clear();
    };
    while let Some(&c) = chars.get(*at) {
        *at += 1;
        // What one character or group of the pattern says by itself.
        let mut inside = None;
        let mut plain = None;
        match c {
            ')' => break,
            '|' => {
                alternatives = true;
                keep(&mut run, &mut best);
                continue;
            }
            '(' => {
                if chars.get(*at) == Some(&'?') {
                    // To the end of the flags or the name.
                    while chars.get(*at).is_some_and(|c| !matches!(c, ':' | '>' | ')')) {
                        *at += 1;
                    }
                    *at += usize::from(chars.get(*at) != Some(&')'));
                }
                inside = longest(chars, at);
            }
            '[' => {
                // A bracket in the first place is one of the class.
                *at += usize::from(chars.get(*at) == Some(&'^'));
                *at += 1;
                while chars.get(*at).is_some_and(|c| *c != ']') {
                    *at += 1 + usize::from(chars[*at] == '\\');
                }
                *at += 1;
            }
            '\\' => {
                plain = chars.get(*at).copied().filter(char::is_ascii_punctuation);
                *at += 1;
            }
            '{' => {
                while chars.get(*at).is_some_and(|c| *c != '}') {
                    *at += 1;
                }
                *at += 1;
            }
            '.' | '^' | '$' | '*' | '+' | '?' => {}
            c => plain = Some(c).filter(char::is_ascii),
        }
        let optional = matches!(chars.get(*at), Some('?' | '*' | '{'));
        match plain {
            Some(c) if !optional => run.push(c.to_ascii_lowercase()),
            _ => keep(&mut run, &mut best),
        }
        if let Some(mut inside) = inside.filter(|_| !optional) {
            keep(&mut inside, &mut best);
        }
        if chars.get(*at) == Some(&'+') {
            keep(&mut run, &mut best);
        }
    }
    keep(&mut run, &mut best);
    (!alternatives).then_some(best)
}

/// What the rules of one kind say; `Other` where none matches.
fn told(kind: &Kind, rules: &[Rule], agent: &str) -> Value {
    let lower = agent.to_ascii_lowercase();
    let found = rules
        .iter()
        .find_map(|rule| rule.captures(agent, &lower).map(|captures| (rule, captures)));
    let parts = kind.parts.iter().enumerate().map(|(place, (key, group))| {
        let text = match &found {
            Some((rule, captures)) => rule.part(captures, place, *group),
            None if place == 0 => "Other".to_owned(),
            None => String::new(),
        };
        (Arc::from(*key), Value::string(text))
    });
    new_bag(parts.collect())
}

/// How many results a thread keeps: user agents come again and again, and
/// each costs hundreds of patterns.
const KEPT: usize = 1024;

thread_local! {
    static KNOWN: RefCell<HashMap<(usize, Arc<str>), Value>> = RefCell::new(HashMap::new());
}

/// `parse_user_agent`: with nothing asked for, everything.
pub fn parse_user_agent(args: &[Value]) -> Value {
    let agent: Arc<str> = Arc::from(&*text::of(args, 0));
    let asked: Vec<&str> = flatten(args, 1).filter_map(Value::as_str).collect();
    let tell = |(index, (kind, rules)): (usize, (&Kind, &Vec<Rule>))| {
        let wanted = args.len() < 2 || asked.contains(&kind.asked);
        let told = || {
            let known = (index, Arc::clone(&agent));
            let found = KNOWN.with_borrow(|all| all.get(&known).cloned());
            found.unwrap_or_else(|| {
                let told = told(kind, rules, &agent);
                KNOWN.with_borrow_mut(|all| {
                    if all.len() >= KEPT {
                        all.clear();
                    }
                    all.insert(known, told.clone());
                });
                told
            })
        };
        wanted.then(|| (Arc::from(kind.key), told()))
    };
    let entries = KINDS.iter().zip(rules()).enumerate().filter_map(tell);
    new_bag(entries.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(agent: &str) -> String {
        text::print(&parse_user_agent(&[Value::string(agent)]))
    }

    #[test]
    fn literals() {
        for (pattern, expected) in [
            ("(Chrome)/(\\d+)\\.", "chrome"),
            ("a(?:bc|de)f", "a"),
            ("ab|cd", ""),
            ("ab?cd*ef+g", "ef"),
            ("x[]a-z]yz{2}w(opt)?", "x"),
            ("^(.{0,200})/(\\d+) CFNetwork", " cfnetwork"),
            ("(?i)(iPhone OS)", "iphone os"),
            ("a\\.b\\-c", "a.b-c"),
        ] {
            assert_eq!(literal(pattern), expected, "{pattern}");
        }
        // Nearly all rules have one.
        let without = rules()
            .iter()
            .flatten()
            .filter(|rule| rule.literal.len() < 2)
            .count();
        assert!(without < 300, "{without}");
    }

    #[test]
    fn all_rules_compile() {
        let all: Vec<&Rule> = rules().iter().flatten().collect();
        assert!(all.len() > 1000);
        for rule in all {
            assert!(
                regexes::small(rule.pattern, rule.fold).is_ok(),
                "{}",
                rule.pattern
            );
        }
    }

    #[test]
    fn agents() {
        assert_eq!(
            agent(
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 Edg/120.0.2210.61"
            ),
            r#"{"Browser":{"Family":"Edge","MajorVersion":"120","MinorVersion":"0","Patch":"2210"},"OperatingSystem":{"Family":"Windows","MajorVersion":"10","MinorVersion":"","Patch":"","PatchMinor":""},"Device":{"Family":"Other","Brand":"","Model":""}}"#
        );
        assert_eq!(
            agent(
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1.2 Mobile/15E148 Safari/604.1"
            ),
            r#"{"Browser":{"Family":"Mobile Safari","MajorVersion":"17","MinorVersion":"1","Patch":"2"},"OperatingSystem":{"Family":"iOS","MajorVersion":"17","MinorVersion":"1","Patch":"2","PatchMinor":""},"Device":{"Family":"iPhone","Brand":"Apple","Model":"iPhone"}}"#
        );
        // The example of the documentation.
        assert_eq!(
            agent(
                "Mozilla/5.0 (SymbianOS/9.2; U; Series60/3.1 NokiaN81-3/10.0.032 Profile/MIDP-2.0 Configuration/CLDC-1.1 ) AppleWebKit/413 (KHTML, like Gecko) Safari/4"
            ),
            r#"{"Browser":{"Family":"Nokia OSS Browser","MajorVersion":"3","MinorVersion":"1","Patch":""},"OperatingSystem":{"Family":"Symbian OS","MajorVersion":"9","MinorVersion":"2","Patch":"","PatchMinor":""},"Device":{"Family":"Nokia N81","Brand":"Nokia","Model":"N81-3"}}"#
        );
        assert!(agent("").contains("Other"));
    }
}
