//! Where everything lies in a tar: one pass over its headers, without reading what is between them.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;

use imgpkg_oci::Digest;

use super::header::{Header, Kind};
use super::{BLOCK, MANIFEST_JSON, Span, layer_of_entry};
use crate::Defect;

/// How many entries a tar may have.
const MAX_ENTRIES: u64 = 1_000_000;

/// How long what precedes an entry (its long name, its records) may be: names are paths, the rest is numbers.
const MAX_EXTENSION: u64 = 1024 * 1024;

const DAMAGED: &str = "check that it is an archive made by imgpkg, and whether it was transferred completely";

/// Where the entries that matter lie.
#[derive(Debug, Default)]
pub(super) struct TarIndex {
    /// The first entry named `manifest.json`.
    pub(super) manifest_json: Option<Span>,
    /// For each layer the first entry with its name.
    pub(super) layers: HashMap<Digest, Span>,
}

impl TarIndex {
    /// Walks over the headers of a tar of `length` bytes.
    pub(super) fn read(file: &File, length: u64) -> Result<Self, Defect> {
        let mut walk = Walk { file, length, position: 0, extension: Extension::default() };
        let mut index = Self::default();
        let mut entries = 0;
        while let Some(Entry { name, span }) = walk.next()? {
            entries += 1;
            if entries > MAX_ENTRIES {
                return Err(Defect::TooMany { what: "entries", limit: MAX_ENTRIES });
            }
            let Some(name) = name.as_deref().and_then(|name| str::from_utf8(name).ok()) else { continue };
            if name == MANIFEST_JSON {
                index.manifest_json.get_or_insert(span);
            } else if let Some(digest) = layer_of_entry(name) {
                index.layers.entry(digest).or_insert(span);
            }
        }
        Ok(index)
    }
}

/// What was said about the next entry before it came.
#[derive(Debug, Default)]
struct Extension {
    name: Option<Vec<u8>>,
    size: Option<u64>,
}

/// One entry of the tar.
struct Entry {
    /// Its name, where it is a file.
    name: Option<Vec<u8>>,
    /// Where its content lies.
    span: Span,
}

struct Walk<'a> {
    file: &'a File,
    length: u64,
    position: u64,
    extension: Extension,
}

impl Walk<'_> {
    /// The next entry. Those that only describe the one after them come as entries without a name.
    fn next(&mut self) -> Result<Option<Entry>, Defect> {
        let Some(header) = self.header()? else { return Ok(None) };
        let kind = header.kind();
        if kind == Kind::Sparse {
            return Err(self.defect("an entry stored as a sparse file", "pack it again without --sparse"));
        }
        let extension = match kind {
            Kind::Records | Kind::LongName | Kind::Aside => Extension::default(),
            _ => std::mem::take(&mut self.extension),
        };
        let size = match kind {
            Kind::Bare => 0,
            _ => match extension.size.or_else(|| header.size()) {
                Some(size) => size,
                None => return Err(self.defect("an entry without a readable size", DAMAGED)),
            },
        };
        let name = extension.name.unwrap_or_else(|| header.name());
        let span = self.span(size, &name)?;
        if matches!(kind, Kind::Records | Kind::LongName) {
            self.describe_next(kind, span)?;
        }
        // Saturating is right: a position beyond any length ends the walk.
        self.position = span.offset.saturating_add(size.div_ceil(BLOCK).saturating_mul(BLOCK));
        Ok(Some(Entry { name: (kind == Kind::File).then_some(name), span }))
    }

    /// The header here; `None` at the end of the archive.
    fn header(&self) -> Result<Option<Header>, Defect> {
        if self.position >= self.length {
            return Ok(None);
        }
        if self.length - self.position < BLOCK {
            return Err(self.defect("no complete header", DAMAGED));
        }
        let mut block = [0; BLOCK as usize];
        self.read(&mut block, self.position)?;
        let gzip = self.position == 0 && block.starts_with(&[0x1f, 0x8b]);
        let header = Header::new(block);
        if header.is_end() {
            return Ok(None);
        }
        if gzip {
            return Err(self.defect("compressed data (gzip)", "uncompress it first, with gzip -d"));
        }
        if !header.is_valid() {
            return Err(self.defect("no valid header", DAMAGED));
        }
        Ok(Some(header))
    }

    /// The content of an entry of this size, all of which must be in the file.
    fn span(&self, size: u64, name: &[u8]) -> Result<Span, Defect> {
        let offset = self.position + BLOCK;
        let end = offset.saturating_add(size);
        if end > self.length {
            return Err(Defect::Truncated { name: printable(name), end, length: self.length });
        }
        Ok(Span { offset, size })
    }

    fn describe_next(&mut self, kind: Kind, span: Span) -> Result<(), Defect> {
        if span.size > MAX_EXTENSION {
            return Err(self.defect("an extended header of more than 1 MiB", DAMAGED));
        }
        // At most MAX_EXTENSION, so it fits whatever the size of an address.
        let mut content = vec![0; usize::try_from(span.size).unwrap_or_default()];
        self.read(&mut content, span.offset)?;
        if kind == Kind::LongName {
            let end = content.iter().position(|&byte| byte == 0).unwrap_or(content.len());
            content.truncate(end);
            self.extension.name = Some(content);
            return Ok(());
        }
        let Some(records) = records(&content) else {
            return Err(self.defect("an extended header that cannot be read", DAMAGED));
        };
        for (key, value) in records {
            match key {
                b"path" => self.extension.name = Some(value.to_vec()),
                b"size" => match str::from_utf8(value).ok().and_then(|text| text.parse().ok()) {
                    Some(size) => self.extension.size = Some(size),
                    None => return Err(self.defect("an extended header without a readable size", DAMAGED)),
                },
                _ => {}
            }
        }
        Ok(())
    }

    fn read(&self, buffer: &mut [u8], offset: u64) -> Result<(), Defect> {
        let unreadable = |error: std::io::Error| Defect::Unreadable { offset, source: error.into() };
        self.file.read_exact_at(buffer, offset).map_err(unreadable)
    }

    fn defect(&self, reason: &'static str, hint: &'static str) -> Defect {
        Defect::NotATar { reason, offset: self.position, hint }
    }
}

/// The records of a PAX header: `<length> <key>=<value>\n`, the length being that of the whole record.
fn records(mut content: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let mut records = Vec::new();
    while !content.is_empty() {
        let space = content.iter().position(|&byte| byte == b' ')?;
        let length: usize = str::from_utf8(&content[..space]).ok()?.parse().ok()?;
        let record = content.get(space + 1..length)?.strip_suffix(b"\n")?;
        let equals = record.iter().position(|&byte| byte == b'=')?;
        records.push((&record[..equals], &record[equals + 1..]));
        content = &content[length..];
    }
    Some(records)
}

/// A name as a message can show it: what could play tricks with a terminal is escaped, and long names are cut.
fn printable(name: &[u8]) -> String {
    const SHOWN: usize = 200;
    let text = String::from_utf8_lossy(name);
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
