//! Dates as DynamoDB writes them into messages.

const DAY_MS: u64 = 86_400_000;

const WEEKDAYS: [&str; 7] = [
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `ms` (Unix milliseconds) as in `Thursday, October 8, 2026 at 11:20:48 PM Coordinated Universal
/// Time`.
pub(crate) fn long_date(ms: u64) -> String {
    let days = ms / DAY_MS;
    let (year, month, day) = civil(days);
    let seconds = ms % DAY_MS / 1000;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let half = if hour < 12 { "AM" } else { "PM" };
    let hour = if hour % 12 == 0 { 12 } else { hour % 12 };
    let weekday = WEEKDAYS.get(days as usize % 7).unwrap_or(&"");
    let month = MONTHS.get(month as usize - 1).unwrap_or(&"");
    format!(
        "{weekday}, {month} {day}, {year} at {hour}:{minute:02}:{second:02} {half} Coordinated \
         Universal Time"
    )
}

/// `ms` (Unix milliseconds) as in `2026-10-09T00:29:34.602Z`.
pub(crate) fn instant(ms: u64) -> String {
    label(ms) + "Z"
}

/// `ms` (Unix milliseconds) as in `2015-05-20T20:51:10.252`, as the labels of streams are written.
pub(crate) fn label(ms: u64) -> String {
    let (year, month, day) = civil(ms / DAY_MS);
    let seconds = ms % DAY_MS / 1000;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let ms = ms % 1000;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}")
}

/// `ms` (Unix milliseconds) as in `Sat Feb 23 03:07:45 UTC 2019`.
pub(crate) fn utc_date(ms: u64) -> String {
    let (year, month, day) = civil(ms / DAY_MS);
    let seconds = ms % DAY_MS / 1000;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let name =
        |names: &[&'static str], at: u64| names.get(at as usize).and_then(|name| name.get(..3));
    let weekday = name(&WEEKDAYS, ms / DAY_MS % 7).unwrap_or_default();
    let month = name(&MONTHS, month - 1).unwrap_or_default();
    format!("{weekday} {month} {day:02} {hour:02}:{minute:02}:{second:02} UTC {year}")
}

/// Year, month (1 to 12) and day of the day `days` after 1970-01-01, by eras of 400 years that begin
/// on a 1 March: every one has the same number of days.
fn civil(days: u64) -> (u64, u64, u64) {
    const ERA_DAYS: u64 = 146_097;
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / ERA_DAYS, shifted % ERA_DAYS);
    let leap_days = day_of_era / 1_460 + day_of_era / 146_096;
    let year_of_era = (day_of_era + day_of_era / 36_524 - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_dynamodb_writes_them() {
        // From a message of AWS (DDB-TABLE-184).
        assert_eq!(
            long_date(1_791_501_648_000),
            "Thursday, October 8, 2026 at 11:20:48 PM Coordinated Universal Time"
        );
        assert_eq!(
            long_date(1_791_504_000_000),
            "Friday, October 9, 2026 at 12:00:00 AM Coordinated Universal Time"
        );
        assert_eq!(utc_date(1_550_891_265_000), "Sat Feb 23 03:07:45 UTC 2019");
        // DDB-TABLE-206.
        assert_eq!(instant(1_791_505_774_602), "2026-10-09T00:29:34.602Z");
        assert_eq!(label(1_791_501_648_007), "2026-10-08T23:20:48.007");
        assert!(long_date(0).starts_with("Thursday, January 1, 1970 at 12:00:00 AM"));
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut before = civil(0);
        for days in 1..200_000 {
            let (year, month, day) = civil(days);
            let next_day = (year, month, day) == (before.0, before.1, before.2 + 1);
            let next_month = (month, day) == (before.1 + 1, 1) && year == before.0;
            let next_year = (year, month, day) == (before.0 + 1, 1, 1) && before.1 == 12;
            assert!(
                next_day || next_month || next_year,
                "{before:?} {:?}",
                (year, month, day)
            );
            before = (year, month, day);
        }
        assert_eq!(civil(19_782), (2024, 2, 29));
    }
}
