//! `imgpkg push`: what it sends, what it says, and what it leaves behind.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use imgpkg_testkit::{BundleDirectory, Registry, Stub, Tool};

const IMAGE: &str =
    "registry.example/app@sha256:4c8b96d4fffdfae29258d94a22ae4ad1fe36139d47288b8960d9958d1e63a9d0";

fn imgpkg() -> Tool {
    Tool::new(env!("CARGO_BIN_EXE_imgpkg"))
}

#[test]
fn pushing_a_bundle_prints_its_files_and_its_digest() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let bundle = BundleDirectory::of_images(&[IMAGE]).write(".git/config", "not part of it");
    let target = registry.reference("apps/greeter:1.0");
    let ran = imgpkg.run(&["push", "-b", &target, "-f", bundle.argument(), "--tty"]).success();
    let repository = registry.reference("apps/greeter");
    let expected = format!(
        "dir: .\ndir: .imgpkg\nfile: .imgpkg/images.yml\nfile: config.yml\nPushed '{repository}@{}'\nSucceeded\n",
        ran.digest()
    );
    assert_eq!(ran.stdout, expected);
    assert_eq!(ran.stderr, "");
}

#[test]
fn off_a_terminal_a_push_prints_nothing() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let bundle = BundleDirectory::of_images(&[IMAGE]);
    let target = registry.reference("apps/greeter:1.0");
    let ran = imgpkg.run(&["push", "-b", &target, "-f", bundle.argument(), "--quiet"]).success();
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
}

#[test]
fn a_pushed_image_has_the_tag_given_and_one_that_names_its_digest() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let bundle = BundleDirectory::of_images(&[IMAGE]);
    let target = registry.reference("apps/greeter:1.0");
    let ran = imgpkg.run(&["push", "-b", &target, "-f", bundle.argument(), "--tty"]).success();
    let digest = ran.digest();
    assert_eq!(
        registry.tags("apps/greeter"),
        ["1.0".to_owned(), format!("{}.imgpkg", digest.replace(':', "-"))]
    );
    let manifest: serde_json::Value =
        serde_json::from_slice(&registry.manifest("apps/greeter", "1.0")).unwrap();
    assert_eq!(manifest["mediaType"], "application/vnd.docker.distribution.manifest.v2+json");
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 1);
}

#[test]
fn the_same_directory_has_the_same_digest_in_every_registry() {
    let imgpkg = imgpkg();
    let bundle = BundleDirectory::of_images(&[IMAGE]);
    let digests: Vec<_> = (0..2)
        .map(|_| {
            let registry = Registry::embedded(&imgpkg);
            let target = registry.reference("apps/greeter");
            imgpkg.run(&["push", "-b", &target, "-f", bundle.argument(), "--tty"]).success().digest()
        })
        .collect();
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn the_recorded_digest_of_a_single_file_image_is_reproduced() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("f1"), "one\n").unwrap();
    let target = registry.reference("apps/one");
    let path = directory.path().to_str().unwrap();
    let ran = imgpkg.run(&["push", "-i", &target, "-f", path, "--tty"]).success();
    assert_eq!(ran.digest(), "sha256:97a2bd063f8f806a4ac1fa740551b556a894ff778b4831a3718b4726615902e5");
}

#[test]
fn exclusions_and_labels_become_part_of_the_image() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let bundle = BundleDirectory::of_images(&[IMAGE]).write("notes/todo.txt", "x").write("kept.txt", "y");
    let target = registry.reference("apps/greeter");
    let arguments = [
        "push",
        "-b",
        &target,
        "-f",
        bundle.argument(),
        "--file-exclusion",
        "notes",
        "-l",
        "a=1,b=2",
        "--tty",
    ];
    let ran = imgpkg.run(&arguments).success();
    assert!(ran.stdout.contains("file: kept.txt") && !ran.stdout.contains("notes"), "{}", ran.stdout);
    let manifest: serde_json::Value =
        serde_json::from_slice(&registry.manifest("apps/greeter", "latest")).unwrap();
    let config = manifest["config"]["digest"].as_str().unwrap();
    let config = registry.request("GET", &format!("/v2/apps/greeter/blobs/{config}"), &[], b"").body;
    let config = String::from_utf8(config).unwrap();
    assert!(config.contains(r#""Labels":{"a":"1","b":"2","dev.carvel.imgpkg.bundle":"true"}"#), "{config}");
}

#[test]
fn the_lock_output_names_the_bundle_by_digest_and_tag() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let bundle = BundleDirectory::of_images(&[IMAGE]);
    let lock = imgpkg.home().join("bundle.lock.yml");
    let target = registry.reference("apps/greeter:1.0");
    let arguments =
        ["push", "-b", &target, "-f", bundle.argument(), "--lock-output", lock.to_str().unwrap(), "--tty"];
    let ran = imgpkg.run(&arguments).success();
    let expected = format!(
        "---\napiVersion: imgpkg.carvel.dev/v1alpha1\nbundle:\n  image: {}@{}\n  tag: \"1.0\"\nkind: BundleLock\n",
        registry.reference("apps/greeter"),
        ran.digest()
    );
    assert_eq!(std::fs::read_to_string(lock).unwrap(), expected);
}

#[test]
fn an_invalid_lock_file_is_pushed_with_a_warning() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let bundle = BundleDirectory::with_lock("apiVersion: nonsense\nkind: ImagesLock\n");
    let target = registry.reference("apps/greeter");
    let ran = imgpkg.run(&["push", "-b", &target, "-f", bundle.argument()]).success();
    assert!(ran.stderr.contains("images.yml"), "{}", ran.stderr);
    assert!(registry.has_manifest("apps/greeter", "latest"));
}

#[test]
fn pushing_again_sends_nothing_new() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let bundle = BundleDirectory::of_images(&[IMAGE]);
    let target = registry.reference("apps/greeter:1.0");
    let first = imgpkg.run(&["push", "-b", &target, "-f", bundle.argument(), "--tty"]).success();
    let second = imgpkg.run(&["push", "-b", &target, "-f", bundle.argument(), "--tty"]).success();
    assert_eq!(first, second);
}

/// The error of a push with this lock output, and whether it had reached the registry.
fn push_with_lock_output(lock: &str) -> (String, bool) {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let bundle = BundleDirectory::of_images(&[IMAGE]);
    let target = registry.reference("apps/greeter:1.0");
    let arguments = ["push", "-b", &target, "-f", bundle.argument(), "--lock-output", lock];
    let ran = imgpkg.run(&arguments).failure();
    (ran.stderr, registry.has_manifest("apps/greeter", "1.0"))
}

#[test]
fn a_lock_output_that_cannot_be_written_is_refused_before_anything_is_pushed() {
    let (error, pushed) = push_with_lock_output("/no/such/lock.yml");
    assert!(
        error.contains("Error: Writing bundle config: open /no/such/lock.yml: no such file or directory"),
        "{error}"
    );
    assert!(!error.contains("hint:") && !pushed, "{error}");
}

#[test]
fn when_only_the_lock_output_fails_the_error_says_so() {
    let (error, pushed) = push_with_lock_output("/dev/full");
    assert!(
        error.contains("Error: Writing bundle config: write /dev/full: no space left on device"),
        "{error}"
    );
    assert!(error.contains("(hint: the push itself succeeded;") && pushed, "{error}");
}

#[test]
fn an_error_of_the_registry_is_told_as_that_of_writing_the_image_under_its_tag() {
    let imgpkg = imgpkg();
    let bundle = BundleDirectory::of_images(&[IMAGE]);
    let stub = Stub::answering("507 Insufficient Storage", &[], "full");
    for (target, written) in [("apps/x:1.0", "apps/x:1.0"), ("apps/x", "apps/x:latest")] {
        let arguments = ["push", "-b", &stub.reference(target), "-f", bundle.argument()];
        let error = imgpkg.run(&[&arguments[..], &["--registry-retry-count", "0"]].concat()).failure().stderr;
        let expected = format!("Error: Writing '{}':\n  Writing image:\n    ", stub.reference(written));
        assert!(error.contains(&expected) && error.contains("507 Insufficient Storage"), "{error}");
    }
}
