//! Functions that ask who runs a query and where. Offline nobody does, so they
//! give what the service gives somebody without a name and without groups. And
//! functions that ask for chance, which is the same in every run here.

use std::sync::atomic::{AtomicU64, Ordering};

use rulec_functions::{Bag, Kernel, Value, convert};

/// The kernel of such a function, by its name in the language.
pub fn kernel(name: &str) -> Option<Kernel> {
    Some(match name {
        "current_principal" | "current_cluster_endpoint" | "current_database" => nobody,
        "current_principal_details" => no_details,
        "current_principal_is_member_of" => no_member,
        "new_guid" => new_guid,
        "rand" => rand,
        _ => return None,
    })
}

/// `current_principal()` and relatives: the empty string.
pub fn nobody(_: &[Value]) -> Value {
    Value::string("")
}

/// `current_principal_details()`: an empty bag.
pub fn no_details(_: &[Value]) -> Value {
    Value::Bag(Bag::new().into())
}

/// `current_principal_is_member_of(…)`: false.
pub fn no_member(_: &[Value]) -> Value {
    Value::Bool(false)
}

/// `new_guid()`: a guid that no other call of this process gives. A run gives
/// the same ones as the run before it, so that results can be compared.
pub fn new_guid(_: &[Value]) -> Value {
    let bits = u128::from(random()) << 64 | u128::from(random());
    // Version 4, variant 1, as the service's are.
    let fixed = bits & !(0xf << 76) & !(0x3 << 62);
    Value::Guid(fixed | 0x4 << 76 | 0x2 << 62)
}

/// `rand()`: a number from 0 to 1, without 1; below a bound, a whole number.
/// The numbers are the same in every run.
pub fn rand(args: &[Value]) -> Value {
    // As many bits as a real has.
    let fraction = (random() >> 11) as f64 / (1_u64 << 53) as f64;
    match args.first().and_then(convert::to_long) {
        Some(bound) if bound > 1 => Value::Long((fraction * bound as f64) as i64),
        _ => Value::Real(fraction),
    }
}

fn random() -> u64 {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    scramble(CALLS.fetch_add(1, Ordering::Relaxed))
}

/// The finalizer of splitmix64.
fn scramble(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
