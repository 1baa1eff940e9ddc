//! A description for people.

use std::collections::BTreeMap;

use imgpkg_bundle::describe::{Description, Entry};
use imgpkg_oci::Digest;

/// The description as text, every line ended.
pub(super) fn render(root: &Description) -> String {
    let mut text = format!("Bundle SHA: {}\n\n", root.image.digest());
    if !root.bundles.is_empty() || !root.images.is_empty() {
        text.push_str("Images:\n");
        entries(&mut text, root, 2);
    }
    text
}

/// The entries of a bundle: bundles first, an empty line between two of them, then the other images.
fn entries(text: &mut String, bundle: &Description, column: usize) {
    for (position, nested) in bundle.bundles.values().enumerate() {
        if position > 0 {
            text.push('\n');
        }
        line(text, column, &format!("- Image: {}", nested.image));
        let column = column + 2;
        line(text, column, "Type: Bundle");
        line(text, column, &format!("Origin: {}", nested.origin));
        details(text, column, &nested.layers, &nested.annotations);
        if !nested.bundles.is_empty() || !nested.images.is_empty() {
            line(text, column, "Images:");
            entries(text, nested, column);
        }
    }
    bundle.images.values().for_each(|image| entry(text, image, column));
}

fn entry(text: &mut String, entry: &Entry, column: usize) {
    let image = entry.image.as_ref().map(ToString::to_string).unwrap_or_default();
    line(text, column, &format!("- Image: {image}"));
    let column = column + 2;
    line(text, column, &format!("Type: {}", entry.kind.name()));
    if let Some(origin) = &entry.origin {
        line(text, column, &format!("Origin: {origin}"));
    }
    details(text, column, &entry.layers, &entry.annotations);
}

fn details(text: &mut String, column: usize, layers: &[Digest], annotations: &BTreeMap<String, String>) {
    if !layers.is_empty() {
        line(text, column, "Layers:");
        layers.iter().for_each(|digest| line(text, column + 2, &format!("- Digest: {digest}")));
    }
    if !annotations.is_empty() {
        line(text, column, "Annotations:");
        annotations.iter().for_each(|(key, value)| line(text, column + 2, &format!("{key}: {value}")));
    }
}

fn line(text: &mut String, column: usize, words: &str) {
    text.push_str(&" ".repeat(column));
    text.push_str(words);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use imgpkg_bundle::describe::Kind;
    use imgpkg_oci::DigestReference;

    use super::*;

    fn reference(name: &str) -> DigestReference {
        DigestReference::parse(&format!("r.example/{name}@{}", Digest::sha256_of(name.as_bytes()))).unwrap()
    }

    fn bundle(name: &str) -> Description {
        Description {
            image: reference(name),
            origin: reference(name),
            annotations: BTreeMap::new(),
            layers: Vec::new(),
            bundles: BTreeMap::new(),
            images: BTreeMap::new(),
        }
    }

    fn image(name: &str) -> Entry {
        Entry {
            kind: Kind::Image,
            image: Some(reference(name)),
            origin: Some(reference(name)),
            annotations: BTreeMap::from([("note".to_owned(), "100% sure".to_owned())]),
            layers: vec![Digest::sha256_of(b"layer")],
            error: None,
        }
    }

    #[test]
    fn a_bundle_without_images_is_its_digest_alone() {
        let root = bundle("root");
        assert_eq!(render(&root), format!("Bundle SHA: {}\n\n", root.image.digest()));
    }

    #[test]
    fn nested_bundles_stand_before_images_with_a_line_between_them() {
        let mut names = ["inner", "second"];
        names.sort_by_key(|name| reference(name).digest().clone());
        let [mut inner, second] = names.map(bundle);
        inner.images.insert("a".to_owned(), image("app"));
        let mut root = bundle("root");
        root.bundles = [inner, second].map(|nested| (nested.image.digest().clone(), nested)).into();
        root.images.insert("b".to_owned(), image("tool"));
        let [app, inner, second, tool] = ["app", names[0], names[1], "tool"].map(reference);
        let layer = Digest::sha256_of(b"layer");
        let expected = format!(
            "Bundle SHA: {}\n\nImages:\n  - Image: {inner}\n    Type: Bundle\n    Origin: {inner}\n    Images:\n    - Image: {app}\n      \
             Type: Image\n      Origin: {app}\n      Layers:\n        - Digest: {layer}\n      Annotations:\n        \
             note: 100% sure\n\n  - Image: {second}\n    Type: Bundle\n    Origin: {second}\n  - Image: {tool}\n    Type: Image\n    \
             Origin: {tool}\n    Layers:\n      - Digest: {layer}\n    Annotations:\n      note: 100% sure\n",
            root.image.digest()
        );
        assert_eq!(render(&root), expected);
    }
}
