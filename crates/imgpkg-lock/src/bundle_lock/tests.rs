use super::*;

const IMAGE: &str =
    "localhost:5001/spec/dst/outer@sha256:23162c0a42b831598b53e1ea9ca4322cb00c9758af377d880685d135669bfe23";

fn document(bundle: &str) -> String {
    format!("apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: BundleLock\nbundle: {bundle}\n")
}

fn failure(text: &str) -> String {
    let error = BundleLock::parse(text.as_bytes()).expect_err(text);
    let mut chain = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        chain.push_str(&format!(": {error}"));
        cause = error.source();
    }
    chain
}

#[test]
fn a_bundle_and_its_tag_are_written_as_by_the_reference() {
    let lock =
        BundleLock::parse(document(&format!("{{image: '{IMAGE}', tag: '1.0'}}")).as_bytes()).expect("valid");
    let expected = format!(
        "---\napiVersion: imgpkg.carvel.dev/v1alpha1\nbundle:\n  image: {IMAGE}\n  tag: \"1.0\"\nkind: BundleLock\n"
    );
    assert_eq!(lock.to_yaml(), expected);
}

#[test]
fn a_missing_or_empty_tag_is_left_out() {
    for bundle in [format!("{{image: '{IMAGE}'}}"), format!("{{image: '{IMAGE}', tag: ''}}")] {
        let lock = BundleLock::parse(document(&bundle).as_bytes()).expect("valid");
        assert_eq!(lock.tag, None);
        assert!(!lock.to_yaml().contains("tag"));
    }
    let empty =
        BundleLock { image: DigestReference::parse(IMAGE).expect("a reference"), tag: Some(String::new()) };
    assert!(!empty.to_yaml().contains("tag"));
}

#[test]
fn an_unquoted_tag_is_a_number_to_yaml_and_text_here() {
    let lock =
        BundleLock::parse(document(&format!("{{image: '{IMAGE}', tag: 1.50}}")).as_bytes()).expect("valid");
    assert_eq!(lock.tag.as_deref(), Some("1.5"));
}

#[test]
fn errors_have_the_text_of_the_reference() {
    assert_eq!(
        failure("a: [\n- b]\n"),
        "Unmarshaling bundle lock: error converting YAML to JSON: yaml: line 1: did not find expected node content \
         (at line 2, column 1)"
    );
    assert_eq!(
        failure(&document(&format!("{{image: '{IMAGE}', extra: 1}}"))),
        "Unmarshaling bundle lock: error unmarshaling JSON: while decoding JSON: json: unknown field \"extra\" \
         (at line 3, column 122)"
    );
    assert_eq!(
        failure(&document("x")),
        "Unmarshaling bundle lock: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go \
         struct field BundleLock.bundle of type lockconfig.BundleRef (at line 3, column 9)"
    );
    assert_eq!(
        failure("apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\n"),
        "Validating bundle lock: Validating kind: Unknown kind (known: BundleLock) (at line 2, column 7)"
    );
    assert_eq!(
        failure(&document("{image: 'localhost:5001/app:1'}")),
        "Validating bundle lock: Expected ref to be in digest form, got 'localhost:5001/app:1' (at line 3, column 17) \
         (hint: resolve the tag to a digest, e.g. with 'imgpkg tag resolve -i localhost:5001/app:1')"
    );
    assert_eq!(failure(&document("")), "Validating bundle lock: Expected ref to be in digest form, got ''");
}
