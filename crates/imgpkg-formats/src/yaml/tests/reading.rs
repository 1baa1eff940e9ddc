use crate::yaml::{Data, Error, Scalar, Value, read, read_node};

fn value(text: &str) -> Value {
    read(text.as_bytes()).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn failure(text: &str) -> Error {
    read(text.as_bytes()).expect_err(text)
}

fn strings(entries: &[(&str, &str)]) -> Value {
    entries.iter().copied().collect()
}

#[test]
fn no_document_is_null() {
    for text in ["", "# only this\n", "---\n", "\u{feff}"] {
        assert_eq!(value(text), Scalar::Null.into(), "{text:?}");
    }
}

#[test]
fn only_the_first_document_is_read() {
    assert_eq!(value("a: b\n---\n[\n"), strings(&[("a", "b")]));
    assert_eq!(value("a: b\n...\n@\n"), strings(&[("a", "b")]));
}

#[test]
fn keys_become_strings() {
    let keys = value("yes: x\n0x10: x\n1.50: x\n.inf: x\n-.inf: x\n.nan: x\n\"null\": x\n");
    let Value::Mapping(entries) = keys else { panic!("a map") };
    let keys: Vec<&str> = entries.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["true", "16", "1.5", ".inf", "-.inf", ".nan", "null"]);
}

#[test]
fn keys_are_duplicates_if_type_and_value_are_the_same() {
    let error = failure("a: 1\nkind: x\nkind: y\na:\n  2\n");
    assert_eq!(
        error.problem(),
        "yaml: unmarshal errors:\n  line 3: key \"kind\" already set in map\n  line 5: key \"a\" already set in map"
    );
    assert_eq!((error.line(), error.column()), (3, 1));
    assert_eq!(
        failure("y: 1\nyes: 2\n").problem(),
        "yaml: unmarshal errors:\n  line 2: key true already set in map"
    );
    assert_eq!(value("1: a\n\"1\": b\n"), strings(&[("1", "b")]));
}

#[test]
fn a_null_key_is_refused() {
    assert!(failure("a: b\n~: x\n").problem().starts_with("unsupported map key of type"));
    assert_eq!(failure("[a]: x\n").problem(), "yaml: invalid map key: []interface {}");
}

#[test]
fn merge_keys_add_what_they_name_and_earlier_maps_of_a_list_count_more() {
    assert_eq!(value("<<: {a: b}\nc: d\n"), strings(&[("a", "b"), ("c", "d")]));
    assert_eq!(value("\"<<\": a\n"), strings(&[("<<", "a")]));
    let merged = value("x: &x {a: b}\nz:\n  <<: [*x, {c: d}]\n");
    assert_eq!(merged.get("z"), Some(&strings(&[("c", "d"), ("a", "b")])));
    assert_eq!(failure("<<: x\n").problem(), "yaml: map merge requires map or sequence of maps as the value");
}

#[test]
fn anchors_must_be_known_and_not_contain_themselves() {
    assert_eq!(value("a: &x v\nb: *x\n"), strings(&[("a", "v"), ("b", "v")]));
    assert_eq!(failure("a: *x\n").to_string(), "yaml: unknown anchor 'x' referenced (at line 1, column 4)");
    assert_eq!(failure("&x [*x]\n").problem(), "yaml: anchor 'x' value contains itself");
    assert_eq!(failure("&x {<<: *x}\n").problem(), "yaml: anchor 'x' value contains itself");
}

#[test]
fn a_document_that_explodes_through_aliases_is_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let previous = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", [previous.as_str(); 9].join(", ")));
    }
    assert_eq!(failure(&bomb).problem(), "yaml: document contains excessive aliasing");
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), ["*a"; 100].join(", "));
    assert_eq!(failure(&long).problem(), "yaml: document is too large");
}

#[test]
fn too_deep_a_document_is_refused_however_it_nests() {
    assert!(value(&format!("{}{}", "[".repeat(100), "]".repeat(100))) != Scalar::Null.into());
    assert_eq!(failure(&"[".repeat(100_000)).problem(), "yaml: exceeded max depth of 100");
    assert_eq!(failure(&"- ".repeat(101)).problem(), "yaml: exceeded max depth of 100");
    let chain: String = (1..200).map(|n| format!("- &a{n} [*a{}]\n", n - 1)).collect();
    assert_eq!(failure(&format!("- &a0 x\n{chain}")).problem(), "yaml: exceeded max depth of 100");
}

#[test]
fn a_block_scalar_may_end_with_the_file() {
    assert_eq!(value("a: |\n  x"), strings(&[("a", "x")]));
    assert_eq!(value("a: |\n  x\n"), strings(&[("a", "x\n")]));
    assert_eq!(value("a: |+\n  x\n\n  y"), strings(&[("a", "x\n\ny")]));
    assert_eq!(value("a: >-\n  x\n  y"), strings(&[("a", "x y")]));
    assert_eq!(value("a: |"), strings(&[("a", "")]));
    assert_eq!(value("a: |\n  x\n  "), strings(&[("a", "x\n")]));
    assert_eq!(value("a: |\n  x\n# comment"), strings(&[("a", "x\n")]));
}

#[test]
fn a_quoted_scalar_that_ends_with_the_file_is_refused_at_its_end() {
    assert_eq!(failure("a: \"x").to_string(), "yaml: found unexpected end of stream (at line 1, column 6)");
    assert_eq!(failure("a: b\nc: \"x\\").line(), 2);
}

#[test]
fn a_tag_may_be_followed_by_a_comma() {
    assert_eq!(value("[!a,b, \"!c,\", d !e,f, !!str,g]"), value("[ '', b, '!c,', d !e, f, '', g]"));
    assert_eq!(value("{x: !!null,z: 'a !b,c'}").get("z"), Some(&"a !b,c".into()));
    assert_eq!(
        value("a: hello !world, yes # !x,\nb: |\n  !y,\n"),
        strings(&[("a", "hello !world, yes"), ("b", "!y,\n")])
    );
    assert_eq!(value("[!<!a>,b, 'x!<y>,']"), value("['', b, 'x!<y>,']"));
    assert_eq!(value("a: b!c:, d\n"), strings(&[("a", "b!c:, d")]));
    assert_eq!(failure("x:\n  [!a, !b, @]\n").column(), 12);
}

#[test]
fn errors_name_the_true_place_after_the_text_of_the_reference() {
    let error = failure("a: b\nc: [\n- d]\n");
    assert_eq!(error.to_string(), "yaml: line 2: did not find expected node content (at line 3, column 1)");
    let error = failure("é: @\n").in_file("images.yml");
    assert_eq!(error.to_string(), "yaml: found character that cannot start any token (at images.yml:1:4)");
    assert_eq!(error.problem(), "yaml: found character that cannot start any token");
}

#[test]
fn the_escape_for_a_slash_is_not_known() {
    assert_eq!(
        failure("\n\"a\\\\/\\/\"").to_string(),
        "yaml: line 2: found unknown escape character (at line 2, column 6)"
    );
    assert_eq!(value("\"a\\\\/\""), "a\\/".into());
}

#[test]
fn only_yaml_1_1_is_read() {
    assert_eq!(failure("%YAML 1.2\n---\na\n").problem(), "yaml: found incompatible YAML document");
    assert_eq!(value("%YAML 1.1\n---\na\n"), "a".into());
}

#[test]
fn nodes_know_where_they_start() {
    let node = read_node("a:\n- é: x\n".as_bytes()).expect("YAML");
    let Data::Mapping(entries) = node.data else { panic!("a map") };
    let Data::Sequence(items) = &entries[0].value.data else { panic!("a list") };
    let Data::Mapping(inner) = &items[0].data else { panic!("a map") };
    assert_eq!((inner[0].key_at.line, inner[0].key_at.column), (2, 3));
    assert_eq!((inner[0].value.at.line, inner[0].value.at.column), (2, 6));
}

#[test]
fn what_ends_too_early_is_reported_in_the_last_line_there_is() {
    for (text, problem, place) in [
        ("a: b\nc: [\n  d,\n  e\n", "yaml: line 4: did not find expected ',' or ']'", (4, 4)),
        ("a: b\r\nc: [d\r\n", "yaml: line 2: did not find expected ',' or ']'", (2, 6)),
        ("a: b\nc: [d", "yaml: line 1: did not find expected ',' or ']'", (2, 6)),
        ("a: b\nc: [d\n\n", "yaml: line 3: did not find expected ',' or ']'", (3, 1)),
        ("a: b\nc: \"d\n", "yaml: line 3: found unexpected end of stream", (2, 6)),
    ] {
        let error = failure(text);
        assert_eq!((error.problem().as_str(), (error.line(), error.column())), (problem, place), "{text:?}");
    }
}
