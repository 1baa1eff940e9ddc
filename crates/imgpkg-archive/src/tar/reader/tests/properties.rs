//! Whatever is in a file, reading it gives an archive or an error.

use proptest::prelude::*;

use super::*;

fn small_archive() -> Vec<u8> {
    let items = [item("a", index(vec![image(&[b"one"]), image(&[b"two"])])), item("b", image(&[b"three"]))];
    let json = manifest_json(&items);
    tar(&[
        ("manifest.json", json.as_bytes()),
        (&entry(b"one"), b"one"),
        (&entry(b"two"), b"two"),
        (&entry(b"three"), b"three"),
    ])
}

/// Opens an archive; what can be opened has items whose manifests are verified.
fn read(content: &[u8]) -> Result<(), TestCaseError> {
    let (_directory, path) = file(content);
    match Archive::read(path) {
        Err(Error::Defective { source, .. }) => prop_assert!(!chain(&source).is_empty()),
        Err(other) => return Err(TestCaseError::fail(other.to_string())),
        Ok(archive) => {
            for tree in archive.items().iter().flat_map(|item| item.tree.manifests()) {
                prop_assert!(tree.manifest.digest().matches(tree.manifest.bytes()));
            }
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn random_bytes_are_read_or_refused(content in proptest::collection::vec(any::<u8>(), 0..3000)) {
        read(&content)?;
    }

    #[test]
    fn a_truncated_archive_is_read_or_refused(length in 0..small_archive().len()) {
        read(&small_archive()[..length])?;
    }

    #[test]
    fn a_changed_archive_is_read_or_refused(
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut content = small_archive();
        for (position, byte) in changes {
            let position = position.index(content.len());
            content[position] = byte;
        }
        read(&content)?;
    }

    #[test]
    fn headers_with_any_fields_and_a_right_checksum_are_read_or_refused(
        kind in prop::sample::select(b"0125xLKgS7\0".to_vec()),
        size in prop::collection::vec(prop::sample::select(b"\x80\xff01789 \0".to_vec()), 12),
        content in proptest::collection::vec(prop::sample::select(b"0123456789 =\npathsize\0".to_vec()), 0..1200),
    ) {
        let mut archive = small_archive();
        let mut header: Vec<u8> = archive[..512].to_vec();
        header[156] = kind;
        header[124..136].copy_from_slice(&size);
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        header.extend_from_slice(&content);
        header.extend_from_slice(&archive);
        archive = header;
        read(&archive)?;
    }

    #[test]
    fn a_manifest_json_of_odd_json_is_read_or_refused(
        cut in any::<proptest::sample::Index>(),
        with in prop::sample::select(vec!["null", "[", "]", "{", "}", "\"", ",", "1e999", "-1", "true", "\\ud800", ""]),
    ) {
        let mut json = manifest_json(&[item("a", index(vec![image(&[b"one"])]))]);
        let at = cut.index(json.len());
        json.replace_range(at..=at, with);
        read(&tar(&[("manifest.json", json.as_bytes()), (&entry(b"one"), b"one")]))?;
    }
}
