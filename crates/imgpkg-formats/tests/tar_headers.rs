//! Headers of single entries against those of the writer inside the reference: `tests/golden/tar-headers`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use imgpkg_formats::tar::{Entry, Mode};
use serde::Deserialize;
use sha2::{Digest, Sha256};

#[derive(Debug, Deserialize)]
struct Headers {
    format: u32,
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
struct Case {
    note: String,
    name_hex: String,
    kind: Kind,
    mode: u32,
    size: u64,
    header_len: usize,
    header_sha256: String,
}

#[derive(Debug, Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Kind {
    File,
    Directory,
}

impl Case {
    fn name(&self) -> Vec<u8> {
        let digits = self.name_hex.as_bytes().chunks(2);
        digits.map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    /// The mode that has the recorded number.
    fn mode(&self) -> Mode {
        let special = [(0x80_0000, 0o4000), (0x40_0000, 0o2000), (0x10_0000, 0o1000)];
        let unix_mode = special
            .iter()
            .filter(|(bit, _)| self.mode & bit != 0)
            .fold(self.mode & 0o777, |mode, (_, unix_bit)| mode | unix_bit);
        let mode = match self.kind {
            Kind::File => Mode::preserved(unix_mode),
            Kind::Directory if self.mode == 0o700 => Mode::DIRECTORY,
            Kind::Directory => Mode::preserved_directory(unix_mode),
        };
        assert_eq!(mode.bits(), self.mode, "{}", self.note);
        mode
    }
}

#[test]
fn every_entry_has_the_header_of_the_reference() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/tar-headers/headers.json");
    let headers: Headers = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!((headers.format, headers.cases.len()), (1, 64));
    for case in headers.cases {
        let name = case.name();
        let entry = match case.kind {
            Kind::File => Entry::file(&name, case.mode(), case.size),
            Kind::Directory => Entry::directory(&name, case.mode()),
        };
        let header = entry.header().unwrap();
        let digest: String = Sha256::digest(&header).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((header.len(), digest), (case.header_len, case.header_sha256), "{}", case.note);
    }
}
