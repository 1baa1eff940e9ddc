//! From the scanner's events to a tree: anchors are resolved to nodes, nothing is interpreted yet.

use std::collections::HashMap;

use libyaml_safer::{Event, EventData, Mark, ScalarStyle};

use super::error::Error;
use super::node::Position;
use super::source::Source;
use super::{MAX_DEPTH, MAX_NODES};

/// A document's nodes; the first one is the root.
pub(super) struct Tree {
    pub(super) nodes: Vec<Composed>,
}

/// One node and where it starts.
pub(super) struct Composed {
    pub(super) at: Position,
    pub(super) kind: Kind,
}

/// What a node is; the numbers are places in [`Tree::nodes`].
pub(super) enum Kind {
    Scalar(RawScalar),
    Sequence(Vec<usize>),
    /// Keys and values by turns.
    Mapping(Vec<usize>),
    Alias {
        anchor: String,
        target: usize,
    },
}

/// A scalar as it is written, escapes and folding undone.
pub(super) struct RawScalar {
    pub(super) text: String,
    /// The tag in its long form.
    pub(super) tag: Option<String>,
    /// Written plain without a tag, or with the tag `!`.
    pub(super) implicit: bool,
}

/// Reads the first document. The tree is empty if there is none.
///
/// # Errors
///
/// Whatever the scanner and parser refuse, unknown anchors, and too deep or too large a document.
pub(super) fn compose(source: &Source<'_>) -> Result<Tree, Error> {
    let mut composer =
        Composer { source, tree: Tree { nodes: Vec::new() }, open: Vec::new(), anchors: HashMap::new() };
    let mut parser = source.parser();
    loop {
        let event = parser.parse().map_err(|error| source.error(&error))?;
        match event.data {
            EventData::DocumentEnd { .. } | EventData::StreamEnd => return Ok(composer.tree),
            EventData::DocumentStart { version_directive: Some(version), .. }
                if (version.major, version.minor) != (1, 1) =>
            {
                return Err(source.parser_error(event.start_mark, "found incompatible YAML document"));
            }
            EventData::StreamStart { .. } | EventData::DocumentStart { .. } => {}
            _ => composer.add(event)?,
        }
    }
}

struct Composer<'s, 'a> {
    source: &'s Source<'a>,
    tree: Tree,
    /// The collections that are being filled, outermost first.
    open: Vec<usize>,
    anchors: HashMap<String, usize>,
}

impl Composer<'_, '_> {
    fn add(&mut self, event: Event) -> Result<(), Error> {
        let (start, end) = (event.start_mark, event.end_mark);
        match event.data {
            EventData::SequenceEnd | EventData::MappingEnd => {
                self.open.pop();
                Ok(())
            }
            EventData::Alias { anchor } => {
                let Some(target) = self.anchors.get(&anchor).copied() else {
                    let problem = format!("yaml: unknown anchor '{anchor}' referenced");
                    return Err(Error::new(problem, self.source.position(start)));
                };
                self.push(start, None, Kind::Alias { anchor, target }).map(|_| ())
            }
            EventData::Scalar { anchor, tag, mut value, plain_implicit, style, .. } => {
                self.finish_scalar(&mut value, style, start, end)?;
                let scalar = RawScalar { text: value, tag, implicit: plain_implicit };
                self.push(start, anchor, Kind::Scalar(scalar)).map(|_| ())
            }
            EventData::SequenceStart { anchor, .. } => self.start(start, anchor, Kind::Sequence(Vec::new())),
            EventData::MappingStart { anchor, .. } => self.start(start, anchor, Kind::Mapping(Vec::new())),
            _ => Ok(()),
        }
    }

    fn start(&mut self, start: Mark, anchor: Option<String>, kind: Kind) -> Result<(), Error> {
        if self.open.len() == MAX_DEPTH {
            return Err(too_deep(self.source.position(start)));
        }
        let index = self.push(start, anchor, kind)?;
        self.open.push(index);
        Ok(())
    }

    fn push(&mut self, start: Mark, anchor: Option<String>, kind: Kind) -> Result<usize, Error> {
        let at = self.source.position(start);
        let index = self.tree.nodes.len();
        if index == MAX_NODES {
            return Err(too_large(at));
        }
        if let Some(parent) = self.open.last()
            && let Kind::Sequence(children) | Kind::Mapping(children) = &mut self.tree.nodes[*parent].kind
        {
            children.push(index);
        }
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, index);
        }
        self.tree.nodes.push(Composed { at, kind });
        Ok(index)
    }

    /// Takes back what [`Source`] added, and refuses the escape that only later YAML knows.
    fn finish_scalar(
        &self,
        value: &mut String,
        style: ScalarStyle,
        start: Mark,
        end: Mark,
    ) -> Result<(), Error> {
        match style {
            ScalarStyle::Literal | ScalarStyle::Folded if self.source.is_completed_by(end) => {
                if value.ends_with('\n') {
                    value.pop();
                }
                Ok(())
            }
            ScalarStyle::DoubleQuoted => match find_escaped_slash(self.source.span(start, end)) {
                Some(offset) => {
                    let offset = usize::try_from(start.index).unwrap_or_default() + offset;
                    Err(self.source.error_at(offset, "found unknown escape character"))
                }
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

/// The offset of the first `\/` in a double-quoted text.
fn find_escaped_slash(quoted: &str) -> Option<usize> {
    let mut bytes = quoted.bytes().enumerate();
    while let Some((offset, byte)) = bytes.next() {
        if byte == b'\\' && bytes.next().is_some_and(|(_, escaped)| escaped == b'/') {
            return Some(offset);
        }
    }
    None
}

pub(super) fn too_deep(at: Position) -> Error {
    Error::new(format!("yaml: exceeded max depth of {MAX_DEPTH}"), at)
}

pub(super) fn too_large(at: Position) -> Error {
    Error::new("yaml: document is too large", at)
}
