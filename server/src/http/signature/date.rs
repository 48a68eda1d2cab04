//! Dates as signatures write them: `20260101T000000Z`.

use crate::operation::instant;

/// Unix milliseconds of a date, if it is one.
pub(super) fn parse(stamp: &str) -> Option<u64> {
    let bytes: &[u8; 16] = stamp.as_bytes().try_into().ok()?;
    let number = |from: usize, to: usize| {
        let digits = bytes.get(from..to)?;
        digits.iter().try_fold(0u64, |number, digit| {
            let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
            Some(number * 10 + digit)
        })
    };
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(9, 11)?, number(11, 13)?, number(13, 15)?);
    let legal = bytes.get(8) == Some(&b'T')
        && bytes.get(15) == Some(&b'Z')
        && year >= 1970
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !legal {
        return None;
    }
    let days = days(year, month, day);
    Some((days * 86_400 + hour * 3600 + minute * 60 + second) * 1000)
}

/// A time in Unix milliseconds.
pub(super) fn basic(ms: u64) -> String {
    let instant = instant(ms);
    let seconds = instant.split('.').next().unwrap_or_default();
    let mut stamp: String = seconds
        .chars()
        .filter(|character| !"-:".contains(*character))
        .collect();
    stamp.push('Z');
    stamp
}

/// Days since 1970-01-01, by eras of 400 years that begin on a 1 March.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = year - u64::from(month <= 2);
    let (era, year_of_era) = (year / 400, year % 400);
    let from_march = (month + 9) % 12;
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_they_are_written() {
        assert_eq!(parse("20260101T000000Z"), Some(1_767_225_600_000));
        for day in 0..100_000u64 {
            let ms = (day * 86_400 + day % 86_400) * 1000;
            assert_eq!(parse(&basic(ms)), Some(ms));
        }
    }

    #[test]
    fn other_texts_are_no_dates() {
        for text in [
            "",
            "20260101",
            "20260101T000000",
            "20261301T000000Z",
            "2026-01-01T00:00:00Z",
            "20260101t000000z",
            "19690101T000000Z",
            "2026010éT00000Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
