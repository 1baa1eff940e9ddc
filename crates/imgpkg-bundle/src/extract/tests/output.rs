//! Output directories: prepared, put into place, given up.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
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
fn an_output_directory_replaces_whatever_was_there() {
    let root = tempfile::tempdir().unwrap();
    let target = root.path().join("target");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("file"), "kept").unwrap();
    let path = root.path().join("output");
    type Make<'a> = &'a dyn Fn();
    let kinds: [Make<'_>; 4] = [
        &|| fs::create_dir_all(path.join("old/deep")).unwrap(),
        &|| fs::write(&path, "old").unwrap(),
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
