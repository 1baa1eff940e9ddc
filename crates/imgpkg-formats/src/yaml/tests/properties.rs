use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::yaml::{Scalar, Value, read, write};

/// Text full of what is special to YAML.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "a", "b c", " ", "  ", "\n", "\n\n", "\t", "\r", ": ", ":", "- ", "-", "? ", "#", " #", "'", "\"", "\\", "|", ">",
            "[", "]", "{", "}", ",", "&a", "*a", "!", "!!str ", "%", "@", "`", "---", "...", "<<", "=", "~", "null", "yes", "1",
            "0x1f", "1.5", "1e3", ":30", "2020-01-01", "é", "\u{85}", "\u{a0}", "\u{2028}", "\u{2029}", "\u{feff}", "\u{7f}",
            "\u{0}", "\u{fffe}", "😀", "word word word word word word word word word",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Fractions and infinities; whole numbers read back as such and are covered by the other variants.
fn fraction() -> impl Strategy<Value = f64> {
    any::<f64>().prop_map(|value| {
        if value.is_nan() || (value.is_finite() && value.fract() == 0.0) { 0.5 } else { value }
    })
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Scalar::Null),
        any::<bool>().prop_map(Scalar::Bool),
        any::<i64>().prop_map(Scalar::Int),
        (u64::MAX / 2 + 1..=u64::MAX).prop_map(Scalar::Uint),
        fraction().prop_map(Scalar::Float),
        text().prop_map(Scalar::String),
    ]
    .prop_map(Value::Scalar);
    scalar.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Sequence),
            prop::collection::btree_map(text(), inner, 0..5).prop_map(Value::from_iter),
        ]
    })
}

/// The same value with its keys in one fixed order.
fn sorted(value: Value) -> Value {
    match value {
        Value::Mapping(entries) => {
            let mut entries: Vec<_> = entries.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Mapping(entries)
        }
        Value::Sequence(items) => Value::Sequence(items.into_iter().map(sorted).collect()),
        scalar @ Value::Scalar(_) => scalar,
    }
}

/// Pieces of documents, most of them broken when put together.
fn document() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "b: ",
        "- ",
        "\n",
        "\n  ",
        "\n    ",
        " ",
        "\t",
        "[",
        "]",
        "{",
        "}",
        ",",
        "? ",
        ": ",
        ":",
        "\"",
        "'",
        "\\",
        "\\x",
        "|",
        "|2",
        "|+",
        ">-",
        "&a ",
        "*a ",
        "!",
        "!!str ",
        "!<",
        ">",
        "!a",
        "!e!x",
        "%YAML 1.1\n",
        "%TAG !e! tag:x,2:\n",
        "%41",
        "---",
        "...\n",
        "# c\n",
        "\r",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "é",
        "😀",
        "<<: ",
        "1",
        "~",
        "@",
        "''",
        "\\N",
        "key: value\n",
        " - x\n",
        "!<!a>",
        "!!binary ",
        "!!int ",
    ]);
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

/// More can be asked for with `PROPTEST_CASES`.
fn cases() -> u32 {
    ProptestConfig::default().cases.max(2000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_back(value in value()) {
        let text = write(&value);
        let back = read(text.as_bytes()).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(sorted(back), sorted(value), "{}", text);
    }

    #[test]
    fn an_independent_reader_agrees_about_strings(strings in prop::collection::btree_map(text(), text(), 0..6)) {
        // Its scanner folds these line breaks as YAML 1.2 does, and drops a byte order mark that starts a line.
        let shared = |text: &String| !text.contains(['\u{2028}', '\u{2029}']);
        let strings: BTreeMap<_, _> = strings.into_iter().filter(|(key, value)| shared(key) && shared(value)).collect();
        let text = write(&Value::from_iter(strings.clone()));
        let theirs: BTreeMap<String, String> =
            serde_yaml::from_str(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(theirs, strings, "{}", text);
    }

    #[test]
    fn no_document_makes_the_reader_panic(text in document()) {
        if let Err(error) = read(text.as_bytes()) {
            prop_assert!(error.line() >= 1 && error.column() >= 1);
            prop_assert!(!error.problem().is_empty());
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Err(error) = read(&bytes) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
