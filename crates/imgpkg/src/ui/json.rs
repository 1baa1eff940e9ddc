//! The document that `--json` prints: tables, blocks and lines, in the reference's shape.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};

/// Everything that was said, by kind. A kind that was not used is `null`.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Document {
    #[serde(serialize_with = "null_when_empty")]
    pub(crate) tables: Vec<TableEntry>,
    #[serde(serialize_with = "null_when_empty")]
    pub(crate) blocks: Vec<String>,
    #[serde(serialize_with = "null_when_empty")]
    pub(crate) lines: Vec<String>,
}

/// A table: its visible columns by key, and a map from key to cell for each row.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TableEntry {
    pub(crate) content: String,
    pub(crate) header: BTreeMap<String, String>,
    #[serde(serialize_with = "null_when_empty")]
    pub(crate) rows: Vec<BTreeMap<String, String>>,
    /// The reference's tables can have notes; those of this program have none.
    #[serde(serialize_with = "null_when_empty")]
    pub(crate) notes: Vec<String>,
}

impl Document {
    /// The document's text, indented by four spaces, without a newline at its end.
    pub(crate) fn render(&self) -> String {
        let mut bytes = Vec::new();
        let mut serializer = Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b"    "));
        // Strings and maps of strings can always be written, and a vector takes them.
        let _ = self.serialize(&mut serializer);
        escape_markup(&String::from_utf8_lossy(&bytes))
    }
}

/// Escapes what could be taken for markup. Outside of strings JSON has none of these characters.
fn escape_markup(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' => text.push_str("\\u003c"),
            '>' => text.push_str("\\u003e"),
            '&' => text.push_str("\\u0026"),
            '\u{2028}' => text.push_str("\\u2028"),
            '\u{2029}' => text.push_str("\\u2029"),
            _ => text.push(character),
        }
    }
    text
}

fn null_when_empty<T: Serialize, S: serde::Serializer>(list: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    if list.is_empty() { serializer.serialize_none() } else { list.serialize(serializer) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_without_content_are_null_and_the_object_ends_without_a_newline() {
        let expected = "{\n    \"Tables\": null,\n    \"Blocks\": null,\n    \"Lines\": null\n}";
        assert_eq!(Document::default().render(), expected);
    }

    #[test]
    fn markup_is_escaped() {
        let document = Document { lines: vec!["a <b> & \"c\"\u{2028}\n".to_owned()], ..Document::default() };
        assert!(
            document.render().contains(r#""a \u003cb\u003e \u0026 \"c\"\u2028\n""#),
            "{}",
            document.render()
        );
    }
}
