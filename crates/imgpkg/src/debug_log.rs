//! The lines of `--debug`: one timestamp for each event, as the reference's logger writes it, in UTC.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// An event with the time in front.
pub(crate) fn entry(now: SystemTime, event: &str) -> String {
    format!("{} {event}", timestamp(now))
}

/// Date and time of day, in UTC: `2026/11/20 21:56:04`.
pub(crate) fn timestamp(now: SystemTime) -> String {
    let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let (days, second) = (since_epoch / 86_400, since_epoch % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}/{month:02}/{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// The date that lies this many days behind 1970-01-01, counted in years that begin in March so that leap days come last.
fn date(days: u64) -> (u64, u64, u64) {
    const DAYS_IN_ERA: u64 = 146_097;
    // The era of 400 years that 1970 is in began on 0000-03-01 plus four eras; 719,468 days before 1970.
    let days = days + 719_468;
    let (era, day) = (days / DAYS_IN_ERA, days % DAYS_IN_ERA);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let march_month = (5 * day + 2) / 153;
    let day = day - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year + u64::from(month < 3);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_its_time_in_front() {
        let at = |seconds| entry(UNIX_EPOCH + Duration::from_secs(seconds), "--> GET http://h/v2/");
        assert_eq!(at(0), "1970/01/01 00:00:00 --> GET http://h/v2/");
        assert_eq!(at(951_782_399), "2000/02/28 23:59:59 --> GET http://h/v2/");
        assert_eq!(at(951_782_400), "2000/02/29 00:00:00 --> GET http://h/v2/");
        assert_eq!(at(1_795_211_764), "2026/11/20 21:56:04 --> GET http://h/v2/");
        assert_eq!(at(4_107_542_400), "2100/03/01 00:00:00 --> GET http://h/v2/");
    }
}
