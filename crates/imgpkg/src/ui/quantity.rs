//! Sizes and times as people read them.

use std::time::Duration;

const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];

/// A size: `512 B`, `34.1 MiB`.
pub(crate) fn bytes(size: u64) -> String {
    let unit = unit_of(size);
    format!("{} {}", number(size, unit), UNITS[unit])
}

/// A part of a size, both in the unit of the whole: `34.1 of 777.0 MiB`.
pub(crate) fn bytes_of(part: u64, whole: u64) -> String {
    let unit = unit_of(whole.max(part));
    format!("{} of {} {}", number(part, unit), number(whole, unit), UNITS[unit])
}

/// A time that nobody needs more exactly: `7s`, `1m05s`, `2h07m`.
pub(crate) fn time(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_millis() >= 500);
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h{minutes:02}m"),
    }
}

/// The position of the largest unit that the size has at least one of.
fn unit_of(size: u64) -> usize {
    (1..UNITS.len()).rev().find(|&unit| size >> (10 * unit) > 0).unwrap_or(0)
}

fn number(size: u64, unit: usize) -> String {
    if unit == 0 {
        return size.to_string();
    }
    // Rounding to one decimal loses more than the conversion does.
    format!("{:.1}", size as f64 / (1u64 << (10 * unit)) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_given_in_the_largest_unit_that_fits() {
        for (size, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (35_756_441, "34.1 MiB"),
            (5 << 30, "5.0 GiB"),
            (u64::MAX, "16777216.0 TiB"),
        ] {
            assert_eq!(bytes(size), expected);
        }
    }

    #[test]
    fn a_part_has_the_unit_of_the_whole() {
        assert_eq!(bytes_of(35_756_441, 777 << 20), "34.1 of 777.0 MiB");
        assert_eq!(bytes_of(10, 777 << 20), "0.0 of 777.0 MiB");
        assert_eq!(bytes_of(10, 20), "10 of 20 B");
        assert_eq!(bytes_of(0, 0), "0 of 0 B");
    }

    #[test]
    fn times_have_two_units_at_most() {
        for (milliseconds, expected) in [
            (0, "0s"),
            (1_499, "1s"),
            (59_600, "1m00s"),
            (65_000, "1m05s"),
            (7_645_000, "2h07m"),
            (90_000_000, "25h00m"),
        ] {
            assert_eq!(time(Duration::from_millis(milliseconds)), expected);
        }
    }
}
