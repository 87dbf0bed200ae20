//! Whether the colons of a line stand behind the keys that they should.
//!
//! In: the keys of a line, then other texts and where their colons are. Out:
//! whether the keys before those end alike: up to eight bytes of each, the
//! closing quote included. Where the processor can gather them, eight keys are
//! looked at together. Deliberately absent: what stands before those bytes.
#![allow(
    unsafe_code,
    reason = "vector instructions: the call is behind a check that the processor has them, and what is gathered \
              is within the text whatever the colons are"
)]

use super::lanes::{BLOCK, MOST};

/// Bytes that are compared at once.
const WORD: usize = 8;

/// Bytes of a key that are compared, besides its closing quote.
pub(super) const TAIL: usize = WORD - 1;

/// Keys that are looked at together.
const ROUND: usize = 8;

/// The colons of a line, and rubbish behind them.
type Colons = [u32; MOST + BLOCK];

/// How the keys of a line end.
#[derive(Debug)]
pub(super) struct Tails {
    /// How many keys there are, up to [`MOST`]. The last round is filled up
    /// with tails of no bytes.
    count: usize,
    rounds: Vec<Round>,
    gathers: bool,
}

/// The words before some colons, and which of their bits count.
#[derive(Clone, Debug, Default)]
struct Round {
    bytes: [u64; ROUND],
    mask: [u64; ROUND],
}

impl Tails {
    /// Of at most [`MOST`] keys, without their quotes.
    pub(super) fn new<'k>(keys: impl ExactSizeIterator<Item = &'k [u8]>) -> Self {
        let count = keys.len();
        let mut rounds = vec![Round::default(); count.div_ceil(ROUND)];
        for (number, key) in keys.enumerate() {
            let round = &mut rounds[number / ROUND];
            let quoted = key.iter().rev().chain(b"\"");
            let word = word(std::iter::once(&b'"').chain(quoted));
            (round.bytes[number % ROUND], round.mask[number % ROUND]) = word;
        }
        Self {
            count,
            rounds,
            gathers: gathers(),
        }
    }

    /// How many keys there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Whether the first colons of a text follow these keys, as far as their
    /// tails go.
    #[inline]
    pub(super) fn fit(&self, text: &[u8], colons: &Colons) -> bool {
        #[cfg(target_arch = "x86_64")]
        if self.gathers && i32::try_from(text.len()).is_ok() {
            // SAFETY: the processor has the instructions.
            return colons[0] as usize >= WORD && unsafe { x86::fit(&self.rounds, text, colons) };
        }
        self.fit_plainly(text, colons)
    }

    fn fit_plainly(&self, text: &[u8], colons: &Colons) -> bool {
        let words = self
            .rounds
            .iter()
            .flat_map(|round| round.bytes.iter().zip(&round.mask));
        let mut wrong = 0;
        for ((bytes, mask), colon) in words.zip(&colons[..self.count]) {
            let Some(there) = before(text, *colon as usize) else {
                return false;
            };
            wrong |= (there ^ bytes) & mask;
        }
        wrong == 0
    }
}

/// The eight bytes before a place.
#[inline]
pub(super) fn before(text: &[u8], at: usize) -> Option<u64> {
    let bytes = text.get(at.checked_sub(WORD)?..at)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

/// The word that ends with some bytes, given from the last one on, and which of
/// its bits are theirs.
pub(super) fn word<'b>(backwards: impl Iterator<Item = &'b u8>) -> (u64, u64) {
    let mut bytes = [0; WORD];
    let mut mask = [0; WORD];
    for (place, byte) in (0..WORD).rev().zip(backwards) {
        bytes[place] = *byte;
        mask[place] = 0xff;
    }
    (u64::from_le_bytes(bytes), u64::from_le_bytes(mask))
}

/// Whether this processor gathers words.
fn gathers() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx2")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        _mm256_loadu_si256, _mm256_max_epu32, _mm256_min_epu32, _mm256_set1_epi32, _mm256_sub_epi32,
        _mm512_and_si512, _mm512_i32gather_epi64, _mm512_loadu_si512, _mm512_or_si512, _mm512_setzero_si512,
        _mm512_test_epi64_mask, _mm512_xor_si512,
    };

    use super::{Colons, ROUND, Round, WORD};

    /// Whether the words before the colons are those of the rounds. A colon
    /// that has no word of the text before it counts as one that has.
    ///
    /// # Safety
    /// The processor has AVX-512 F and AVX2, and the text is shorter than 2 GiB.
    #[target_feature(enable = "avx512f,avx2")]
    pub(super) unsafe fn fit(rounds: &[Round], text: &[u8], colons: &Colons) -> bool {
        if text.len() < WORD {
            return false;
        }
        let word = _mm256_set1_epi32(WORD as i32);
        let end = _mm256_set1_epi32(text.len() as i32);
        let mut wrong = _mm512_setzero_si512();
        for (round, colons) in rounds.iter().zip(colons.as_chunks::<ROUND>().0) {
            // SAFETY: whole arrays are loaded by reference; what is gathered lies
            // in the text, which each place is moved into.
            let (there, bytes, mask) = unsafe {
                let places = _mm256_loadu_si256(colons.as_ptr().cast());
                let places = _mm256_max_epu32(_mm256_min_epu32(places, end), word);
                (
                    _mm512_i32gather_epi64::<1>(_mm256_sub_epi32(places, word), text.as_ptr().cast()),
                    _mm512_loadu_si512(round.bytes.as_ptr().cast()),
                    _mm512_loadu_si512(round.mask.as_ptr().cast()),
                )
            };
            wrong = _mm512_or_si512(wrong, _mm512_and_si512(_mm512_xor_si512(there, bytes), mask));
        }
        _mm512_test_epi64_mask(wrong, wrong) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gathered_or_not() {
        let mut rng = fastrand::Rng::with_seed(20_261_122);
        let (mut fitting, mut colons) = (0, [0; MOST + BLOCK]);
        for _ in 0..3_000 {
            let keys: Vec<Vec<u8>> = (0..rng.usize(1..40))
                .map(|_| (0..rng.usize(..12)).map(|_| rng.u8(b'a'..b'd')).collect())
                .collect();
            let (mut text, mut expected) = (Vec::new(), true);
            // What is left of the line before.
            colons.fill_with(|| rng.u32(..));
            for (number, key) in keys.iter().enumerate() {
                let other = rng.u8(..200) == 0;
                text.extend_from_slice(b",\"");
                let start = text.len();
                text.extend_from_slice(key);
                if other {
                    text.push(b'\\');
                }
                text.extend_from_slice(b"\":");
                colons[number] = text.len() as u32 - 1;
                expected &= !other && start >= 2 && colons[number] as usize >= WORD;
                text.extend((0..rng.usize(..9)).map(|_| b'0'));
            }
            let tails = Tails::new(keys.iter().map(Vec::as_slice));
            assert_eq!(tails.count(), keys.len());
            assert_eq!(tails.fit(&text, &colons), expected);
            assert_eq!(tails.fit_plainly(&text, &colons), expected);
            // Colons that are beyond the text are no reason to look there.
            let cut = &text[..rng.usize(..text.len())];
            tails.fit(cut, &colons);
            let last = colons[keys.len() - 1] as usize;
            assert!(!tails.fit_plainly(cut, &colons) || last <= cut.len());
            fitting += usize::from(expected);
        }
        assert!((300..2_900).contains(&fitting), "{fitting}");
    }
}
