use crate::yaml::{Scalar, Value, write};

fn map(entries: &[(&str, &str)]) -> Value {
    entries.iter().copied().collect()
}

#[test]
fn lists_stand_under_their_key_and_maps_are_indented() {
    let value = Value::from_iter([
        ("kind", Value::from("ImagesLock")),
        (
            "images",
            Value::Sequence(vec![
                map(&[("image", "a"), ("annotations", "b")]),
                Value::Sequence(vec!["c".into()]),
            ]),
        ),
        ("bundle", map(&[("tag", "1.0")])),
    ]);
    let expected =
        "bundle:\n  tag: \"1.0\"\nimages:\n- annotations: b\n  image: a\n- - c\nkind: ImagesLock\n";
    assert_eq!(write(&value), expected);
}

#[test]
fn empty_collections_and_scalars_of_every_type_have_their_own_form() {
    let value = Value::from_iter([
        ("a", Value::Sequence(Vec::new())),
        ("b", Value::Mapping(Vec::new())),
        ("c", Scalar::Null.into()),
        ("d", Scalar::Bool(true).into()),
        ("e", Scalar::Int(-5).into()),
        ("f", Scalar::Uint(u64::MAX).into()),
        ("g", Scalar::Float(0.25).into()),
        ("h", Scalar::Float(f64::NEG_INFINITY).into()),
        ("i", Value::Sequence(vec![Value::Mapping(Vec::new())])),
    ]);
    let expected =
        "a: []\nb: {}\nc: null\nd: true\ne: -5\nf: 18446744073709551615\ng: 0.25\nh: -.inf\ni:\n- {}\n";
    assert_eq!(write(&value), expected);
}

#[test]
fn a_document_may_be_a_single_scalar() {
    assert_eq!(write(&"x".into()), "x\n");
    assert_eq!(write(&"x\ny".into()), "|-\n  x\n  y\n");
    assert_eq!(write(&Scalar::Null.into()), "null\n");
}

#[test]
fn long_lines_are_folded_at_the_first_single_space_past_column_80() {
    let words = "aaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb ccccccccccccccccccccccccc ddddddd  e";
    let written = write(&map(&[("long", words), ("short", &words[..60])]));
    assert!(written.starts_with(&format!("long: {}\n  ddddddd  e\n", &words[..80])), "{written}");
    assert!(written.ends_with(&format!("short: {}\n", &words[..60])), "{written}");
}

#[test]
fn keys_that_do_not_fit_before_a_colon_get_a_question_mark() {
    let long = "k".repeat(129);
    assert_eq!(write(&map(&[(&long, "v")])), format!("? {long}\n: v\n"));
    assert_eq!(write(&map(&[("a\nb", "v")])), "? |-\n  a\n  b\n: v\n");
    let nested = Value::from_iter([
        (long.clone(), map(&[("a", "b")])),
        ("z".into(), Value::Sequence(vec!["c".into()])),
    ]);
    assert_eq!(write(&nested), format!("? {long}\n: a: b\nz:\n- c\n"));
}

#[test]
fn what_the_reference_cannot_write_is_escaped() {
    assert_eq!(write(&"a\u{7f}\u{85}\u{ffff}".into()), "\"a\\x7F\\N\\uFFFF\"\n");
}

#[test]
fn keys_are_quoted_by_the_rules_of_values() {
    assert_eq!(
        write(&map(&[("y", "1"), ("a: b", "2"), ("", "3")])),
        "\"\": \"3\"\n'a: b': \"2\"\n\"y\": \"1\"\n"
    );
}
