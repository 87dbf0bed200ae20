//! Base64, URL and punycode encoding, and compression carried as base64.

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose::STANDARD};

use crate::args::{array, get};
use crate::{Value, convert, text};

/// The most bytes that decompression makes of one value.
const MAX_INFLATED: usize = 64 << 20;

rows! { ROWS: Function in encoding {
    base64_encode_tostring "base64_encode_tostring", [(Text) -> String], "A string's UTF-8 as base64.",
        "base64_encode_tostring('Kusto')" => "S3VzdG8=";
    base64_encode_tostring "base64_encodestring" instead "base64_encode_tostring", [(Text) -> String], "A string's UTF-8 as base64.",
        "base64_encodestring('Kusto')" => "S3VzdG8=";
    base64_decode_tostring "base64_decode_tostring", [(Text) -> String], "The string that base64 of UTF-8 stands for; empty if it is none.",
        "base64_decode_tostring('S3VzdG8=')" => "Kusto", "base64_decode_tostring('U3RyaW5n0KHR0tGA0L7Rh9C60LA=')" => "";
    base64_decode_tostring "base64_decodestring" instead "base64_decode_tostring", [(Text) -> String], "The string that base64 of UTF-8 stands for.",
        "base64_decodestring('S3VzdG8=')" => "Kusto";
    base64_decode_toarray "base64_decode_toarray", [(Text) -> Array], "The bytes that base64 stands for.",
        "base64_decode_toarray('S3VzdG8=')" => "[75,117,115,116,111]";
    base64_encode_fromarray "base64_encode_fromarray", [(Array) -> String], "Bytes as base64.",
        "base64_encode_fromarray(dynamic([75, 117]))" => "S3U=";
    base64_encode_fromguid "base64_encode_fromguid", [(Guid) -> String], "A guid's bytes as base64.",
        "base64_encode_fromguid(toguid('ae3133f2-6e22-49ae-b06a-16e6a9b212eb'))" => "8jMxriJurkmwahbmqbIS6w==";
    base64_decode_toguid "base64_decode_toguid", [(Text) -> Guid], "The guid whose bytes base64 stands for.",
        "base64_decode_toguid('8jMxriJurkmwahbmqbIS6w==')" => "ae3133f2-6e22-49ae-b06a-16e6a9b212eb";
    url_encode "url_encode", [(Text) -> String], "A string as part of a URL's query: a space is a plus.",
        "url_encode('https://a.b/c d')" => "https%3a%2f%2fa.b%2fc+d";
    url_encode_component "url_encode_component", [(Text) -> String], "A string as any part of a URL: a space is %20.",
        "url_encode_component('https://a.b/c d')" => "https%3a%2f%2fa.b%2fc%20d";
    url_decode "url_decode", [(Text) -> String], "The string that a part of a URL stands for.",
        "url_decode('https%3a%2f%2fwww.bing.com%2f')" => "https://www.bing.com/";
    punycode_from_string "punycode_from_string", [(Text) -> String], "A string as punycode.",
        "punycode_from_string('académie-française')" => "acadmie-franaise-npb1a";
    punycode_to_string "punycode_to_string", [(Text) -> String], "The string that punycode stands for.",
        "punycode_to_string('acadmie-franaise-npb1a')" => "académie-française";
    punycode_domain_from_string "punycode_domain_from_string", [(Text) -> String], "A domain name with the labels that need it as punycode.",
        "punycode_domain_from_string('bücher.example')" => "xn--bcher-kva.example";
    punycode_domain_to_string "punycode_domain_to_string", [(Text) -> String], "A domain name with punycode labels as they read.",
        "punycode_domain_to_string('xn--bcher-kva.example')" => "bücher.example";
    zlib_compress "zlib_compress_to_base64_string", [(Text) -> String], "A string compressed by zlib, as base64.",
        "zlib_compress_to_base64_string('1234567890qwertyuiop')" => "eAEBFADr/zEyMzQ1Njc4OTBxd2VydHl1aW9wOAkGdw==";
    zlib_decompress "zlib_decompress_from_base64_string", [(Text) -> String], "The string that zlib compressed, from base64; empty if there is none.",
        "zlib_decompress_from_base64_string('eAEBFADr/zEyMzQ1Njc4OTBxd2VydHl1aW9wOAkGdw==')" => "1234567890qwertyuiop", "zlib_decompress_from_base64_string('x0x0x0')" => "";
    gzip_compress "gzip_compress_to_base64_string", [(Text) -> String], "A string compressed by gzip, as base64.",
        "gzip_decompress_from_base64_string(gzip_compress_to_base64_string('abc'))" => "abc";
    gzip_decompress "gzip_decompress_from_base64_string", [(Text) -> String], "The string that gzip compressed, from base64; empty if there is none.",
        "gzip_decompress_from_base64_string('')" => "";
    none "__lz4_compress_dynamic_array_to_base64_string", [(Array) -> String], "An array compressed by LZ4, as base64.";
}}

/// Padding may be missing, as in what commands carry.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn decode(text: &str) -> Option<Vec<u8>> {
    LENIENT.decode(text.trim()).ok()
}

fn utf8(bytes: Option<Vec<u8>>) -> Value {
    Value::string(
        bytes
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .unwrap_or_default(),
    )
}

/// `base64_encode_tostring`.
pub fn base64_encode_tostring(args: &[Value]) -> Value {
    Value::string(STANDARD.encode(text::of(args, 0).as_bytes()))
}

/// `base64_decode_tostring`.
pub fn base64_decode_tostring(args: &[Value]) -> Value {
    utf8(decode(&text::of(args, 0)))
}

/// `base64_decode_toarray`.
pub fn base64_decode_toarray(args: &[Value]) -> Value {
    match decode(&text::of(args, 0)) {
        Some(bytes) => Value::Array(bytes.into_iter().map(|b| Value::Long(i64::from(b))).collect()),
        None => Value::Null,
    }
}

/// `base64_encode_fromarray`.
pub fn base64_encode_fromarray(args: &[Value]) -> Value {
    let bytes: Option<Vec<u8>> = array(args, 0).and_then(|items| {
        items
            .iter()
            .map(|item| u8::try_from(convert::to_long(item)?).ok())
            .collect()
    });
    Value::string(bytes.map(|bytes| STANDARD.encode(bytes)).unwrap_or_default())
}

/// A guid's bytes as Windows keeps them: its first three groups are numbers,
/// least significant byte first.
fn swapped(mut bytes: [u8; 16]) -> [u8; 16] {
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes
}

/// `base64_encode_fromguid`.
pub fn base64_encode_fromguid(args: &[Value]) -> Value {
    match get(args, 0) {
        Value::Guid(guid) => Value::string(STANDARD.encode(swapped(guid.to_be_bytes()))),
        _ => Value::string(""),
    }
}

/// `base64_decode_toguid`.
pub fn base64_decode_toguid(args: &[Value]) -> Value {
    decode(&text::of(args, 0))
        .and_then(|bytes| <[u8; 16]>::try_from(bytes).ok())
        .map_or(Value::Null, |bytes| {
            Value::Guid(u128::from_be_bytes(swapped(bytes)))
        })
}

fn percent(text: &str, plain: &str, space: &str) -> Value {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if c == ' ' {
            out.push_str(space);
        } else if byte.is_ascii_alphanumeric() || plain.contains(c) {
            out.push(c);
        } else {
            out.push_str(&format!("%{byte:02x}"));
        }
    }
    Value::string(out)
}

/// `url_encode`.
pub fn url_encode(args: &[Value]) -> Value {
    percent(&text::of(args, 0), "-_.!*()", "+")
}

/// `url_encode_component`.
pub fn url_encode_component(args: &[Value]) -> Value {
    percent(&text::of(args, 0), "-_.!*()~'", "%20")
}

/// Percent escapes resolved; bytes that are no UTF-8 become U+FFFD.
pub(crate) fn percent_decode(text: &str, plus: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while let Some(&byte) = bytes.get(i) {
        let hex = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
        match (byte, hex(i + 1), hex(i + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                i += 3;
            }
            (b'+', ..) if plus => {
                out.push(b' ');
                i += 1;
            }
            _ => {
                out.push(byte);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `url_decode`.
pub fn url_decode(args: &[Value]) -> Value {
    Value::string(percent_decode(&text::of(args, 0), true))
}

/// Punycode, RFC 3492: the next bias.
fn adapt(delta: u32, points: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / points.max(1);
    let mut k = 0;
    while delta > 455 {
        delta /= 35;
        k += 36;
    }
    k + 36 * delta / (delta + 38)
}

fn threshold(k: u32, bias: u32) -> u32 {
    k.saturating_sub(bias).clamp(1, 26)
}

fn punycode_encode(text: &str) -> Option<String> {
    let mut out: String = text.chars().filter(char::is_ascii).collect();
    let basic = u32::try_from(out.len()).ok()?;
    let total = u32::try_from(text.chars().count()).ok()?;
    if basic > 0 {
        out.push('-');
    }
    let (mut n, mut delta, mut bias, mut handled) = (128u32, 0u32, 72u32, basic);
    while handled < total {
        let next = text.chars().map(u32::from).filter(|c| *c >= n).min()?;
        delta = delta.checked_add((next - n).checked_mul(handled + 1)?)?;
        n = next;
        for c in text.chars().map(u32::from) {
            if c < n {
                delta = delta.checked_add(1)?;
            }
            if c == n {
                let mut q = delta;
                let mut k = 36;
                loop {
                    let t = threshold(k, bias);
                    if q < t {
                        break;
                    }
                    out.push(digit(t + (q - t) % (36 - t)));
                    q = (q - t) / (36 - t);
                    k += 36;
                }
                out.push(digit(q));
                bias = adapt(delta, handled + 1, handled == basic);
                delta = 0;
                handled += 1;
            }
        }
        delta = delta.checked_add(1)?;
        n += 1;
    }
    Some(out)
}

fn digit(value: u32) -> char {
    char::from_digit(value, 36).map_or('a', |c| match c.to_digit(10) {
        // Letters come before digits in punycode.
        Some(_) => char::from(b'a' + value as u8),
        None if value < 26 => char::from(b'a' + value as u8),
        None => char::from(b'0' + (value - 26) as u8),
    })
}

fn punycode_decode(text: &str) -> Option<String> {
    let (basic, extended) = match text.rfind('-') {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => ("", text),
    };
    if !basic.is_ascii() {
        return None;
    }
    let mut out: Vec<char> = basic.chars().collect();
    let (mut n, mut i, mut bias) = (128u32, 0u32, 72u32);
    let mut digits = extended.chars();
    while let Some(mut c) = digits.next() {
        let old = i;
        let (mut weight, mut k) = (1u32, 36u32);
        loop {
            let value = match c {
                'a'..='z' => u32::from(c) - 97,
                'A'..='Z' => u32::from(c) - 65,
                '0'..='9' => u32::from(c) - 22,
                _ => return None,
            };
            i = i.checked_add(value.checked_mul(weight)?)?;
            let t = threshold(k, bias);
            if value < t {
                break;
            }
            weight = weight.checked_mul(36 - t)?;
            k += 36;
            c = digits.next()?;
        }
        let points = u32::try_from(out.len()).ok()? + 1;
        bias = adapt(i - old, points, old == 0);
        n = n.checked_add(i / points)?;
        i %= points;
        out.insert(i as usize, char::from_u32(n)?);
        i += 1;
    }
    Some(out.into_iter().collect())
}

/// `punycode_from_string`.
pub fn punycode_from_string(args: &[Value]) -> Value {
    Value::string(punycode_encode(&text::of(args, 0)).unwrap_or_default())
}

/// `punycode_to_string`.
pub fn punycode_to_string(args: &[Value]) -> Value {
    Value::string(punycode_decode(&text::of(args, 0)).unwrap_or_default())
}

/// `punycode_domain_from_string`.
pub fn punycode_domain_from_string(args: &[Value]) -> Value {
    let domain = text::of(args, 0);
    let labels: Vec<String> = domain
        .split('.')
        .map(|label| {
            if label.is_ascii() {
                label.to_owned()
            } else {
                format!("xn--{}", punycode_encode(label).unwrap_or_default())
            }
        })
        .collect();
    Value::string(labels.join("."))
}

/// `punycode_domain_to_string`.
pub fn punycode_domain_to_string(args: &[Value]) -> Value {
    let domain = text::of(args, 0);
    let labels: Vec<String> = domain
        .split('.')
        .map(|label| match label.strip_prefix("xn--") {
            Some(rest) => punycode_decode(rest).unwrap_or_else(|| label.to_owned()),
            None => label.to_owned(),
        })
        .collect();
    Value::string(labels.join("."))
}

/// Deflate. Short data is stored as it is, as Kusto does.
fn deflate(bytes: &[u8]) -> Vec<u8> {
    match u16::try_from(bytes.len()) {
        Ok(length) if length <= 51 => {
            let mut out = vec![1];
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(&(!length).to_le_bytes());
            out.extend_from_slice(bytes);
            out
        }
        _ => miniz_oxide::deflate::compress_to_vec(bytes, 1),
    }
}

fn inflate(bytes: &[u8]) -> Option<Vec<u8>> {
    miniz_oxide::inflate::decompress_to_vec_with_limit(bytes, MAX_INFLATED).ok()
}

fn adler32(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1u32, 0u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    b << 16 | a
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ 0xEDB8_8320
            } else {
                crc >> 1
            }
        })
    })
}

/// `zlib_compress_to_base64_string`.
pub fn zlib_compress(args: &[Value]) -> Value {
    let source = text::of(args, 0);
    let mut out = vec![0x78, 0x01];
    out.extend(deflate(source.as_bytes()));
    out.extend(adler32(source.as_bytes()).to_be_bytes());
    Value::string(STANDARD.encode(out))
}

/// `zlib_decompress_from_base64_string`.
pub fn zlib_decompress(args: &[Value]) -> Value {
    let bytes = decode(&text::of(args, 0))
        .and_then(|bytes| miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(&bytes, MAX_INFLATED).ok());
    utf8(bytes)
}

/// `gzip_compress_to_base64_string`.
pub fn gzip_compress(args: &[Value]) -> Value {
    let source = text::of(args, 0);
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    out.extend(deflate(source.as_bytes()));
    out.extend(crc32(source.as_bytes()).to_le_bytes());
    out.extend((source.len() as u32).to_le_bytes());
    Value::string(STANDARD.encode(out))
}

/// The deflated data of a gzip file of one member.
fn gzip_body(bytes: &[u8]) -> Option<&[u8]> {
    let flags = *bytes.get(3)?;
    if bytes.get(..3)? != [0x1f, 0x8b, 8] {
        return None;
    }
    let mut rest = bytes.get(10..)?;
    if flags & 4 != 0 {
        let length = usize::from(*rest.first()?) | usize::from(*rest.get(1)?) << 8;
        rest = rest.get(2 + length..)?;
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            let end = rest.iter().position(|b| *b == 0)?;
            rest = rest.get(end + 1..)?;
        }
    }
    if flags & 2 != 0 {
        rest = rest.get(2..)?;
    }
    Some(rest)
}

/// `gzip_decompress_from_base64_string`.
pub fn gzip_decompress(args: &[Value]) -> Value {
    utf8(decode(&text::of(args, 0)).and_then(|bytes| inflate(gzip_body(&bytes)?)))
}
