//! Extended headers in the PAX format: records of text before the entry they describe.

use super::header::{self, BLOCK, Magic, NAME, OCTAL_SIZE_LIMIT};
use super::{Entry, padding};

/// The extended header with its records, and the entry's own header.
pub(super) fn header(entry: &Entry<'_>) -> Vec<u8> {
    // Readers that know the format sort nothing, but the reference writes records in the order of their keys.
    let mut records = Vec::new();
    if entry.has_long_name() || !entry.name.is_ascii() {
        push_record(&mut records, b"path", entry.name);
    }
    if entry.size >= OCTAL_SIZE_LIMIT {
        push_record(&mut records, b"size", entry.size.to_string().as_bytes());
    }

    let size = records.len() as u64;
    let mut blocks = Vec::with_capacity(3 * BLOCK + records.len());
    blocks.extend_from_slice(&header::carrier(&carrier_name(entry.name), b'x', size, Magic::Ustar));
    blocks.append(&mut records);
    blocks.resize(blocks.len() + padding(size), 0);
    blocks.extend_from_slice(&header::extended(entry, &ascii(entry.name)));
    blocks
}

/// `<length> <key>=<value>\n`, where the length counts the whole record, its own digits included.
fn push_record(records: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    // Space, equals sign and newline.
    let rest = key.len() + value.len() + 3;
    let mut length = rest;
    // More digits make the record longer, which may take one more digit.
    loop {
        let with_digits = rest + length.to_string().len();
        if with_digits == length {
            break;
        }
        length = with_digits;
    }
    records.extend_from_slice(length.to_string().as_bytes());
    records.push(b' ');
    records.extend_from_slice(key);
    records.push(b'=');
    records.extend_from_slice(value);
    records.push(b'\n');
}

/// The name of the extended header of the entry `path`: `PaxHeaders.0` between its directory and its base name.
fn carrier_name(path: &[u8]) -> Vec<u8> {
    let base = path.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    let (directory, base) = path.split_at(base);
    let mut joined = directory.to_vec();
    joined.extend_from_slice(b"PaxHeaders.0/");
    joined.extend_from_slice(base);

    let mut name = ascii(&clean(&joined));
    name.truncate(NAME);
    let kept = name.iter().rposition(|&byte| byte != b'/').map_or(0, |last| last + 1);
    name.truncate(kept);
    name
}

/// The path without empty and `.` components and with `..` resolved, as the reference joins paths.
fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut components: Vec<&[u8]> = Vec::new();
    for component in path.split(|&byte| byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." => match components.last() {
                Some(&last) if last != b".." => {
                    components.pop();
                }
                _ if rooted => {}
                _ => components.push(component),
            },
            _ => components.push(component),
        }
    }
    match (rooted, components.is_empty()) {
        (false, true) => b".".to_vec(),
        (false, false) => components.join(&b'/'),
        (true, _) => [b"/".as_slice(), &components.join(&b'/')].concat(),
    }
}

/// The name without its bytes beyond ASCII, for readers that do not know extended headers.
fn ascii(name: &[u8]) -> Vec<u8> {
    name.iter().copied().filter(u8::is_ascii).collect()
}
