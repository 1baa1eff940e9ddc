//! What each kind of entry becomes, and which are refused.

use std::fs;
use std::os::unix::fs::symlink;

use tar::EntryType;

use super::{Place, Tar, digest};
use crate::Error;
use crate::extract::{Directory, Extraction};

#[test]
fn files_and_directories_come_out_as_they_went_in_even_empty_ones() {
    let place = Place::new();
    let layer = Tar::default()
        .directory(".")
        .directory("empty")
        .file("a/b/c", "1")
        .file("/etc/passwd", "2")
        .file(r"win\dows", "3");
    assert_eq!(place.extract([layer]).unwrap(), 0);
    assert_eq!(
        place.found(),
        ["a/", "a/b/", "a/b/c=1", "empty/", "etc/", "etc/passwd=2", "win/", "win/dows=3"]
    );
    place.assert_nothing_escaped();
}

#[test]
fn a_name_that_steps_back_is_refused_with_layer_and_entry() {
    for name in ["../x", "a/../../x", r"..\x", "a/.."] {
        let place = Place::new();
        let error = place.extract([Tar::default().file(name, "1")]).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&format!("'{name}'")) && text.contains(digest().as_str()), "{text}");
        assert!(place.found().is_empty());
        place.assert_nothing_escaped();
    }
}

#[test]
fn links_devices_and_fifos_are_skipped_and_counted() {
    let place = Place::new();
    let layer = Tar::default()
        .file("file", "1")
        .entry_with("symlink", EntryType::Symlink, b"", |header| header.set_link_name("/etc").unwrap())
        .entry_with("hard", EntryType::Link, b"", |header| header.set_link_name("file").unwrap())
        .entry("char", EntryType::Char, b"")
        .entry("block", EntryType::Block, b"")
        .entry("sub/fifo", EntryType::Fifo, b"");
    assert_eq!(place.extract([layer]).unwrap(), 5);
    assert_eq!(place.found(), ["file=1"]);
}

#[test]
fn writing_through_a_link_of_the_layer_lands_inside() {
    let place = Place::new();
    let outside = place.root.path().join("output/../outside");
    let layer = Tar::default()
        .entry_with("link", EntryType::Symlink, b"", |header| header.set_link_name(&outside).unwrap())
        .file("link/file", "1");
    assert_eq!(place.extract([layer]).unwrap(), 1);
    assert_eq!(place.found(), ["link/", "link/file=1"]);
    place.assert_nothing_escaped();
}

#[test]
fn links_that_somebody_else_has_put_there_are_not_followed() {
    let place = Place::new();
    let outside = place.root.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "mine").unwrap();
    symlink(&outside, place.output.join("directory")).unwrap();
    symlink(outside.join("file"), place.output.join("file")).unwrap();
    symlink(&outside, place.output.join("gone")).unwrap();
    let lower = Tar::default().file("directory/file", "1").file("file", "2");
    let upper = Tar::default().file("gone/.wh.file", "");
    place.extract([lower, upper]).unwrap();
    assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "mine");
    assert_eq!(&place.found()[..3], ["directory/", "directory/file=1", "file=2"]);
}

#[test]
fn links_within_the_directory_are_not_followed_either() {
    let place = Place::new();
    place.extract([Tar::default().directory("real/sub")]).unwrap();
    symlink("real", place.output.join("alias")).unwrap();
    place.extract([Tar::default().file("alias/sub/file", "1")]).unwrap();
    assert_eq!(place.found(), ["alias/", "alias/sub/", "alias/sub/file=1", "real/", "real/sub/"]);
}

#[test]
fn a_file_may_be_larger_than_its_headers_may_be() {
    let place = Place::new();
    let content = "0123456789abcdef".repeat(200_000);
    let link = |header: &mut tar::Header| header.set_link_name("large").unwrap();
    let layer = Tar::default().file("large", &content).entry_with(
        "skipped",
        EntryType::Link,
        content.as_bytes(),
        link,
    );
    place.extract([layer.file("after", "1")]).unwrap();
    assert_eq!(place.found(), ["after=1".to_owned(), format!("large={content}")]);
}

#[test]
fn other_types_are_an_error_that_names_type_and_file() {
    let place = Place::new();
    let error = place.extract([Tar::default().entry("c", EntryType::Continuous, b"")]).unwrap_err();
    assert!(error.to_string().starts_with("Unsupported tar entry type '7' for file 'c'"), "{error}");
}

#[test]
fn the_output_directory_itself_is_not_replaced() {
    let place = Place::new();
    let error = place.extract([Tar::default().file("./", "x")]).unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");
    assert_eq!(place.extract([Tar::default().entry(".", EntryType::Symlink, b"")]).unwrap(), 1);
}

#[test]
fn a_later_entry_replaces_an_earlier_one_whatever_they_are() {
    let place = Place::new();
    let layer = Tar::default()
        .file("a/b/c", "1")
        .file("a", "2")
        .file("x", "3")
        .directory("x")
        .file("y", "4")
        .file("y/z", "5")
        .file("gone", "6")
        .entry("gone", EntryType::Symlink, b"");
    place.extract([layer]).unwrap();
    assert_eq!(place.found(), ["a=2", "x/", "y/", "y/z=5"]);
}

#[test]
fn upper_layers_win_and_directories_are_merged() {
    let place = Place::new();
    let lower =
        Tar::default().file("d/both", "low").file("d/low", "low").file("was-file", "").file("was-dir/x", "");
    let upper =
        Tar::default().directory("d").file("d/both", "up").directory("was-file").file("was-dir", "up");
    place.extract([lower, upper]).unwrap();
    assert_eq!(place.found(), ["d/", "d/both=up", "d/low=low", "was-dir=up", "was-file/"]);
}

#[test]
fn too_many_entries_are_refused() {
    let place = Place::new();
    let mut extraction = Extraction::new(Directory::open(&place.output).unwrap());
    extraction.limit_entries(3);
    let layer = || Tar::default().file("a", "").directory("b").bytes();
    extraction.apply_layer(&digest(), &layer()[..]).unwrap();
    let error = extraction.apply_layer(&digest(), &layer()[..]).unwrap_err();
    assert!(matches!(error, Error::TooManyEntries { limit: 3, .. }), "{error}");
}

#[test]
fn a_long_name_is_a_name_and_a_huge_one_is_refused_before_it_is_read() {
    let long = format!("{}/{}", "d".repeat(200), "f".repeat(200));
    let place = Place::new();
    let layer = Tar::default().entry("L", EntryType::GNULongName, long.as_bytes()).file("cut", "1");
    place.extract([layer]).unwrap();
    assert_eq!(place.found(), [format!("{}/", "d".repeat(200)), format!("{long}=1")]);

    let huge = vec![b'x'; 2 * 1024 * 1024];
    for kind in [EntryType::GNULongName, EntryType::XHeader] {
        let error = place.extract([Tar::default().entry("L", kind, &huge).file("x", "")]).unwrap_err();
        let Error::LayerFormat { source, .. } = &error else { panic!("{error}") };
        assert!(source.to_string().contains("1 MiB"), "{source}");
    }
    let longer = "x/".repeat(2100);
    let layer = Tar::default().entry("L", EntryType::GNULongName, longer.as_bytes()).file("x", "");
    assert!(matches!(place.extract([layer]).unwrap_err(), Error::Refused { .. }));
}

#[test]
fn a_tar_that_ends_early_or_is_none_is_an_error() {
    let place = Place::new();
    let whole = Tar::default().file("a", &"x".repeat(2000)).bytes();
    let mut extraction = Extraction::new(Directory::open(&place.output).unwrap());
    for content in [&whole[..300], &whole[..512], &whole[..1500], b"this is no tar at all"] {
        let error = extraction.apply_layer(&digest(), content).unwrap_err();
        assert!(matches!(error, Error::LayerFormat { .. }), "{} bytes: {error}", content.len());
    }
    extraction.apply_layer(&digest(), &b""[..]).unwrap();
}

#[test]
fn a_subdirectory_is_made_empty_and_stays_inside() {
    let place = Place::new();
    place.extract([Tar::default().file("a/b/old", "1").file("a/beside", "2")]).unwrap();
    let root = Directory::open(&place.output).unwrap();
    let inner = root.subdirectory("a/b").unwrap();
    assert_eq!(inner.path(), place.output.join("a/b"));
    let mut extraction = Extraction::new(inner);
    extraction.apply_layer(&digest(), &Tar::default().file("new", "3").bytes()[..]).unwrap();
    assert_eq!(place.found(), ["a/", "a/b/", "a/b/new=3", "a/beside=2"]);
    for name in ["", ".", "../x", "a/../../x"] {
        assert!(root.subdirectory(name).is_err(), "{name}");
    }
}

#[test]
fn a_deep_tree_can_be_written_and_deleted() {
    let place = Place::new();
    let deep = format!("{}f", "d/".repeat(255));
    let layer = Tar::default().entry("L", EntryType::GNULongName, deep.as_bytes()).file("x", "1");
    place.extract([layer]).unwrap();
    assert_eq!(place.found().len(), 256);
    place.extract([Tar::default().file("d", "")]).unwrap();
    assert_eq!(place.found(), ["d="]);
}
