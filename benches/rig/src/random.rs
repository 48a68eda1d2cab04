//! Randomness that a seed repeats: which keys, which operations, which gaps between them.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// One stream of random numbers. The same seed and stream give the same numbers on every machine.
#[derive(Clone, Debug)]
pub struct Random {
    source: ChaCha8Rng,
}

impl Random {
    /// Stream number `stream` of `seed`: every worker has its own.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut source = ChaCha8Rng::seed_from_u64(seed);
        source.set_stream(stream);
        Self { source }
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.source.next_u64()
    }

    /// At least 0 and less than 1, in steps of 2^-53.
    pub fn fraction(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1u64 << 53) as f64;
        (self.number() >> 11) as f64 * STEP
    }

    /// At least 0 and less than `end`; 0 if `end` is 0. By multiplication: the bias is below
    /// `end` / 2^64.
    pub fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.number()) * u128::from(end)) >> 64) as u64
    }

    /// At least `low` and at most `high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// A gap of a Poisson process whose mean gap is 1.
    pub fn exponential(&mut self) -> f64 {
        // 1 - u is never 0, so that the logarithm is finite.
        -(1.0 - self.fraction()).ln()
    }
}

/// A seed from the operating system, small enough to be typed again.
pub fn fresh_seed() -> u64 {
    let mut bytes = [0; 8];
    // Without randomness every run has the same seed, which is printed: nothing goes wrong.
    let _ = getrandom::fill(&mut bytes);
    u64::from_le_bytes(bytes) % 1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn a_seed_repeats_and_streams_differ() {
        let take = |seed, stream| {
            let mut random = Random::new(seed, stream);
            (0..8).map(|_| random.number()).collect::<Vec<_>>()
        };
        assert_eq!(take(7, 0), take(7, 0));
        assert_ne!(take(7, 0), take(7, 1));
        assert_ne!(take(7, 0), take(8, 0));
    }

    #[test]
    fn gaps_are_exponential() {
        let mut random = Random::new(1, 0);
        let gaps: Vec<f64> = (0..200_000).map(|_| random.exponential()).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        assert!((mean - 1.0).abs() < 0.02, "{mean}");
        let above = gaps.iter().filter(|gap| **gap > 2.0).count() as f64 / gaps.len() as f64;
        assert!((above - (-2.0f64).exp()).abs() < 0.005, "{above}");
        assert!((0..1000).all(|_| random.below(7) < 7));
        assert!((0..1000).all(|_| (3..=5).contains(&random.between(3, 5))));
    }
}
