//! The deterministic inputs that the vectors name instead of carrying: see `tests/golden/gzip/README.md`.

use std::io::Read;
use std::path::PathBuf;

use base64::Engine as _;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// How to make an input.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Input {
    /// UTF-8 text, as it is.
    Text { data: String },
    /// Bytes, as they are.
    Base64 { data: String },
    /// What a gzip file in the vectors' directory unpacks to.
    File { path: String },
    /// One after another.
    Concat { parts: Vec<Input> },
    /// The same again and again.
    Repeat { unit: Box<Input>, size: u64 },
    /// Evenly distributed bytes.
    Random { seed: u64, size: usize, base: u8, span: u64 },
    /// Bytes of which the first are frequent and later ones ever rarer.
    Skewed { seed: u64, size: usize, base: u8, percent: u64 },
    /// Text of a limited vocabulary.
    Words { seed: u64, size: usize, vocab: u64 },
    /// Literals and copies of what came before.
    Lz {
        seed: u64,
        size: usize,
        copy_percent: u64,
        max_distance: u64,
        max_length: u64,
        max_literals: u64,
        base: u8,
        span: u64,
    },
}

impl Input {
    /// The whole input.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.pieces(&mut |piece| bytes.extend_from_slice(piece));
        bytes
    }

    /// The input in pieces of any length, so that a repetition of gigabytes needs no more memory than its unit.
    pub(crate) fn pieces(&self, sink: &mut dyn FnMut(&[u8])) {
        match self {
            Self::Text { data } => sink(data.as_bytes()),
            Self::Base64 { data } => sink(&base64::engine::general_purpose::STANDARD.decode(data).unwrap()),
            Self::File { path } => sink(&gunzip(&std::fs::read(golden("gzip").join(path)).unwrap())),
            Self::Concat { parts } => parts.iter().for_each(|part| part.pieces(sink)),
            Self::Repeat { unit, size } => repeat(&unit.bytes(), *size, sink),
            Self::Random { seed, size, base, span } => {
                let mut random = Random(*seed);
                let bytes: Vec<u8> =
                    (0..*size).map(|_| base.wrapping_add(random.below(*span) as u8)).collect();
                sink(&bytes);
            }
            Self::Skewed { seed, size, base, percent } => sink(&skewed(*seed, *size, *base, *percent)),
            Self::Words { seed, size, vocab } => sink(&words(*seed, *size, *vocab)),
            Self::Lz { .. } => sink(&self.lz()),
        }
    }

    fn lz(&self) -> Vec<u8> {
        let &Self::Lz { seed, size, copy_percent, max_distance, max_length, max_literals, base, span } = self
        else {
            panic!("not an lz input: {self:?}");
        };
        let mut random = Random(seed);
        let mut bytes = Vec::new();
        while bytes.len() < size {
            if !bytes.is_empty() && random.below(100) < copy_percent {
                let distance = (1 + random.below(max_distance)).min(bytes.len() as u64) as usize;
                for _ in 0..=random.below(max_length) {
                    bytes.push(bytes[bytes.len() - distance]);
                }
            } else {
                for _ in 0..=random.below(max_literals) {
                    bytes.push(base.wrapping_add(random.below(span) as u8));
                }
            }
        }
        bytes.truncate(size);
        bytes
    }
}

/// The generator: 64 bits of state, multiplied on the way out.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }
}

fn repeat(unit: &[u8], size: u64, sink: &mut dyn FnMut(&[u8])) {
    let mut left = size;
    while left > 0 {
        let len = left.min(unit.len() as u64);
        sink(&unit[..len as usize]);
        left -= len;
    }
}

fn skewed(seed: u64, size: usize, base: u8, percent: u64) -> Vec<u8> {
    let mut random = Random(seed);
    let mut byte = || {
        let mut above = 0u8;
        while above < 255 && random.below(100) < percent {
            above += 1;
        }
        base.wrapping_add(above)
    };
    (0..size).map(|_| byte()).collect()
}

fn words(seed: u64, size: usize, vocab: u64) -> Vec<u8> {
    let mut random = Random(seed);
    let words: Vec<Vec<u8>> = (0..vocab)
        .map(|_| {
            let len = 2 + random.below(9);
            (0..len).map(|_| b'a' + random.below(26) as u8).collect()
        })
        .collect();
    let mut bytes = Vec::new();
    while bytes.len() < size {
        let mut word = random.below(vocab);
        if random.below(2) == 0 {
            word = random.below(word + 1);
        }
        bytes.extend_from_slice(&words[word as usize]);
        bytes.push(b" \n,."[random.below(4) as usize]);
    }
    bytes.truncate(size);
    bytes
}

/// A directory of the project's golden files.
pub(crate) fn golden(directory: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden")).join(directory)
}

/// What a gzip stream unpacks to, according to a decoder that is not ours. Also checks that nothing follows it.
pub(crate) fn gunzip(stream: &[u8]) -> Vec<u8> {
    let mut decoder = flate2::bufread::GzDecoder::new(stream);
    let mut bytes = Vec::new();
    decoder.read_to_end(&mut bytes).unwrap();
    assert_eq!(decoder.into_inner(), [0u8; 0], "bytes after the stream");
    bytes
}

/// SHA-256 as lower-case hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
