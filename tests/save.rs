//! `imgpkg save` and `imgpkg push --tar`: a bundle in a file, without a registry.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;

use imgpkg_testkit::{BundleDirectory, Image, Registry, Tool};

const IMAGE: &str =
    "registry.example/app@sha256:4c8b96d4fffdfae29258d94a22ae4ad1fe36139d47288b8960d9958d1e63a9d0";

fn imgpkg() -> Tool {
    Tool::new(env!("CARGO_BIN_EXE_imgpkg"))
}

fn archive(imgpkg: &Tool) -> (PathBuf, String) {
    let path = imgpkg.home().join("saved.tar");
    let text = path.to_str().unwrap().to_owned();
    (path, text)
}

fn manifest_json(path: &std::path::Path) -> serde_json::Value {
    let mut archive = tar::Archive::new(std::fs::File::open(path).unwrap());
    let first = archive.entries().unwrap().next().unwrap().unwrap();
    assert_eq!(first.path().unwrap(), std::path::Path::new("manifest.json"));
    serde_json::from_reader(first).unwrap()
}

#[test]
fn a_saved_bundle_has_the_digest_that_a_push_gives() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let bundle = BundleDirectory::of_images(&[IMAGE]);
    let (_, tar) = archive(&imgpkg);
    imgpkg.run(&["save", "-f", bundle.argument(), "--to-tar", &tar, "-b", "greeter:1.0"]).success();
    let target = registry.reference("apps/pushed:1.0");
    let pushed = imgpkg.run(&["push", "-b", &target, "-f", bundle.argument(), "--tty"]).success().digest();
    imgpkg.run(&["push", "--tar", &tar, "--to-repo", &registry.reference("apps/saved")]).success();
    assert_eq!(registry.manifest("apps/saved", "1.0"), registry.manifest("apps/pushed", "1.0"));
    assert_eq!(
        registry.tags("apps/saved"),
        ["1.0".to_owned(), format!("{}.imgpkg", pushed.replace(':', "-"))]
    );
}

#[test]
fn the_archive_records_an_origin_that_nobody_can_contact() {
    let imgpkg = imgpkg();
    let bundle = BundleDirectory::of_images(&[IMAGE]);
    let (path, tar) = archive(&imgpkg);
    imgpkg.run(&["save", "-f", bundle.argument(), "--to-tar", &tar, "-b", "r.example/Team/x:2.1"]).failure();
    imgpkg
        .run(&["save", "-f", bundle.argument(), "--to-tar", &tar, "-b", "r.example/team/greeter:2.1"])
        .success();
    let json = manifest_json(&path);
    let image = &json[0]["Image"];
    let recorded = image["Refs"][0].as_str().unwrap();
    assert!(recorded.starts_with("saved.imgpkg.invalid/team/greeter@sha256:"), "{recorded}");
    assert_eq!(image["Tag"], "2.1");
    assert_eq!(image["Labels"], serde_json::Value::Null);
    assert_eq!(json.as_array().unwrap().len(), 1);
}

#[test]
fn without_a_name_the_directory_gives_it_and_the_tag_is_latest() {
    let imgpkg = imgpkg();
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("My App");
    std::fs::create_dir_all(directory.join(".imgpkg")).unwrap();
    let lock = "apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\n";
    std::fs::write(directory.join(".imgpkg/images.yml"), lock).unwrap();
    let (path, tar) = archive(&imgpkg);
    imgpkg.run_in(&directory, &["save", "-f", ".", "--to-tar", &tar]).success();
    let image = &manifest_json(&path)[0]["Image"];
    assert!(image["Refs"][0].as_str().unwrap().starts_with("saved.imgpkg.invalid/my-app@"), "{image}");
    assert_eq!(image["Tag"], "latest");
}

#[test]
fn an_imported_archive_of_save_gives_the_bundle_without_a_locations_image() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let bundle = BundleDirectory::of_images(&[IMAGE]);
    let (_, tar) = archive(&imgpkg);
    let lock = imgpkg.home().join("lock.yml");
    imgpkg.run(&["save", "-f", bundle.argument(), "--to-tar", &tar, "-b", "greeter:1.0"]).success();
    let target = registry.reference("imported/greeter");
    let arguments =
        ["copy", "--tar", &tar, "--to-repo", &target, "--lock-output", lock.to_str().unwrap(), "--tty"];
    let ran = imgpkg.run(&arguments).success();
    assert!(ran.stdout.contains("1 referenced image"), "{}", ran.stdout);
    let tags = registry.tags("imported/greeter");
    assert_eq!(tags.len(), 2, "{tags:?}");
    assert!(tags.contains(&"1.0".to_owned()));
    assert!(std::fs::read_to_string(lock).unwrap().contains("kind: BundleLock"));
}

#[test]
fn a_plain_image_is_saved_with_i() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("f1"), "one\n").unwrap();
    let (_, tar) = archive(&imgpkg);
    imgpkg.run(&["save", "-i", "one", "-f", directory.path().to_str().unwrap(), "--to-tar", &tar]).success();
    imgpkg.run(&["push", "-i", &registry.reference("apps/one:v7"), "--tar", &tar]).success();
    let digest = "sha256:97a2bd063f8f806a4ac1fa740551b556a894ff778b4831a3718b4726615902e5";
    assert!(registry.has_manifest("apps/one", "v7"));
    assert!(registry.has_manifest("apps/one", digest));
}

#[test]
fn pushing_an_archive_of_several_images_points_to_copy() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let image = Image::of_files(&[("a", b"a")]).push(&registry, "apps/app", "v1");
    let bundle = BundleDirectory::of_images(&[&registry.reference(&format!("apps/app@{image}"))]);
    let source = registry.reference("apps/bundle:1.0");
    imgpkg.run(&["push", "-b", &source, "-f", bundle.argument()]).success();
    let (_, tar) = archive(&imgpkg);
    imgpkg.run(&["copy", "-b", &source, "--to-tar", &tar]).success();
    let ran = imgpkg.run(&["push", "--tar", &tar, "--to-repo", &registry.reference("apps/other")]).failure();
    assert!(ran.stderr.contains("copy --tar"), "{}", ran.stderr);
    assert!(registry.tags("apps/other").is_empty());
}

#[test]
fn saving_a_directory_that_is_no_bundle_writes_nothing() {
    let imgpkg = imgpkg();
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("f1"), "one\n").unwrap();
    let (path, tar) = archive(&imgpkg);
    let ran = imgpkg.run(&["save", "-f", directory.path().to_str().unwrap(), "--to-tar", &tar]).failure();
    assert!(
        ran.stderr.contains("This directory is not a bundle. It is missing .imgpkg/images.yml"),
        "{}",
        ran.stderr
    );
    assert!(!path.exists());
}

#[test]
fn a_pushed_archive_warns_of_the_images_that_are_not_in_it() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let (_, tar) = archive(&imgpkg);
    let to = registry.reference("apps/saved");
    let bundle = BundleDirectory::of_images(&[IMAGE]);
    imgpkg.run(&["save", "-f", bundle.argument(), "--to-tar", &tar]).success();
    let ran = imgpkg.run(&["push", "--tar", &tar, "--to-repo", &to]).success();
    assert!(ran.stderr.contains("Warning: 1 referenced image is not in the tar"), "{}", ran.stderr);
    let ran = imgpkg.run(&["push", "--tar", &tar, "--to-repo", &to, "--tty"]).success();
    assert!(ran.stdout.contains("--to-tar\nPushed '"), "{}", ran.stdout);
    let empty = BundleDirectory::of_images(&[]);
    imgpkg.run(&["save", "-f", empty.argument(), "--to-tar", &tar]).success();
    let ran = imgpkg.run(&["push", "--tar", &tar, "--to-repo", &to]).success();
    assert!(!ran.stderr.contains("Warning"), "{}", ran.stderr);
}

#[test]
fn a_saved_bundle_with_an_invalid_lock_file_is_pushed_with_a_warning() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let (_, tar) = archive(&imgpkg);
    let bundle = BundleDirectory::with_lock("apiVersion: nonsense\nkind: ImagesLock\n");
    imgpkg.run(&["save", "-f", bundle.argument(), "--to-tar", &tar]).success();
    let ran = imgpkg.run(&["push", "--tar", &tar, "--to-repo", &registry.reference("apps/saved")]).success();
    assert!(ran.stderr.contains("Unknown version"), "{}", ran.stderr);
    assert!(registry.has_manifest("apps/saved", "latest"));
}
