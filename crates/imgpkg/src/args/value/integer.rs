use super::ValueError;

/// Reads an integer as Go does: decimal, or with a prefix `0x`, `0o`, `0` or `0b`; underscores may separate digits.
pub(crate) fn integer(text: &str) -> Result<i64, ValueError> {
    let invalid = || ValueError::Integer { text: text.to_owned() };
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = radix(unsigned);
    if digits.contains('_') && !underscores_separate(digits, radix != 10) {
        return Err(invalid());
    }
    let digits: String = digits.chars().filter(|c| *c != '_').collect();
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(invalid());
    }
    let signed = format!("{}{digits}", if negative { "-" } else { "" });
    i64::from_str_radix(&signed, radix).map_err(|_| ValueError::IntegerRange { text: text.to_owned() })
}

fn radix(text: &str) -> (u32, &str) {
    let prefixes = [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)];
    for (prefix, radix) in prefixes {
        if let Some(digits) = text.strip_prefix(prefix) {
            return (radix, digits);
        }
    }
    match text.strip_prefix('0') {
        Some(digits) if !digits.is_empty() => (8, digits),
        _ => (10, text),
    }
}

/// An underscore stands between two digits; one that follows the prefix counts as between.
fn underscores_separate(digits: &str, prefixed: bool) -> bool {
    (prefixed || !digits.starts_with('_')) && !digits.ends_with('_') && !digits.contains("__")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_and_prefixed_numbers_are_read() {
        assert_eq!(integer("5"), Ok(5));
        assert_eq!(integer("+5"), Ok(5));
        assert_eq!(integer("-3"), Ok(-3));
        assert_eq!(integer("0x10"), Ok(16));
        assert_eq!(integer("-0b11"), Ok(-3));
        assert_eq!(integer("017"), Ok(15));
        assert_eq!(integer("0"), Ok(0));
        assert_eq!(integer("1_000"), Ok(1000));
        assert_eq!(integer("-9223372036854775808"), Ok(i64::MIN));
    }

    #[test]
    fn what_is_no_integer_is_refused_in_the_words_of_the_reference() {
        for text in ["", "x", "1.5", "-", "1__0", "_1", "1_", "0x", "08", "--1", "5 "] {
            let expected = format!("strconv.ParseInt: parsing {text:?}: invalid syntax");
            assert_eq!(integer(text).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn an_integer_of_more_than_64_bits_is_out_of_range() {
        assert_eq!(
            integer("9223372036854775808").unwrap_err().to_string(),
            r#"strconv.ParseInt: parsing "9223372036854775808": value out of range"#
        );
    }
}
