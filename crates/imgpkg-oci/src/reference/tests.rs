use proptest::prelude::*;

use super::*;

const DIGEST: &str = "sha256:5c2dafe3c70c13990190d643c91e9f67b8129b179257674888178868474f6511";

fn spelled(text: &str) -> String {
    Reference::parse(text).unwrap().to_string()
}

#[test]
fn references_are_spelled_as_the_reference_tool_spells_them() {
    for (given, printed) in [
        ("ubuntu", "index.docker.io/library/ubuntu:latest"),
        ("docker.io/ubuntu", "index.docker.io/library/ubuntu:latest"),
        ("docker.io/dkalinin/app:v1", "index.docker.io/dkalinin/app:v1"),
        ("localhost/xy", "index.docker.io/localhost/xy:latest"),
        ("localhost:5000/xy", "localhost:5000/xy:latest"),
        ("[::1]:5000/xy:t", "[::1]:5000/xy:t"),
        ("registry.example/a/b_.c-d:T.1_x-", "registry.example/a/b_.c-d:T.1_x-"),
        ("registry.example/xy:", "registry.example/xy:latest"),
    ] {
        assert_eq!(spelled(given), printed, "{given}");
    }
}

#[test]
fn a_tag_before_a_digest_is_dropped() {
    assert_eq!(spelled(&format!("localhost:5000/app:v1@{DIGEST}")), format!("localhost:5000/app@{DIGEST}"));
    assert_eq!(spelled(&format!("ubuntu@{DIGEST}")), format!("index.docker.io/library/ubuntu@{DIGEST}"));
}

#[test]
fn errors_have_the_reference_tools_words() {
    let repository = |text: &str| Repository::parse(text).unwrap_err().to_string();
    assert_eq!(repository("a"), "repository must be between 2 and 255 characters in length: a");
    assert_eq!(
        repository("r.example/App"),
        "repository can only contain the characters `abcdefghijklmnopqrstuvwxyz0123456789_-./`: App"
    );
    assert_eq!(
        TagReference::parse("r.example/app:b!d").unwrap_err().to_string(),
        "tag can only contain the characters \
         `abcdefghijklmnopqrstuvwxyz0123456789_-.ABCDEFGHIJKLMNOPQRSTUVWXYZ`: b!d"
    );
    assert_eq!(Reference::parse("Bad!ref").unwrap_err().to_string(), "could not parse reference: Bad!ref");
    assert_eq!(Reference::parse("").unwrap_err().to_string(), "could not parse reference: ");
}

#[test]
fn a_tag_of_129_characters_is_refused_and_one_of_128_is_not() {
    assert!(Tag::parse(&"x".repeat(128)).is_ok());
    let error = Tag::parse(&"x".repeat(129)).unwrap_err().to_string();
    assert!(error.starts_with("tag must be between 1 and 128 characters in length: x"), "{error}");
}

#[test]
fn a_url_is_told_apart_from_a_reference() {
    assert_eq!(
        Reference::parse("https://index.docker.io/xx/yy").unwrap_err().to_string(),
        "Reference 'https://index.docker.io/xx/yy' should not include https:// protocol prefix"
    );
    assert_eq!(
        Reference::parse("http://localhost:5000/xx").unwrap_err().to_string(),
        "could not parse reference: http://localhost:5000/xx"
    );
}

#[test]
fn a_repository_cannot_climb_out_of_its_place_in_a_url() {
    for text in ["r.example/../etc", "r.example/a/./b", "r.example/a//b", "r.example/a/", "r.example//a"] {
        assert!(matches!(Repository::parse(text), Err(ReferenceError::Component { .. })), "{text}");
    }
}

#[test]
fn a_registry_cannot_smuggle_credentials_or_paths() {
    for text in [
        "u:p@h.example",
        "h.example:99999",
        "h.example:",
        "h example",
        "h.example?x",
        "",
        "[::1",
        "[::1]x",
        "a:b:c",
    ] {
        assert!(matches!(Registry::parse(text), Err(ReferenceError::Registry { .. })), "{text}");
    }
}

#[test]
fn a_digest_reference_wants_one_sha256_digest() {
    assert!(matches!(DigestReference::parse("r.example/app"), Err(ReferenceError::Separator { .. })));
    let twice = format!("r.example/app@{DIGEST}@{DIGEST}");
    assert!(matches!(DigestReference::parse(&twice), Err(ReferenceError::Separator { .. })));
    assert!(matches!(DigestReference::parse("r.example/app@sha256:12"), Err(ReferenceError::Digest(_))));
    assert!(matches!(DigestReference::parse("r.example/app@md5:12"), Err(ReferenceError::Algorithm { .. })));
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back_as_the_same(text in "([a-z]{1,8}\\.[a-z]{2,3}(:[1-9][0-9]{0,3})?/)?[a-z0-9_-]{2,9}(/[a-z0-9_-]{1,9}){0,3}(:[A-Za-z0-9_.-]{1,20})?") {
        let reference = Reference::parse(&text).unwrap();
        prop_assert_eq!(Reference::parse(&reference.to_string()).unwrap(), reference);
    }

    #[test]
    fn no_text_makes_parsing_panic(text in "\\PC{0,60}") {
        if let Ok(reference) = Reference::parse(&text) {
            prop_assert_eq!(Reference::parse(&reference.to_string()).unwrap(), reference);
        }
    }
}
