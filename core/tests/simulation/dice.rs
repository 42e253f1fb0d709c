//! Chance, the same every time: SplitMix64, drawn from a seed.

/// A sequence that its seed gives.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The sequence of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high - low + 1).unwrap();
        low + i64::try_from(self.bits() % width).unwrap()
    }

    /// Whether something happens that happens so often in a thousand times.
    pub(crate) fn chance(&mut self, in_a_thousand: u32) -> bool {
        self.bits() % 1000 < u64::from(in_a_thousand)
    }

    /// One of `all`.
    pub(crate) fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let last = i64::try_from(all.len()).unwrap() - 1;
        &all[usize::try_from(self.between(0, last)).unwrap()]
    }

    /// The first of these whose share of the whole is hit.
    pub(crate) fn by_share<T: Copy>(&mut self, shares: &[(i64, T)]) -> T {
        let mut left = self.between(1, shares.iter().map(|(share, _)| share).sum());
        let hit = shares.iter().find(|(share, _)| {
            left -= share;
            left <= 0
        });
        hit.unwrap().1
    }

    /// Bytes for an id or a digest.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.bits().to_be_bytes()[..chunk.len()]);
        }
        bytes
    }
}
