//! Dates and times: YAML 1.1 gives them a type of their own, so a string that looks like one is quoted.

/// Whether `text` is a date, or a date and a time, in one of the four shapes the reference tries.
pub(super) fn is_timestamp(text: &str) -> bool {
    let mut cursor = Cursor { rest: text.as_bytes() };
    let Some(year) = cursor.digits(4, 4) else { return false };
    let Some((month, day)) = cursor.month_and_day() else { return false };
    if day > days_in(year, month) {
        return false;
    }
    match cursor.rest.first() {
        None => true,
        Some(b'T' | b't') => {
            cursor.skip();
            cursor.time().is_some() && cursor.zone().is_some() && cursor.rest.is_empty()
        }
        Some(b' ') => {
            cursor.skip();
            cursor.time().is_some() && cursor.rest.is_empty()
        }
        Some(_) => false,
    }
}

fn days_in(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl Cursor<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.rest.first() == Some(&wanted)).then(|| self.skip())
    }

    /// Takes as many digits as there are, up to `most`, but at least `least`.
    fn digits(&mut self, least: usize, most: usize) -> Option<u32> {
        let count = self.rest.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
        if count < least {
            return None;
        }
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        Some(digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
    }

    fn month_and_day(&mut self) -> Option<(u32, u32)> {
        self.expect(b'-')?;
        let month = self.digits(1, 2).filter(|month| (1..=12).contains(month))?;
        self.expect(b'-')?;
        let day = self.digits(1, 2).filter(|day| *day > 0)?;
        Some((month, day))
    }

    fn time(&mut self) -> Option<()> {
        self.digits(1, 2).filter(|hour| *hour < 24)?;
        self.expect(b':')?;
        self.digits(1, 2).filter(|minute| *minute < 60)?;
        self.expect(b':')?;
        self.digits(1, 2).filter(|second| *second < 60)?;
        if let [b'.' | b',', digit, ..] = self.rest
            && digit.is_ascii_digit()
        {
            let fraction = self.rest[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            self.rest = &self.rest[1 + fraction..];
        }
        Some(())
    }

    fn zone(&mut self) -> Option<()> {
        if self.expect(b'Z').is_some() {
            return Some(());
        }
        self.expect(b'+').or_else(|| self.expect(b'-'))?;
        self.digits(2, 2).filter(|hour| *hour <= 24)?;
        self.expect(b':')?;
        self.digits(2, 2).filter(|minute| *minute < 60)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::is_timestamp;

    #[test]
    fn dates_and_times_in_the_four_shapes_are_timestamps() {
        for text in [
            "2020-01-01",
            "2020-1-1",
            "2020-02-29",
            "2001-12-14t21:59:43.10-05:00",
            "2001-12-14T21:59:43Z",
            "2001-12-14 21:59:43.123456789012",
        ] {
            assert!(is_timestamp(text), "{text}");
        }
    }

    #[test]
    fn everything_else_is_not() {
        for text in [
            "2021-02-29",
            "2020-13-01",
            "2020-00-01",
            "20200-01-01",
            "2020-01",
            "2020-01-01x",
            "2001-12-14T21:59:43",
            "2001-12-14 21:59:43Z",
            "2001-12-14T24:00:00Z",
            "2001-12-14T21:59:43+5:00",
        ] {
            assert!(!is_timestamp(text), "{text}");
        }
    }
}
