//! JSON strings as the reference writes them into configurations, manifests and `manifest.json`.
//!
//! The bytes of those documents are covered by digests, and JSON leaves a writer the choice which characters to escape.
//! The reference escapes what could end a script or start a tag in HTML (`<`, `>`, `&`) and the two separators that
//! older JavaScript takes for line ends (U+2028, U+2029), and leaves everything else beyond ASCII as it is.
//!
//! Backspace and form feed are written `\b` and `\f`. Builds of the reference with Go 1.21 write `\u0008` and `\u000c`
//! instead; the shorter form is what Go 1.22 and later write, and neither character has a place in a label or name.
//!
//! ```
//! assert_eq!(imgpkg_formats::json::escape("a <b> \"c\"\n"), r#""a \u003cb\u003e \"c\"\n""#);
//! ```

/// `text` as a JSON string, with its quotation marks.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_escaped(&mut out, text);
    out
}

/// Appends `text` to a document as a JSON string, with its quotation marks.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(escape(text).as_bytes());
}

fn push_escaped(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => push_unicode(out, character),
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// `\u` and four hexadecimal digits in lower case, for a character of the Basic Multilingual Plane.
fn push_unicode(out: &mut String, character: char) {
    out.push_str("\\u");
    for shift in [12, 8, 4, 0] {
        let digit = (u32::from(character) >> shift) & 0xf;
        out.extend(char::from_digit(digit, 16));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_only_quoted() {
        assert_eq!(escape(""), r#""""#);
        assert_eq!(escape("a/b: 'c'"), r#""a/b: 'c'""#);
    }

    #[test]
    fn quotation_marks_and_backslashes_are_escaped() {
        assert_eq!(escape(r#"a"b\c"#), r#""a\"b\\c""#);
    }

    #[test]
    fn characters_special_to_html_are_escaped_as_unicode() {
        assert_eq!(escape("<a>&"), r#""\u003ca\u003e\u0026""#);
    }

    #[test]
    fn line_and_paragraph_separators_are_escaped() {
        assert_eq!(escape("a\u{2028}\u{2029}b"), r#""a\u2028\u2029b""#);
    }

    #[test]
    fn control_characters_take_the_short_form_where_there_is_one() {
        assert_eq!(escape("\u{8}\u{c}\n\r\t"), r#""\b\f\n\r\t""#);
        assert_eq!(escape("\0\u{1}\u{b}\u{1f}"), r#""\u0000\u0001\u000b\u001f""#);
    }

    #[test]
    fn delete_and_text_beyond_ascii_stay() {
        assert_eq!(escape("\u{7f}ü€😀\u{2027}"), "\"\u{7f}ü€😀\u{2027}\"");
    }

    #[test]
    fn a_string_is_appended_to_a_document() {
        let mut out = b"{\"a\":".to_vec();
        write_string(&mut out, "x&y");
        out.push(b'}');
        assert_eq!(out, br#"{"a":"x\u0026y"}"#);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_back_by_a_json_reader(text in ".*") {
            let read: String = serde_json::from_str(&escape(&text)).unwrap();
            proptest::prop_assert_eq!(read, text);
        }
    }
}
