//! YAML the way the reference reads and writes it: YAML 1.1 scalars, one document, frozen output bytes.
//!
//! [`read`] gives a [`Value`], [`read_node`] the same tree with the position of every part, [`write()`] the text. Mapping
//! keys are strings on both sides, because the reference turns every document into JSON before it looks at it: `n: x`
//! has the key `false`, `0x10: x` the key `16`.
//!
//! ```
//! use imgpkg_formats::yaml::{self, Value};
//!
//! let value = yaml::read(b"kind: ImagesLock\nversion: 1.50\n")?;
//! assert_eq!(value.get("version").and_then(Value::to_text).as_deref(), Some("1.5"));
//!
//! let annotations = Value::from_iter([("a10", "x"), ("a9", "yes")]);
//! assert_eq!(yaml::write(&annotations), "a9: \"yes\"\na10: x\n");
//!
//! let error = yaml::read(b"a: b\nc: [").unwrap_err();
//! assert_eq!((error.line(), error.column()), (2, 5));
//! # Ok::<(), yaml::Error>(())
//! ```

mod compose;
mod construct;
mod decode;
mod error;
mod node;
mod number;
mod order;
mod quote;
mod resolve;
mod source;
mod style;
mod timestamp;
mod value;
mod write;

#[cfg(test)]
mod tests;

pub use error::Error;
pub use node::{Data, Entry, Node, Position};
pub use quote::quoted;
pub use value::{Scalar, Value};
pub use write::write;

/// The deepest nesting that is read, aliases followed. Kubernetes' deepest schemas stay below half of it; the scanner's
/// time grows with the product of size and depth, so this is also what keeps hostile documents cheap.
pub const MAX_DEPTH: usize = 100;

/// The most nodes a document may hold once its aliases are expanded.
pub const MAX_NODES: usize = 1_000_000;

/// The most bytes of scalar text a document may hold once its aliases are expanded.
pub const MAX_TEXT: usize = 64 << 20;

/// Reads the first document of `bytes`, which are UTF-8, or UTF-16 with a byte order mark. No document at all is null.
///
/// # Errors
///
/// What is not YAML 1.1, holds a key twice, names an unknown anchor, or exceeds [`MAX_DEPTH`], [`MAX_NODES`] or
/// [`MAX_TEXT`].
pub fn read(bytes: &[u8]) -> Result<Value, Error> {
    read_node(bytes).map(Value::from)
}

/// Like [`read`], with the position of every value and key, for messages about their content.
///
/// # Errors
///
/// As [`read`].
pub fn read_node(bytes: &[u8]) -> Result<Node, Error> {
    let text = decode::decode(bytes)?;
    let source = source::Source::new(text);
    let tree = compose::compose(&source)?;
    construct::construct(&tree)
}
