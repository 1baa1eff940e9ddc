//! Numbers as Go's `strconv` reads and prints them.

/// Reads a whole number with an optional sign and a base prefix (`0x`, `0o`, `0b`, or `0` for octal) that fits `i64`.
pub(super) fn parse_int(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let magnitude = i128::from(parse_uint(digits)?);
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

/// Reads an unsigned whole number with a base prefix that fits `u64`.
pub(super) fn parse_uint(text: &str) -> Option<u64> {
    let (base, digits) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &text[2..]),
        [b'0', b'o' | b'O', ..] => (8, &text[2..]),
        [b'0', b'b' | b'B', ..] => (2, &text[2..]),
        [b'0', _, ..] => (8, &text[1..]),
        _ => (10, text),
    };
    // `from_str_radix` takes a sign; here it has been read already.
    if !digits.as_bytes().first()?.is_ascii_alphanumeric() {
        return None;
    }
    u64::from_str_radix(digits, base).ok()
}

/// Reads a decimal fraction: sign, digits with at most one point, exponent. Too large a number is not one.
pub(super) fn parse_float(text: &str) -> Option<f64> {
    if !is_decimal(text) {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let whole_exponent = exponent
        .map(|text| text.strip_prefix(['-', '+']).unwrap_or(text))
        .is_none_or(|text| !text.is_empty() && digits(text));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    whole_exponent && digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty())
}

/// Prints a number with the fewest digits that identify it among single-precision ones.
#[expect(clippy::cast_possible_truncation, reason = "rounding to single precision is the point")]
pub(super) fn single(value: f64) -> String {
    let value = value as f32;
    match special(f64::from(value)) {
        Some(text) => text.to_owned(),
        None => layout(&format!("{value:e}")),
    }
}

/// Prints a number with the fewest digits that identify it.
pub(super) fn double(value: f64) -> String {
    match special(value) {
        Some(text) => text.to_owned(),
        None => layout(&format!("{value:e}")),
    }
}

fn special(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some("NaN")
    } else if value.is_infinite() {
        Some(if value > 0.0 { "+Inf" } else { "-Inf" })
    } else {
        None
    }
}

/// Turns Rust's shortest scientific form into Go's general one: an exponent only below -4 or from 6 on, of two digits
/// at least.
fn layout(scientific: &str) -> String {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    if !(-4..6).contains(&exponent) {
        let direction = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{mantissa}e{direction}{:02}", exponent.unsigned_abs());
    }
    let digits: String = mantissa.chars().filter(|digit| *digit != '.').collect();
    if exponent < 0 {
        let zeros = "0".repeat(exponent.unsigned_abs() as usize - 1);
        return format!("{sign}0.{zeros}{digits}");
    }
    let whole = exponent.unsigned_abs() as usize + 1;
    if digits.len() <= whole {
        format!("{sign}{digits:0<whole$}")
    } else {
        format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read_in_their_base() {
        assert_eq!(parse_int("012"), Some(10));
        assert_eq!(parse_int("-0x1F"), Some(-31));
        assert_eq!(parse_int("0o17"), Some(15));
        assert_eq!(parse_int("+0b11"), Some(3));
        assert_eq!(parse_int("0"), Some(0));
        assert_eq!(parse_int("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(parse_uint("18446744073709551615"), Some(u64::MAX));
        for text in ["", "-", "0x", "08", "+-1", "0x+1", "9223372036854775808", "1a"] {
            assert_eq!(parse_int(text), None, "{text}");
        }
    }

    #[test]
    fn fractions_need_a_digit_and_a_finite_value() {
        assert_eq!(parse_float("1."), Some(1.0));
        assert_eq!(parse_float("-.5e1"), Some(-5.0));
        assert_eq!(parse_float("12e03"), Some(12000.0));
        for text in [".", "e5", "1e", "1.2.3", "1e400", "inf", "nan", "0x1p3"] {
            assert_eq!(parse_float(text), None, "{text}");
        }
    }

    #[test]
    fn fractions_are_printed_with_an_exponent_only_outside_minus_4_to_6() {
        assert_eq!(single(1.5), "1.5");
        assert_eq!(single(0.0001), "0.0001");
        assert_eq!(single(0.00001), "1e-05");
        assert_eq!(single(999_999.0), "999999");
        assert_eq!(single(1_000_000.0), "1e+06");
        assert_eq!(single(1e39), "+Inf");
        assert_eq!(single(-0.0), "-0");
        assert_eq!(double(123_456_789.5), "1.234567895e+08");
        assert_eq!(double(f64::NAN), "NaN");
    }
}
