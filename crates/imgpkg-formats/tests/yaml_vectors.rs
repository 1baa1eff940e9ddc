//! The YAML module against what the reference wrote, read and refused.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use imgpkg_formats::yaml::{self, Value};
use serde_json::Value as Json;

/// Entries whose bytes are not the reference's.
const WRITTEN_DIFFERENTLY: [(&str, &str); 1] =
    [("k068", "the reference turns U+0085 into a space; it is escaped here, so that nothing is lost")];

/// Documents that are refused for another reason.
const REFUSED_DIFFERENTLY: [(&str, &str); 1] = [(
    "deep",
    "200 nested lists exceed the depth read here; the reference goes on to find that a list is no annotation",
)];

fn golden(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/yaml").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn first_image(lock: &Value) -> &Value {
    match lock.get("images") {
        Some(Value::Sequence(images)) => &images[0],
        other => panic!("no images but {other:?}"),
    }
}

/// The annotations of the first image, every value made a string.
fn annotations(lock: &Value) -> Value {
    match first_image(lock).get("annotations") {
        Some(Value::Mapping(entries)) => {
            entries.iter().map(|(key, value)| (key.clone(), value.to_text().expect("a scalar"))).collect()
        }
        None => Value::Mapping(Vec::new()),
        Some(other) => panic!("annotations are {other:?}"),
    }
}

/// The lock as the reference writes it after a copy to `repository`.
fn copied(lock: &Value, repository: &str) -> String {
    let image = first_image(lock).get("image").and_then(Value::as_str).expect("an image");
    let (_, digest) = image.split_once('@').expect("a digest reference");
    let image = Value::from_iter([
        ("image", Value::from(format!("localhost:5001/eco/{repository}@{digest}"))),
        ("annotations", annotations(lock)),
    ]);
    let lock = Value::from_iter([
        ("kind", Value::from("ImagesLock")),
        ("apiVersion", Value::from("imgpkg.carvel.dev/v1alpha1")),
        ("images", Value::Sequence(vec![image])),
    ]);
    format!("---\n{}", yaml::write(&lock))
}

/// The annotation entries of a written lock, by name. Continuation lines are indented deeper than the keys.
fn entries(lock: &str) -> BTreeMap<String, String> {
    let mut entries = BTreeMap::new();
    let mut name = String::new();
    let block = lock.split_once("annotations:\n").expect("annotations").1;
    let block = block.split_once("\n  image:").expect("an image").0;
    for line in block.lines() {
        let starts = line.strip_prefix("    ").is_some_and(|rest| !rest.starts_with([' ', ':']));
        if starts {
            name = line.trim_start().trim_start_matches("? ").split(": ").next().unwrap_or(line).to_owned();
        }
        let entry: &mut String = entries.entry(name.clone()).or_default();
        entry.push_str(line);
        entry.push('\n');
    }
    entries
}

#[test]
fn every_annotation_is_written_as_the_reference_writes_it_but_for_the_listed_ones() {
    let lock = yaml::read(&golden("write-input.yml")).expect("YAML");
    let written = entries(&copied(&lock, "copied"));
    let expected = entries(&String::from_utf8(golden("write-expected.yml")).expect("UTF-8"));
    assert_eq!(written.len(), 127);
    assert_eq!(written.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    let different: Vec<&str> = written
        .iter()
        .filter(|(name, entry)| expected[*name] != **entry)
        .map(|(name, _)| name.as_str())
        .collect();
    let listed: Vec<&str> = WRITTEN_DIFFERENTLY.iter().map(|(name, _)| *name).collect();
    assert_eq!(different, listed, "{:#?}", different.iter().map(|name| &written[*name]).collect::<Vec<_>>());
}

#[test]
fn awkward_annotations_have_the_values_recorded_as_json() {
    let lock = yaml::read(&golden("write-input.yml")).expect("YAML");
    let json: BTreeMap<String, String> =
        serde_json::from_slice(&golden("write-annotations.json")).expect("JSON");
    assert_eq!(json.len(), 127);
    let annotations = annotations(&lock);
    for (name, value) in &json {
        assert_eq!(annotations.get(name).and_then(Value::as_str), Some(value.as_str()), "{name}");
    }
}

#[test]
fn what_is_written_for_awkward_annotations_reads_back() {
    let json: BTreeMap<String, String> =
        serde_json::from_slice(&golden("write-annotations.json")).expect("JSON");
    let text = yaml::write(&Value::from_iter(json.clone()));
    let ours = yaml::read(text.as_bytes()).expect("YAML");
    let theirs: BTreeMap<String, String> =
        serde_yaml::from_str(&text).expect("YAML for the independent reader");
    assert_eq!(theirs, json);
    for (name, value) in &json {
        assert_eq!(ours.get(name).and_then(Value::as_str), Some(value.as_str()), "{name}");
    }
}

#[test]
fn unquoted_scalars_become_the_strings_the_reference_makes_of_them() {
    let lock = yaml::read(&golden("read-input.yml")).expect("YAML");
    let expected = String::from_utf8(golden("read-expected.yml")).expect("UTF-8");
    assert_eq!(copied(&lock, "copied"), expected);
}

#[test]
fn documents_are_read_or_refused_as_by_the_reference_but_for_the_listed_ones() {
    let documents: BTreeMap<String, Json> = serde_json::from_slice(&golden("documents.json")).expect("JSON");
    assert_eq!(documents.len(), 75);
    let different: Vec<(&str, String)> = documents
        .iter()
        .filter_map(|(name, document)| compare(document).err().map(|difference| (name.as_str(), difference)))
        .collect();
    let names: Vec<&str> = different.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, REFUSED_DIFFERENTLY.map(|(name, _)| name), "{different:#?}");
    assert!(
        different.iter().all(|(_, difference)| difference.starts_with("refused as well")),
        "{different:#?}"
    );
}

/// Whether a document reads to the recorded annotations, or fails with the recorded text if YAML was what failed.
fn compare(document: &Json) -> Result<(), String> {
    let field = |name: &str| document[name].as_str().unwrap_or_default();
    let bytes: Vec<u8> = field("doc").chars().map(|byte| u8::try_from(byte).expect("Latin-1")).collect();
    let error = field("err").trim();
    // Of two lines only the second was kept.
    let error = if error.starts_with("line ") {
        format!("yaml: unmarshal errors:\n  {error}")
    } else {
        error.to_owned()
    };
    let yaml_error = error.rfind("yaml: ").map(|start| &error[start..]);
    match (yaml::read(&bytes), yaml_error) {
        (Ok(value), None) if document["ok"] == true => {
            let expected = field("ann");
            let written = if expected.starts_with("---") {
                field("ann").to_owned()
            } else {
                indented(&yaml::write(&annotations(&value)))
            };
            if written == expected { Ok(()) } else { Err(format!("{written:?} instead of {expected:?}")) }
        }
        // What lock files may hold is not for this crate to say.
        (Ok(_), None) => Ok(()),
        (Err(error), Some(expected)) if error.problem() == expected => Ok(()),
        (Err(error), None) if document["ok"] == false => Err(format!("refused as well, with {error}")),
        (result, expected) => Err(format!("{result:?} instead of {expected:?}")),
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") }).collect()
}
