use super::ValueError;

/// One occurrence of a flag that takes a list: the fields of one record of comma-separated values (RFC 4180).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CsvRecord(pub(super) Vec<String>);

/// Reads one occurrence. An empty text is an empty list.
pub(crate) fn csv_record(text: &str) -> Result<CsvRecord, ValueError> {
    if text.is_empty() { Ok(CsvRecord(Vec::new())) } else { fields(text).map(CsvRecord) }
}

/// The list that all occurrences of a flag make together.
pub(crate) fn items(records: &[CsvRecord]) -> Vec<String> {
    records.iter().flat_map(|record| record.0.iter().cloned()).collect()
}

/// The fields of the one line that `text` is. A quoted field may hold commas, line ends and doubled quotation marks.
pub(super) fn fields(text: &str) -> Result<Vec<String>, ValueError> {
    let line = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let column = line.len() - rest.len() + 1;
        let (field, behind) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted, column + 1)?,
            None => plain_field(rest, column)?,
        };
        fields.push(field);
        match behind {
            Some(behind) => rest = behind,
            None => return Ok(fields),
        }
    }
}

/// A field up to the next comma, and what follows that comma.
fn plain_field(text: &str, column: usize) -> Result<(String, Option<&str>), ValueError> {
    let (field, behind) = match text.split_once(',') {
        Some((field, behind)) => (field, Some(behind)),
        None => (text, None),
    };
    if field.contains(['\n', '\r']) {
        return Err(ValueError::CsvLines);
    }
    match field.find('"') {
        Some(at) => Err(ValueError::CsvBareQuote { column: column + at }),
        None => Ok((field.to_owned(), behind)),
    }
}

/// A field whose opening quotation mark was read, and what follows the comma behind it.
fn quoted_field(text: &str, column: usize) -> Result<(String, Option<&str>), ValueError> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let position = column + text.len() - rest.len();
        let Some((part, behind)) = rest.split_once('"') else {
            return Err(ValueError::CsvQuote { column: position + rest.len() });
        };
        field.push_str(part);
        if let Some(behind) = behind.strip_prefix('"') {
            field.push('"');
            rest = behind;
        } else if behind.is_empty() {
            return Ok((field, None));
        } else if let Some(behind) = behind.strip_prefix(',') {
            return Ok((field, Some(behind)));
        } else if behind.starts_with(['\n', '\r']) {
            return Err(ValueError::CsvLines);
        } else {
            return Err(ValueError::CsvQuote { column: position + part.len() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        csv_record(text).unwrap().0
    }

    #[test]
    fn commas_separate() {
        assert_eq!(read("a"), ["a"]);
        assert_eq!(read("a,b c,"), ["a", "b c", ""]);
        assert_eq!(read(","), ["", ""]);
    }

    #[test]
    fn an_empty_text_is_an_empty_list() {
        assert!(read("").is_empty());
    }

    #[test]
    fn quoted_fields_hold_commas_and_quotation_marks() {
        assert_eq!(read(r#""a,b",c"#), ["a,b", "c"]);
        assert_eq!(read(r#""say ""hi""""#), [r#"say "hi""#]);
        assert_eq!(read("\"a\nb\",c\n"), ["a\nb", "c"]);
    }

    #[test]
    fn misplaced_quotation_marks_are_refused_with_their_column() {
        assert_eq!(
            csv_record("a\"b").unwrap_err().to_string(),
            "parse error on line 1, column 2: bare \" in non-quoted-field"
        );
        assert_eq!(csv_record("x,\"a\"b"), Err(ValueError::CsvQuote { column: 5 }));
        assert!(matches!(csv_record("\"open"), Err(ValueError::CsvQuote { .. })));
    }

    #[test]
    fn a_second_line_is_refused_instead_of_dropped() {
        assert_eq!(csv_record("a\nb"), Err(ValueError::CsvLines));
        assert_eq!(csv_record("\"a\"\nb"), Err(ValueError::CsvLines));
        assert_eq!(read("a\r\n"), ["a"]);
    }

    #[test]
    fn occurrences_add_up() {
        let records = [csv_record("a,b").unwrap(), csv_record("").unwrap(), csv_record("c").unwrap()];
        assert_eq!(items(&records), ["a", "b", "c"]);
    }
}
