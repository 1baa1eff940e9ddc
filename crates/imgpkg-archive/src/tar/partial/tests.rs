use std::os::unix::fs::symlink;

use super::super::fixture::chain;
use super::*;

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn published(target: &Path, content: &[u8]) {
    let partial = Partial::open(target).unwrap();
    partial.clear().unwrap();
    partial.reserve(content.len() as u64).unwrap();
    partial.write(content, 0).unwrap();
    partial.publish().unwrap();
}

#[test]
fn a_new_file_has_the_mode_of_any_new_file() {
    let directory = tempfile::tempdir().unwrap();
    let ordinary = directory.path().join("ordinary");
    File::create(&ordinary).unwrap();
    let target = directory.path().join("x.tar");
    published(&target, b"hello");
    assert_eq!(fs::read(&target).unwrap(), b"hello");
    assert_eq!(mode(&target), mode(&ordinary));
    assert_eq!(names(directory.path()), ["ordinary", "x.tar"]);
}

#[test]
fn a_replaced_file_keeps_its_mode_and_a_link_stays_a_link() {
    let directory = tempfile::tempdir().unwrap();
    let real = directory.path().join("real.tar");
    fs::write(&real, b"a longer text than the new one").unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    let link = directory.path().join("link.tar");
    symlink("real.tar", &link).unwrap();
    published(&link, b"new");
    assert_eq!(fs::read(&real).unwrap(), b"new");
    assert_eq!(mode(&real), 0o640);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(names(directory.path()), ["link.tar", "real.tar"]);
}

#[test]
fn a_link_to_nothing_yet_is_followed() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("link.tar");
    symlink("new.tar", &link).unwrap();
    published(&link, b"new");
    assert_eq!(names(directory.path()), ["link.tar", "new.tar"]);
    assert_eq!(fs::read(directory.path().join("new.tar")).unwrap(), b"new");
}

#[test]
fn what_is_dropped_unpublished_leaves_the_old_file_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("x.tar");
    fs::write(&target, b"old").unwrap();
    let partial = Partial::open(&target).unwrap();
    partial.write(b"new", 0).unwrap();
    assert_eq!(names(directory.path()), ["x.tar", "x.tar.partial"]);
    drop(partial);
    assert_eq!(names(directory.path()), ["x.tar"]);
    assert_eq!(fs::read(&target).unwrap(), b"old");
}

#[test]
fn a_directory_a_device_and_a_pipe_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0)
        .unwrap();
    let link = directory.path().join("link");
    symlink("/dev/null", &link).unwrap();
    for (target, what) in [
        (directory.path(), "is a directory"),
        (Path::new("/"), "is a directory"),
        (Path::new("/dev/null"), "is a device"),
        (&link, "open /dev/null: is a device"),
        (&pipe, "is a pipe"),
    ] {
        let text = chain(&Partial::open(target).unwrap_err());
        assert!(text.starts_with(&format!("Creating file '{}': open ", target.display())), "{text}");
        assert!(text.contains(what), "{text}");
    }
    assert_eq!(names(directory.path()), ["link", "pipe"]);
}

#[test]
fn a_missing_directory_is_reported_as_by_the_reference() {
    let error = Partial::open(Path::new("/nonexistent/x.tar")).unwrap_err();
    assert_eq!(
        chain(&error),
        "Creating file '/nonexistent/x.tar': open /nonexistent/x.tar: no such file or directory"
    );
}

#[test]
fn links_in_a_circle_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("link");
    symlink("link", &link).unwrap();
    let text = chain(&Partial::open(&link).unwrap_err());
    assert!(text.contains("too many levels of symbolic links"), "{text}");
}

#[test]
fn a_second_writer_is_told_about_the_first() {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("x.tar");
    let first = Partial::open(&target).unwrap();
    first.write(b"first", 0).unwrap();
    let text = chain(&Partial::open(&target).unwrap_err());
    assert!(text.contains("x.tar.partial' is being written by another process (hint:"), "{text}");
    assert_eq!(fs::read(first.path()).unwrap(), b"first");
    drop(first);
    published(&target, b"second");
}

#[test]
fn a_link_in_place_of_the_unfinished_file_is_not_followed() {
    let directory = tempfile::tempdir().unwrap();
    let precious = directory.path().join("precious");
    fs::write(&precious, b"precious").unwrap();
    symlink(&precious, directory.path().join("x.tar.partial")).unwrap();
    assert!(Partial::open(&directory.path().join("x.tar")).is_err());
    assert_eq!(fs::read(&precious).unwrap(), b"precious");
}

#[test]
fn a_second_name_of_another_file_is_not_written_to() {
    let directory = tempfile::tempdir().unwrap();
    let precious = directory.path().join("precious");
    fs::write(&precious, b"precious").unwrap();
    fs::hard_link(&precious, directory.path().join("x.tar.partial")).unwrap();
    published(&directory.path().join("x.tar"), b"new");
    assert_eq!(fs::read(&precious).unwrap(), b"precious");
    assert_eq!(names(directory.path()), ["precious", "x.tar"]);
}

#[test]
fn what_is_worth_keeping_stays_when_it_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("x.tar");
    let partial = Partial::open(&target).unwrap();
    partial.write(b"first", 0).unwrap();
    partial.keep();
    drop(partial);
    assert_eq!(names(directory.path()), ["x.tar.partial"]);
    let again = Partial::open(&target).unwrap();
    assert_eq!(again.length(), 5);
    fs::write(again.journal_path(), b"").unwrap();
    let new = again.set_aside().unwrap();
    assert_eq!(new.length(), 0);
    assert_eq!(
        names(directory.path()),
        ["x.tar.partial", "x.tar.partial.previous", "x.tar.partial.previous.journal"]
    );
    new.publish().unwrap();
    assert_eq!(names(directory.path()), ["x.tar"]);
}

#[test]
fn room_that_is_not_there_is_reported_with_numbers_before_anything_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let partial = Partial::open(&directory.path().join("x.tar")).unwrap();
    let error = partial.reserve(1 << 60).unwrap_err();
    assert!(matches!(error, Error::Full { needed: 0x1000_0000_0000_0000, .. }), "{error}");
    assert!(error.to_string().contains("1152921504606846976 bytes are needed and "), "{error}");
    drop(partial);
    assert!(names(directory.path()).is_empty());
}
