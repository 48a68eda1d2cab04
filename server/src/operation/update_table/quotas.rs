//! How often a table may change what. A table of the same name that is created later starts anew
//! (DDB-TABLE-377).

use crate::{
    operation::definition::{check_rested, instant, utc_date},
    table::Changes,
    wire::Error,
};

/// A day.
const DAY_MS: u64 = 86_400_000;

/// Changes of the encryption that are free within 24 hours of the first; then there is one in six
/// hours (DDB-TABLE-081).
const FREE_ENCRYPTIONS: usize = 4;
/// Six hours.
const ENCRYPTION_INTERVAL_MS: u64 = 21_600_000;

/// Changes of the table class within 30 days (DDB-TABLE-283, -443; developer guide, "Considerations
/// when choosing a table class").
const CLASSES: usize = 2;
/// 30 days.
const CLASS_WINDOW_MS: u64 = 30 * DAY_MS;

/// Switches to on-demand billing within 24 hours (developer guide, "Considerations when switching
/// capacity modes").
const SWITCHES: usize = 4;

/// Counts a change of the encryption.
pub(super) fn change_encryption(changes: &mut Changes, now_ms: u64) -> Result<(), Error> {
    let made = &mut changes.encryption_ms;
    // The window is not a sliding one: it opens with the first change.
    if made.first().is_some_and(|first| now_ms >= first + DAY_MS) {
        made.clear();
    }
    if let (Some(first), Some(last)) = (made.first(), made.last())
        && made.len() >= FREE_ENCRYPTIONS
    {
        let end_ms = first + DAY_MS;
        let next_ms = (last + ENCRYPTION_INTERVAL_MS).min(end_ms);
        if now_ms < next_ms {
            return Err(limit_exceeded(format!(
                "Encryption mode changes are limited in the 24h window ending at {}. After the \
                 first {FREE_ENCRYPTIONS} change, each subsequent change in the same window can be \
                 performed at most once every {} seconds. Number of updates today: {}. Last change \
                 at {}. Next changes can be made at {}.",
                instant(end_ms),
                ENCRYPTION_INTERVAL_MS / 1000,
                made.len(),
                instant(*last),
                instant(next_ms)
            )));
        }
    }
    made.push(now_ms);
    Ok(())
}

/// Counts a change of the table class.
pub(super) fn change_class(changes: &mut Changes, now_ms: u64) -> Result<(), Error> {
    check_class(changes, now_ms)?;
    changes
        .class_ms
        .retain(|made| now_ms < made + CLASS_WINDOW_MS);
    changes.class_ms.push(now_ms);
    Ok(())
}

/// That the class may be set, also if to what it is (DDB-TABLE-443).
pub(super) fn check_class(changes: &Changes, now_ms: u64) -> Result<(), Error> {
    let recent = |made: &&u64| now_ms < *made + CLASS_WINDOW_MS;
    if changes.class_ms.iter().filter(recent).count() < CLASSES {
        return Ok(());
    }
    Err(limit_exceeded(format!(
        "Updates to TableClass are limited to {CLASSES} times in {} day(s).",
        CLASS_WINDOW_MS / DAY_MS
    )))
}

/// Counts a switch to on-demand billing. The words are those of 2019 (a user's report in
/// serverless/serverless issue 3183), when there was one a day, with today's number in them.
pub(super) fn switch_to_on_demand(changes: &mut Changes, now_ms: u64) -> Result<(), Error> {
    let made = &mut changes.on_demand_ms;
    made.retain(|made| now_ms < made + DAY_MS);
    if let (Some(first), Some(last)) = (made.first(), made.last())
        && made.len() >= SWITCHES
    {
        return Err(limit_exceeded(format!(
            "Update to PayPerRequest mode are limited to {SWITCHES} times in 1 day(s). Last update \
             at {}. Next update can be made at {}.",
            utc_date(*last),
            utc_date(first + DAY_MS)
        )));
    }
    made.push(now_ms);
    Ok(())
}

/// Notes a change of the deletion protection of `table`. It rests afterwards where changes take
/// time, as `delay_ms` says.
pub(super) fn change_protection(
    changes: &mut Changes,
    table: &str,
    delay_ms: u64,
    now_ms: u64,
) -> Result<(), Error> {
    if let Some(changed_ms) = changes.protection_ms.filter(|_| delay_ms > 0) {
        let what = format!("Deletion protection setting for table {table}");
        check_rested(&what, changed_ms, now_ms, "")?;
    }
    changes.protection_ms = Some(now_ms);
    Ok(())
}

fn limit_exceeded(message: String) -> Error {
    Error::LimitExceeded(format!("Subscriber limit exceeded: {message}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_791_501_648_000;
    const HOUR_MS: u64 = 3_600_000;

    fn message(outcome: Result<(), Error>) -> String {
        outcome.unwrap_err().to_string()
    }

    #[test]
    fn after_four_changes_of_the_encryption_there_is_one_in_six_hours() {
        let mut changes = Changes::default();
        for minute in 0..4 {
            change_encryption(&mut changes, START + minute * 60_000).unwrap();
        }
        let last_ms = START + 3 * 60_000;
        assert_eq!(
            message(change_encryption(&mut changes, last_ms + 6 * HOUR_MS - 1)),
            "LimitExceededException: Subscriber limit exceeded: Encryption mode changes are limited \
             in the 24h window ending at 2026-10-09T23:20:48.000Z. After the first 4 change, each \
             subsequent change in the same window can be performed at most once every 21600 seconds. \
             Number of updates today: 4. Last change at 2026-10-08T23:23:48.000Z. Next changes can \
             be made at 2026-10-09T05:23:48.000Z."
        );
        change_encryption(&mut changes, last_ms + 6 * HOUR_MS).unwrap();
        message(change_encryption(&mut changes, last_ms + 7 * HOUR_MS));
        for _ in 0..4 {
            change_encryption(&mut changes, START + DAY_MS).unwrap();
        }
        message(change_encryption(&mut changes, START + DAY_MS));
    }

    #[test]
    fn the_class_changes_twice_in_thirty_days() {
        let mut changes = Changes::default();
        change_class(&mut changes, START).unwrap();
        change_class(&mut changes, START + DAY_MS).unwrap();
        assert_eq!(
            message(change_class(&mut changes, START + 30 * DAY_MS - 1)),
            "LimitExceededException: Subscriber limit exceeded: Updates to TableClass are limited \
             to 2 times in 30 day(s)."
        );
        change_class(&mut changes, START + 30 * DAY_MS).unwrap();
        message(change_class(&mut changes, START + 31 * DAY_MS - 1));
        change_class(&mut changes, START + 31 * DAY_MS).unwrap();
    }

    #[test]
    fn on_demand_is_switched_to_four_times_a_day() {
        let mut changes = Changes::default();
        for hour in 0..4 {
            switch_to_on_demand(&mut changes, START + hour * HOUR_MS).unwrap();
        }
        assert_eq!(
            message(switch_to_on_demand(&mut changes, START + DAY_MS - 1)),
            "LimitExceededException: Subscriber limit exceeded: Update to PayPerRequest mode are \
             limited to 4 times in 1 day(s). Last update at Fri Oct 09 02:20:48 UTC 2026. Next \
             update can be made at Fri Oct 09 23:20:48 UTC 2026."
        );
        switch_to_on_demand(&mut changes, START + DAY_MS).unwrap();
        message(switch_to_on_demand(&mut changes, START + DAY_MS));
        switch_to_on_demand(&mut changes, START + DAY_MS + HOUR_MS).unwrap();
    }

    #[test]
    fn the_deletion_protection_rests_where_changes_take_time() {
        let mut changes = Changes::default();
        change_protection(&mut changes, "t", 1000, START).unwrap();
        assert_eq!(
            message(change_protection(&mut changes, "t", 1000, START + 14_999)),
            "ThrottlingException: Deletion protection setting for table t modified within the \
             previous 15000 milliseconds. Please try again after 2026-10-08T23:21:03.000Z"
        );
        change_protection(&mut changes, "t", 1000, START + 15_000).unwrap();
        change_protection(&mut changes, "t", 0, START + 15_001).unwrap();
    }
}
