use super::*;

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn content_is_padded_to_whole_blocks() {
    let padded = [(0, 0), (1, 511), (511, 1), (512, 0), (513, 511), (1 << 33, 0), (u64::MAX, 1)];
    for (size, expected) in padded {
        assert_eq!(padding(size), expected, "{size} bytes");
    }
}

#[test]
fn a_plain_entry_is_one_block_with_the_fields_of_the_reference() {
    let header = Entry::file("hello.txt", Mode::owner(0o100_644), 6).header().unwrap();
    assert_eq!(header.len(), 512);
    assert_eq!(text(&header[..12]), "hello.txt\0\0\0");
    assert_eq!(text(&header[100..148]), "0000600\x000000000\x000000000\x0000000000006\x0000000000000\0");
    assert_eq!(text(&header[156..158]), "0\0");
    assert_eq!(text(&header[257..265]), "ustar\x0000");
    assert_eq!(text(&header[329..345]), "0000000\x000000000\0");
    assert_eq!(header[265..329], [0; 64]);
    assert_eq!(header[345..], [0; 167]);
}

#[test]
fn the_checksum_is_the_sum_of_all_bytes_with_its_own_field_as_spaces() {
    let header = Entry::directory(".", Mode::DIRECTORY).header().unwrap();
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    let field: u32 = header[148..156].iter().map(|&byte| u32::from(byte)).sum();
    assert_eq!(text(&header[148..156]), format!("{:06o}\0 ", sum - field + 8 * u32::from(b' ')));
}

#[test]
fn a_directory_has_its_own_type_and_no_trailing_slash() {
    let header = Entry::directory("config", Mode::DIRECTORY).header().unwrap();
    assert_eq!(text(&header[..8]), "config\0\0");
    assert_eq!(text(&header[100..108]), "0000700\0");
    assert_eq!(text(&header[124..136]), "00000000000\0");
    assert_eq!(header[156], b'5');
}

#[test]
fn a_long_name_splits_at_its_last_possible_slash() {
    let name = format!("{}/{}/{}", "a".repeat(80), "b".repeat(60), "c".repeat(30));
    let header = Entry::file(&name, Mode::owner(0o600), 0).header().unwrap();
    assert_eq!(header.len(), 512);
    assert_eq!(text(&header[..31]), format!("{}\0", "c".repeat(30)));
    assert_eq!(text(&header[345..487]), format!("{}/{}\0", "a".repeat(80), "b".repeat(60)));
}

#[test]
fn a_long_name_that_does_not_split_gets_an_extended_header() {
    let name = "q".repeat(120);
    let header = Entry::file(&name, Mode::owner(0o600), 0).header().unwrap();
    assert_eq!(header.len(), 3 * 512);
    assert_eq!(text(&header[..100]), format!("PaxHeaders.0/{}", "q".repeat(87)));
    assert_eq!(header[156], b'x');
    assert_eq!(header[329..345], [0; 16]);
    assert_eq!(text(&header[512..643]), format!("130 path={name}\n\0"));
    assert_eq!(text(&header[1024..1124]), "q".repeat(100));
}

#[test]
fn a_name_outside_ascii_stands_in_the_extended_header_only() {
    let header = Entry::file("ünï.txt", Mode::owner(0o600), 0).header().unwrap();
    assert_eq!(text(&header[..19]), "PaxHeaders.0/n.txt\0");
    assert_eq!(text(&header[512..531]), "18 path=ünï.txt\n\0");
    assert_eq!(text(&header[1024..1030]), "n.txt\0");
}

#[test]
fn a_name_that_is_not_utf8_is_kept_byte_by_byte() {
    let header = Entry::file(b"a\xffb", Mode::owner(0o600), 0).header().unwrap();
    assert_eq!(header[512..524], *b"12 path=a\xffb\n");
    assert_eq!(text(&header[1024..1027]), "ab\0");
}

#[test]
fn a_size_of_8_gib_stands_in_a_record() {
    let below = Entry::file("f", Mode::ARCHIVE, (8 << 30) - 1).header().unwrap();
    assert_eq!((below.len(), text(&below[124..136])), (512, "77777777777\0"));
    let from = Entry::file("f", Mode::ARCHIVE, 8 << 30).header().unwrap();
    assert_eq!(text(&from[512..532]), "19 size=8589934592\n\0");
    assert_eq!(text(&from[1024 + 124..1024 + 136]), "00000000000\0");
}

#[test]
fn preserved_modes_have_the_bits_of_the_reference() {
    assert_eq!(Mode::preserved(0o100_644).bits(), 0o644);
    assert_eq!(Mode::preserved(0o101_755).bits(), 0o4_000_755);
    assert_eq!(Mode::preserved(0o104_755).bits(), 0x80_0000 | 0o755);
    assert_eq!(Mode::preserved(0o102_755).bits(), 0x40_0000 | 0o755);
    assert_eq!(Mode::preserved_directory(0o040_755).bits(), 0x8000_0000 | 0o755);
}

#[test]
fn a_mode_that_does_not_fit_is_binary_in_the_gnu_format() {
    let header = Entry::directory(".", Mode::preserved_directory(0o755)).header().unwrap();
    assert_eq!(header.len(), 512);
    assert_eq!(header[100..108], [0x80, 0, 0, 0, 0x80, 0, 0x01, 0xed]);
    assert_eq!(header[257..265], *b"ustar  \0");
    assert_eq!(text(&header[329..345]), "0000000\x000000000\0");
}

#[test]
fn a_long_name_in_the_gnu_format_is_an_entry_of_its_own() {
    let name = "ü".repeat(60);
    let header = Entry::directory(&name, Mode::preserved_directory(0o755)).header().unwrap();
    assert_eq!(header.len(), 3 * 512);
    assert_eq!(text(&header[..14]), "././@LongLink\0");
    assert_eq!(text(&header[124..136]), "00000000171\0");
    assert_eq!(header[156], b'L');
    assert_eq!(header[329..345], [0; 16]);
    assert_eq!(text(&header[512..634]), format!("{name}\0\0"));
    assert_eq!(text(&header[1024..1124]), "ü".repeat(50));
}

#[test]
fn what_no_tar_can_hold_is_refused() {
    let header = |name: &str, size| Entry::file(name, Mode::owner(0o600), size).header().unwrap_err();
    assert_eq!(header("", 0), Error::EmptyName);
    assert_eq!(header("a\0b", 0), Error::NulInName { name: "a\0b".to_owned() });
    assert_eq!(header("a/", 0), Error::TrailingSlash { name: "a/".to_owned() });
    assert_eq!(header("a", 1 << 63), Error::TooLarge { name: "a".to_owned(), size: 1 << 63 });
}

proptest::proptest! {
    #[test]
    fn headers_are_whole_blocks_and_end_with_the_entrys_own(
        name in proptest::collection::vec(1u8.., 1..400),
        unix_mode in 0u32..0o10_000,
        size in 0u64..1 << 40,
    ) {
        let directory = Entry::directory(&name, Mode::preserved_directory(unix_mode)).header().unwrap();
        proptest::prop_assert_eq!(directory.len() % 512, 0);
        proptest::prop_assert_eq!(directory[directory.len() - 512 + 156], b'5');
        if !name.ends_with(b"/") {
            let file = Entry::file(&name, Mode::preserved(unix_mode), size).header().unwrap();
            proptest::prop_assert_eq!(file.len() % 512, 0);
            proptest::prop_assert_eq!(file[file.len() - 512 + 156], b'0');
        }
    }
}
