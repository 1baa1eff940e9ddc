//! Fields of documents, read with the rules of Go's JSON decoder: names match whatever their case, the last of several
//! spellings counts, unknown ones are errors or ignored, and of several errors the first is reported.

use std::path::Path;

use imgpkg_formats::yaml::{self, Data, Entry, Node, Position, Scalar, quoted};

use crate::error::{Error, Place, UnmarshalError};

/// Reads `bytes` as a document whose fields `read` takes out.
pub(crate) fn unmarshal<T>(
    document: &'static str,
    bytes: &[u8],
    file: Option<&Path>,
    read: impl FnOnce(&mut Reader, &Node) -> T,
) -> Result<T, Error> {
    let failed = |source| Error::Unmarshal { document, source };
    let node = yaml::read_node(bytes).map_err(|error| {
        failed(UnmarshalError::Yaml(match file {
            Some(file) => error.in_file(file.display().to_string()),
            None => error,
        }))
    })?;
    let mut reader = Reader { problem: None };
    let value = read(&mut reader, &node);
    match reader.problem {
        Some((problem, at)) => {
            let place = Place { file: file.map(Path::to_owned), line: at.line, column: at.column };
            Err(failed(UnmarshalError::Json { problem, place }))
        }
        None => Ok(value),
    }
}

/// What Go calls the place that a value is for, in its error messages.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    /// The struct and the path of field names: `ImageRef.images.image`; empty for the document itself.
    pub(crate) field: &'static str,
    /// The type: `string`, `[]lockconfig.ImageRef`.
    pub(crate) kind: &'static str,
}

/// A text and where it stands; the place of what is not there is none.
#[derive(Debug, Default)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) at: Option<Position>,
}

/// What to do with a field that the document does not have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    Refuse,
    Ignore,
}

/// Takes values out of nodes and remembers the first thing that is wrong.
pub(crate) struct Reader {
    problem: Option<(String, Position)>,
}

impl Reader {
    fn fail(&mut self, problem: String, at: Position) {
        self.problem.get_or_insert((problem, at));
    }

    fn mismatch(&mut self, node: &Node, target: Target) {
        let found = match &node.data {
            Data::Scalar(Scalar::Null) => return,
            Data::Scalar(Scalar::Bool(_)) => "bool",
            Data::Scalar(Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_)) => "number",
            Data::Scalar(Scalar::String(_)) => "string",
            Data::Sequence(_) => "array",
            Data::Mapping(_) => "object",
        };
        let place = match target.field {
            "" => "value".to_owned(),
            field => format!("struct field {field}"),
        };
        self.fail(format!("cannot unmarshal {found} into Go {place} of type {}", target.kind), node.at);
    }

    /// Hands every field of a map to `read`, by its place in `names`. Null has no fields.
    pub(crate) fn fields(
        &mut self,
        node: &Node,
        target: Target,
        unknown: Unknown,
        names: &[&str],
        mut read: impl FnMut(&mut Self, usize, &Node),
    ) {
        let Data::Mapping(entries) = &node.data else { return self.mismatch(node, target) };
        for entry in sorted(entries) {
            let exact = names.iter().position(|name| *name == entry.key);
            match exact.or_else(|| names.iter().position(|name| folded(name) == folded(&entry.key))) {
                Some(name) => read(self, name, &entry.value),
                None if unknown == Unknown::Refuse => {
                    self.fail(format!("unknown field {}", quoted(&entry.key)), entry.key_at);
                }
                None => {}
            }
        }
    }

    /// The items of a list; none for null.
    pub(crate) fn items<'n>(&mut self, node: &'n Node, target: Target) -> &'n [Node] {
        match &node.data {
            Data::Sequence(items) => items,
            _ => {
                self.mismatch(node, target);
                &[]
            }
        }
    }

    /// The entries of a map of any keys, in the order of their bytes; none for null.
    pub(crate) fn entries<'n>(&mut self, node: &'n Node, target: Target) -> Vec<&'n Entry> {
        match &node.data {
            Data::Mapping(entries) => sorted(entries),
            _ => {
                self.mismatch(node, target);
                Vec::new()
            }
        }
    }

    /// The text of any scalar.
    pub(crate) fn text(&mut self, node: &Node, target: Target) -> String {
        match &node.data {
            Data::Scalar(scalar) => scalar.to_text(),
            _ => {
                self.mismatch(node, target);
                String::new()
            }
        }
    }

    /// The text of any scalar, and where it stands.
    pub(crate) fn placed(&mut self, node: &Node, target: Target) -> Text {
        Text { text: self.text(node, target), at: Some(node.at) }
    }

    /// A truth value; null is false.
    pub(crate) fn truth(&mut self, node: &Node, target: Target) -> bool {
        match &node.data {
            Data::Scalar(Scalar::Bool(value)) => *value,
            _ => {
                self.mismatch(node, target);
                false
            }
        }
    }
}

fn sorted(entries: &[Entry]) -> Vec<&Entry> {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by(|a, b| a.key.cmp(&b.key));
    sorted
}

/// A field name without its case. Two letters beyond ASCII fold to letters within it.
fn folded(name: &str) -> String {
    name.chars()
        .map(|letter| match letter {
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            letter => letter.to_ascii_lowercase(),
        })
        .collect()
}
