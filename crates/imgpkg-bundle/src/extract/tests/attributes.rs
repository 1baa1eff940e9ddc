//! Permissions, times and owners.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use tar::EntryType;

use super::{Place, Tar, umask};

#[test]
fn files_get_the_permissions_that_the_umask_leaves() {
    let place = Place::new();
    let umask = umask(place.root.path());
    let cases = [
        (0o600, 0o666),
        (0o700, 0o777),
        (0o400, 0o444),
        (0, 0),
        (0o664, 0o664),
        (0o604, 0o604),
        (0o4755, 0o755),
    ];
    for (header_mode, mode) in cases {
        let layer =
            Tar::default().entry_with("f", EntryType::Regular, b"x", |header| header.set_mode(header_mode));
        place.extract([layer]).unwrap();
        let got = fs::symlink_metadata(place.output.join("f")).unwrap().mode() & 0o7777;
        assert_eq!(got, mode & !umask, "{header_mode:o} with umask {umask:o}");
    }
    place.extract([Tar::default().directory("d")]).unwrap();
    assert_eq!(fs::metadata(place.output.join("d")).unwrap().mode() & 0o777, 0o777 & !umask);
}

#[test]
fn the_permissions_follow_another_umask_too() {
    let name = "extract::tests::attributes::files_get_the_permissions_that_the_umask_leaves";
    for umask in ["0011", "0022", "0002", "0077"] {
        let script = format!("umask {umask} && exec \"$0\" --exact {name}");
        let mut shell = std::process::Command::new("sh");
        let output = shell.arg("-c").arg(script).arg(std::env::current_exe().unwrap()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "umask {umask}: {text}");
    }
}

#[test]
fn times_are_the_headers() {
    let place = Place::new();
    let layer = Tar::default()
        .file("epoch", "1")
        .entry_with("later", EntryType::Regular, b"", |header| header.set_mtime(1_000_000_000))
        .entry("pax", EntryType::XHeader, b"20 mtime=1234567.89\n21 atime=2345678.125\n")
        .file("pax", "");
    place.extract([layer]).unwrap();
    let times = |name: &str| {
        let metadata = fs::metadata(place.output.join(name)).unwrap();
        assert_eq!((metadata.atime(), metadata.atime_nsec()), (metadata.mtime(), metadata.mtime_nsec()));
        (metadata.mtime(), metadata.mtime_nsec())
    };
    assert_eq!(times("epoch"), (0, 0));
    assert_eq!(times("later"), (1_000_000_000, 0));
    assert_eq!(times("pax"), (2_345_678, 125_000_000));
}

#[test]
fn files_belong_to_whom_the_header_says_when_root_extracts_them() {
    let place = Place::new();
    let layer = Tar::default().entry_with("f", EntryType::Regular, b"x", |header| {
        header.set_uid(1234);
        header.set_gid(4321);
    });
    let mine = fs::metadata(&place.output).unwrap();
    place.extract([layer]).unwrap();
    let file = fs::metadata(place.output.join("f")).unwrap();
    let expected = if mine.uid() == 0 { (1234, 4321) } else { (mine.uid(), mine.gid()) };
    assert_eq!((file.uid(), file.gid()), expected);
}
