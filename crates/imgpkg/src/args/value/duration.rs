use std::time::Duration;

use super::ValueError;

/// Reads a duration as Go does: decimal numbers, each with a unit (`h`, `m`, `s`, `ms`, `us`, `ns`), such as `1m30s`; or
/// `0`. A negative duration, which Go has, is read as zero: both mean that there is no limit.
pub(crate) fn duration(text: &str) -> Result<Duration, ValueError> {
    let invalid = || ValueError::Duration { text: text.to_owned() };
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if unsigned == "0" {
        return Ok(Duration::ZERO);
    }
    if unsigned.is_empty() {
        return Err(invalid());
    }
    let mut nanoseconds: u128 = 0;
    let mut rest = unsigned;
    while !rest.is_empty() {
        let (number, behind) = split_at_first(rest, |c| !c.is_ascii_digit() && c != '.');
        let (unit, behind) = split_at_first(behind, |c| c.is_ascii_digit() || c == '.');
        if !is_decimal(number) {
            return Err(invalid());
        }
        if unit.is_empty() {
            return Err(ValueError::DurationWithoutUnit { text: text.to_owned() });
        }
        let Some(scale) = scale(unit) else {
            return Err(ValueError::DurationUnit { text: text.to_owned(), unit: unit.to_owned() });
        };
        let amount = scaled(number, scale).ok_or_else(invalid)?;
        nanoseconds = nanoseconds.saturating_add(amount);
        rest = behind;
    }
    // Go keeps durations in 63 bits.
    let nanoseconds = i64::try_from(nanoseconds).map_err(|_| invalid())?;
    Ok(if negative { Duration::ZERO } else { Duration::from_nanos(nanoseconds.unsigned_abs()) })
}

fn split_at_first(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

fn is_decimal(number: &str) -> bool {
    number.bytes().any(|b| b.is_ascii_digit()) && number.bytes().filter(|b| *b == b'.').count() < 2
}

/// A unit in nanoseconds.
fn scale(unit: &str) -> Option<u128> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// A decimal number of units, in whole nanoseconds; `None` if that is more than anyone can wait.
fn scaled(number: &str, scale: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole: u128 = if whole.is_empty() { 0 } else { u128::from(whole.parse::<u64>().ok()?) };
    // Below a nanosecond of an hour there are no more than 13 digits that matter.
    let fraction: String = fraction.chars().take(18).collect();
    let parts: u128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let one = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    Some(whole * scale + parts * scale / one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_units_add_up() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1.5h"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration(".5s"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2µs"), Ok(Duration::from_micros(2)));
        assert_eq!(duration("+1ns"), Ok(Duration::from_nanos(1)));
    }

    #[test]
    fn zero_needs_no_unit_and_less_than_zero_is_zero() {
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        assert_eq!(duration("-0"), Ok(Duration::ZERO));
        assert_eq!(duration("-5s"), Ok(Duration::ZERO));
    }

    #[test]
    fn a_bare_number_is_missing_its_unit() {
        assert_eq!(duration("5").unwrap_err().to_string(), r#"time: missing unit in duration "5""#);
        assert_eq!(duration("1m5").unwrap_err().to_string(), r#"time: missing unit in duration "1m5""#);
    }

    #[test]
    fn an_unknown_unit_is_named() {
        assert_eq!(duration("5d").unwrap_err().to_string(), r#"time: unknown unit "d" in duration "5d""#);
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "-", "s", "x", ".s", "1..2s", "99999999999h", "99999999999999999999s"] {
            assert_eq!(duration(text).unwrap_err().to_string(), format!("time: invalid duration {text:?}"));
        }
    }
}
