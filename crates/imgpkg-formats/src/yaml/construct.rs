//! From the tree to values: aliases and merge keys are expanded, scalars typed, keys made strings.

use std::collections::{HashMap, HashSet};

use super::compose::{Composed, Kind, RawScalar, Tree, too_deep, too_large};
use super::error::Error;
use super::node::{Data, Entry, Node, Position};
use super::quote;
use super::resolve::{resolve_plain, resolve_tagged};
use super::value::Scalar;
use super::{MAX_DEPTH, MAX_NODES, MAX_TEXT};

/// Duplicate keys are listed up to this many.
const MAX_DUPLICATES: usize = 100;

/// The value of a document; null if it has none.
///
/// # Errors
///
/// Keys set twice or of a kind JSON does not know, anchors that contain themselves, tags that contradict their text,
/// merge keys without maps, and expansions beyond the limits.
pub(super) fn construct(tree: &Tree) -> Result<Node, Error> {
    let Some(root) = tree.nodes.first() else {
        return Ok(Node { at: Position { line: 1, column: 1 }, data: Data::Scalar(Scalar::Null) });
    };
    let mut constructor = Constructor::new(tree);
    let node = constructor.node(root)?;
    if let Some(error) = Error::duplicates(constructor.duplicates) {
        return Err(error);
    }
    match constructor.bad_key {
        Some(error) => Err(error),
        None => Ok(node),
    }
}

struct Constructor<'t> {
    tree: &'t Tree,
    duplicates: Vec<(String, Position)>,
    /// A key that JSON cannot have, reported only if nothing else is wrong.
    bad_key: Option<Error>,
    /// The aliases that are being expanded.
    active: HashSet<usize>,
    depth: usize,
    /// Nodes so far, those of them that came through aliases, and the bytes of their text.
    nodes: usize,
    aliased: usize,
    text: usize,
}

/// A map under construction.
#[derive(Default)]
struct Builder {
    entries: Vec<Entry>,
    seen: HashSet<Key>,
    /// Where each name stands in `entries`.
    places: HashMap<String, usize>,
}

/// What makes two keys the same one: type and value.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(u64),
    String(String),
}

impl<'t> Constructor<'t> {
    fn new(tree: &'t Tree) -> Self {
        Self {
            tree,
            duplicates: Vec::new(),
            bad_key: None,
            active: HashSet::new(),
            depth: 0,
            nodes: 0,
            aliased: 0,
            text: 0,
        }
    }

    fn node(&mut self, composed: &'t Composed) -> Result<Node, Error> {
        self.count(composed.at)?;
        let data = match &composed.kind {
            Kind::Alias { anchor, target } => return self.alias(composed, anchor, *target),
            Kind::Scalar(raw) => Data::Scalar(self.scalar(raw, composed.at)?),
            Kind::Sequence(children) => {
                self.enter(composed.at)?;
                let items = children
                    .iter()
                    .map(|child| self.node(&self.tree.nodes[*child]))
                    .collect::<Result<_, _>>()?;
                self.depth -= 1;
                Data::Sequence(items)
            }
            Kind::Mapping(children) => {
                let mut builder = Builder::default();
                self.fill(&mut builder, children, composed.at)?;
                Data::Mapping(builder.entries)
            }
        };
        Ok(Node { at: composed.at, data })
    }

    /// Counts a node, and refuses documents that consist of ever more copies of a few nodes: the reference's rule, and
    /// two hard limits.
    fn count(&mut self, at: Position) -> Result<(), Error> {
        self.nodes += 1;
        if !self.active.is_empty() {
            self.aliased += 1;
        }
        if self.aliased > 100
            && self.nodes > 1000
            && self.aliased as f64 / self.nodes as f64 > allowed_share(self.nodes)
        {
            return Err(Error::new("yaml: document contains excessive aliasing", at));
        }
        if self.nodes > MAX_NODES || self.text > MAX_TEXT { Err(too_large(at)) } else { Ok(()) }
    }

    fn enter(&mut self, at: Position) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(too_deep(at)) } else { Ok(()) }
    }

    fn alias(&mut self, composed: &Composed, anchor: &str, target: usize) -> Result<Node, Error> {
        if !self.active.insert(target) {
            return Err(Error::new(format!("yaml: anchor '{anchor}' value contains itself"), composed.at));
        }
        self.enter(composed.at)?;
        let node = self.node(&self.tree.nodes[target]);
        self.depth -= 1;
        self.active.remove(&target);
        node
    }

    fn scalar(&mut self, raw: &RawScalar, at: Position) -> Result<Scalar, Error> {
        self.text += raw.text.len();
        match &raw.tag {
            None if raw.implicit => Ok(resolve_plain(&raw.text)),
            None => Ok(Scalar::String(raw.text.clone())),
            Some(tag) => {
                resolve_tagged(tag, &raw.text).map_err(|problem| Error::new(format!("yaml: {problem}"), at))
            }
        }
    }

    /// Adds the keys and values of a map to `builder`.
    fn fill(&mut self, builder: &mut Builder, children: &'t [usize], at: Position) -> Result<(), Error> {
        self.enter(at)?;
        for pair in children.as_chunks::<2>().0 {
            let [key, value] = pair.map(|index| &self.tree.nodes[index]);
            if is_merge(key) {
                self.merge(builder, value)?;
                continue;
            }
            let key_node = self.node(key)?;
            let Data::Scalar(key_scalar) = key_node.data else {
                let kind =
                    if matches!(key_node.data, Data::Sequence(_)) { "[]" } else { "map[interface {}]" };
                return Err(Error::new(format!("yaml: invalid map key: {kind}interface {{}}"), key.at));
            };
            let value_node = self.node(value)?;
            self.insert(builder, key_scalar, key.at, value.at, value_node);
        }
        self.depth -= 1;
        Ok(())
    }

    fn insert(
        &mut self,
        builder: &mut Builder,
        key: Scalar,
        key_at: Position,
        value_at: Position,
        value: Node,
    ) {
        if let Some(identity) = identity(&key)
            && !builder.seen.insert(identity)
        {
            if self.duplicates.len() < MAX_DUPLICATES {
                let text = format!("line {}: key {} already set in map", value_at.line, quote::literal(&key));
                self.duplicates.push((text, key_at));
            }
            return;
        }
        if key == Scalar::Null && self.bad_key.is_none() {
            let problem = "unsupported map key of type: %!s(<nil>), key: <nil>";
            self.bad_key = Some(Error::new(problem, key_at));
        }
        let key = key_text(key);
        let entry = Entry { key: key.clone(), key_at, value };
        // `1` and `"1"` are two keys to YAML and one to JSON; the later one counts.
        match builder.places.get(&key) {
            Some(place) => builder.entries[*place] = entry,
            None => {
                builder.places.insert(key, builder.entries.len());
                builder.entries.push(entry);
            }
        }
    }

    /// Adds what `<<` names: a map, or a list of maps of which earlier ones count more.
    fn merge(&mut self, builder: &mut Builder, value: &'t Composed) -> Result<(), Error> {
        match &value.kind {
            Kind::Sequence(children) => {
                for child in children.iter().rev() {
                    self.merge_one(builder, &self.tree.nodes[*child])?;
                }
                Ok(())
            }
            _ => self.merge_one(builder, value),
        }
    }

    fn merge_one(&mut self, builder: &mut Builder, value: &'t Composed) -> Result<(), Error> {
        let (target, index) = match &value.kind {
            Kind::Alias { target, .. } => (&self.tree.nodes[*target], Some(*target)),
            _ => (value, None),
        };
        let Kind::Mapping(children) = &target.kind else {
            let problem = "yaml: map merge requires map or sequence of maps as the value";
            return Err(Error::new(problem, value.at));
        };
        if let (Kind::Alias { anchor, .. }, Some(index)) = (&value.kind, index)
            && !self.active.insert(index)
        {
            return Err(Error::new(format!("yaml: anchor '{anchor}' value contains itself"), value.at));
        }
        self.count(value.at)?;
        self.fill(builder, children, target.at)?;
        if let Some(index) = index {
            self.active.remove(&index);
        }
        Ok(())
    }
}

/// How large a share of so many nodes may come through aliases: nearly all of a small document, a tenth of a large one.
fn allowed_share(nodes: usize) -> f64 {
    const SMALL: usize = 400_000;
    const LARGE: usize = 4_000_000;
    if nodes <= SMALL {
        0.99
    } else if nodes >= LARGE {
        0.10
    } else {
        0.99 - 0.89 * ((nodes - SMALL) as f64 / (LARGE - SMALL) as f64)
    }
}

fn is_merge(key: &Composed) -> bool {
    match &key.kind {
        Kind::Scalar(raw) => {
            raw.text == "<<" && (raw.implicit || raw.tag.as_deref() == Some("tag:yaml.org,2002:merge"))
        }
        _ => false,
    }
}

/// `None` for what equals nothing, not even itself.
fn identity(key: &Scalar) -> Option<Key> {
    Some(match key {
        Scalar::Null => Key::Null,
        Scalar::Bool(value) => Key::Bool(*value),
        Scalar::Int(value) => Key::Int(*value),
        Scalar::Uint(value) => Key::Uint(*value),
        Scalar::Float(value) if value.is_nan() => return None,
        Scalar::Float(value) => Key::Float((value + 0.0).to_bits()),
        Scalar::String(value) => Key::String(value.clone()),
    })
}

/// A key as JSON has it. Only infinities and not-a-number differ from [`Scalar::to_text`].
fn key_text(key: Scalar) -> String {
    match key {
        Scalar::String(text) => text,
        Scalar::Float(_) => match key.to_text().as_str() {
            "+Inf" => ".inf".to_owned(),
            "-Inf" => "-.inf".to_owned(),
            "NaN" => ".nan".to_owned(),
            text => text.to_owned(),
        },
        _ => key.to_text(),
    }
}
