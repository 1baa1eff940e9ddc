//! Against real peers: Debian's `docker-registry` as the registry, `skopeo` as the client.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::process::Command;

use imgpkg_oci::Digest;
use imgpkg_testkit::{BundleDirectory, Image, Registry, Tool, peer_is_missing, push_index};

fn imgpkg() -> Tool {
    Tool::new(env!("CARGO_BIN_EXE_imgpkg"))
}

/// An outer bundle of an image, an index and an inner bundle, with a layer that all share; the outer one's digest.
fn push_nested(imgpkg: &Tool, registry: &Registry) -> (String, Vec<String>) {
    let shared: (&str, &[u8]) = ("base", b"shared by all");
    let image = Image::of_files(&[shared]).with_layer(&[("app", b"app")]).push(registry, "src/app", "v1");
    let children = ["amd64", "arm64"].map(|arch| {
        let tool = Image::of_files(&[shared]).with_layer(&[("tool", arch.as_bytes())]).for_architecture(arch);
        tool.push(registry, "src/tool", arch)
    });
    let index = push_index(registry, "src/tool", "v1", &[(&children[0], "amd64"), (&children[1], "arm64")]);
    let named = |name: &str, digest: &str| registry.reference(&format!("{name}@{digest}"));
    let inner = BundleDirectory::of_images(&[&named("src/tool", index.as_str())]);
    let inner = push(imgpkg, registry, "src/inner", &inner);
    let outer = BundleDirectory::of_images(&[&named("src/app", image.as_str()), &named("src/inner", &inner)]);
    let outer = push(imgpkg, registry, "src/outer:1.0", &outer);
    let all = [image.as_str(), index.as_str(), &inner, &outer].map(str::to_owned).to_vec();
    (outer, all)
}

fn push(imgpkg: &Tool, registry: &Registry, name: &str, bundle: &BundleDirectory) -> String {
    imgpkg
        .run(&["push", "-b", &registry.reference(name), "-f", bundle.argument(), "--tty"])
        .success()
        .digest()
}

/// Every image is there, byte for byte, and there are as many tags as there should be.
fn assert_copied(source: &Registry, destination: &Registry, repository: &str, digests: &[String]) {
    for digest in digests {
        let manifest = destination.manifest(repository, digest);
        assert_eq!(Digest::sha256_of(&manifest).as_str(), digest);
        assert!(destination.tags(repository).contains(&format!("{}.imgpkg", digest.replace(':', "-"))));
    }
    // The user's tag, one for each image, and two for each of the two locations images.
    assert_eq!(destination.tags(repository).len(), 1 + digests.len() + 2 * 2);
    assert_eq!(destination.manifest(repository, "1.0"), source.manifest("src/outer", "1.0"));
}

#[test]
fn a_nested_bundle_goes_through_docker_registries_in_every_direction() {
    let test = "a_nested_bundle_goes_through_docker_registries_in_every_direction";
    let (Some(source), Some(destination)) = (Registry::docker(test), Registry::docker(test)) else { return };
    let imgpkg = imgpkg();
    let (_, digests) = push_nested(&imgpkg, &source);
    let from = source.reference("src/outer:1.0");
    imgpkg.run(&["copy", "-b", &from, "--to-repo", &destination.reference("direct/outer")]).success();
    assert_copied(&source, &destination, "direct/outer", &digests);
    imgpkg.run(&["copy", "-b", &from, "--to-repo", &source.reference("mounted/outer")]).success();
    assert_copied(&source, &source, "mounted/outer", &digests);
    let tar = imgpkg.home().join("outer.tar");
    let tar = tar.to_str().unwrap();
    imgpkg.run(&["copy", "-b", &from, "--to-tar", tar]).success();
    imgpkg.run(&["copy", "--tar", tar, "--to-repo", &destination.reference("carried/outer")]).success();
    assert_copied(&source, &destination, "carried/outer", &digests);
    let out = imgpkg.home().join("out");
    let arguments =
        ["pull", "-b", &destination.reference("carried/outer:1.0"), "-r", "-o", out.to_str().unwrap()];
    imgpkg.run(&arguments).success();
    assert!(out.join(".imgpkg/bundles").join(digests[2].replace(':', "-")).join("config.yml").is_file());
}

#[test]
fn docker_registry_and_the_embedded_one_hold_the_same() {
    let test = "docker_registry_and_the_embedded_one_hold_the_same";
    let Some(docker) = Registry::docker(test) else { return };
    let imgpkg = imgpkg();
    let embedded = Registry::embedded(&imgpkg);
    push_nested(&imgpkg, &docker);
    let from = docker.reference("src/outer:1.0");
    imgpkg.run(&["copy", "-b", &from, "--to-repo", &embedded.reference("dst/outer")]).success();
    imgpkg.run(&["copy", "-b", &from, "--to-repo", &docker.reference("dst/outer")]).success();
    let tags = embedded.tags("dst/outer");
    assert_eq!(tags, docker.tags("dst/outer"));
    for tag in tags {
        assert_eq!(embedded.manifest("dst/outer", &tag), docker.manifest("dst/outer", &tag), "{tag}");
    }
}

fn skopeo(arguments: &[&str]) -> String {
    let output = Command::new("skopeo").args(arguments).output().expect("skopeo runs");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "skopeo {arguments:?}: {stderr}");
    stdout.into_owned()
}

#[test]
fn skopeo_reads_what_was_pushed_and_copied() {
    let test = "skopeo_reads_what_was_pushed_and_copied";
    if peer_is_missing(test, "skopeo") {
        return;
    }
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let (outer, _) = push_nested(&imgpkg, &registry);
    let to = registry.reference("dst/outer");
    imgpkg.run(&["copy", "-b", &registry.reference("src/outer:1.0"), "--to-repo", &to]).success();
    let image = format!("docker://{to}:1.0");
    let inspected: serde_json::Value =
        serde_json::from_str(&skopeo(&["inspect", "--tls-verify=false", &image])).unwrap();
    assert_eq!(inspected["Digest"], outer.as_str());
    assert_eq!(inspected["Labels"]["dev.carvel.imgpkg.bundle"], "true");
    let layout = imgpkg.home().join("layout");
    let target = format!("oci:{}:1.0", layout.display());
    let index = registry.reference("src/tool:v1");
    skopeo(&["copy", "--all", "--src-tls-verify=false", &format!("docker://{index}"), &target]);
    assert!(layout.join("index.json").is_file());
}

#[test]
fn what_skopeo_pushes_is_copied_and_pulled() {
    let test = "what_skopeo_pushes_is_copied_and_pulled";
    if peer_is_missing(test, "skopeo") {
        return;
    }
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let digest = Image::of_files(&[("a", b"by skopeo")]).push(&registry, "src/app", "v1");
    let (from, to) = (registry.reference("src/app:v1"), registry.reference("skopeo/app:v1"));
    let tls = ["--src-tls-verify=false", "--dest-tls-verify=false"];
    skopeo(&["copy", tls[0], tls[1], &format!("docker://{from}"), &format!("docker://{to}")]);
    let copied = registry.reference("dst/app");
    imgpkg.run(&["copy", "-i", &to, "--to-repo", &copied]).success();
    assert!(registry.has_manifest("dst/app", digest.as_str()));
    let out = imgpkg.home().join("out");
    imgpkg.run(&["pull", "-i", &format!("{copied}:v1"), "-o", out.to_str().unwrap()]).success();
    assert_eq!(std::fs::read_to_string(out.join("a")).unwrap(), "by skopeo");
}
