//! Where lines start, many of them in little room.
//!
//! A pass for many rules keeps a list for each; lines are some hundred bytes
//! long, so what counts is how far each is from the one before.

/// Places in ascending order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// The distance of each from the one before, seven bits a byte, the lowest first.
    distances: Vec<u8>,
    last: u64,
    count: usize,
}

impl Places {
    /// Adds a place behind all others.
    pub(super) fn push(&mut self, place: u64) {
        debug_assert!(self.count == 0 || place >= self.last, "places ascend");
        let mut distance = place - self.last;
        while distance >= 0x80 {
            self.distances.push(distance as u8 | 0x80);
            distance >>= 7;
        }
        self.distances.push(distance as u8);
        self.last = place;
        self.count += 1;
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// All of them, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        let (mut bytes, mut place) = (self.distances.iter(), 0);
        std::iter::from_fn(move || {
            let (mut distance, mut shift) = (0, 0);
            loop {
                let byte = *bytes.next()?;
                distance |= u64::from(byte & 0x7f) << shift;
                if byte < 0x80 {
                    place += distance;
                    return Some(place);
                }
                shift += 7;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_kept() {
        let mut rng = fastrand::Rng::with_seed(20_261_122);
        let mut expected = vec![0];
        for _ in 0..2_000 {
            let bits = rng.u32(..40);
            let last = expected[expected.len() - 1];
            expected.push(last + rng.u64(..1 << bits));
        }
        expected.extend([u64::MAX - 1, u64::MAX]);
        let mut places = Places::default();
        for place in &expected {
            places.push(*place);
        }
        assert_eq!(places.len(), expected.len());
        assert_eq!(places.iter().collect::<Vec<_>>(), expected);
        assert_eq!(Places::default().iter().count(), 0);
    }
}
