//! The signature a call means, and the check against it.

use std::cmp::Ordering;

use super::{Fit, Signature, fewest, most};
use crate::{Arg, Mismatch, Type, TypeError};

/// The type of a call, or why it cannot be.
pub(crate) fn check(signatures: &[Signature], args: &[Arg<'_>]) -> Result<Type, Mismatch> {
    chosen(signatures, args, false)
}

/// As [`check`], for an operator: it has to fit in all of its operands.
pub(crate) fn check_operator(signatures: &[Signature], args: &[Arg<'_>]) -> Result<Type, Mismatch> {
    chosen(signatures, args, true)
}

fn chosen(signatures: &[Signature], args: &[Arg<'_>], operator: bool) -> Result<Type, Mismatch> {
    let candidates = best(signatures, args);
    let whole = !operator
        || signatures.len() == 1
        || candidates
            .iter()
            .any(|s| s.fits(args).iter().all(|fit| *fit != Fit::No));
    if let ([one], true) = (candidates.as_slice(), whole) {
        let ty = one.result(args);
        let mut errors = one.errors(args);
        for error in &mut errors {
            if let TypeError::Count { min, max, .. } = error {
                *min = fewest(signatures);
                *max = most(signatures);
            }
        }
        return if errors.is_empty() {
            Ok(ty)
        } else {
            Err(Mismatch { errors, ty })
        };
    }
    let unknown = args.iter().any(Arg::is_unknown);
    let mut types = candidates.iter().map(|s| s.result(args));
    let first = types.next().unwrap_or(Type::Unknown);
    let agree = types.all(|ty| ty == first || ty == Type::Unknown);
    let ty = if agree { first } else { Type::Unknown };
    if unknown && !args.is_empty() {
        return Ok(ty);
    }
    let error = if args.is_empty() {
        TypeError::Count {
            min: fewest(signatures),
            max: most(signatures),
            given: 0,
        }
    } else {
        nearest(&candidates, args)
    };
    Err(Mismatch {
        errors: vec![error],
        ty,
    })
}

/// The signatures that fit best.
fn best<'s>(signatures: &'s [Signature], args: &[Arg<'_>]) -> Vec<&'s Signature> {
    if let [one] = signatures {
        return vec![one];
    }
    let count = args.len();
    let mut candidates: Vec<&Signature> = signatures.iter().filter(|s| s.takes(count)).collect();
    if candidates.is_empty() {
        let most = most(signatures).unwrap_or(usize::MAX);
        candidates = signatures.iter().filter(|s| s.takes(most)).collect();
    }
    let matches = |s: &Signature| s.fits(args).iter().filter(|fit| **fit != Fit::No).count();
    let most = candidates.iter().map(|s| matches(s)).max().unwrap_or(0);
    candidates.retain(|s| matches(s) == most);
    if candidates.len() > 1 {
        let rank = |s: &Signature| {
            let fits = s.fits(args);
            let worst = fits.iter().min().copied().unwrap_or(Fit::Exact);
            let best = fits.iter().max().copied().unwrap_or(Fit::No);
            (worst, best)
        };
        // The first that is better than all before it, unless two are equally
        // good on the way.
        let mut leader = candidates[0];
        let mut clear = true;
        for candidate in &candidates[1..] {
            match rank(candidate).cmp(&rank(leader)) {
                Ordering::Greater => leader = candidate,
                Ordering::Equal => {
                    clear = false;
                    break;
                }
                Ordering::Less => {}
            }
        }
        if clear {
            return vec![leader];
        }
    }
    candidates
}

/// The first argument that none of the signatures takes, or the first at all.
fn nearest(candidates: &[&Signature], args: &[Arg<'_>]) -> TypeError {
    let refused = |s: &&Signature| s.errors(args).into_iter().next();
    let at = |error: &TypeError| match error {
        TypeError::Argument { index, .. } | TypeError::Form { index, .. } => *index,
        TypeError::Count { .. } | TypeError::Other(_) => 0,
    };
    candidates
        .iter()
        .filter_map(refused)
        .max_by_key(at)
        .unwrap_or_else(|| {
            TypeError::Other("the types of the arguments do not decide which form is meant".to_owned())
        })
}
