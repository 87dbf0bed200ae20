//! Choices that are the same for the same seed on every machine.

use fastrand::Rng;

/// A seeded source of choices. Only 32-bit choices, because those of the
/// machine's word size differ between machines.
#[derive(Clone, Debug)]
pub struct Dice(Rng);

impl Dice {
    /// The choices of a seed.
    pub fn new(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    /// The choices of query number `index` of a seed, whatever came before it.
    pub fn for_query(seed: u64, index: u64) -> Self {
        Self::new(seed.wrapping_mul(1_000_003).wrapping_add(index))
    }

    /// A number below `bound`; zero when that is zero.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u32::try_from(bound).unwrap_or(u32::MAX);
        if bound == 0 {
            return 0;
        }
        self.0.u32(0..bound) as usize
    }

    /// A number from `low` to `high`, both possible.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// True `n` times in a hundred.
    pub fn percent(&mut self, n: usize) -> bool {
        self.below(100) < n
    }

    /// One of them.
    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    /// One of them; none when there are none.
    pub fn choose<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() {
            return None;
        }
        from.get(self.below(from.len()))
    }

    /// The place of one of the weights, as often as it weighs.
    pub fn weighted(&mut self, weights: impl IntoIterator<Item = u32> + Clone) -> usize {
        let all: u32 = weights.clone().into_iter().sum();
        let mut at = self.below(all as usize) as u32;
        for (place, weight) in weights.into_iter().enumerate() {
            if at < weight {
                return place;
            }
            at -= weight;
        }
        0
    }
}
