//! `imgpkg tag list`, `imgpkg tag resolve`, `imgpkg version`.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use imgpkg_testkit::{Image, Registry, Tool};

fn imgpkg() -> Tool {
    Tool::new(env!("CARGO_BIN_EXE_imgpkg"))
}

#[test]
fn the_users_tags_are_listed_sorted_and_the_internal_ones_when_asked_for() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let image = Image::of_files(&[("a", b"a")]);
    for tag in ["v2", "v1", "sha256-abc.imgpkg"] {
        image.push(&registry, "src/app", tag);
    }
    let reference = registry.reference("src/app");
    let ran = imgpkg.run(&["tag", "list", "-i", &reference]).success();
    assert_eq!(ran.stdout, "v1\t\nv2\t\n");
    let ran = imgpkg.run(&["tag", "ls", "-i", &reference, "--imgpkg-internal-tags", "--tty"]).success();
    let expected = "Tags\n\nName  \nsha256-abc.imgpkg  \nv1  \nv2  \n\n3 tags\n\nSucceeded\n";
    assert_eq!(ran.stdout, expected);
}

#[test]
fn digests_are_listed_when_asked_for() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let digest = Image::of_files(&[("a", b"a")]).push(&registry, "src/app", "v1");
    let ran = imgpkg.run(&["tag", "list", "-i", &registry.reference("src/app"), "--digests"]).success();
    assert_eq!(ran.stdout, format!("v1\t{digest}\t\n"));
}

#[test]
fn a_tag_is_resolved_to_a_digest_reference_without_a_newline() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let digest = Image::of_files(&[("a", b"a")]).push(&registry, "src/app", "v1");
    let ran = imgpkg.run(&["tag", "resolve", "-i", &registry.reference("src/app:v1")]).success();
    assert_eq!(ran.stdout, registry.reference(&format!("src/app@{digest}")));
}

#[test]
fn a_tag_that_is_not_there_is_an_error_that_names_it() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    Image::of_files(&[("a", b"a")]).push(&registry, "src/app", "v1");
    let ran = imgpkg.run(&["tag", "resolve", "-i", &registry.reference("src/app:v9")]).failure();
    assert!(ran.stderr.contains("v9") && ran.stderr.contains("MANIFEST_UNKNOWN"), "{}", ran.stderr);
}

#[test]
fn the_version_is_a_version() {
    let ran = imgpkg().run(&["version"]).success();
    let version =
        ran.stdout.trim_end().strip_prefix("imgpkg version ").unwrap_or_else(|| panic!("{}", ran.stdout));
    assert_eq!(version.split('.').filter(|part| part.parse::<u32>().is_ok()).count(), 3, "{version}");
}
