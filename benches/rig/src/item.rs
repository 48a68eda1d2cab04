//! What stands in the items: YCSB's fields, with values that neither repeat nor compress well.

use crate::random::Random;

/// How large the fields of an item are together, names and key not counted.
#[derive(Clone, Debug, PartialEq)]
pub enum Size {
    /// So many bytes.
    Fixed(u64),
    /// Between two sizes, all equally likely.
    Uniform(u64, u64),
    /// Between two sizes, the small ones more likely, in a zipfian way.
    Zipfian(u64, u64),
    /// Sizes with weights.
    Histogram(Vec<(u64, f64)>),
}

/// More than DynamoDB takes in an item.
const MOST: u64 = 400 * 1024;

impl Size {
    /// What `text` means: `1000`, `4KB`, `uniform:100-4000`, `zipfian:100-4000`,
    /// `histogram:100=80,4000=20`.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let range = |text: &str| {
            let (low, high) = text
                .split_once('-')
                .ok_or("write LOW-HIGH, as in 100-4000")?;
            let (low, high) = (bytes(low)?, bytes(high)?);
            if low > high {
                return Err(format!("{low} is more than {high}"));
            }
            Ok((low, high))
        };
        match text.split_once(':') {
            None => bytes(text).map(Self::Fixed),
            Some(("uniform", text)) => range(text).map(|(low, high)| Self::Uniform(low, high)),
            Some(("zipfian", text)) => range(text).map(|(low, high)| Self::Zipfian(low, high)),
            Some(("histogram", text)) => {
                let mut sizes = Vec::new();
                for part in text.split(',') {
                    let (size, weight) = part
                        .split_once('=')
                        .ok_or("write SIZE=WEIGHT, as in 100=80,4000=20")?;
                    let weight: f64 = weight
                        .parse()
                        .ok()
                        .filter(|weight: &f64| *weight >= 0.0 && weight.is_finite())
                        .ok_or_else(|| format!("{weight} is no weight"))?;
                    sizes.push((bytes(size)?, weight));
                }
                if sizes.iter().map(|(_, weight)| weight).sum::<f64>() <= 0.0 {
                    return Err("some weight has to be above 0".to_owned());
                }
                Ok(Self::Histogram(sizes))
            }
            Some(_) => Err(
                "write a number of bytes, uniform:LOW-HIGH, zipfian:LOW-HIGH or \
                 histogram:SIZE=WEIGHT,..."
                    .to_owned(),
            ),
        }
    }

    /// The size of one item.
    pub fn draw(&self, random: &mut Random) -> u64 {
        match self {
            Self::Fixed(size) => *size,
            Self::Uniform(low, high) => random.between(*low, *high),
            // By the inverse of a density that falls as 1 / size: what a zipfian distribution is
            // on a range.
            Self::Zipfian(low, high) => {
                let (low, high) = ((low + 1) as f64, (high + 1) as f64);
                (low * (high / low).powf(random.fraction())) as u64 - 1
            }
            Self::Histogram(sizes) => {
                let whole: f64 = sizes.iter().map(|(_, weight)| weight).sum();
                let mut left = random.fraction() * whole;
                for (size, weight) in sizes {
                    left -= weight;
                    if left < 0.0 {
                        return *size;
                    }
                }
                sizes.last().map_or(0, |(size, _)| *size)
            }
        }
    }
}

/// A number of bytes: `400`, `4KB`, `1KiB`.
///
/// # Errors
/// What to write instead.
pub fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..).unwrap_or_default() {
        "" | "B" => 1,
        "KB" | "kB" | "k" | "K" => 1000,
        "KiB" => 1024,
        _ => return Err(format!("{text}: write bytes as 400, 4KB or 4KiB")),
    };
    let size = digits
        .parse::<u64>()
        .ok()
        .and_then(|size| size.checked_mul(unit));
    match size {
        Some(size) if size <= MOST => Ok(size),
        Some(_) => Err(format!("an item has at most {MOST} bytes")),
        None => Err(format!("{text}: write bytes as 400, 4KB or 4KiB")),
    }
}

/// Appends a value of `size` characters, none of which JSON escapes; six random bits each.
pub fn write_value(random: &mut Random, size: usize, text: &mut Vec<u8>) {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
    let mut bits = 0;
    text.extend((0..size).map(|place| {
        // Ten letters out of the 64 bits of one draw.
        if place % 10 == 0 {
            bits = random.number();
        }
        let letter = LETTERS.get((bits & 63) as usize).copied().unwrap_or(b'A');
        bits >>= 6;
        letter
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_within_what_was_asked_for() {
        let mut random = Random::new(5, 0);
        let mut draws = |text: &str| -> Vec<u64> {
            let size = Size::parse(text).unwrap();
            (0..20_000).map(|_| size.draw(&mut random)).collect()
        };
        assert!(draws("1KB").iter().all(|size| *size == 1000));
        let uniform = draws("uniform:10-20");
        assert!((10..=20).all(|size| uniform.contains(&size)));
        let zipfian = draws("zipfian:0-4000");
        assert!(zipfian.iter().all(|size| *size <= 4000));
        assert!(zipfian.iter().filter(|size| **size < 63).count() > 9000);
        let weighted = draws("histogram:100=80,4000=20");
        let large = weighted.iter().filter(|size| **size == 4000).count();
        assert!((3600..4400).contains(&large), "{large}");
        for text in [
            "",
            "x",
            "5-1",
            "uniform:5-1",
            "histogram:1=0",
            "500KB",
            "normal:1-2",
        ] {
            assert!(Size::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn values_are_json_as_they_are() {
        let mut text = Vec::new();
        write_value(&mut Random::new(5, 0), 1003, &mut text);
        assert_eq!(text.len(), 1003);
        assert!(
            text.iter()
                .all(|c| c.is_ascii() && !b"\"\\".contains(c) && *c >= b' ')
        );
    }
}
