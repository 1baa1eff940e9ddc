//! `imgpkg describe`: what is in a bundle, and where.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use imgpkg_oci::Digest;
use imgpkg_testkit::{BundleDirectory, Image, Registry, Tool};

fn imgpkg() -> Tool {
    Tool::new(env!("CARGO_BIN_EXE_imgpkg"))
}

#[test]
fn a_bundle_is_described_with_its_images_their_layers_and_annotations() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let image = Image::of_files(&[("a", b"a")]);
    let layer = Digest::sha256_of(image.layers().next().unwrap());
    let digest = image.push(&registry, "src/app", "v1");
    let reference = registry.reference(&format!("src/app@{digest}"));
    let bundle = BundleDirectory::with_lock(&format!(
        "apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\nimages:\n- image: {reference}\n  annotations:\n    note: 100% sure\n"
    ));
    let target = registry.reference("src/bundle:1.0");
    let pushed = imgpkg.run(&["push", "-b", &target, "-f", bundle.argument(), "--tty"]).success().digest();
    let ran = imgpkg.run(&["describe", "-b", &target]).success();
    let expected = format!(
        "Bundle SHA: {pushed}\n\nImages:\n  - Image: {reference}\n    Type: Image\n    Origin: {reference}\n    \
         Layers:\n      - Digest: {layer}\n    Annotations:\n      note: 100% sure\n"
    );
    assert_eq!(ran.stdout.trim_end(), expected.trim_end());
}

#[test]
fn a_copied_bundle_shows_where_its_images_are_and_where_they_came_from() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let digest = Image::of_files(&[("a", b"a")]).push(&registry, "src/app", "v1");
    let reference = registry.reference(&format!("src/app@{digest}"));
    let inner = BundleDirectory::of_images(&[&reference]);
    let target = registry.reference("src/inner");
    let inner = imgpkg.run(&["push", "-b", &target, "-f", inner.argument(), "--tty"]).success().digest();
    let outer = BundleDirectory::of_images(&[&format!("{target}@{inner}")]).write("outer", "outer");
    let target = registry.reference("src/outer:1.0");
    imgpkg.run(&["push", "-b", &target, "-f", outer.argument()]).success();
    let to = registry.reference("dst/outer");
    imgpkg.run(&["copy", "-b", &target, "--to-repo", &to]).success();
    let ran = imgpkg.run(&["describe", "-b", &format!("{to}:1.0"), "--layers=false"]).success();
    let nested = format!(
        "  - Image: {to}@{inner}\n    Type: Bundle\n    Origin: {}@{inner}\n    Images:\n",
        registry.reference("src/inner")
    );
    assert!(ran.stdout.contains(&nested), "{}", ran.stdout);
    let image = format!("    - Image: {to}@{digest}\n      Type: Image\n      Origin: {reference}\n");
    assert!(ran.stdout.contains(&image), "{}", ran.stdout);
    assert_eq!(ran.stdout.matches("Type: Internal").count(), 2, "{}", ran.stdout);
}

#[test]
fn an_image_that_is_no_bundle_is_refused() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    Image::of_files(&[("a", b"a")]).push(&registry, "src/app", "v1");
    let reference = registry.reference("src/app:v1");
    let ran = imgpkg.run(&["describe", "-b", &reference]).failure();
    let expected = format!("Only bundles can be described, and {reference} is not a bundle");
    assert!(ran.stderr.contains(&expected), "{}", ran.stderr);
}
