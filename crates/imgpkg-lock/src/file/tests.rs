use std::fs;
#[cfg(unix)]
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn text_of(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

#[test]
fn a_missing_file_is_reported_as_by_the_reference() {
    let error = read(Path::new("/nowhere/images.yml")).expect_err("missing");
    let expected = "Reading path /nowhere/images.yml: open /nowhere/images.yml: no such file or directory";
    assert_eq!(text_of(&error), expected);
}

#[test]
fn a_file_above_the_limit_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("lock.yml");
    let file = File::create(&path).expect("a file");
    file.set_len(MAX_BYTES).expect("a sparse file");
    assert_eq!(read(&path).expect("just small enough").len() as u64, MAX_BYTES);
    file.set_len(MAX_BYTES + 1).expect("a sparse file");
    assert!(matches!(read(&path), Err(Error::TooLarge { limit: MAX_BYTES, .. })));
}

#[cfg(unix)]
#[test]
fn a_new_file_is_private_and_an_existing_one_keeps_its_mode() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("lock.yml");
    write(&path, "one").expect("written");
    assert_eq!(mode(&path), 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("chmod");
    write(&path, "two").expect("written again");
    assert_eq!(mode(&path), 0o644);
    assert_eq!(fs::read_to_string(&path).expect("text"), "two");
    assert_eq!(fs::read_dir(directory.path()).expect("a directory").count(), 1, "nothing is left beside it");
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_even_to_a_file_that_is_not_there_yet() {
    let directory = tempfile::tempdir().expect("a directory");
    let link = directory.path().join("link.yml");
    let target = directory.path().join("sub/target.yml");
    fs::create_dir(directory.path().join("sub")).expect("a directory");
    symlink("sub/target.yml", &link).expect("a link");
    write(&link, "one").expect("written");
    write(&link, "two").expect("written again");
    assert!(fs::symlink_metadata(&link).expect("the link").is_symlink());
    assert_eq!(fs::read_to_string(&target).expect("text"), "two");
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_are_an_error() {
    let directory = tempfile::tempdir().expect("a directory");
    symlink("b", directory.path().join("a")).expect("a link");
    symlink("a", directory.path().join("b")).expect("a link");
    let error = write(&directory.path().join("a"), "x").expect_err("a circle");
    assert!(text_of(&error).ends_with("too many levels of symbolic links"), "{}", text_of(&error));
}

#[cfg(unix)]
#[test]
fn a_device_is_written_to_and_not_replaced() {
    write(Path::new("/dev/null"), "x").expect("written");
    assert!(!fs::metadata("/dev/null").expect("the device").is_file());
}

#[test]
fn a_directory_that_is_missing_or_in_the_way_is_reported_with_its_path() {
    let directory = tempfile::tempdir().expect("a directory");
    let missing = directory.path().join("missing/lock.yml");
    let error = write(&missing, "x").expect_err("no directory");
    let path = missing.display();
    assert_eq!(text_of(&error), format!("Writing {path}: open {path}: no such file or directory"));
    let error = write(directory.path(), "x").expect_err("a directory");
    assert!(text_of(&error).ends_with(": is a directory"), "{}", text_of(&error));
}

#[test]
fn a_path_that_cannot_be_written_is_known_before_and_nothing_is_left() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("lock.yml");
    check_writable(&path).expect("a new file");
    assert_eq!(fs::read_dir(directory.path()).expect("a directory").count(), 0);
    write(&path, "old").expect("written");
    check_writable(&path).expect("an existing file");
    assert_eq!(fs::read_to_string(&path).expect("a file"), "old");
    let missing = directory.path().join("no/lock.yml");
    let text = text_of(&check_writable(&missing).expect_err("no directory"));
    assert!(text.ends_with(&format!(": open {}: no such file or directory", missing.display())), "{text}");
    let text = text_of(&check_writable(directory.path()).expect_err("a directory"));
    assert!(text.ends_with("is a directory"), "{text}");
}
