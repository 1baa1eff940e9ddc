use std::collections::BTreeMap;

use super::ValueError;
use super::csv::fields;

/// One occurrence of `--labels`: keys and their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Labels(pub(crate) BTreeMap<String, String>);

/// Reads `key=value[,key=value]`. With one `=` all of the text is one pair, so that its value may hold commas; with several
/// it is a record of comma-separated values, where quotation marks protect commas. A pair splits at its first `=`.
pub(crate) fn labels(text: &str) -> Result<Labels, ValueError> {
    let pairs = match text.matches('=').count() {
        0 => vec![text.to_owned()],
        1 => vec![text.trim_matches('"').to_owned()],
        _ => fields(text)?,
    };
    let mut labels = BTreeMap::new();
    for pair in pairs {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(ValueError::Label { pair });
        };
        labels.insert(key.to_owned(), value.to_owned());
    }
    Ok(Labels(labels))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        labels(text).unwrap().0.into_iter().collect()
    }

    fn pair(key: &str, value: &str) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn pairs_are_separated_by_commas_and_split_at_the_first_equals_sign() {
        assert_eq!(read("a=1"), [pair("a", "1")]);
        assert_eq!(read("a=1,b=x=y"), [pair("a", "1"), pair("b", "x=y")]);
        assert_eq!(read("a="), [pair("a", "")]);
    }

    #[test]
    fn quotation_marks_protect_commas() {
        assert_eq!(read(r#"b=x,"c=1,2""#), [pair("b", "x"), pair("c", "1,2")]);
    }

    #[test]
    fn a_single_pair_needs_no_quotation_marks_around_commas() {
        assert_eq!(read("a=x,y"), [pair("a", "x,y")]);
        assert_eq!(read(r#""a=x,y""#), [pair("a", "x,y")]);
    }

    #[test]
    fn a_pair_without_equals_sign_is_refused() {
        assert_eq!(labels("foo").unwrap_err().to_string(), "foo must be formatted as key=value");
        assert_eq!(labels("a=1,foo,b=2").unwrap_err().to_string(), "foo must be formatted as key=value");
    }
}
