//! When a request is repeated, and after how long.
//!
//! Worth repeating is what [`Error::is_temporary`] says: the status codes 408, 429, 500, 502, 503 and 504, and
//! connections that could not be made or broke. The count is of attempts *in a row without progress*: a download that
//! goes on after every interruption may be interrupted as often as it likes. Pauses double from one second to thirty,
//! and vary by a quarter so that workers do not come back all at once.
//!
//! An outage (no connection, or a gateway that says so) is waited out for at least a minute, however few attempts fit
//! into it, unless the user wants fewer than five.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::Error;
use crate::wait::{Wait, Waits};

/// How long an outage is waited out.
const OUTAGE: Duration = Duration::from_secs(60);

/// Whoever wants fewer repetitions than this wants an answer soon.
const PATIENT_COUNT: u32 = 5;

/// The longest time that a registry may ask to be left alone. More than that ends the run; it can be continued later.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// No pause is longer than this many first pauses.
const MOST_DOUBLED: u32 = 30;

/// How often, and how long between. The count is of attempts, the first one included; 0 means 1.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    count: u32,
    pause: Duration,
    pub(crate) waits: Waits,
}

/// The attempts at one thing.
#[derive(Debug)]
pub(crate) struct Attempts {
    policy: Policy,
    failures: u32,
    /// When the first of the failures was.
    since: Option<Instant>,
}

impl Policy {
    pub(crate) fn new(count: u32, pause: Duration, waits: Waits) -> Self {
        Self { count, pause, waits }
    }

    pub(crate) fn attempts(&self) -> Attempts {
        Attempts { policy: self.clone(), failures: 0, since: None }
    }

    /// Is an outage of this length still waited out?
    fn bridges(&self, outage: Duration) -> bool {
        self.count >= PATIENT_COUNT && outage < OUTAGE.min(self.pause * 60)
    }

    /// For the first contact with a registry: a name that was mistyped should not take half a minute to fail.
    pub(crate) fn brief(&self) -> Self {
        Self { count: self.count.min(2), pause: self.pause / 4, waits: self.waits.clone() }
    }
}

impl Attempts {
    /// Something was achieved since the last failure.
    pub(crate) fn progress(&mut self) {
        self.failures = 0;
        self.since = None;
    }

    /// Waits until it is time for the next attempt.
    ///
    /// # Errors
    /// The failure itself, if it is not worth another attempt or there have been enough.
    pub(crate) async fn pause(&mut self, error: Error) -> Result<(), Error> {
        if !error.is_temporary() {
            return Err(error);
        }
        self.pause_anyway(error).await
    }

    /// As [`Attempts::pause`], for a failure that is worth another attempt because that one begins differently.
    ///
    /// # Errors
    /// The failure itself, if there have been enough.
    pub(crate) async fn pause_anyway(&mut self, error: Error) -> Result<(), Error> {
        self.failures += 1;
        let since = *self.since.get_or_insert_with(Instant::now);
        if self.failures >= self.policy.count && !(error.is_outage() && self.policy.bridges(since.elapsed()))
        {
            return Err(error);
        }
        let asked = error.refusal().and_then(crate::error::Refusal::retry_after);
        // A wait that the registry asked for is kept by everyone who talks to that host (see `host`).
        if asked.is_none_or(|wait| wait.is_zero()) {
            let time = self.next_pause();
            self.policy.waits.tell(|| Wait {
                host: error.host().unwrap_or_default(),
                time,
                reason: error.chain(),
                asked: false,
            });
            tokio::time::sleep(time).await;
        }
        Ok(())
    }

    fn next_pause(&self) -> Duration {
        let doubled = 2u32.saturating_pow(self.failures.saturating_sub(1)).min(MOST_DOUBLED);
        (self.policy.pause * doubled).mul_f64(0.75 + fastrand::f64() / 2.0)
    }
}

/// Is this longer than a run should wait?
pub(crate) fn is_too_long(wait: Duration) -> bool {
    wait > LONGEST_WAIT
}

/// Reads a `Retry-After` header: seconds, or a date (RFC 9110, section 10.2.3).
pub(crate) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than fit are a very long time.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::from(u32::MAX))));
    }
    let at = UNIX_EPOCH.checked_add(Duration::from_secs(http_date(value)?))?;
    Some(at.duration_since(now).unwrap_or_default())
}

/// Seconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`, the one form of HTTP's dates that is still written.
fn http_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_once(", ")?.1.split(' ');
    let day: u64 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
    let year: u64 = words.next()?.parse().ok()?;
    let mut clock = words.next()?.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if words.next()? != "GMT" || !(1970..=9999).contains(&year) || !(1..=31).contains(&day) {
        return None;
    }
    // Days of the proleptic Gregorian calendar, counted with years that begin in March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    let days = days.checked_sub(719_468)?;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit_and_vary_by_a_quarter() {
        let policy = policy(9, Duration::from_secs(1));
        for (failures, expected) in [(1, 1.0), (2, 2.0), (3, 4.0), (5, 16.0), (6, 30.0), (40, 30.0)] {
            let pause = Attempts { policy: policy.clone(), failures, since: None }.next_pause().as_secs_f64();
            assert!((0.75 * expected..=1.25 * expected).contains(&pause), "{failures}: {pause}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = UNIX_EPOCH + Duration::from_secs(784_111_777);
        let parsed = |value| retry_after(value, now);
        assert_eq!(parsed("120"), Some(Duration::from_secs(120)));
        assert_eq!(parsed("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        assert_eq!(parsed("Sun, 06 Nov 1994 08:50:37 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(parsed("Sun, 06 Nov 1994 08:40:37 GMT"), Some(Duration::ZERO));
        assert_eq!(
            parsed("Thu, 29 Feb 2024 00:00:00 GMT").map(|d| d.as_secs()),
            Some(1_709_164_800 - 784_111_777)
        );
        assert!(parsed("99999999999999999999999").is_some_and(is_too_long));
        for bad in ["", "soon", "-1", "1.5", "Sun, 06 Nov 1994", "Sun, 00 Nov 1994 08:49:37 GMT"] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
    }

    fn policy(count: u32, pause: Duration) -> Policy {
        Policy::new(count, pause, Waits::default())
    }

    fn temporary() -> Error {
        Error::Transport { method: "Get".to_owned(), url: String::new(), source: crate::Cause::no_headers() }
    }

    #[tokio::test]
    async fn an_outage_is_waited_out_for_a_minute_of_first_pauses() {
        let started = Instant::now();
        let pause = Duration::from_millis(5);
        let mut attempts = policy(5, pause).attempts();
        while attempts.pause(temporary()).await.is_ok() {}
        assert!(attempts.failures > 6 && started.elapsed() >= pause * 60, "{attempts:?}");
        let mut hasty = policy(1, pause).attempts();
        while hasty.pause(temporary()).await.is_ok() {}
        assert_eq!(hasty.failures, 1);
    }

    #[tokio::test]
    async fn progress_starts_the_count_again() {
        let mut attempts = policy(3, Duration::from_millis(1)).attempts();
        for _ in 0..2 {
            attempts.pause(temporary()).await.unwrap();
        }
        attempts.progress();
        for _ in 0..2 {
            attempts.pause(temporary()).await.unwrap();
        }
        assert!(attempts.pause(temporary()).await.is_err());
    }
}
