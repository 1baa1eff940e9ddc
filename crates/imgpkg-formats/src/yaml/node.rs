//! A document as it was read: values with the places they were read from.

use super::value::{Scalar, Value};

/// A place in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
}

/// A value and where it starts. A value that came in through an alias has the place of the anchored one.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where the value starts.
    pub at: Position,
    /// The value itself.
    pub data: Data,
}

/// What a [`Node`] holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// A single value.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Node>),
    /// A map in the order of the document, no key twice.
    Mapping(Vec<Entry>),
}

/// One key of a map and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key, as text whatever it was.
    pub key: String,
    /// Where the key starts.
    pub key_at: Position,
    /// The value.
    pub value: Node,
}

impl From<Node> for Value {
    fn from(node: Node) -> Self {
        match node.data {
            Data::Scalar(scalar) => Self::Scalar(scalar),
            Data::Sequence(items) => Self::Sequence(items.into_iter().map(Self::from).collect()),
            Data::Mapping(entries) => {
                Self::Mapping(entries.into_iter().map(|entry| (entry.key, Self::from(entry.value))).collect())
            }
        }
    }
}
