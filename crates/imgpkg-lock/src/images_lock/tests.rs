use super::*;

const DIGEST: &str = "sha256:4c8b96d4fffdfae29258d94a22ae4ad1fe36139d47288b8960d9958d1e63a9d0";
const HEAD: &str = "apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\n";

fn parse(rest: &str) -> Result<ImagesLock, Error> {
    ImagesLock::parse(format!("{HEAD}{rest}").as_bytes())
}

fn failure(document: &str) -> String {
    let error = ImagesLock::parse(document.as_bytes()).expect_err(document);
    chain(&error)
}

fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

#[test]
fn images_are_printed_in_full_and_without_a_tag() {
    let lock = parse(&format!("images:\n- image: ubuntu@{DIGEST}\n- image: gcr.io/a/b:1.0@{DIGEST}\n"))
        .expect("valid");
    let images: Vec<String> = lock.images.iter().map(|image| image.image.to_string()).collect();
    assert_eq!(images, [format!("index.docker.io/library/ubuntu@{DIGEST}"), format!("gcr.io/a/b@{DIGEST}")]);
}

#[test]
fn no_images_are_valid_however_they_are_spelled() {
    for rest in ["", "images:\n", "images: null\n", "images: []\n", "IMAGES: ~\n"] {
        assert_eq!(parse(rest).expect(rest), ImagesLock::default(), "{rest}");
    }
}

#[test]
fn field_names_match_whatever_their_case() {
    let text = format!(
        "ApiVersion: {API_VERSION}\nKIND: ImagesLock\nImages:\n- Image: a/b@{DIGEST}\n  annotationS: {{a: b}}\n"
    );
    let lock = ImagesLock::parse(text.as_bytes()).expect("valid");
    assert_eq!(lock.images[0].annotations["a"], "b");
}

#[test]
fn annotations_become_strings() {
    let entries = "{a: 1, b: 1.50, c: 1e3, d: 0x1F, e: yes, f: , n: x, g: 2020-01-01}";
    let lock = parse(&format!("images:\n- image: a/b@{DIGEST}\n  annotations: {entries}\n")).expect("valid");
    let expected = [
        ("a", "1"),
        ("b", "1.5"),
        ("c", "1000"),
        ("d", "31"),
        ("e", "true"),
        ("f", ""),
        ("false", "x"),
        ("g", "2020-01-01"),
    ];
    let annotations: Vec<(&str, &str)> =
        lock.images[0].annotations.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(annotations, expected);
}

#[test]
fn unknown_fields_are_refused_where_they_stand() {
    assert_eq!(
        failure(&format!("{HEAD}foo: 1\n")),
        "Unmarshaling images lock: error unmarshaling JSON: while decoding JSON: json: unknown field \"foo\" \
         (at line 3, column 1)"
    );
}

#[test]
fn values_of_another_type_are_refused_where_they_stand() {
    let cases = [
        (
            "images:\n- image: x\n  annotations: {a: [b]}\n",
            "array into Go struct field ImageRef.images.annotations of type string (at line 5, column 20)",
        ),
        (
            "images:\n- image: x\n  annotations: 1\n",
            "number into Go struct field ImageRef.images.annotations of type map[string]string (at line 5, column 16)",
        ),
        (
            "images: {}\n",
            "object into Go struct field ImagesLock.images of type []lockconfig.ImageRef (at line 3, column 9)",
        ),
        (
            "images: [yes]\n",
            "bool into Go struct field ImagesLock.images of type lockconfig.ImageRef (at line 3, column 10)",
        ),
    ];
    for (rest, expected) in cases {
        let text = failure(&format!("{HEAD}{rest}"));
        let expected =
            format!("error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {expected}");
        assert_eq!(text, format!("Unmarshaling images lock: {expected}"));
    }
    assert!(failure("- a\n").contains("cannot unmarshal array into Go value of type lockconfig.ImagesLock"));
}

#[test]
fn of_several_errors_the_one_in_the_first_field_by_name_is_reported() {
    assert!(failure(&format!("{HEAD}zzz: 1\nimages: x\n")).contains("cannot unmarshal string"));
}

#[test]
fn yaml_errors_have_the_text_of_the_reference_and_the_true_place() {
    assert_eq!(
        failure(&format!("{HEAD}kind: x\n")),
        "Unmarshaling images lock: error converting YAML to JSON: yaml: unmarshal errors:\n  \
         line 3: key \"kind\" already set in map (at line 3, column 1)"
    );
}

#[test]
fn version_is_checked_before_kind_and_kind_before_images() {
    assert_eq!(
        failure("kind: x\nimages: [{image: x}]\n"),
        "Validating images lock: Validating apiVersion: Unknown version (known: imgpkg.carvel.dev/v1alpha1) \
         (hint: it has no apiVersion)"
    );
    assert_eq!(
        failure(&format!("apiVersion: {API_VERSION}\nkind: BundleLock\nimages: [{{image: x}}]\n")),
        "Validating images lock: Validating kind: Unknown kind (known: ImagesLock) (at line 2, column 7)"
    );
    assert_eq!(
        failure(&format!("{HEAD}images:\n- image: a/b@{DIGEST}\n- image: ubuntu:latest\n- image: x\n")),
        "Validating images lock: Expected ref to be in digest form, got 'ubuntu:latest' (at line 5, column 10) \
         (hint: resolve the tag to a digest, e.g. with 'imgpkg tag resolve -i ubuntu:latest')"
    );
}

#[test]
fn a_read_lock_is_written_with_sorted_fields() {
    let lock = parse(&format!("images:\n- image: a.b/cc@{DIGEST}\n  annotations: {{b: 100% sure, a10: '1', a9: x}}\n- image: a.b/dd@{DIGEST}\n"))
        .expect("valid");
    let expected = format!(
        "---\napiVersion: imgpkg.carvel.dev/v1alpha1\nimages:\n- annotations:\n    a9: x\n    a10: \"1\"\n    b: 100% sure\n  \
         image: a.b/cc@{DIGEST}\n- image: a.b/dd@{DIGEST}\nkind: ImagesLock\n"
    );
    assert_eq!(lock.to_yaml(), expected);
    assert_eq!(ImagesLock::parse(expected.as_bytes()).expect("valid"), lock);
    assert_eq!(ImagesLock::default().to_yaml(), format!("---\n{HEAD}"));
}

#[test]
fn errors_in_a_file_name_the_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("images.yml");
    for (text, expected) in [
        (format!("{HEAD}foo: 1\n"), format!("json: unknown field \"foo\" (at {}:3:1)", path.display())),
        (
            "a: b\nc: [\n- d]\n".to_owned(),
            format!("yaml: line 2: did not find expected node content (at {}:3:1)", path.display()),
        ),
        (
            format!("apiVersion: {API_VERSION}\nkind: Other\n"),
            format!("Unknown kind (known: ImagesLock) (at {}:2:7)", path.display()),
        ),
        (String::new(), format!("(known: {API_VERSION}) (in {}) (hint: it is empty)", path.display())),
        (
            format!("{HEAD}images:\n- annotations: {{}}\n"),
            format!("Expected ref to be in digest form, got '' (at {}:4:3)", path.display()),
        ),
    ] {
        std::fs::write(&path, text).expect("written");
        let error = ImagesLock::read(&path).expect_err("broken");
        assert!(chain(&error).ends_with(&expected), "{}", chain(&error));
    }
}

#[test]
fn a_written_file_reads_back() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("images.yml");
    let rest = format!("images:\n- image: a.b/cc@{DIGEST}\n  annotations: {{k: \"x\\ny\"}}\n");
    let lock = parse(&rest).expect("valid");
    lock.write(&path).expect("written");
    assert_eq!(ImagesLock::read(&path).expect("valid"), lock);
}
