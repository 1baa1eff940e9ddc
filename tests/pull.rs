//! `imgpkg pull`: from a registry into a directory.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use imgpkg_testkit::{BundleDirectory, Image, Registry, Tool};

fn imgpkg() -> Tool {
    Tool::new(env!("CARGO_BIN_EXE_imgpkg"))
}

/// A bundle of one image, in a registry; its digest.
fn push_bundle(imgpkg: &Tool, registry: &Registry, name: &str, image: &str) -> String {
    let bundle =
        BundleDirectory::of_images(&[image]).write("dir/inner.txt", "inner").write("run.sh", "#!/bin/sh\n");
    imgpkg
        .run(&["push", "-b", &registry.reference(name), "-f", bundle.argument(), "--tty"])
        .success()
        .digest()
}

fn push_image(registry: &Registry, repository: &str) -> String {
    let digest = Image::of_files(&[("a", b"a")]).push(registry, repository, "v1");
    registry.reference(&format!("{repository}@{digest}"))
}

fn output(imgpkg: &Tool) -> (std::path::PathBuf, String) {
    let path = imgpkg.home().join("out");
    let text = path.to_str().unwrap().to_owned();
    (path, text)
}

fn lock_of(directory: &Path) -> String {
    std::fs::read_to_string(directory.join(".imgpkg/images.yml")).unwrap()
}

#[test]
fn a_pulled_bundle_has_the_files_that_were_pushed() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let image = push_image(&registry, "src/app");
    push_bundle(&imgpkg, &registry, "src/bundle:1.0", &image);
    let (path, out) = output(&imgpkg);
    let ran = imgpkg.run(&["pull", "-b", &registry.reference("src/bundle:1.0"), "-o", &out]).success();
    assert_eq!(ran.stdout, "");
    assert_eq!(std::fs::read_to_string(path.join("dir/inner.txt")).unwrap(), "inner");
    assert_eq!(std::fs::read_to_string(path.join("config.yml")).unwrap(), "greeting: hello\n");
    assert!(lock_of(&path).contains(&image));
}

#[test]
fn the_lock_file_of_a_bundle_whose_images_are_elsewhere_is_left_as_it_is() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let image = push_image(&registry, "src/app");
    let digest = push_bundle(&imgpkg, &registry, "src/bundle:1.0", &image);
    let (_, out) = output(&imgpkg);
    let ran =
        imgpkg.run(&["pull", "-b", &registry.reference("src/bundle:1.0"), "-o", &out, "--tty"]).success();
    let first = format!("Pulling bundle '{}@{digest}'", registry.reference("src/bundle"));
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(lines[0], first);
    assert!(
        lines[1].starts_with("  Extracting layer 'sha256:") && lines[1].ends_with("' (1/1)"),
        "{}",
        lines[1]
    );
    let last = [
        "",
        "Locating image lock file images...",
        "One or more images not found in bundle repo; skipping lock file update",
        "",
        "Succeeded",
    ];
    assert_eq!(&lines[2..], last);
}

#[test]
fn the_lock_file_of_a_copied_bundle_names_the_images_where_they_are_now() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let image = push_image(&registry, "src/app");
    push_bundle(&imgpkg, &registry, "src/bundle:1.0", &image);
    let to = registry.reference("dst/bundle");
    imgpkg.run(&["copy", "-b", &registry.reference("src/bundle:1.0"), "--to-repo", &to]).success();
    let (path, out) = output(&imgpkg);
    let ran = imgpkg.run(&["pull", "-b", &format!("{to}:1.0"), "-o", &out, "--tty"]).success();
    let said = format!(
        "The bundle repo ({to}) is hosting every image specified in the bundle's Images Lock file (.imgpkg/images.yml)"
    );
    assert!(ran.stdout.contains(&said), "{}", ran.stdout);
    let digest = image.split('@').next_back().unwrap();
    let expected = format!(
        "---\napiVersion: imgpkg.carvel.dev/v1alpha1\nimages:\n- image: {to}@{digest}\nkind: ImagesLock\n"
    );
    assert_eq!(lock_of(&path), expected);
}

#[test]
fn nested_bundles_are_pulled_beside_each_other_when_asked_for() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let image = push_image(&registry, "src/app");
    let inner = push_bundle(&imgpkg, &registry, "src/inner", &image);
    let reference = registry.reference(&format!("src/inner@{inner}"));
    push_bundle(&imgpkg, &registry, "src/outer:1.0", &reference);
    let to = registry.reference("dst/outer");
    imgpkg.run(&["copy", "-b", &registry.reference("src/outer:1.0"), "--to-repo", &to]).success();
    let (path, out) = output(&imgpkg);
    let ran = imgpkg.run(&["pull", "-b", &format!("{to}:1.0"), "-r", "-o", &out, "--tty"]).success();
    assert!(
        ran.stdout.contains(&format!("\nNested bundles\n  Pulling nested bundle '{to}@{inner}'\n")),
        "{}",
        ran.stdout
    );
    let nested = path.join(".imgpkg/bundles").join(inner.replace(':', "-"));
    assert!(nested.join("config.yml").is_file());
    assert!(lock_of(&nested).contains(&format!("image: {to}@")), "{}", lock_of(&nested));
    assert!(lock_of(&path).contains(&format!("image: {to}@{inner}")));
}

#[test]
fn a_plain_image_is_pulled_with_i() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let image = push_image(&registry, "src/app");
    let (path, out) = output(&imgpkg);
    let ran = imgpkg.run(&["pull", "-i", &image, "-o", &out, "--tty"]).success();
    assert!(
        ran.stdout.starts_with(&format!("Pulling image '{image}'\nExtracting layer 'sha256:")),
        "{}",
        ran.stdout
    );
    assert_eq!(std::fs::read_to_string(path.join("a")).unwrap(), "a");
}

#[test]
fn a_bundle_lock_is_pulled() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let image = push_image(&registry, "src/app");
    let bundle = BundleDirectory::of_images(&[&image]);
    let lock = imgpkg.home().join("lock.yml");
    let lock = lock.to_str().unwrap();
    let target = registry.reference("src/bundle:1.0");
    imgpkg.run(&["push", "-b", &target, "-f", bundle.argument(), "--lock-output", lock]).success();
    let (path, out) = output(&imgpkg);
    imgpkg.run(&["pull", "--lock", lock, "-o", &out]).success();
    assert!(path.join("config.yml").is_file());
}

#[test]
fn upper_layers_win_and_whiteouts_hide_what_is_below() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    Image::of_files(&[("kept", b"lower"), ("gone", b"lower"), ("both", b"lower")])
        .with_layer(&[("both", b"upper"), (".wh.gone", b"")])
        .push(&registry, "src/app", "v1");
    let (path, out) = output(&imgpkg);
    imgpkg.run(&["pull", "-i", &registry.reference("src/app:v1"), "-o", &out]).success();
    assert_eq!(std::fs::read_to_string(path.join("kept")).unwrap(), "lower");
    assert_eq!(std::fs::read_to_string(path.join("both")).unwrap(), "upper");
    assert!(!path.join("gone").exists() && !path.join(".wh.gone").exists());
}

#[test]
fn a_successful_pull_replaces_what_was_there() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let image = push_image(&registry, "src/app");
    let (path, out) = output(&imgpkg);
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("old"), "old").unwrap();
    imgpkg.run(&["pull", "-i", &image, "-o", &out]).success();
    assert!(!path.join("old").exists());
    assert_eq!(std::fs::read_dir(imgpkg.home()).unwrap().count(), 1, "nothing is left beside the output");
}

#[test]
fn a_failed_pull_leaves_what_was_there() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let reference = registry.reference("src/app:v1");
    Image::of_files(&[("a", b"a")]).with_layer(&[("../outside", b"x")]).push(&registry, "src/app", "v1");
    let (path, out) = output(&imgpkg);
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("old"), "old").unwrap();
    let ran = imgpkg.run(&["pull", "-i", &reference, "-o", &out]).failure();
    assert!(ran.stderr.contains("../outside"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(path.join("old")).unwrap(), "old");
    assert!(!path.join("a").exists());
    assert_eq!(std::fs::read_dir(imgpkg.home()).unwrap().count(), 1, "nothing is left beside the output");
}

#[test]
fn a_bundle_without_a_lock_file_is_named_and_so_is_the_output_as_it_was_typed() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let reference = registry.reference("src/bundle");
    let bundle = BundleDirectory::of_images(&[]);
    let arguments = [
        "push",
        "-b",
        &reference,
        "-f",
        bundle.argument(),
        "--file-exclusion",
        ".imgpkg/images.yml",
        "--tty",
    ];
    let digest = imgpkg.run(&arguments).success().digest();
    let ran = imgpkg.run_in(imgpkg.home(), &["pull", "-b", &reference, "-o", "out"]).failure();
    let expected = format!(
        "Reading path out/.imgpkg/images.yml: open out/.imgpkg/images.yml: no such file or directory (hint: the \
         bundle '{reference}@{digest}' does not have this file; push it again with 'imgpkg push -b')\n"
    );
    assert!(ran.stderr.contains(&expected), "{}", ran.stderr);
}

#[test]
fn a_bundle_with_a_bad_lock_file_is_named_and_so_is_the_output_as_it_was_typed() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let reference = registry.reference("src/bundle");
    let bundle = BundleDirectory::with_lock("apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: Other\n");
    let digest = imgpkg.run(&["push", "-b", &reference, "-f", bundle.argument(), "--tty"]).success().digest();
    let ran = imgpkg.run_in(imgpkg.home(), &["pull", "-b", &reference, "-o", "./out"]).failure();
    assert!(ran.stderr.contains("Reading path ./out/.imgpkg/images.yml:"), "{}", ran.stderr);
    assert!(ran.stderr.contains("Unknown kind (known: ImagesLock)"), "{}", ran.stderr);
    let expected = format!(
        " (hint: this file is part of the bundle '{reference}@{digest}', which has to \
         be pushed again with a correct one)\n"
    );
    assert!(ran.stderr.contains(&expected), "{}", ran.stderr);
}

#[test]
fn what_cannot_be_written_is_told_with_the_path_as_it_was_typed() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let image = push_image(&registry, "src/app");
    let ran = imgpkg.run_in(imgpkg.home(), &["pull", "-i", &image, "-o", "/proc/out"]).failure();
    let expected =
        "imgpkg: Error: Extracting image into directory: mkdir /proc/out: no such file or directory\n";
    assert_eq!(ran.stderr, expected);
}

#[test]
fn what_killed_pulls_left_beside_the_output_is_deleted_by_the_next_one() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let image = push_image(&registry, "src/app");
    let (path, out) = output(&imgpkg);
    std::fs::create_dir_all(imgpkg.home().join(".out.imgpkg-aB3dE6/dir")).unwrap();
    imgpkg.run(&["pull", "-i", &image, "-o", &out]).success();
    assert!(path.join("a").is_file());
    assert_eq!(std::fs::read_dir(imgpkg.home()).unwrap().count(), 1, "nothing is left beside the output");
}
