//! The journal beside an unfinished archive: which layers were written, and how far.
//!
//! It is lines of text. First comes where every layer's place is (`slot DIGEST OFFSET SIZE`), then, appended as the work
//! goes on, how many bytes of a layer are in its place from its start on (`have DIGEST BYTES`); the last such line of a
//! layer counts. It is never synced and nothing in it is believed: what it claims is hashed again before it is used. So
//! a line that is missing, torn or wrong costs time and nothing else.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;

use imgpkg_oci::Digest;

use super::Span;

const FIRST_LINE: &str = "imgpkg archive journal 1";

/// The longest journal that is read; ours have less than a hundred bytes for every MiB of the archive.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// What a journal claims about one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    /// Where its place is.
    pub(super) span: Span,
    /// How many bytes are in it, from its start on.
    pub(super) bytes: u64,
}

/// Everything that a journal claims.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Claims(pub(super) BTreeMap<Digest, Claim>);

/// A journal being written.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
}

impl Claims {
    /// What the journal at this path claims: nothing, if there is none.
    pub(super) fn read(path: &Path) -> Self {
        let Ok(file) = File::open(path) else { return Self::default() };
        let mut lines = BufReader::new(file.take(MAX_BYTES)).lines().map_while(Result::ok);
        let mut claims = BTreeMap::new();
        if lines.next().is_none_or(|line| line != FIRST_LINE) {
            return Self::default();
        }
        for line in lines {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["slot", digest, offset, size] => {
                    let span = (|| Some(Span { offset: offset.parse().ok()?, size: size.parse().ok()? }))();
                    if let (Ok(digest), Some(span)) = (Digest::parse(digest), span) {
                        claims.insert(digest, Claim { span, bytes: 0 });
                    }
                }
                ["have", digest, bytes] => {
                    let claim = Digest::parse(digest).ok().and_then(|digest| claims.get_mut(&digest));
                    if let (Some(claim), Ok(bytes)) = (claim, bytes.parse::<u64>()) {
                        claim.bytes = bytes.min(claim.span.size);
                    }
                }
                _ => {}
            }
        }
        Self(claims)
    }

    /// How many bytes are claimed to be there.
    pub(super) fn bytes(&self) -> u64 {
        self.0.values().map(|claim| claim.bytes).sum()
    }

    /// How many bytes all layers have.
    pub(super) fn total(&self) -> u64 {
        self.0.values().map(|claim| claim.span.size).fold(0, u64::saturating_add)
    }

    /// Where the last of the claimed bytes ends.
    pub(super) fn end(&self) -> u64 {
        self.0.values().map(|claim| claim.span.offset.saturating_add(claim.bytes)).max().unwrap_or(0)
    }
}

impl Journal {
    /// Begins a journal with these claims, replacing one that is there only when all of it is written.
    pub(super) fn create(path: &Path, claims: &Claims) -> io::Result<Self> {
        let mut text = format!("{FIRST_LINE}\n");
        for (digest, Claim { span, bytes }) in &claims.0 {
            text.push_str(&format!("slot {digest} {} {}\n", span.offset, span.size));
            if *bytes > 0 {
                text.push_str(&have(digest, *bytes));
            }
        }
        let new = path.with_added_extension("new");
        let _ = fs::remove_file(&new);
        let mut file = OpenOptions::new().append(true).create_new(true).open(&new)?;
        file.write_all(text.as_bytes())?;
        fs::rename(&new, path)?;
        Ok(Self { file })
    }

    /// Notes that so many bytes of a layer are there.
    pub(super) fn note(&self, digest: &Digest, bytes: u64) -> io::Result<()> {
        // One write, so that lines of several threads do not mix.
        (&self.file).write_all(have(digest, bytes).as_bytes())
    }
}

fn have(digest: &Digest, bytes: u64) -> String {
    format!("have {digest} {bytes}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(bytes: u64) -> Claims {
        let claim = |offset, size, bytes| Claim { span: Span { offset, size }, bytes };
        Claims(BTreeMap::from([
            (Digest::sha256_of(b"a"), claim(1024, 1000, bytes)),
            (Digest::sha256_of(b"b"), claim(4096, 70, 0)),
        ]))
    }

    #[test]
    fn what_was_noted_last_is_claimed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let journal = Journal::create(&path, &claims(3)).unwrap();
        assert_eq!(Claims::read(&path), claims(3));
        journal.note(&Digest::sha256_of(b"a"), 900).unwrap();
        journal.note(&Digest::sha256_of(b"a"), 800).unwrap();
        assert_eq!(Claims::read(&path), claims(800));
        assert_eq!((claims(800).bytes(), claims(800).end()), (800, 4096));
        Journal::create(&path, &claims(0)).unwrap();
        assert_eq!(Claims::read(&path), claims(0));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn nothing_is_claimed_without_a_journal_or_by_another_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        assert_eq!(Claims::read(&path), Claims::default());
        fs::write(&path, b"\xff\xfe").unwrap();
        assert_eq!(Claims::read(&path), Claims::default());
        fs::write(&path, b"have x 1\n").unwrap();
        assert_eq!(Claims::read(&path), Claims::default());
    }

    #[test]
    fn torn_and_senseless_lines_are_skipped_and_no_claim_exceeds_its_layer() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        drop(Journal::create(&path, &claims(0)).unwrap());
        let a = Digest::sha256_of(b"a");
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str(&format!(
            "have {a} 1have {a} 2\nhave {a} -1\nslot x 1 2\nhave {a} 99999\nhave {a} 5 5\nhav"
        ));
        fs::write(&path, text).unwrap();
        assert_eq!(Claims::read(&path), claims(1000));
    }
}
