//! Archives that are refused, and what is said about them.

use imgpkg_oci::media_type;

use super::*;

/// An archive of one image with one layer, whose `manifest.json` a test spoils.
async fn spoilt(spoil: impl Fn(&str) -> String) -> Defect {
    let json = manifest_json(&[item("a", image(&[b"one"]))]);
    let spoilt = spoil(&json);
    assert_ne!(json, spoilt, "nothing was spoilt");
    defect(&tar(&[("manifest.json", spoilt.as_bytes()), (&entry(b"one"), b"one")])).await
}

fn assert_says(defect: &Defect, parts: &[&str]) {
    let text = chain(defect);
    for part in parts {
        assert!(text.contains(part), "'{part}' is not in: {text}");
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named_as_by_the_reference() {
    let error = Archive::open(Path::new("/nonexistent/x.tar")).await.unwrap_err();
    assert_eq!(chain(&error), "open /nonexistent/x.tar: no such file or directory");
}

#[tokio::test]
async fn a_directory_and_a_pipe_are_no_archives() {
    let directory = tempfile::tempdir().unwrap();
    let error = Archive::open(directory.path()).await.unwrap_err();
    assert!(
        chain(&error).contains("is a directory, but an archive has to be a regular file (hint:"),
        "{error}"
    );
    let error = Archive::open(Path::new("/dev/null")).await.unwrap_err();
    assert!(chain(&error).contains("open /dev/null: is a device"), "{error}");
}

#[tokio::test]
async fn the_error_names_the_archive() {
    let (_directory, path) = file(b"x");
    let error = Archive::open(&path).await.unwrap_err();
    let text = chain(&error);
    assert!(
        text.starts_with(&format!("Reading archive '{}': it is no tar archive: no complete", path.display())),
        "{text}"
    );
}

#[tokio::test]
async fn what_is_no_tar_is_refused() {
    assert_says(&defect(b"hello").await, &["no tar archive: no complete header at byte 0 (hint:"]);
    assert_says(&defect(&noise(4, 4096)).await, &["no tar archive: no valid header at byte 0 (hint:"]);
    let mut gzip = noise(5, 2048);
    gzip[..2].copy_from_slice(&[0x1f, 0x8b]);
    assert_says(&defect(&gzip).await, &["compressed data (gzip) at byte 0 (hint: uncompress it first"]);
}

#[tokio::test]
async fn a_file_of_no_bytes_is_called_empty() {
    let text = defect(b"").await.to_string();
    assert!(text.starts_with("the file is empty: file manifest.json not found in tar (hint: "), "{text}");
    assert!(!text.contains("--include-non-distributable-layers"), "{text}");
}

#[tokio::test]
async fn a_tar_without_manifest_json_is_refused_in_the_references_words() {
    let expected = "file manifest.json not found in tar (hint: This may be because when copying to a tarball, the --include-non-distributable-layers flag should have been provided.)";
    for content in [&[0; 1024][..], &tar(&[("manifest.jso", b"[]")]), &tar(&[("./manifest.json", b"[]")])] {
        assert_eq!(defect(content).await.to_string(), expected);
    }
}

#[tokio::test]
async fn a_tar_cut_inside_an_entry_is_refused() {
    let content = noise(6, 5000);
    let whole = written(&[item("a", image(&[&content]))], &[&content]).await;
    let name = entry(&content);
    assert_says(
        &defect(&whole[..whole.len() - 2000]).await,
        &["unexpected EOF: it is truncated", &name, &format!("only {} bytes (hint:", whole.len() - 2000)],
    );
    assert_says(&defect(&whole[..700]).await, &["truncated", "entry 'manifest.json'"]);
    assert_says(&defect(&whole[..600]).await, &["truncated", "has only 600 bytes"]);
    assert_says(&defect(&whole[..100]).await, &["no complete header at byte 0"]);
}

#[tokio::test]
async fn a_tar_that_lacks_only_its_end_mark_is_whole() {
    let whole = written(&[item("a", image(&[b"one"]))], &[b"one"]).await;
    for end in [whole.len() - 512, whole.len() - 1024, whole.len() - 1024 - 509] {
        assert_eq!(open(&whole[..end]).await.unwrap().items().len(), 1);
    }
}

#[tokio::test]
async fn a_layer_that_is_absent_is_named() {
    let json = manifest_json(&[item("a", image(&[b"one", b"two"]))]);
    let defect = defect(&tar(&[("manifest.json", json.as_bytes()), (&entry(b"one"), b"one")])).await;
    let name = entry(b"two");
    assert_says(
        &defect,
        &[&format!("file {name} not found in tar (hint: it is a layer of localhost:5000/test/a@sha256:")],
    );
}

#[tokio::test]
async fn a_layer_of_another_size_is_refused() {
    let json = manifest_json(&[item("a", image(&[b"one"]))]);
    let defect = defect(&tar(&[("manifest.json", json.as_bytes()), (&entry(b"one"), b"four")])).await;
    assert_says(
        &defect,
        &[&entry(b"one"), "has 4 bytes, but localhost:5000/test/a@sha256:", "a layer of 3 bytes (hint:"],
    );
}

#[tokio::test]
async fn a_layer_that_may_not_be_distributed_can_be_absent() {
    let layers = [(media_type::DOCKER_FOREIGN_LAYER, &b"foreign"[..]), (LAYER, b"one")];
    let tree = image_with(&layers, r#"{"rootfs":{"diff_ids":["sha256:a","sha256:b"]}}"#);
    let json = manifest_json(&[item("a", tree)]);
    let archive = open(&tar(&[("manifest.json", json.as_bytes()), (&entry(b"one"), b"one")])).await.unwrap();
    assert!(archive.has_layer(&Digest::sha256_of(b"one")));
    assert!(!archive.has_layer(&Digest::sha256_of(b"foreign")));
}

#[tokio::test]
async fn two_root_bundles_are_refused() {
    let root = |repository, content| Item { root_bundle: true, ..item(repository, image(&[content])) };
    let json = manifest_json(&[root("a", &b"one"[..]), root("b", b"two")]);
    let defect = defect(&tar(&[
        ("manifest.json", json.as_bytes()),
        (&entry(b"one"), b"one"),
        (&entry(b"two"), b"two"),
    ]))
    .await;
    assert_says(
        &defect,
        &["expected only 1 root bundle", "localhost:5000/test/a@", "localhost:5000/test/b@", "(hint:"],
    );
}

#[tokio::test]
async fn a_manifest_or_configuration_that_was_changed_is_refused() {
    let defect = spoilt(|json| json.replace(r#"{\"schemaVersion\":2,"#, r#"{\"schemaVersion\":2, "#)).await;
    assert_says(
        &defect,
        &["the manifest of localhost:5000/test/a@sha256:", "has been changed: its digest is sha256:"],
    );
    let defect = spoilt(|json| json.replace(r#"{\"rootfs\""#, r#"{ \"rootfs\""#)).await;
    assert_says(&defect, &["the configuration of localhost:5000/test/a@sha256:", "has been changed"]);
}

#[tokio::test]
async fn recorded_layers_that_are_not_the_manifests_are_refused() {
    let defect = spoilt(|json| json.replacen(r#""Size":3"#, r#""Size":4"#, 1)).await;
    assert_says(
        &defect,
        &["disagree: it has the layer sha256:", "of 3 bytes, recorded is", "of 4 bytes (hint:"],
    );
    let one = Digest::sha256_of(b"one");
    let other = Digest::sha256_of(b"other");
    let defect =
        spoilt(|json| json.replacen(&format!(r#""Digest":"{one}""#), &format!(r#""Digest":"{other}""#), 1))
            .await;
    assert_says(&defect, &["disagree: it has the layer", &format!("recorded is {other}")]);
    let defect = spoilt(|json| json.replace(r#""Layers""#, r#""Lairs""#)).await;
    assert_says(&defect, &["disagree: it has 1 layers, recorded are 0"]);
}

#[tokio::test]
async fn a_recorded_configuration_that_is_not_the_manifests_is_refused() {
    let defect = spoilt(|json| {
        let before = r#""Config":{"Digest":"sha256:"#;
        let at = json.find(before).unwrap() + before.len();
        format!("{}{}{}", &json[..at], "0".repeat(64), &json[at + 64..])
    })
    .await;
    assert_says(&defect, &["disagree: the configuration is sha256:", "recorded is sha256:0000"]);
}

#[tokio::test]
async fn references_that_are_of_no_use_are_refused() {
    let refs = |with: &'static str| {
        spoilt(move |json| {
            let start = json.find("[\"localhost").unwrap();
            let end = start + json[start..].find(']').unwrap() + 1;
            format!("{}{with}{}", &json[..start], &json[end..])
        })
    };
    assert_says(&refs("null").await, &["sha256:", "has no usable reference in its Refs (hint:"]);
    assert_says(&refs(r#"["a:b"]"#).await, &["a:b has no usable reference", "a:b"]);
    let other = format!("localhost:5000/test/a@{}", Digest::sha256_of(b"other"));
    let json = manifest_json(&[item("a", image(&[]))]);
    let start = json.find("localhost").unwrap();
    let wrong = format!("{}{other}{}", &json[..start], &json[start + other.len()..]);
    let defect = defect(&tar(&[("manifest.json", wrong.as_bytes())])).await;
    assert_says(&defect, &[&other, "disagree: the manifest has the digest sha256:"]);
}

#[tokio::test]
async fn digests_and_tags_that_are_none_are_refused() {
    let defect = spoilt(|json| json.replace(r#""Tag":"""#, r#""Tag":"a b""#)).await;
    assert_says(&defect, &["the Tag of localhost:5000/test/a@sha256:", "a b"]);
    let defect =
        spoilt(|json| json.replace(r#""Config":{"Digest":"sha256:"#, r#""Config":{"Digest":"../"#)).await;
    assert_says(
        &defect,
        &["the digest of the configuration of localhost:5000/test/a@", "is not usable", "../"],
    );
}

#[tokio::test]
async fn entries_that_are_nothing_or_two_things_are_refused() {
    let none = defect(&tar(&[("manifest.json", b"[{}]")])).await;
    assert_says(&none, &["entry 1 of its manifest.json has neither"]);
    let both = defect(&tar(&[("manifest.json", br#"[{"Image":{},"ImageIndex":{}}]"#)])).await;
    assert_says(&both, &["entry 1 of its manifest.json has both"]);
    let syntax = defect(&tar(&[("manifest.json", b"[{")])).await;
    assert_says(&syntax, &["its manifest.json cannot be understood (hint:", "line 1 column 2"]);
}

#[tokio::test]
async fn an_image_is_not_taken_for_an_index() {
    let json = manifest_json(&[item("a", index(vec![]))]);
    let as_image = json.replace(media_type::OCI_INDEX, media_type::OCI_MANIFEST);
    assert_says(
        &defect(&tar(&[("manifest.json", as_image.as_bytes())])).await,
        &["the manifest of", "cannot be used"],
    );
    let json = manifest_json(&[item("a", image(&[]))]);
    let as_index = json.replace(media_type::OCI_MANIFEST, media_type::OCI_INDEX);
    assert_says(
        &defect(&tar(&[("manifest.json", as_index.as_bytes())])).await,
        &["it is an index, recorded as an image"],
    );
}

#[tokio::test]
async fn an_index_without_one_of_its_children_is_refused() {
    let json = manifest_json(&[item("a", index(vec![image(&[])]))]);
    let start = json.find(r#""Images":"#).unwrap();
    let end = json.find(r#","Indexes""#).unwrap();
    let without = format!(r#"{}"Images":null{}"#, &json[..start], &json[end..]);
    assert_says(
        &defect(&tar(&[("manifest.json", without.as_bytes())])).await,
        &["disagree: it lists sha256:", "which is not recorded"],
    );
    let child = &json[start + 10..end - 1];
    let twice = format!(r#"{}"Images":[{child},{child}]{}"#, &json[..start], &json[end..]);
    assert_says(
        &defect(&tar(&[("manifest.json", twice.as_bytes())])).await,
        &["is recorded, which it does not list"],
    );
}
