use super::ValueError;

/// Reads a boolean as Go does.
pub(crate) fn boolean(text: &str) -> Result<bool, ValueError> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(ValueError::Boolean { text: text.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_six_spellings_of_each_are_read() {
        for text in ["1", "t", "T", "true", "TRUE", "True"] {
            assert_eq!(boolean(text), Ok(true));
        }
        for text in ["0", "f", "F", "false", "FALSE", "False"] {
            assert_eq!(boolean(text), Ok(false));
        }
    }

    #[test]
    fn anything_else_is_refused_in_the_words_of_the_reference() {
        assert_eq!(
            boolean("x").unwrap_err().to_string(),
            r#"strconv.ParseBool: parsing "x": invalid syntax"#
        );
        assert!(boolean("").is_err());
        assert!(boolean("tRUE").is_err());
    }
}
