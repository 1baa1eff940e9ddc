//! A description for programs.

use std::collections::BTreeMap;

use imgpkg_bundle::describe::{Description, Entry};
use imgpkg_formats::yaml::{self, Value};
use imgpkg_oci::Digest;

/// The description as YAML: the digest, then the document with its keys sorted.
pub(super) fn render(root: &Description) -> String {
    format!("sha: {}\n{}", root.image.digest(), yaml::write(&bundle(root)))
}

fn bundle(description: &Description) -> Value {
    let mut fields = vec![
        ("content", content(description)),
        ("image", Value::from(description.image.to_string())),
        ("metadata", empty()),
        ("origin", Value::from(description.origin.to_string())),
    ];
    details(&mut fields, &description.layers, &description.annotations);
    Value::from_iter(fields)
}

fn content(description: &Description) -> Value {
    let mut fields: Vec<(&str, Value)> = Vec::new();
    if !description.bundles.is_empty() {
        let bundles = description.bundles.iter().map(|(digest, nested)| (digest.as_str(), bundle(nested)));
        fields.push(("bundles", bundles.collect()));
    }
    if !description.images.is_empty() {
        let images = description.images.iter().map(|(key, image)| (key.as_str(), entry(image)));
        fields.push(("images", images.collect()));
    }
    Value::from_iter(fields)
}

fn entry(image: &Entry) -> Value {
    let mut fields = vec![("imageType", Value::from(image.kind.name()))];
    fields.extend(image.image.as_ref().map(|reference| ("image", Value::from(reference.to_string()))));
    fields.extend(image.origin.as_ref().map(|reference| ("origin", Value::from(reference.to_string()))));
    fields.extend(image.error.map(|error| ("error", Value::from(error))));
    details(&mut fields, &image.layers, &image.annotations);
    Value::from_iter(fields)
}

fn details(fields: &mut Vec<(&str, Value)>, layers: &[Digest], annotations: &BTreeMap<String, String>) {
    if !layers.is_empty() {
        let layers = layers.iter().map(|digest| Value::from_iter([("digest", digest.as_str())]));
        fields.push(("layers", layers.collect()));
    }
    if !annotations.is_empty() {
        fields.push(("annotations", annotations.clone().into_iter().collect()));
    }
}

fn empty() -> Value {
    Value::from_iter(Vec::<(&str, Value)>::new())
}
