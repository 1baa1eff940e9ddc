//! Content digests (OCI image specification, "Digests"): an algorithm and the hash in lower-case hexadecimal.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use sha2::{Digest as _, Sha256, Sha512};

/// A hash algorithm that a digest may be made with. These two are the ones that the image specification registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// SHA-256, 64 hexadecimal digits: what nearly every image uses.
    Sha256,
    /// SHA-512, 128 hexadecimal digits.
    Sha512,
}

impl Algorithm {
    /// The name that stands before the colon.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    fn hex_length(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

/// Why a text is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    /// There is no `:` between an algorithm and a hash.
    #[error("a digest has the form sha256:<64 hexadecimal digits>, got '{text}'")]
    Form {
        /// What was given.
        text: String,
    },
    /// The algorithm is not one that this program knows.
    #[error("unsupported digest algorithm: {text}")]
    Algorithm {
        /// What was given.
        text: String,
    },
    /// The hash has the wrong length, or a character that is no lower-case hexadecimal digit.
    #[error("a {algorithm} digest has {expected} lower-case hexadecimal digits, got '{text}'")]
    Hex {
        /// The algorithm named.
        algorithm: &'static str,
        /// How many digits it wants.
        expected: usize,
        /// What was given.
        text: String,
    },
}

/// A digest, valid by construction; cheap to clone. Ordered by its text, as archives and lock files are.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(Arc<str>);

impl Digest {
    /// Reads `sha256:<hex>` or `sha512:<hex>`.
    ///
    /// # Errors
    /// When the form, the algorithm or the hash is not right.
    pub fn parse(text: &str) -> Result<Self, DigestError> {
        let Some((name, hex)) = text.split_once(':') else {
            return Err(DigestError::Form { text: text.to_owned() });
        };
        let algorithm = match name {
            "sha256" => Algorithm::Sha256,
            "sha512" => Algorithm::Sha512,
            _ => return Err(DigestError::Algorithm { text: text.to_owned() }),
        };
        let digits = hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if hex.len() != algorithm.hex_length() || !digits {
            return Err(DigestError::Hex {
                algorithm: algorithm.name(),
                expected: algorithm.hex_length(),
                text: text.to_owned(),
            });
        }
        Ok(Self(text.into()))
    }

    /// The SHA-256 digest of these bytes.
    pub fn sha256_of(bytes: &[u8]) -> Self {
        let mut digester = Digester::new(Algorithm::Sha256);
        digester.update(bytes);
        digester.finish()
    }

    /// The algorithm it was made with.
    pub fn algorithm(&self) -> Algorithm {
        if self.0.starts_with("sha256:") { Algorithm::Sha256 } else { Algorithm::Sha512 }
    }

    /// The hash alone, in lower-case hexadecimal.
    pub fn hex(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, hex)| hex)
    }

    /// The whole digest, `sha256:<hex>`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Does the digest stand for these bytes?
    pub fn matches(&self, bytes: &[u8]) -> bool {
        let mut digester = Digester::new(self.algorithm());
        digester.update(bytes);
        digester.finish() == *self
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// A hash in the making. Cloning it keeps the state, so that an interrupted stream can go on where it stopped.
#[derive(Clone)]
pub struct Digester(State);

#[derive(Clone)]
enum State {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Digester {
    /// Starts a hash.
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha512 => State::Sha512(Sha512::new()),
        })
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(hash) => hash.update(bytes),
            State::Sha512(hash) => hash.update(bytes),
        }
    }

    /// The digest of everything added.
    pub fn finish(self) -> Digest {
        match self.0 {
            State::Sha256(hash) => spelled("sha256:", &hash.finalize()),
            State::Sha512(hash) => spelled("sha512:", &hash.finalize()),
        }
    }
}

impl fmt::Debug for Digester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digester")
    }
}

fn spelled(prefix: &str, hash: &[u8]) -> Digest {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(prefix.len() + 2 * hash.len());
    text.push_str(prefix);
    for byte in hash {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    Digest(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_digest_of_abc_is_the_one_of_the_standard() {
        assert_eq!(Digest::sha256_of(b"abc").as_str(), ABC);
        assert!(Digest::parse(ABC).unwrap().matches(b"abc"));
        assert!(!Digest::parse(ABC).unwrap().matches(b"abd"));
    }

    #[test]
    fn a_digest_made_in_pieces_equals_one_made_at_once() {
        let mut digester = Digester::new(Algorithm::Sha512);
        digester.update(b"a");
        let mut other = digester.clone();
        digester.update(b"bc");
        other.update(b"b");
        other.update(b"c");
        let digest = digester.finish();
        assert_eq!(digest, other.finish());
        assert_eq!(digest.hex().len(), 128);
        assert_eq!(Digest::parse(digest.as_str()).unwrap(), digest);
    }

    #[test]
    fn wrong_digests_are_refused() {
        assert!(matches!(Digest::parse("abc"), Err(DigestError::Form { .. })));
        assert!(matches!(Digest::parse("md5:abc"), Err(DigestError::Algorithm { .. })));
        assert!(matches!(Digest::parse("sha256:abc"), Err(DigestError::Hex { .. })));
        assert!(matches!(
            Digest::parse(&ABC.to_uppercase().replace("SHA", "sha")),
            Err(DigestError::Hex { .. })
        ));
        assert!(matches!(Digest::parse(&format!("{ABC}/../x")), Err(DigestError::Hex { .. })));
    }
}
