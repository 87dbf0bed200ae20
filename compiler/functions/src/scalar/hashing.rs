//! Hashes.

use std::fmt::Write as _;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::args::{get, long};
use crate::{Value, text};

rows! { ROWS: Function in hashing {
    hash "hash" = "hash_xxhash64", [(NotDynamic; Integer) -> Long], "A 64-bit hash (xxHash64), reduced by a modulus if there is one.",
        "hash('World')" => "1846988464401551951", "hash('World', 100)" => "51", "hash(datetime(2015-01-01))" => "1380966698541616202";
    hash_sha256 "hash_sha256", [(NotDynamic) -> String], "The SHA-256 of a value's text, in hexadecimal.",
        "hash_sha256('World')" => "78ae647dc5544d227130a0682a51e30bc7777fbb6d8a8f17007463a3ecd1d524";
    hash_sha1 "hash_sha1", [(NotDynamic) -> String], "The SHA-1 of a value's text, in hexadecimal.",
        "hash_sha1('World')" => "70c07ec18ef89c5309bbb0937f3a6342411e1fdd";
    hash_md5 "hash_md5", [(NotDynamic) -> String], "The MD5 of a value's text, in hexadecimal.",
        "hash_md5('')" => "", "hash_md5('World')" => "f5a7924e621e84c9280a9a27e1bcb7f6", "hash_md5(datetime(2020-01-01))" => "786c530672d1f8db31fee25ea8a9390b";
    none "hash_combine", [(Scalar, Scalar .. Scalar) -> Long], "One hash of several hashes.";
    none "hash_many", [(NotDynamic .. NotDynamic) -> Long], "One hash of several values.";
    none "__hash_crc32", [(NotDynamic, Integer, Integer) -> Long], "A CRC-32, for the service's own use.";
    none "__hash_djb2", [(NotDynamic; Integer) -> Long], "A djb2 hash, for the service's own use.";
    none "__hash_xxh64", [(NotDynamic, Integer, Integer) -> Long], "A seeded xxHash64, for the service's own use.";
    none "__hash_many_crc32", [(Scalar .. Scalar to 2) -> Long], "A CRC-32 of several values, for the service's own use.";
}}

/// The bytes a value is hashed by: text in UTF-8, numbers and times as they
/// lie in memory.
fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::Bool(b) => vec![u8::from(*b)],
        Value::Int(n) => n.to_le_bytes().to_vec(),
        Value::Long(n) | Value::DateTime(n) | Value::TimeSpan(n) => n.to_le_bytes().to_vec(),
        Value::Real(r) => r.to_le_bytes().to_vec(),
        Value::Guid(g) => {
            let mut bytes = g.to_be_bytes();
            bytes[..4].reverse();
            bytes[4..6].reverse();
            bytes[6..8].reverse();
            bytes.to_vec()
        }
        other => text::borrow(other).as_bytes().to_vec(),
    }
}

/// `hash`.
pub fn hash(args: &[Value]) -> Value {
    let hash = xxh64(&bytes(get(args, 0)), 0).cast_signed();
    match args.get(1) {
        None => Value::Long(hash),
        Some(_) => match long(args, 1) {
            Some(modulus) if modulus > 0 => Value::Long(hash.rem_euclid(modulus)),
            _ => Value::Null,
        },
    }
}

/// The digest of a text; that of nothing is nothing.
fn of_text<D: Digest>(args: &[Value]) -> Value {
    match &*text::of(args, 0) {
        "" => Value::string(""),
        text => hexadecimal(&D::digest(text.as_bytes())),
    }
}

fn hexadecimal(digest: &[u8]) -> Value {
    let mut out = String::with_capacity(2 * digest.len());
    for byte in digest {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    Value::string(out)
}

/// `hash_sha256`.
pub fn hash_sha256(args: &[Value]) -> Value {
    of_text::<Sha256>(args)
}

/// `hash_sha1`.
pub fn hash_sha1(args: &[Value]) -> Value {
    of_text::<Sha1>(args)
}

/// `hash_md5`.
pub fn hash_md5(args: &[Value]) -> Value {
    of_text::<Md5>(args)
}

const PRIMES: [u64; 5] = [
    0x9E37_79B1_85EB_CA87,
    0xC2B2_AE3D_27D4_EB4F,
    0x1656_67B1_9E37_79F9,
    0x85EB_CA77_C2B2_AE63,
    0x27D4_EB2F_1656_67C5,
];

fn little_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |word, byte| word << 8 | u64::from(*byte))
}

fn round(lane: u64, word: u64) -> u64 {
    lane.wrapping_add(word.wrapping_mul(PRIMES[1]))
        .rotate_left(31)
        .wrapping_mul(PRIMES[0])
}

/// xxHash64, after its specification.
pub fn xxh64(bytes: &[u8], seed: u64) -> u64 {
    let mut rest = bytes;
    let mut hash = if bytes.len() >= 32 {
        let mut lanes = [
            seed.wrapping_add(PRIMES[0]).wrapping_add(PRIMES[1]),
            seed.wrapping_add(PRIMES[1]),
            seed,
            seed.wrapping_sub(PRIMES[0]),
        ];
        let stripes = rest.chunks_exact(32);
        rest = stripes.remainder();
        for stripe in stripes {
            for (lane, word) in lanes.iter_mut().zip(stripe.chunks_exact(8)) {
                *lane = round(*lane, little_endian(word));
            }
        }
        let turned = [1, 7, 12, 18];
        let sum = lanes
            .iter()
            .zip(turned)
            .fold(0u64, |sum, (lane, by)| sum.wrapping_add(lane.rotate_left(by)));
        lanes.iter().fold(sum, |hash, lane| {
            (hash ^ round(0, *lane))
                .wrapping_mul(PRIMES[0])
                .wrapping_add(PRIMES[3])
        })
    } else {
        seed.wrapping_add(PRIMES[4])
    };
    hash = hash.wrapping_add(bytes.len() as u64);
    let words = rest.chunks_exact(8);
    rest = words.remainder();
    for word in words {
        hash ^= round(0, little_endian(word));
        hash = hash
            .rotate_left(27)
            .wrapping_mul(PRIMES[0])
            .wrapping_add(PRIMES[3]);
    }
    if rest.len() >= 4 {
        hash ^= little_endian(&rest[..4]).wrapping_mul(PRIMES[0]);
        hash = hash
            .rotate_left(23)
            .wrapping_mul(PRIMES[1])
            .wrapping_add(PRIMES[2]);
        rest = &rest[4..];
    }
    for byte in rest {
        hash ^= u64::from(*byte).wrapping_mul(PRIMES[4]);
        hash = hash.rotate_left(11).wrapping_mul(PRIMES[0]);
    }
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(PRIMES[1]);
    hash ^= hash >> 29;
    hash = hash.wrapping_mul(PRIMES[2]);
    hash ^ hash >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors() {
        assert_eq!(xxh64(b"", 0), 0xef46_db37_51d8_e999);
        assert_eq!(xxh64(b"Hello", 0), 753_694_413_698_530_628);
        assert_eq!(
            xxh64(
                b"Call me Ishmael. Some years ago--never mind how long precisely-",
                0
            ),
            0x02a2_e854_70d6_fd96
        );
    }
}
