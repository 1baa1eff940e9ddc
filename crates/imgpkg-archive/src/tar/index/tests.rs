//! Tars of other writers than ours.

use std::io::Write as _;

use imgpkg_formats::tar::{Entry as Made, Mode};

use super::*;

fn indexed(tar: &[u8]) -> Result<TarIndex, Defect> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(tar).unwrap();
    TarIndex::read(&file, tar.len() as u64)
}

/// A header with one field changed, its checksum made right.
fn header(name: &str, size: u64, change: impl Fn(&mut [u8])) -> Vec<u8> {
    let mut block = Made::file(name, Mode::ARCHIVE, size).header().unwrap();
    change(&mut block);
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

fn kind(flag: u8) -> impl Fn(&mut [u8]) {
    move |block| block[156] = flag
}

fn padded(content: &[u8]) -> Vec<u8> {
    let mut content = content.to_vec();
    content.resize(content.len().next_multiple_of(512), 0);
    content
}

#[test]
fn the_references_archive_is_indexed() {
    let path = super::super::fixture::nested_bundle();
    let tar = std::fs::read(path).unwrap();
    let index = indexed(&tar).unwrap();
    assert_eq!(index.manifest_json, Some(Span { offset: 512, size: 21725 }));
    assert_eq!(index.layers.len(), 14);
    for (digest, span) in &index.layers {
        let start = usize::try_from(span.offset).unwrap();
        assert!(digest.matches(&tar[start..start + usize::try_from(span.size).unwrap()]));
    }
}

#[test]
fn a_binary_size_is_understood() {
    let binary = |block: &mut [u8]| {
        block[124..136].copy_from_slice(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3]);
    };
    let tar = [header("manifest.json", 0, binary), padded(b"abc")].concat();
    assert_eq!(indexed(&tar).unwrap().manifest_json, Some(Span { offset: 512, size: 3 }));
}

#[test]
fn a_long_name_of_gnu_and_records_of_pax_name_the_next_entry_only() {
    let long = [header("././@LongLink", 14, kind(b'L')), padded(b"manifest.json\0")].concat();
    let pax = [header("x", 35, kind(b'x')), padded(b"22 path=manifest.json\n13 size=0003\n")].concat();
    let entry =
        |size| [header("other", size, |_| {}), padded(&vec![b'a'; usize::try_from(size).unwrap()])].concat();
    let tar = [long.clone(), entry(4), entry(5)].concat();
    assert_eq!(indexed(&tar).unwrap().manifest_json, Some(Span { offset: 1536, size: 4 }));
    let tar = [entry(600), pax, entry(3)].concat();
    assert_eq!(indexed(&tar).unwrap().manifest_json, Some(Span { offset: 1536 + 1536, size: 3 }));
}

#[test]
fn directories_and_links_have_no_content_and_are_not_files() {
    for flag in [b'1', b'2', b'5', b'6'] {
        let tar = [header("manifest.json", 9, kind(flag)), header("manifest.json", 1, |_| {}), padded(b"a")]
            .concat();
        assert_eq!(indexed(&tar).unwrap().manifest_json, Some(Span { offset: 1024, size: 1 }));
    }
}

#[test]
fn a_long_link_name_does_not_take_the_name_of_the_entry_away() {
    let tar = [
        header("././@LongLink", 14, kind(b'L')),
        padded(b"manifest.json\0"),
        header("././@LongLink", 9, kind(b'K')),
        padded(b"the/link\0"),
        header("other", 1, |_| {}),
        padded(b"a"),
    ]
    .concat();
    assert_eq!(indexed(&tar).unwrap().manifest_json, Some(Span { offset: 2560, size: 1 }));
}

#[test]
fn a_global_header_is_skipped() {
    let tar = [
        header("pax_global_header", 14, kind(b'g')),
        padded(b"14 comment=ab\n"),
        header("manifest.json", 1, |_| {}),
        padded(b"a"),
    ]
    .concat();
    assert_eq!(indexed(&tar).unwrap().manifest_json, Some(Span { offset: 1536, size: 1 }));
}

#[test]
fn a_size_beyond_the_file_is_a_truncated_archive_however_large() {
    let tar = [header("x", 6, kind(b'x')), padded(b"29 size=18446744073709551615\n")].concat();
    let pax = [
        header("x", 29, kind(b'x')),
        padded(b"29 size=18446744073709551615\n"),
        header("manifest.json", 1, |_| {}),
        padded(b"a"),
    ]
    .concat();
    assert!(matches!(indexed(&tar), Err(Defect::NotATar { .. })));
    let defect = indexed(&pax).unwrap_err();
    assert!(matches!(defect, Defect::Truncated { end: u64::MAX, .. }), "{defect}");
}

#[test]
fn sparse_files_are_refused_with_advice() {
    let defect = indexed(&header("manifest.json", 1, kind(b'S'))).unwrap_err();
    assert!(defect.to_string().contains("sparse file at byte 0 (hint: pack it again without"), "{defect}");
}

#[test]
fn an_extended_header_without_measure_is_refused() {
    let size = 2 * 1024 * 1024;
    let mut tar = header("x", size, kind(b'x'));
    tar.resize(tar.len() + usize::try_from(size).unwrap(), 0);
    let defect = indexed(&tar).unwrap_err();
    assert!(defect.to_string().contains("more than 1 MiB"), "{defect}");
}

#[test]
fn names_in_messages_cannot_play_tricks() {
    assert_eq!(printable(b"a\x1b[2Jb\n\xff"), "a\\u{1b}[2Jb\\n\u{fffd}");
    let long = printable(&[b'x'; 5000]);
    assert_eq!(long.chars().count(), 201);
    assert!(long.ends_with('…'));
}

#[test]
fn records_are_split_by_their_lengths() {
    assert_eq!(records(b"7 a=bc\n6 d=\n\n"), Some(vec![(&b"a"[..], &b"bc"[..]), (b"d", b"\n")]));
    for wrong in [&b"5 a=bc\n"[..], b"x", b"99 a=b\n", b"0 a=b\n", b"3 \n", b"-1 a=b\n", b"6 abc\n"] {
        assert_eq!(records(wrong), None, "{}", String::from_utf8_lossy(wrong));
    }
}
