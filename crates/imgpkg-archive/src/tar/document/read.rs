//! Reading `manifest.json` the way the reference does: unknown fields are ignored, the case of field names does not
//! matter, and `null` means nothing.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::Defect;

/// How many objects (images, layers, configurations …) are read at most.
const MAX_OBJECTS: u64 = 1_000_000;

/// How many values are read at most, so that lists of next to nothing cannot fill the memory either.
const MAX_VALUES: u64 = 8_000_000;

/// A structure, and how it is read: each field with its name in lower case.
macro_rules! document {
    ($(#[$meta:meta])* $name:ident { $($field:ident: $type:ty = $key:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Default)]
        pub(in crate::tar) struct $name {
            $(pub(in crate::tar) $field: $type,)+
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields;

                impl<'de> Visitor<'de> for Fields {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("an object that describes an ", stringify!($name)))
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        let mut value = $name::default();
                        while let Some(mut key) = map.next_key::<String>()? {
                            key.make_ascii_lowercase();
                            match key.as_str() {
                                $($key => value.$field = map.next_value::<Option<$type>>()?.unwrap_or_default(),)+
                                _ => drop(map.next_value::<IgnoredAny>()?),
                            }
                        }
                        Ok(value)
                    }
                }

                deserializer.deserialize_map(Fields)
            }
        }
    };
}

document! {
    /// An element of the list.
    Entry {
        index: Option<Index> = "imageindex",
        image: Option<Image> = "image",
    }
}

document! {
    /// An image.
    Image {
        refs: Vec<String> = "refs",
        layers: Vec<Layer> = "layers",
        config: Raw = "config",
        manifest: Raw = "manifest",
        tag: String = "tag",
        original: String = "origref",
        labels: BTreeMap<String, String> = "labels",
    }
}

document! {
    /// An index.
    Index {
        refs: Vec<String> = "refs",
        images: Vec<Image> = "images",
        indexes: Vec<Index> = "indexes",
        media_type: String = "mediatype",
        digest: String = "digest",
        raw: String = "raw",
        tag: String = "tag",
        original: String = "origref",
        labels: BTreeMap<String, String> = "labels",
    }
}

document! {
    /// A layer.
    Layer {
        digest: String = "digest",
        size: u64 = "size",
    }
}

document! {
    /// A configuration or manifest.
    Raw {
        media_type: String = "mediatype",
        digest: String = "digest",
        raw: String = "raw",
    }
}

/// Reads the document.
pub(in crate::tar) fn parse(bytes: &[u8]) -> Result<Vec<Entry>, Defect> {
    check_extent(bytes)?;
    let entries: Option<Vec<Entry>> =
        serde_json::from_slice(bytes).map_err(|source| Defect::Syntax { source })?;
    Ok(entries.unwrap_or_default())
}

/// Refuses a document that would need far more memory than its own size, before anything is made of it.
fn check_extent(bytes: &[u8]) -> Result<(), Defect> {
    let (mut objects, mut values) = (0_u64, 0_u64);
    let (mut in_string, mut escaped) = (false, false);
    for &byte in bytes {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' => objects += 1,
            b',' | b'[' => values += 1,
            _ => {}
        }
    }
    if objects > MAX_OBJECTS {
        return Err(Defect::TooMany { what: "objects in its manifest.json", limit: MAX_OBJECTS });
    }
    if objects + values > MAX_VALUES {
        return Err(Defect::TooMany { what: "values in its manifest.json", limit: MAX_VALUES });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_an_archive_of_nothing() {
        assert!(parse(b"null").unwrap().is_empty());
        assert!(parse(b"[]").unwrap().is_empty());
    }

    #[test]
    fn unknown_fields_are_ignored_and_case_does_not_matter() {
        let json =
            br#"[{"IMAGE":{"refs":["a"],"LAYERS":null,"New":{"x":[1]},"config":{"DIGEST":"d","Raw":"\u003c"},
            "Manifest":null},"imageIndex":null}]"#;
        let entries = parse(json).unwrap();
        let image = entries[0].image.as_ref().unwrap();
        assert_eq!(image.refs, ["a"]);
        assert!(image.layers.is_empty() && entries[0].index.is_none());
        assert_eq!((image.config.digest.as_str(), image.config.raw.as_str()), ("d", "<"));
        assert_eq!((image.tag.as_str(), image.original.as_str()), ("", ""));
    }

    #[test]
    fn a_list_of_a_million_empty_objects_is_refused_before_it_is_built() {
        let json = format!("[{}{{}}]", "{},".repeat(1_000_000));
        let defect = parse(json.as_bytes()).unwrap_err();
        assert!(matches!(defect, Defect::TooMany { limit: MAX_OBJECTS, .. }), "{defect}");
        let json = format!("[{{\"Image\":{{\"Refs\":[{}\"\"]}}}}]", "\"\",".repeat(8_000_000));
        let defect = parse(json.as_bytes()).unwrap_err();
        assert!(matches!(defect, Defect::TooMany { limit: MAX_VALUES, .. }), "{defect}");
    }

    #[test]
    fn brackets_and_commas_inside_strings_are_not_counted() {
        let json = format!(r#"[{{"Image":{{"Tag":"{}\"{{"}}}}]"#, "{,".repeat(1_000_001));
        let entries = parse(json.as_bytes()).unwrap();
        assert_eq!(entries[0].image.as_ref().unwrap().tag.len(), 2_000_004);
    }

    #[test]
    fn what_is_no_list_of_objects_is_refused() {
        for json in [&b""[..], b"{}", b"[null]", b"[1]", b"[{}] x", br#"[{"Image":{"Layers":[null]}}]"#] {
            assert!(matches!(parse(json), Err(Defect::Syntax { .. })), "{}", String::from_utf8_lossy(json));
        }
    }

    #[test]
    fn nesting_without_end_is_refused() {
        let json = format!("[{}", r#"{"ImageIndex":{"Indexes":["#.repeat(100_000));
        assert!(matches!(parse(json.as_bytes()), Err(Defect::Syntax { .. })));
        let json = format!(r#"[{{"ImageIndex":{}"#, r#"{"Indexes":["#.repeat(100_000));
        assert!(matches!(parse(json.as_bytes()), Err(Defect::Syntax { .. })));
    }
}
