//! Putting what an archive holds back to where it came from.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde_json::Value;

use crate::image::{put_blob, put_manifest_bytes};
use crate::registry::Registry;

/// Pushes every image and index of an imgpkg archive into the repositories that it names as their origins, which must be
/// the registry's own, and gives them the tags it records.
pub fn load_archive(registry: &Registry, path: &Path) {
    let mut archive = tar::Archive::new(File::open(path).expect("the archive"));
    let mut files = HashMap::new();
    for entry in archive.entries().expect("a tar") {
        let mut entry = entry.expect("an entry");
        let name = entry.path().expect("a name").to_string_lossy().into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("the content");
        files.insert(name, content);
    }
    let items: Value = serde_json::from_slice(&files["manifest.json"]).expect("JSON");
    for item in items.as_array().expect("a list") {
        match &item["ImageIndex"] {
            Value::Null => load_image(registry, &item["Image"], &files),
            index => load_index(registry, index, &files),
        }
    }
}

fn load_index(registry: &Registry, index: &Value, files: &HashMap<String, Vec<u8>>) {
    let list = |name: &str| index[name].as_array().cloned().unwrap_or_default();
    list("Images").iter().for_each(|image| load_image(registry, image, files));
    list("Indexes").iter().for_each(|index| load_index(registry, index, files));
    put(registry, index, index);
}

fn load_image(registry: &Registry, image: &Value, files: &HashMap<String, Vec<u8>>) {
    let repository = repository(image);
    put_blob(registry, &repository, text(&image["Config"]["Raw"]).as_bytes());
    for layer in image["Layers"].as_array().expect("layers") {
        let name = format!("{}.tar.gz", text(&layer["Digest"]).replace(':', "-"));
        put_blob(registry, &repository, &files[&name]);
    }
    put(registry, image, &image["Manifest"]);
}

/// Puts a manifest under its digest and, if there is one, its tag.
fn put(registry: &Registry, item: &Value, manifest: &Value) {
    for target in [text(&manifest["Digest"]), text(&item["Tag"])] {
        if !target.is_empty() {
            let (media_type, raw) = (text(&manifest["MediaType"]), text(&manifest["Raw"]));
            put_manifest_bytes(registry, &repository(item), target, media_type, raw.as_bytes());
        }
    }
}

/// The path in `host:port/path@digest`.
fn repository(item: &Value) -> String {
    let reference = text(&item["Refs"][0]);
    let (_, rest) = reference.split_once('/').expect("a registry");
    rest.split('@').next().unwrap_or(rest).to_owned()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
