//! From values to text, byte for byte as the reference writes it.

use super::decode::is_break;
use super::number;
use super::order::sort_entries;
use super::style::{Style, choose, is_printable, is_simple_key};
use super::value::{Scalar, Value};

/// Lines are folded at the first single space after this column.
const WIDTH: usize = 80;

/// Columns per level.
const INDENT: usize = 2;

/// Writes a value as one document without a `---` line.
///
/// Keys are sorted: numbers within them by value, other characters before letters. What the reference corrupts or
/// refuses to write (U+0085, which becomes a space, and U+007F to U+009F, U+FFFE and U+FFFF, which fail) is escaped
/// instead. A key that a [`Value::Mapping`] holds twice is written twice.
#[must_use]
pub fn write(value: &Value) -> String {
    let mut writer =
        Writer { out: String::new(), column: 0, indent: None, whitespace: true, indention: true };
    writer.value(value, false);
    if writer.column > 0 {
        writer.line_break();
    }
    writer.out
}

struct Writer {
    out: String,
    /// Characters on the current line.
    column: usize,
    /// The column of the current collection; none outside of all.
    indent: Option<usize>,
    /// The last thing written separates what comes next.
    whitespace: bool,
    /// Only indentation and indicators that may be followed on the same line are on this line.
    indention: bool,
}

impl Writer {
    fn value(&mut self, value: &Value, in_mapping: bool) {
        match value {
            Value::Scalar(scalar) => self.scalar(scalar),
            Value::Sequence(items) if items.is_empty() => self.indicator("[]", true, false),
            Value::Sequence(items) => self.sequence(items, in_mapping),
            Value::Mapping(entries) if entries.is_empty() => self.indicator("{}", true, false),
            Value::Mapping(entries) => self.mapping(entries),
        }
    }

    fn sequence(&mut self, items: &[Value], in_mapping: bool) {
        let outer = self.indent;
        // A list that starts on a line of its own after its key is not indented.
        if !in_mapping || self.indention {
            self.increase_indent();
        }
        for item in items {
            self.start_line();
            self.indicator("-", true, true);
            self.value(item, false);
        }
        self.indent = outer;
    }

    fn mapping(&mut self, entries: &[(String, Value)]) {
        let outer = self.indent;
        self.increase_indent();
        let mut sorted: Vec<(&str, &Value)> =
            entries.iter().map(|(key, value)| (key.as_str(), value)).collect();
        sort_entries(&mut sorted);
        for (key, value) in sorted {
            self.start_line();
            if is_simple_key(key) {
                self.string(key, true);
                self.indicator(":", false, false);
            } else {
                self.indicator("?", true, true);
                self.string(key, false);
                self.start_line();
                self.indicator(":", true, true);
            }
            self.value(value, true);
        }
        self.indent = outer;
    }

    fn scalar(&mut self, scalar: &Scalar) {
        let text = match scalar {
            Scalar::String(text) => return self.string(text, false),
            Scalar::Null => "null".to_owned(),
            Scalar::Float(value) if value.is_nan() => ".nan".to_owned(),
            Scalar::Float(value) if value.is_infinite() => {
                (if *value > 0.0 { ".inf" } else { "-.inf" }).to_owned()
            }
            Scalar::Float(value) => number::double(*value),
            Scalar::Bool(_) | Scalar::Int(_) | Scalar::Uint(_) => scalar.to_text(),
        };
        self.plain(&text, false);
    }

    fn string(&mut self, text: &str, simple_key: bool) {
        let outer = self.indent;
        self.indent = Some(outer.map_or(INDENT, |indent| indent + INDENT));
        match choose(text, simple_key) {
            Style::Plain => self.plain(text, !simple_key),
            Style::SingleQuoted => self.single_quoted(text, !simple_key),
            Style::DoubleQuoted => self.double_quoted(text, !simple_key),
            Style::Literal => self.literal(text),
        }
        self.indent = outer;
    }

    fn plain(&mut self, text: &str, fold: bool) {
        if !self.whitespace {
            self.put(' ');
        }
        self.folded(text, fold, |_, _| true);
        self.whitespace = false;
        self.indention = false;
    }

    fn single_quoted(&mut self, text: &str, fold: bool) {
        self.indicator("'", true, false);
        let doubled = text.replace('\'', "''");
        self.folded(&doubled, fold, |at, end| at > 0 && at < end);
        self.indicator("'", false, false);
    }

    /// Writes text in which a single space may become a line break where `allowed` says so of its offset and the last.
    fn folded(&mut self, text: &str, fold: bool, allowed: impl Fn(usize, usize) -> bool) {
        let mut before = None;
        for (at, character) in text.char_indices() {
            let after_break = before.is_some_and(is_break);
            if character == ' ' {
                let single = before != Some(' ') && !text[at + 1..].starts_with(' ');
                if fold && single && self.column > WIDTH && allowed(at, text.len() - 1) {
                    self.start_line();
                } else {
                    self.put(character);
                }
            } else if is_break(character) {
                self.put_break(character);
                self.indention = true;
            } else {
                if after_break {
                    self.start_line();
                }
                self.put(character);
                self.indention = false;
            }
            before = Some(character);
        }
    }

    fn double_quoted(&mut self, text: &str, fold: bool) {
        // The reference takes every character for a byte order mark if the first one is.
        let escape_all = text.starts_with('\u{feff}');
        let mut after_space = false;
        self.indicator("\"", true, false);
        for (at, character) in text.char_indices() {
            if escape_all
                || !is_printable(character)
                || is_break(character)
                || matches!(character, '"' | '\\')
            {
                self.escape(character);
                after_space = false;
            } else if character == ' ' {
                if fold && !after_space && self.column > WIDTH && at > 0 && at + 1 < text.len() {
                    self.start_line();
                    if text[at + 1..].starts_with(' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(character);
                }
                after_space = true;
            } else {
                self.put(character);
                after_space = false;
            }
        }
        self.indicator("\"", false, false);
    }

    fn escape(&mut self, character: char) {
        let code = u32::from(character);
        let escaped = match character {
            '\0' => "\\0".to_owned(),
            '\u{7}' => "\\a".to_owned(),
            '\u{8}' => "\\b".to_owned(),
            '\t' => "\\t".to_owned(),
            '\n' => "\\n".to_owned(),
            '\u{b}' => "\\v".to_owned(),
            '\u{c}' => "\\f".to_owned(),
            '\r' => "\\r".to_owned(),
            '\u{1b}' => "\\e".to_owned(),
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\u{85}' => "\\N".to_owned(),
            '\u{a0}' => "\\_".to_owned(),
            '\u{2028}' => "\\L".to_owned(),
            '\u{2029}' => "\\P".to_owned(),
            _ if code <= 0xFF => format!("\\x{code:02X}"),
            _ if code <= 0xFFFF => format!("\\u{code:04X}"),
            _ => format!("\\U{code:08X}"),
        };
        self.column += escaped.len();
        self.out.push_str(&escaped);
    }

    fn literal(&mut self, text: &str) {
        self.indicator("|", true, false);
        if text.starts_with(|first| first == ' ' || is_break(first)) {
            self.indicator("2", false, false);
        }
        let mut last = text.chars().rev();
        match (last.next().is_some_and(is_break), last.next()) {
            (false, _) => self.indicator("-", false, false),
            (true, before) if before.is_none_or(is_break) => self.indicator("+", false, false),
            (true, _) => {}
        }
        self.line_break();
        self.indention = true;
        self.whitespace = true;
        let mut after_break = true;
        for character in text.chars() {
            if is_break(character) {
                self.put_break(character);
                self.indention = true;
                after_break = true;
            } else {
                if after_break {
                    self.start_line();
                }
                self.put(character);
                self.indention = false;
                after_break = false;
            }
        }
    }

    /// Writes an indicator, after a space if `separated`; if it `opens`, a collection may start on the same line.
    fn indicator(&mut self, text: &str, separated: bool, opens: bool) {
        if separated && !self.whitespace {
            self.put(' ');
        }
        self.out.push_str(text);
        self.column += text.len();
        self.whitespace = false;
        self.indention &= opens;
    }

    fn increase_indent(&mut self) {
        self.indent = Some(self.indent.map_or(0, |indent| indent + INDENT));
    }

    /// Goes to the current indentation, on a new line unless this one has room for it.
    fn start_line(&mut self) {
        let indent = self.indent.unwrap_or(0);
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.line_break();
        }
        while self.column < indent {
            self.put(' ');
        }
        self.whitespace = true;
        self.indention = true;
    }

    fn put(&mut self, character: char) {
        self.out.push(character);
        self.column += 1;
    }

    fn put_break(&mut self, character: char) {
        self.out.push(character);
        self.column = 0;
    }

    fn line_break(&mut self) {
        self.put_break('\n');
    }
}
