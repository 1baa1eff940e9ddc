//! Values without places: what is written, and what is read when places do not matter.

use super::number;

/// A value that has no parts.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// `null`, `~` or nothing at all.
    Null,
    /// `true` and `false`; also `yes`, `no`, `on`, `off`, `y` and `n` when read.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number above the range of [`Scalar::Int`].
    Uint(u64),
    /// Any other number. One without a fraction below a million is written without a point and reads back as
    /// [`Scalar::Int`].
    Float(f64),
    /// Text.
    String(String),
}

impl Scalar {
    /// The text the reference makes of the scalar where it wants a string: `1.50` is `1.5`, `0x1F` is `31`, `yes` is
    /// `true`, null is empty, and fractions have single precision.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Uint(value) => value.to_string(),
            Self::Float(value) => number::single(*value),
            Self::String(value) => value.clone(),
        }
    }
}

/// A YAML value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A single value.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Value>),
    /// A map. Reading keeps the order of the document and gives no key twice; writing sorts.
    Mapping(Vec<(String, Value)>),
}

impl Value {
    /// The value of `key`, if this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Mapping(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text, if this is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Scalar(Scalar::String(text)) => Some(text),
            _ => None,
        }
    }

    /// [`Scalar::to_text`], if this is a scalar.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        match self {
            Self::Scalar(scalar) => Some(scalar.to_text()),
            _ => None,
        }
    }
}

impl From<Scalar> for Value {
    fn from(scalar: Scalar) -> Self {
        Self::Scalar(scalar)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Scalar(Scalar::String(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Scalar(Scalar::String(text))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Scalar(Scalar::Bool(value))
    }
}

/// A map of anything that is a value, such as a map of plain strings.
impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Value {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self::Mapping(entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

/// A list of values.
impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        Self::Sequence(items.into_iter().collect())
    }
}
