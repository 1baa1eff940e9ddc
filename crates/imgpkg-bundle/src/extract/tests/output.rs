//! Output directories: prepared, put into place, given up.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use super::umask;
use crate::Error;
use crate::extract::OutputDirectory;

/// The names in a directory.
fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn an_output_directory_appears_when_it_is_committed_and_not_before() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("parent/of/output");
    let output = OutputDirectory::prepare(&path, None).unwrap();
    fs::write(output.directory().path().join("file"), "new").unwrap();
    assert!(!path.exists());
    assert!(names(path.parent().unwrap())[0].starts_with(".output.imgpkg-"));
    let mode = fs::metadata(output.directory().path()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o777 & !umask(root.path()));
    output.commit().unwrap();
    assert_eq!(names(path.parent().unwrap()), ["output"]);
    assert_eq!(fs::read_to_string(path.join("file")).unwrap(), "new");
}

#[test]
fn an_output_directory_replaces_directories_and_links() {
    let root = tempfile::tempdir().unwrap();
    let target = root.path().join("target");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("file"), "kept").unwrap();
    let path = root.path().join("output");
    type Make<'a> = &'a dyn Fn();
    let kinds: [Make<'_>; 3] = [
        &|| fs::create_dir_all(path.join("old/deep")).unwrap(),
        &|| symlink(&target, &path).unwrap(),
        &|| symlink("nowhere", &path).unwrap(),
    ];
    for make in kinds {
        make();
        OutputDirectory::prepare(&path, None).unwrap().commit().unwrap();
        assert!(fs::symlink_metadata(&path).unwrap().is_dir());
        assert!(names(&path).is_empty());
        assert_eq!(names(root.path()), ["output", "target"]);
        fs::remove_dir(&path).unwrap();
    }
    assert_eq!(fs::read_to_string(target.join("file")).unwrap(), "kept");
}

#[test]
fn an_output_directory_that_is_given_up_leaves_everything_as_it_was() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("output");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("file"), "old").unwrap();
    let output = OutputDirectory::prepare(&path, None).unwrap();
    fs::write(output.directory().path().join("file"), "new").unwrap();
    drop(output);
    assert_eq!(names(root.path()), ["output"]);
    assert_eq!(fs::read_to_string(path.join("file")).unwrap(), "old");

    let deep = root.path().join("a/b/output");
    drop(OutputDirectory::prepare(&deep, None).unwrap());
    assert_eq!(names(root.path()), ["output"]);
}

#[test]
fn the_directory_beside_is_kept_while_somebody_writes_into_it() {
    let root = tempfile::tempdir().unwrap();
    let output = OutputDirectory::prepare(&root.path().join("output"), None).unwrap();
    let directory = output.directory().clone();
    drop(output);
    assert!(directory.path().exists());
    drop(directory);
    assert!(names(root.path()).is_empty());
}

#[test]
fn dangerous_output_directories_are_refused() {
    let home = tempfile::tempdir().unwrap();
    for path in ["/", ".", "..", "./", "/proc/self/cwd/.."].map(Path::new).into_iter().chain([home.path()]) {
        let error = OutputDirectory::prepare(path, Some(home.path())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Disallowed output directory (trying to avoid accidental deletion)",
            "{}",
            path.display()
        );
    }
}

#[test]
fn an_output_below_a_file_is_an_error_that_leaves_nothing_behind() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("file"), "x").unwrap();
    let error = OutputDirectory::prepare(&root.path().join("file/a/output"), None).unwrap_err();
    assert!(matches!(error, Error::Output { .. }), "{error}");
    assert_eq!(names(root.path()), ["file"]);
}

#[test]
fn a_name_of_any_length_can_be_output() {
    let root = tempfile::tempdir().unwrap();
    for name in ["x".repeat(255), "ü".repeat(127)] {
        OutputDirectory::prepare(&root.path().join(&name), None).unwrap().commit().unwrap();
        assert!(root.path().join(name).is_dir());
    }
}

#[test]
fn files_pipes_sockets_and_devices_are_not_replaced() {
    let root = tempfile::tempdir().unwrap();
    let [file, pipe, socket] = ["file", "pipe", "socket"].map(|name| root.path().join(name));
    fs::write(&file, "precious").unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
    let _listener = UnixListener::bind(&socket).unwrap();
    for (path, kind) in
        [(&*file, "a file"), (&pipe, "a pipe"), (&socket, "a socket"), (Path::new("/dev/null"), "a device")]
    {
        let error = OutputDirectory::prepare(path, None).unwrap_err().to_string();
        let expected =
            format!("'{}' is {kind}, but the output has to be a directory (hint: ", path.display());
        assert!(error.starts_with(&expected), "{error}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    assert_eq!(names(root.path()), ["file", "pipe", "socket"]);
}

#[test]
fn a_file_that_appears_while_the_directory_is_filled_is_not_replaced() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("output");
    let output = OutputDirectory::prepare(&path, None).unwrap();
    fs::write(&path, "precious").unwrap();
    assert!(matches!(output.commit().unwrap_err(), Error::OutputNotADirectory { .. }));
    assert_eq!(names(root.path()), ["output"]);
    assert_eq!(fs::read_to_string(path).unwrap(), "precious");
}

#[test]
fn what_a_killed_pull_left_is_deleted_by_the_next_one_to_the_same_output() {
    let root = tempfile::tempdir().unwrap();
    let leftover = root.path().join(".output.imgpkg-aaaaaa");
    fs::create_dir_all(leftover.join("deep/er")).unwrap();
    fs::write(leftover.join("deep/file"), "x").unwrap();
    let used = root.path().join(".output.imgpkg-bbbbbb");
    fs::create_dir(&used).unwrap();
    let lock = fs::File::open(&used).unwrap();
    lock.try_lock().unwrap();
    for name in
        [".output.imgpkg-cccccc.old", ".output.imgpkg-dd", ".other.imgpkg-aaaaaa", "output.imgpkg-aaaaaa"]
    {
        fs::create_dir(root.path().join(name)).unwrap();
    }
    fs::write(root.path().join(".output.imgpkg-eeeeee"), "a file").unwrap();
    symlink("output.imgpkg-aaaaaa", root.path().join(".output.imgpkg-ffffff")).unwrap();
    let kept = names(root.path()).into_iter().filter(|name| name != ".output.imgpkg-aaaaaa");
    let kept: Vec<_> = kept.collect();
    drop(OutputDirectory::prepare(&root.path().join("output"), None).unwrap());
    assert_eq!(names(root.path()), kept);
}

#[test]
fn two_pulls_to_the_same_output_do_not_delete_each_others_work() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("output");
    let first = OutputDirectory::prepare(&path, None).unwrap();
    fs::write(first.directory().path().join("file"), "first").unwrap();
    let second = OutputDirectory::prepare(&path, None).unwrap();
    assert!(first.directory().path().join("file").is_file());
    first.commit().unwrap();
    assert_eq!(fs::read_to_string(path.join("file")).unwrap(), "first");
    second.commit().unwrap();
    assert_eq!(names(root.path()), ["output"]);
    assert!(names(&path).is_empty());
}

#[test]
fn errors_name_the_output_as_it_was_typed() {
    let root = tempfile::tempdir().unwrap();
    let typed = root.path().join("no/../output");
    let output = OutputDirectory::prepare(&typed, None).unwrap();
    assert_eq!(output.directory().typed(), typed);
    let error = output.directory().subdirectory("../x").unwrap_err();
    assert_eq!(error.to_string(), format!("mkdir {}/../x", typed.display()));
}
