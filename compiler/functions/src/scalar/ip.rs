//! IP addresses and ranges.
//!
//! An IPv4 address counts as the IPv6 address it maps to wherever the two
//! meet, its prefix length lengthened by 96.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::args::{flatten, get, long, maybe_bool, maybe_long};
use crate::{Value, convert, text};

rows! { ROWS: Function in ip {
    parse_ipv4 "parse_ipv4", [(Text) -> Long], "An IPv4 address as a number, cut to its prefix; null if it is none.",
        "parse_ipv4('192.168.1.1')" => "3232235777", "parse_ipv4('192.168.1.1/24')" => "3232235776", "parse_ipv4('x')" => "";
    parse_ipv4_mask "parse_ipv4_mask", [(Text, Long) -> Long], "An IPv4 address as a number, cut to a prefix.",
        "parse_ipv4_mask('192.168.1.1', 24)" => "3232235776";
    parse_ipv6 "parse_ipv6", [(Text) -> String], "An IPv6 (or IPv4) address with all its digits, cut to its prefix.",
        "parse_ipv6('127.0.0.1')" => "0000:0000:0000:0000:0000:ffff:7f00:0001", "parse_ipv6('fe80::1%eth0')" => "fe80:0000:0000:0000:0000:0000:0000:0001", "parse_ipv6('x')" => "";
    parse_ipv6_mask "parse_ipv6_mask", [(Text, Long) -> String], "An IPv6 (or IPv4) address with all its digits, cut to a prefix.",
        "parse_ipv6_mask('192.168.255.255/24', 124)" => "0000:0000:0000:0000:0000:ffff:c0a8:ff00";
    ipv4_compare "ipv4_compare", [(Text, Text; Long) -> Long], "-1, 0 or 1: how two IPv4 addresses order within the shortest prefix.",
        "ipv4_compare('192.168.1.1/24', '192.168.1.255')" => "0", "ipv4_compare('10.0.0.1', '10.0.0.2')" => "-1";
    ipv4_is_match "ipv4_is_match", [(Text, Text; Long) -> Bool], "Whether two IPv4 addresses are equal within the shortest prefix.",
        "ipv4_is_match('192.168.1.1', '192.168.1.255/24')" => "true";
    ipv4_is_in_range "ipv4_is_in_range", [(Text, Text) -> Bool], "Whether an IPv4 address lies in a range.",
        "ipv4_is_in_range('127.0.0.1', '127.0.0.1/24')" => "true", "ipv4_is_in_range('x', '127.0.0.1')" => "";
    ipv4_is_in_any_range "ipv4_is_in_any_range" never constant, [(TextOrDynamic, Text .. Text) -> Bool, (TextOrDynamic, Array) -> Bool], "Whether an IPv4 address lies in one of several ranges.",
        "ipv4_is_in_any_range('192.168.1.6', '192.168.1.1/24', '10.0.0.1/8')" => "true";
    ipv4_is_private "ipv4_is_private", [(Text) -> Bool], "Whether an IPv4 address is one of those kept for private networks.",
        "ipv4_is_private('10.1.2.3')" => "true", "ipv4_is_private('202.1.2.3')" => "false";
    ipv4_netmask_suffix "ipv4_netmask_suffix", [(Text) -> Long], "The prefix length of an IPv4 address, 32 where it has none.",
        "ipv4_netmask_suffix('192.168.1.1/24')" => "24";
    ipv4_range_to_cidr_list "ipv4_range_to_cidr_list", [(Text, Text) -> Array], "The ranges that make up all addresses from one to another.",
        "ipv4_range_to_cidr_list('1.1.128.0', '1.1.140.255')" => "[\"1.1.128.0/21\",\"1.1.136.0/22\",\"1.1.140.0/24\"]";
    ipv6_compare "ipv6_compare", [(Text, Text; Long) -> Long], "-1, 0 or 1: how two IPv6 (or IPv4) addresses order within the shortest prefix.",
        "ipv6_compare('fe80::85d:e82c:9446:7994/120', 'fe80::85d:e82c:9446:7998')" => "0";
    ipv6_is_match "ipv6_is_match", [(Text, Text; Long) -> Bool], "Whether two IPv6 (or IPv4) addresses are equal within the shortest prefix.",
        "ipv6_is_match('192.168.1.1', '::ffff:c0a8:0101')" => "true";
    ipv6_is_in_range "ipv6_is_in_range", [(Text, Text) -> Bool], "Whether an IPv6 (or IPv4) address lies in a range.",
        "ipv6_is_in_range('a5e:f127:8a9d:146d:e102:b5d3:c755:abcd', 'a5e:f127:8a9d:146d:e102:b5d3:c755:0000/112')" => "true";
    ipv6_is_in_any_range "ipv6_is_in_any_range" never constant, [(TextOrDynamic, Text .. Text) -> Bool, (TextOrDynamic, Array) -> Bool], "Whether an IPv6 (or IPv4) address lies in one of several ranges.",
        "ipv6_is_in_any_range('::1', dynamic(['fe80::/10', '::1/128']))" => "true";
    format_ipv4 "format_ipv4", [(Scalar; Long) -> String], "An IPv4 address, given as text or number, cut to a prefix.",
        "format_ipv4('192.168.1.255', 24)" => "192.168.1.0", "format_ipv4(3232236031)" => "192.168.1.255";
    format_ipv4_mask "format_ipv4_mask", [(Scalar, Long) -> String], "An IPv4 address, given as text or number, cut to a prefix and with it.",
        "format_ipv4_mask('192.168.1.255', 24)" => "192.168.1.0/24";
    has_ipv4 "has_ipv4" never constant, [(TextOrDynamic, Text) -> Bool], "Whether a text has an IPv4 address between characters that are no letters or digits.",
        "has_ipv4('05:04:54 127.0.0.1 GET', '127.0.0.1')" => "true", "has_ipv4('05:04:54127.0.0.1 GET', '127.0.0.1')" => "false";
    has_ipv4_prefix "has_ipv4_prefix" never constant, [(TextOrDynamic, Text) -> Bool], "Whether a text has an IPv4 address that starts with some octets.",
        "has_ipv4_prefix('05:04:54 127.0.0.1 GET', '127.0.')" => "true";
    has_any_ipv4 "has_any_ipv4" never constant, [(TextOrDynamic, Text .. Text) -> Bool, (TextOrDynamic, Array) -> Bool], "Whether a text has one of several IPv4 addresses.",
        "has_any_ipv4('05:04:54 127.0.0.1 GET', '10.0.0.1', '127.0.0.1')" => "true";
    has_any_ipv4_prefix "has_any_ipv4_prefix" never constant, [(TextOrDynamic, Text .. Text) -> Bool, (TextOrDynamic, Array) -> Bool], "Whether a text has an IPv4 address that starts with one of several groups of octets.",
        "has_any_ipv4_prefix('05:04:54 127.0.0.1 GET', dynamic(['192.168.', '127.']))" => "true";
    none "__ipv6_lookup_ranges" never constant, [(TextOrDynamic, Array) -> Array], "The ranges that an address lies in, for the service's own use.";
    context "geo_info_from_ip_address", [(Text) -> Dynamic], "Where an IP address is, from data given to the run.";
}}

/// The address and the prefix length after its slash.
fn split_prefix(text: &str, longest: u32) -> Option<(&str, u32)> {
    let text = text.trim();
    match text.split_once('/') {
        None => Some((text, longest)),
        Some((address, prefix)) => {
            let prefix = prefix.parse::<u32>().ok().filter(|p| *p <= longest)?;
            Some((address, prefix))
        }
    }
}

/// An IPv4 address and its prefix length.
pub fn ipv4(text: &str) -> Option<(u32, u32)> {
    let (address, prefix) = split_prefix(text, 32)?;
    Some((address.parse::<Ipv4Addr>().ok()?.to_bits(), prefix))
}

fn mask4(address: u32, prefix: u32) -> u32 {
    address & u32::MAX.checked_shl(32 - prefix.min(32)).unwrap_or(0)
}

/// An IPv6 address and its prefix length; IPv4 addresses are mapped.
pub fn ipv6(text: &str) -> Option<(u128, u32)> {
    let text = text.trim();
    // `::1.2.3.4` means the same as `::ffff:1.2.3.4` here.
    let plain = text
        .strip_prefix("::")
        .filter(|rest| rest.contains('.'))
        .unwrap_or(text);
    if let Some((address, prefix)) = ipv4(plain) {
        return Some((
            Ipv4Addr::from_bits(address).to_ipv6_mapped().to_bits(),
            prefix + 96,
        ));
    }
    let (address, prefix) = split_prefix(text, 128)?;
    // What follows `%` says on which link an address holds.
    let address = address.split_once('%').map_or(address, |(address, _)| address);
    Some((address.parse::<Ipv6Addr>().ok()?.to_bits(), prefix))
}

fn mask6(address: u128, prefix: u32) -> u128 {
    address & u128::MAX.checked_shl(128 - prefix.min(128)).unwrap_or(0)
}

/// The prefix argument; none if it makes no sense.
fn prefix_argument(args: &[Value], index: usize, longest: u32) -> Option<u32> {
    match args.get(index) {
        None => Some(longest),
        Some(_) => long(args, index)
            .and_then(|p| u32::try_from(p).ok())
            .filter(|p| *p <= longest),
    }
}

fn number(address: Option<u32>) -> Value {
    maybe_long(address.map(i64::from))
}

/// `parse_ipv4`.
pub fn parse_ipv4(args: &[Value]) -> Value {
    number(ipv4(&text::of(args, 0)).map(|(address, prefix)| mask4(address, prefix)))
}

/// `parse_ipv4_mask`.
pub fn parse_ipv4_mask(args: &[Value]) -> Value {
    let parsed = ipv4(&text::of(args, 0)).zip(prefix_argument(args, 1, 32));
    number(parsed.map(|((address, prefix), mask)| mask4(address, prefix.min(mask))))
}

fn canonical(address: u128) -> String {
    let digits = format!("{address:032x}");
    let groups: Vec<&str> = (0..8).filter_map(|i| digits.get(i * 4..i * 4 + 4)).collect();
    groups.join(":")
}

/// `parse_ipv6`.
pub fn parse_ipv6(args: &[Value]) -> Value {
    let parsed = ipv6(&text::of(args, 0));
    Value::string(
        parsed
            .map(|(address, prefix)| canonical(mask6(address, prefix)))
            .unwrap_or_default(),
    )
}

/// `parse_ipv6_mask`.
pub fn parse_ipv6_mask(args: &[Value]) -> Value {
    let parsed = ipv6(&text::of(args, 0)).zip(prefix_argument(args, 1, 128));
    let masked = parsed.map(|((address, prefix), mask)| canonical(mask6(address, prefix.min(mask))));
    Value::string(masked.unwrap_or_default())
}

fn compare4(args: &[Value]) -> Option<i64> {
    let (a, a_prefix) = ipv4(&text::of(args, 0))?;
    let (b, b_prefix) = ipv4(&text::of(args, 1))?;
    let prefix = prefix_argument(args, 2, 32)?.min(a_prefix).min(b_prefix);
    Some(mask4(a, prefix).cmp(&mask4(b, prefix)) as i64)
}

fn compare6(args: &[Value]) -> Option<i64> {
    let (a, a_prefix) = ipv6(&text::of(args, 0))?;
    let (b, b_prefix) = ipv6(&text::of(args, 1))?;
    let prefix = prefix_argument(args, 2, 128)?.min(a_prefix).min(b_prefix);
    Some(mask6(a, prefix).cmp(&mask6(b, prefix)) as i64)
}

/// `ipv4_compare`.
pub fn ipv4_compare(args: &[Value]) -> Value {
    maybe_long(compare4(args))
}

/// `ipv4_is_match`.
pub fn ipv4_is_match(args: &[Value]) -> Value {
    maybe_bool(compare4(args).map(|ordering| ordering == 0))
}

/// `ipv6_compare`.
pub fn ipv6_compare(args: &[Value]) -> Value {
    maybe_long(compare6(args))
}

/// `ipv6_is_match`.
pub fn ipv6_is_match(args: &[Value]) -> Value {
    maybe_bool(compare6(args).map(|ordering| ordering == 0))
}

/// Whether the first address lies in a range, whatever its own prefix is.
fn in_range4(address: &str, range: &str) -> Option<bool> {
    let (address, own) = ipv4(address)?;
    let (start, prefix) = ipv4(range)?;
    let prefix = prefix.min(own);
    Some(mask4(address, prefix) == mask4(start, prefix))
}

fn in_range6(address: &str, range: &str) -> Option<bool> {
    let (address, own) = ipv6(address)?;
    let (start, prefix) = ipv6(range)?;
    let prefix = prefix.min(own);
    Some(mask6(address, prefix) == mask6(start, prefix))
}

fn in_any(args: &[Value], test: fn(&str, &str) -> Option<bool>) -> Value {
    let address = text::of(args, 0);
    let mut known = false;
    for range in flatten(args, 1) {
        match test(&address, &text::borrow(range)) {
            Some(true) => return Value::Bool(true),
            Some(false) => known = true,
            None => {}
        }
    }
    maybe_bool(known.then_some(false))
}

/// `ipv4_is_in_range`.
pub fn ipv4_is_in_range(args: &[Value]) -> Value {
    maybe_bool(in_range4(&text::of(args, 0), &text::of(args, 1)))
}

/// `ipv4_is_in_any_range`.
pub fn ipv4_is_in_any_range(args: &[Value]) -> Value {
    in_any(args, in_range4)
}

/// `ipv6_is_in_range`.
pub fn ipv6_is_in_range(args: &[Value]) -> Value {
    maybe_bool(in_range6(&text::of(args, 0), &text::of(args, 1)))
}

/// `ipv6_is_in_any_range`.
pub fn ipv6_is_in_any_range(args: &[Value]) -> Value {
    in_any(args, in_range6)
}

/// `ipv4_is_private`.
pub fn ipv4_is_private(args: &[Value]) -> Value {
    let private = ipv4(&text::of(args, 0)).map(|(address, prefix)| {
        // A range is private if all of it is.
        let kept: [(u32, u32); 3] = [(0x0A00_0000, 8), (0xAC10_0000, 12), (0xC0A8_0000, 16)];
        kept.iter()
            .any(|(start, length)| prefix >= *length && mask4(address, *length) == *start)
    });
    maybe_bool(private)
}

/// `ipv4_netmask_suffix`.
pub fn ipv4_netmask_suffix(args: &[Value]) -> Value {
    number(ipv4(&text::of(args, 0)).map(|(_, prefix)| prefix))
}

/// `ipv4_range_to_cidr_list`.
pub fn ipv4_range_to_cidr_list(args: &[Value]) -> Value {
    let (Some((start, _)), Some((end, _))) = (ipv4(&text::of(args, 0)), ipv4(&text::of(args, 1))) else {
        return Value::Null;
    };
    let (mut start, end) = (u64::from(start), u64::from(end));
    let mut out = Vec::new();
    while start <= end {
        // The largest aligned block that does not reach past the end.
        let aligned = if start == 0 {
            32
        } else {
            start.trailing_zeros().min(32)
        };
        let room = (end - start + 1).ilog2();
        let bits = aligned.min(room);
        let address = Ipv4Addr::from_bits(start as u32);
        out.push(Value::string(format!("{address}/{}", 32 - bits)));
        start += 1 << bits;
    }
    Value::array(out)
}

/// An address given as text or as a number, cut to a prefix.
fn formatted(args: &[Value]) -> Option<(Ipv4Addr, u32)> {
    let (address, own) = match get(args, 0) {
        Value::String(text) => ipv4(text)?,
        value => (u32::try_from(convert::to_long(value)?).ok()?, 32),
    };
    let prefix = prefix_argument(args, 1, 32)?.min(own);
    Some((Ipv4Addr::from_bits(mask4(address, prefix)), prefix))
}

/// `format_ipv4`.
pub fn format_ipv4(args: &[Value]) -> Value {
    Value::string(
        formatted(args)
            .map(|(address, _)| address.to_string())
            .unwrap_or_default(),
    )
}

/// `format_ipv4_mask`.
pub fn format_ipv4_mask(args: &[Value]) -> Value {
    let masked = formatted(args).map(|(address, prefix)| format!("{address}/{prefix}"));
    Value::string(masked.unwrap_or_default())
}

/// The IPv4 addresses in a text that stand between characters that are no
/// letters or digits.
fn addresses(source: &str) -> impl Iterator<Item = &str> {
    source
        .split(|c: char| !(c.is_alphanumeric() || c == '.'))
        .map(|word| word.trim_matches('.'))
        .filter(|word| word.parse::<Ipv4Addr>().is_ok())
}

/// `has_ipv4`.
pub fn has_ipv4(args: &[Value]) -> Value {
    has_any_ipv4(args.get(..2).unwrap_or(args))
}

/// `has_any_ipv4`.
pub fn has_any_ipv4(args: &[Value]) -> Value {
    let source = text::of(args, 0);
    Value::Bool(flatten(args, 1).any(|wanted| {
        let wanted = text::borrow(wanted);
        addresses(&source).any(|address| address == wanted)
    }))
}

/// `has_ipv4_prefix`.
pub fn has_ipv4_prefix(args: &[Value]) -> Value {
    has_any_ipv4_prefix(args.get(..2).unwrap_or(args))
}

/// `has_any_ipv4_prefix`: a prefix ends in a point, or is a whole address.
pub fn has_any_ipv4_prefix(args: &[Value]) -> Value {
    let source = text::of(args, 0);
    Value::Bool(flatten(args, 1).any(|prefix| {
        let prefix = text::borrow(prefix);
        addresses(&source)
            .any(|address| address == prefix || (prefix.ends_with('.') && address.starts_with(&*prefix)))
    }))
}
