//! `imgpkg copy`: from registries and archives, to registries and archives.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use imgpkg_oci::{Digest, media_type};
use imgpkg_testkit::{BundleDirectory, FaultProxy, Image, Registry, Stub, Tool, push_index};

fn imgpkg() -> Tool {
    Tool::new(env!("CARGO_BIN_EXE_imgpkg"))
}

fn tag_of(digest: &str) -> String {
    format!("{}.imgpkg", digest.replace(':', "-"))
}

/// An outer bundle that names an image and an inner bundle; the inner one names the same image, and an index.
struct Nested {
    image: Digest,
    index: Digest,
    children: [Digest; 2],
    inner: String,
    outer: String,
}

fn push_nested(imgpkg: &Tool, registry: &Registry) -> Nested {
    let shared: (&str, &[u8]) = ("base", b"the layer that everything shares");
    let image = Image::of_files(&[shared]).with_layer(&[("app", b"app")]).push(registry, "src/app", "v1");
    let of = |arch: &'static str| {
        Image::of_files(&[shared]).with_layer(&[("tool", arch.as_bytes())]).for_architecture(arch)
    };
    let children = ["amd64", "arm64"].map(|arch| of(arch).push(registry, "src/tool", arch));
    let index = push_index(registry, "src/tool", "v1", &[(&children[0], "amd64"), (&children[1], "arm64")]);
    let named = |name: &str, digest: &dyn std::fmt::Display| registry.reference(&format!("{name}@{digest}"));
    let inner = BundleDirectory::of_images(&[&named("src/app", &image), &named("src/tool", &index)]);
    let inner = push(imgpkg, registry, "src/inner", &inner);
    let outer = BundleDirectory::of_images(&[&named("src/app", &image), &named("src/inner", &inner)])
        .write("outer.yml", "outer: true\n");
    let outer = push(imgpkg, registry, "src/outer:1.0", &outer);
    Nested { image, index, children, inner, outer }
}

fn push(imgpkg: &Tool, registry: &Registry, name: &str, bundle: &BundleDirectory) -> String {
    imgpkg
        .run(&["push", "-b", &registry.reference(name), "-f", bundle.argument(), "--tty"])
        .success()
        .digest()
}

/// The destination has everything of the nested bundle, under exactly the tags it should have.
#[track_caller]
fn assert_complete(registry: &Registry, repository: &str, nested: &Nested) {
    let mut expected: Vec<_> = [nested.image.as_str(), nested.index.as_str(), &nested.inner, &nested.outer]
        .iter()
        .map(|digest| tag_of(digest))
        .collect();
    expected.push("1.0".to_owned());
    for bundle in [&nested.inner, &nested.outer] {
        let tag = format!("{}.image-locations.imgpkg", bundle.replace(':', "-"));
        let locations = Digest::sha256_of(&registry.manifest(repository, &tag));
        expected.push(tag_of(locations.as_str()));
        expected.push(tag);
    }
    expected.sort();
    assert_eq!(registry.tags(repository), expected);
    for child in &nested.children {
        assert!(registry.has_manifest(repository, child.as_str()), "{child}");
    }
    for manifest in [nested.image.as_str(), nested.children[0].as_str(), nested.children[1].as_str()] {
        assert_blobs(registry, repository, manifest);
    }
}

#[track_caller]
fn assert_blobs(registry: &Registry, repository: &str, manifest: &str) {
    let manifest: serde_json::Value =
        serde_json::from_slice(&registry.manifest(repository, manifest)).unwrap();
    for layer in manifest["layers"].as_array().unwrap() {
        let digest = layer["digest"].as_str().unwrap();
        let body = registry.request("GET", &format!("/v2/{repository}/blobs/{digest}"), &[], b"").body;
        assert_eq!(Digest::sha256_of(&body).as_str(), digest);
    }
}

#[test]
fn a_nested_bundle_is_copied_whole_between_registries() {
    let imgpkg = imgpkg();
    let (source, destination) = (Registry::embedded(&imgpkg), Registry::embedded(&imgpkg));
    let nested = push_nested(&imgpkg, &source);
    let (from, to) = (source.reference("src/outer:1.0"), destination.reference("dst/outer"));
    let ran = imgpkg.run(&["copy", "-b", &from, "--to-repo", &to, "--tty"]).success();
    assert_complete(&destination, "dst/outer", &nested);
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(lines[0], "copy | exporting 4 images...");
    assert_eq!(
        lines[1],
        format!("copy | will export {}", source.reference(&format!("src/app@{}", nested.image)))
    );
    assert_eq!(lines[5], "copy | exported 4 images");
    assert_eq!(&lines[6..], ["copy | importing 4 images...", "copy | Tagging images", "", "Succeeded"]);
}

#[test]
fn an_archive_carries_a_nested_bundle_to_a_registry_that_cannot_reach_the_origin() {
    let imgpkg = imgpkg();
    let source = Registry::embedded(&imgpkg);
    let nested = push_nested(&imgpkg, &source);
    let tar = imgpkg.home().join("outer.tar");
    let tar = tar.to_str().unwrap();
    let ran =
        imgpkg.run(&["copy", "-b", &source.reference("src/outer:1.0"), "--to-tar", tar, "--tty"]).success();
    assert!(
        ran.stdout.contains("copy | writing layers...\ncopy | done: file 'manifest.json' ("),
        "{}",
        ran.stdout
    );
    drop(source);
    let destination = Registry::embedded(&imgpkg);
    let lock = imgpkg.home().join("lock.yml");
    let to = destination.reference("dst/outer");
    let arguments =
        ["copy", "--tar", tar, "--to-repo", &to, "--lock-output", lock.to_str().unwrap(), "--tty"];
    let ran = imgpkg.run(&arguments).success();
    assert_eq!(ran.stdout, "copy | importing 4 images...\ncopy | Tagging images\n\nSucceeded\n");
    assert_complete(&destination, "dst/outer", &nested);
    let lock = std::fs::read_to_string(lock).unwrap();
    assert!(lock.contains(&format!("image: {to}@{}\n  tag: \"1.0\"\n", nested.outer)), "{lock}");
}

#[test]
fn a_copied_bundle_can_be_copied_on_when_its_origin_is_gone() {
    let imgpkg = imgpkg();
    let source = Registry::embedded(&imgpkg);
    let nested = push_nested(&imgpkg, &source);
    let second = Registry::embedded(&imgpkg);
    let (from, to) = (source.reference("src/outer:1.0"), second.reference("two/outer"));
    imgpkg.run(&["copy", "-b", &from, "--to-repo", &to]).success();
    drop(source);
    let third = Registry::embedded(&imgpkg);
    let (from, to) = (second.reference("two/outer:1.0"), third.reference("three/outer"));
    imgpkg.run(&["copy", "-b", &from, "--to-repo", &to]).success();
    assert_complete(&third, "three/outer", &nested);
}

#[test]
fn copying_twice_changes_nothing() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let nested = push_nested(&imgpkg, &registry);
    let (from, to) = (registry.reference("src/outer:1.0"), registry.reference("dst/outer"));
    for _ in 0..2 {
        imgpkg.run(&["copy", "-b", &from, "--to-repo", &to]).success();
        assert_complete(&registry, "dst/outer", &nested);
    }
}

#[test]
fn archives_are_the_same_whatever_the_concurrency() {
    let imgpkg = imgpkg();
    let source = Registry::embedded(&imgpkg);
    push_nested(&imgpkg, &source);
    let archives: Vec<_> = ["1", "2", "16"]
        .iter()
        .map(|concurrency| {
            let tar = imgpkg.home().join(format!("{concurrency}.tar"));
            let from = source.reference("src/outer:1.0");
            let arguments =
                ["copy", "-b", &from, "--to-tar", tar.to_str().unwrap(), "--concurrency", concurrency];
            imgpkg.run(&arguments).success();
            std::fs::read(tar).unwrap()
        })
        .collect();
    assert!(archives[0] == archives[1] && archives[1] == archives[2]);
}

#[test]
fn an_archive_lists_each_layer_once_in_the_order_of_digests() {
    let imgpkg = imgpkg();
    let source = Registry::embedded(&imgpkg);
    push_nested(&imgpkg, &source);
    let tar = imgpkg.home().join("outer.tar");
    imgpkg
        .run(&["copy", "-b", &source.reference("src/outer:1.0"), "--to-tar", tar.to_str().unwrap()])
        .success();
    let mut archive = tar::Archive::new(std::fs::File::open(&tar).unwrap());
    let names: Vec<_> = archive
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(names[0], "manifest.json");
    let layers = &names[1..];
    assert_eq!(layers.len(), 6, "shared, app, two tools, two bundles: {layers:?}");
    assert!(layers.is_sorted() && layers.iter().all(|name| name.ends_with(".tar.gz")), "{layers:?}");
}

#[test]
fn an_index_is_copied_with_all_its_children() {
    let imgpkg = imgpkg();
    let (source, destination) = (Registry::embedded(&imgpkg), Registry::embedded(&imgpkg));
    let nested = push_nested(&imgpkg, &source);
    let lock = imgpkg.home().join("lock.yml");
    let (from, to) = (source.reference("src/tool:v1"), destination.reference("dst/tool"));
    let arguments = ["copy", "-i", &from, "--to-repo", &to, "--lock-output", lock.to_str().unwrap()];
    imgpkg.run(&arguments).success();
    let mut tags = vec![tag_of(nested.index.as_str()), "v1".to_owned()];
    tags.sort();
    assert_eq!(destination.tags("dst/tool"), tags);
    nested.children.iter().for_each(|child| assert_blobs(&destination, "dst/tool", child.as_str()));
    let lock = std::fs::read_to_string(lock).unwrap();
    assert!(
        lock.contains("kind: ImagesLock") && lock.contains(&format!("- image: {to}@{}", nested.index)),
        "{lock}"
    );
}

#[test]
fn a_lock_file_of_images_is_copied_and_written_with_its_annotations() {
    let imgpkg = imgpkg();
    let (source, destination) = (Registry::embedded(&imgpkg), Registry::embedded(&imgpkg));
    let image = Image::of_files(&[("a", b"a")]).push(&source, "src/app", "v1");
    let reference = source.reference(&format!("src/app@{image}"));
    let lock = imgpkg.home().join("images.yml");
    let text = format!(
        "apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\nimages:\n- image: {reference}\n  annotations:\n    who: me\n"
    );
    std::fs::write(&lock, text).unwrap();
    let output = imgpkg.home().join("copied.yml");
    let to = destination.reference("dst/all");
    let arguments = [
        "copy",
        "--lock",
        lock.to_str().unwrap(),
        "--to-repo",
        &to,
        "--lock-output",
        output.to_str().unwrap(),
    ];
    imgpkg.run(&arguments).success();
    let expected = format!(
        "---\napiVersion: imgpkg.carvel.dev/v1alpha1\nimages:\n- annotations:\n    who: me\n  image: {to}@{image}\nkind: ImagesLock\n"
    );
    assert_eq!(std::fs::read_to_string(output).unwrap(), expected);
    assert_eq!(destination.tags("dst/all"), [tag_of(image.as_str())]);
}

#[test]
fn a_bundle_lock_stands_for_its_bundle() {
    let imgpkg = imgpkg();
    let (source, destination) = (Registry::embedded(&imgpkg), Registry::embedded(&imgpkg));
    let nested = push_nested(&imgpkg, &source);
    let lock = imgpkg.home().join("bundle.lock");
    let text = format!(
        "apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: BundleLock\nbundle:\n  image: {}@{}\n  tag: \"1.0\"\n",
        source.reference("src/outer"),
        nested.outer
    );
    std::fs::write(&lock, text).unwrap();
    let to = destination.reference("dst/outer");
    imgpkg.run(&["copy", "--lock", lock.to_str().unwrap(), "--to-repo", &to]).success();
    assert_complete(&destination, "dst/outer", &nested);
}

#[test]
fn foreign_layers_stay_where_they_are_unless_asked_for() {
    let imgpkg = imgpkg();
    let (source, destination) = (Registry::embedded(&imgpkg), Registry::embedded(&imgpkg));
    let windows = b"a layer that may not be passed on";
    Image::of_files(&[("a", b"a")])
        .with_raw_layer(media_type::DOCKER_FOREIGN_LAYER, windows)
        .push(&source, "src/win", "v1");
    let (from, digest) = (source.reference("src/win:v1"), Digest::sha256_of(windows));
    let path = |repository: &str| format!("/v2/{repository}/blobs/{digest}");
    let to = destination.reference("dst/without");
    let ran = imgpkg.run(&["copy", "-i", &from, "--to-repo", &to, "--tty"]).success();
    assert!(ran.stdout.contains("Warning: Skipped the followings layer(s)"), "{}", ran.stdout);
    assert!(ran.stdout.contains(&format!("copy |      - {digest}\n")), "{}", ran.stdout);
    assert_eq!(destination.request("HEAD", &path("dst/without"), &[], b"").status, 404);
    let to = destination.reference("dst/with");
    imgpkg.run(&["copy", "-i", &from, "--to-repo", &to, "--include-non-distributable-layers"]).success();
    assert_eq!(destination.request("GET", &path("dst/with"), &[], b"").body, windows);
}

#[test]
fn signatures_are_copied_when_asked_for() {
    let imgpkg = imgpkg();
    let (source, destination) = (Registry::embedded(&imgpkg), Registry::embedded(&imgpkg));
    let image = Image::of_files(&[("a", b"a")]).push(&source, "src/app", "v1");
    let signature = format!("{}.sig", image.as_str().replace(':', "-"));
    Image::of_files(&[("sig", b"signed")]).push(&source, "src/app", &signature);
    let from = source.reference("src/app:v1");
    imgpkg.run(&["copy", "-i", &from, "--to-repo", &destination.reference("dst/plain")]).success();
    assert!(!destination.tags("dst/plain").contains(&signature));
    let to = destination.reference("dst/signed");
    imgpkg.run(&["copy", "-i", &from, "--to-repo", &to, "--cosign-signatures"]).success();
    assert_eq!(destination.manifest("dst/signed", &signature), source.manifest("src/app", &signature));
}

#[test]
fn repository_based_tags_name_the_origin() {
    let imgpkg = imgpkg();
    let (source, destination) = (Registry::embedded(&imgpkg), Registry::embedded(&imgpkg));
    let image = Image::of_files(&[("a", b"a")]).push(&source, "src/app", "v1");
    let to = destination.reference("dst/app");
    imgpkg
        .run(&["copy", "-i", &source.reference("src/app:v1"), "--to-repo", &to, "--repo-based-tags"])
        .success();
    let expected = format!("src-app-{}", tag_of(image.as_str()));
    assert_eq!(destination.tags("dst/app"), [expected, "v1".to_owned()]);
}

#[test]
fn nothing_of_a_bundle_is_fetched_twice() {
    let imgpkg = imgpkg();
    let (source, destination) = (Registry::embedded(&imgpkg), Registry::embedded(&imgpkg));
    push_nested(&imgpkg, &source);
    let proxy = FaultProxy::before(&source, Vec::new());
    let tar = imgpkg.home().join("x.tar");
    let jobs: [[&str; 2]; 2] =
        [["--to-repo", &destination.reference("dst/outer")], ["--to-tar", tar.to_str().unwrap()]];
    for [flag, value] in jobs {
        proxy.forget();
        imgpkg.run(&["copy", "-b", &proxy.reference("src/outer:1.0"), flag, value]).success();
        // The bundle is fetched through the proxy: its manifest, its configuration, and the layer with the lock file.
        let mut targets: Vec<_> = proxy.seen_of("GET", "/").into_iter().map(|seen| seen.target).collect();
        assert_eq!(proxy.count("GET", "/blobs/"), 2, "{flag}: {targets:?}");
        let all = targets.len();
        targets.sort();
        targets.dedup();
        assert_eq!(targets.len(), all, "{flag}: {targets:?}");
    }
}

#[test]
fn a_lock_output_that_cannot_be_written_is_refused_before_anything_is_copied() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    Image::of_files(&[("a", b"a")]).push(&registry, "src/app", "v1");
    let (from, to) = (registry.reference("src/app:v1"), registry.reference("dst/app"));
    let lock = "/no/such/lock.yml";
    let error = imgpkg.run(&["copy", "-i", &from, "--to-repo", &to, "--lock-output", lock]).failure().stderr;
    let expected = "Writing images config: open /no/such/lock.yml: no such file or directory";
    assert!(error.contains(expected), "{error}");
    assert!(registry.tags("dst/app").is_empty());
}

#[test]
fn an_error_of_the_destination_names_it_and_not_the_origin() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let image = Image::of_files(&[("a", b"a")]).push(&registry, "src/app", "v1");
    let tar = imgpkg.home().join("app.tar");
    let tar = tar.to_str().unwrap();
    imgpkg.run(&["copy", "-i", &registry.reference("src/app:v1"), "--to-tar", tar]).success();
    let stub = Stub::answering("507 Insufficient Storage", &[], "full");
    let to = stub.reference("dst/app");
    for more in [&["--registry-retry-count", "0"][..], &["--registry-retry-count", "0", "--dry-run"]] {
        let arguments = [&["copy", "--tar", tar, "--to-repo", &to], more].concat();
        let error = imgpkg.run(&arguments).failure().stderr;
        assert!(error.contains(&format!("Checking whether {to}@{image} is there already:")), "{error}");
        assert!(!error.contains(registry.address()), "{error}");
    }
}
