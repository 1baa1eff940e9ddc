//! What is wrong is refused before anything is written, with an error that says what, where, why, and what to do.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use imgpkg_testkit::{BundleDirectory, Image, Registry, Stub, Tool};

const IMAGE: &str =
    "registry.example/app@sha256:4c8b96d4fffdfae29258d94a22ae4ad1fe36139d47288b8960d9958d1e63a9d0";
const HEADER: &str = "apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\n";

fn imgpkg() -> Tool {
    Tool::new(env!("CARGO_BIN_EXE_imgpkg"))
}

/// The error that pushing this directory as a bundle gives; nothing must have reached the registry.
fn refused_push(bundle: &BundleDirectory) -> String {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let ran = imgpkg.run(&["push", "-b", &registry.reference("apps/x"), "-f", bundle.argument()]).failure();
    assert!(registry.tags("apps/x").is_empty());
    ran.stderr
}

/// The error that copying a bundle with this lock file to a tar gives; no tar must be there.
fn refused_copy(lock: &str) -> String {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let bundle = BundleDirectory::with_lock(lock);
    let reference = registry.reference("apps/x");
    imgpkg.run(&["push", "-b", &reference, "-f", bundle.argument()]).success();
    let tar = imgpkg.home().join("x.tar");
    let ran = imgpkg.run(&["copy", "-b", &reference, "--to-tar", tar.to_str().unwrap()]).failure();
    assert_eq!(std::fs::read_dir(imgpkg.home()).unwrap().count(), 0);
    let out = imgpkg.home().join("out");
    let pulled = imgpkg.run(&["pull", "-b", &reference, "-o", out.to_str().unwrap()]).failure();
    assert!(!out.exists(), "{}", pulled.stderr);
    let described = imgpkg.run(&["describe", "-b", &reference]).failure();
    assert_eq!(described.stdout, "");
    ran.stderr
}

#[test]
fn a_directory_without_a_lock_file_is_no_bundle() {
    let empty = BundleDirectory::of_images(&[]);
    std::fs::remove_dir_all(empty.file(".imgpkg")).unwrap();
    let error = refused_push(&empty);
    assert!(error.contains("This directory is not a bundle. It is missing .imgpkg/images.yml"), "{error}");
    std::fs::create_dir(empty.file(".imgpkg")).unwrap();
    let error = refused_push(&empty);
    assert!(
        error.contains("The bundle expected .imgpkg/images.yml to exist, but it wasn't found"),
        "{error}"
    );
}

#[test]
fn two_lock_files_are_refused_and_both_named() {
    let bundle = BundleDirectory::of_images(&[]).write("sub/.imgpkg/images.yml", HEADER);
    let error = refused_push(&bundle);
    assert!(error.contains("This directory contains multiple bundle definitions."), "{error}");
    assert!(error.contains(bundle.file("sub/.imgpkg").to_str().unwrap()), "{error}");
}

#[test]
fn a_symlink_in_the_directory_is_refused_and_named() {
    let bundle = BundleDirectory::of_images(&[]);
    symlink("config.yml", bundle.file("link")).unwrap();
    let error = refused_push(&bundle);
    let expected = format!("Expected file '{}' to be a regular file", bundle.file("link").display());
    assert!(error.contains(&expected), "{error}");
}

#[test]
fn a_lock_file_that_is_no_yaml_is_refused_with_line_and_column() {
    let error = refused_copy(&format!("{HEADER}images:\n- image: \"{IMAGE}\n"));
    assert!(error.contains("images.yml") || error.contains("ImagesLock"), "{error}");
    assert!(error.contains("line ") && error.contains("column "), "{error}");
}

#[test]
fn a_lock_file_of_another_kind_or_version_is_refused() {
    let error = refused_copy("apiVersion: v2\nkind: ImagesLock\n");
    assert!(error.contains("Unknown version (known: imgpkg.carvel.dev/v1alpha1)"), "{error}");
    let error = refused_copy("apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: Other\n");
    assert!(error.contains("Unknown kind (known: ImagesLock)"), "{error}");
}

#[test]
fn an_entry_without_a_digest_is_refused_and_named() {
    let error = refused_copy(&format!("{HEADER}images:\n- image: ubuntu:latest\n"));
    assert!(error.contains("Expected ref to be in digest form, got 'ubuntu:latest'"), "{error}");
}

#[test]
fn references_that_are_none_are_refused() {
    let imgpkg = imgpkg();
    let bundle = BundleDirectory::of_images(&[]);
    let push = imgpkg.run(&["push", "-b", "Bad!ref", "-f", bundle.argument()]).failure();
    assert!(push.stderr.contains("Parsing 'Bad!ref'"), "{}", push.stderr);
    let copy = imgpkg.run(&["copy", "-b", "Bad!ref", "--to-tar", "x.tar"]).failure();
    assert!(copy.stderr.contains("Bad!ref"), "{}", copy.stderr);
    let repo = imgpkg.run(&["copy", "-b", "ubuntu", "--to-repo", "r.example/x:tag"]).failure();
    assert!(repo.stderr.contains("Building import repository ref"), "{}", repo.stderr);
}

#[test]
fn a_bundle_is_no_image_and_an_image_no_bundle() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let (image, bundle) = (registry.reference("src/image:v1"), registry.reference("src/bundle:v1"));
    Image::of_files(&[("a", b"a")]).push(&registry, "src/image", "v1");
    imgpkg.run(&["push", "-b", &bundle, "-f", BundleDirectory::of_images(&[]).argument()]).success();
    let out = imgpkg.home().join("out");
    let out = out.to_str().unwrap();
    let to = registry.reference("dst/x");
    for arguments in [vec!["copy", "-b", &image, "--to-repo", &to], vec!["pull", "-b", &image, "-o", out]] {
        let error = imgpkg.run(&arguments).failure().stderr;
        assert!(error.contains("(hint: Did you use -i instead of -b?)"), "{error}");
    }
    for arguments in [vec!["copy", "-i", &bundle, "--to-repo", &to], vec!["pull", "-i", &bundle, "-o", out]] {
        let error = imgpkg.run(&arguments).failure().stderr;
        assert!(error.contains("(hint: Use -b instead of -i for bundles)"), "{error}");
    }
    assert!(registry.tags("dst/x").is_empty() && !Path::new(out).exists());
}

#[test]
fn an_unreachable_registry_is_named_with_the_reason() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let reference = format!("127.0.0.1:{port}/apps/x:v1");
    let started = std::time::Instant::now();
    let error = imgpkg().run(&["pull", "-i", &reference, "-o", "out"]).failure().stderr;
    assert!(error.contains(&format!("127.0.0.1:{port}")) && error.contains("connection refused"), "{error}");
    assert!(started.elapsed().as_secs() < 15, "a mistyped port is not waited for: {:?}", started.elapsed());
}

#[test]
fn a_registry_that_refuses_or_fails_is_quoted() {
    let imgpkg = imgpkg();
    let denied = r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;
    let stub = Stub::answering("401 Unauthorized", &["Www-Authenticate: Basic realm=\"x\""], denied);
    let error = imgpkg.run(&["tag", "list", "-i", &stub.reference("apps/x")]).failure().stderr;
    assert!(error.contains("UNAUTHORIZED: authentication required"), "{error}");
    let stub = Stub::answering("500 Internal Server Error", &[], "out of order");
    let arguments = ["tag", "list", "-i", &stub.reference("apps/x"), "--registry-retry-count", "1"];
    let error = imgpkg.run(&arguments).failure().stderr;
    assert!(error.contains("500 Internal Server Error"), "{error}");
    let registry = Registry::embedded(&imgpkg);
    let error =
        imgpkg.run(&["copy", "-i", &registry.reference("no/such:v1"), "--to-tar", "x.tar"]).failure().stderr;
    assert!(error.contains("no/such") && error.contains("UNKNOWN"), "{error}");
}

/// An archive of a bundle and its image.
fn archive(imgpkg: &Tool, registry: &Registry) -> PathBuf {
    let image = Image::of_files(&[("a", b"a")]).push(registry, "src/app", "v1");
    let bundle = BundleDirectory::of_images(&[&registry.reference(&format!("src/app@{image}"))]);
    let reference = registry.reference("src/bundle:1.0");
    imgpkg.run(&["push", "-b", &reference, "-f", bundle.argument()]).success();
    let tar = imgpkg.home().join("x.tar");
    imgpkg.run(&["copy", "-b", &reference, "--to-tar", tar.to_str().unwrap()]).success();
    tar
}

/// The error that importing this archive gives; no manifest must have reached the registry.
fn refused_import(imgpkg: &Tool, registry: &Registry, tar: &Path) -> String {
    let to = registry.reference("dst/x");
    let ran = imgpkg.run(&["copy", "--tar", tar.to_str().unwrap(), "--to-repo", &to]).failure();
    assert!(registry.tags("dst/x").is_empty());
    assert!(ran.stderr.contains(tar.to_str().unwrap()), "the file is named: {}", ran.stderr);
    ran.stderr
}

#[test]
fn a_truncated_archive_is_refused_wherever_it_ends() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let tar = archive(&imgpkg, &registry);
    let bytes = std::fs::read(&tar).unwrap();
    for length in [0, 100, 700, bytes.len() / 2, bytes.len() - 1024 - 512] {
        std::fs::write(&tar, &bytes[..length]).unwrap();
        refused_import(&imgpkg, &registry, &tar);
    }
}

#[test]
fn an_archive_whose_blob_does_not_match_its_digest_is_refused_with_its_name() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let tar = archive(&imgpkg, &registry);
    let whole = std::fs::read(&tar).unwrap();
    // That of the bundle, which is read to find out what it names, and that of its image, in the order of their digests.
    let layers: Vec<_> = tar::Archive::new(&whole[..])
        .entries()
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.path().unwrap().to_str().unwrap().ends_with(".tar.gz"))
        .map(|entry| usize::try_from(entry.raw_file_position() + entry.size()).unwrap())
        .collect();
    assert_eq!(layers.len(), 2);
    // Another registry than the one it came from, which would only have to mount what it has.
    let registry = Registry::embedded(&imgpkg);
    let to = registry.reference("dst/x");
    let mut beginnings = vec![
        format!("Reading archive '{}' (hint: the archive is damaged, get it again):", tar.display()),
        format!("from archive '{}' to {to} (hint: the archive is damaged, get it again;", tar.display()),
    ];
    for end in layers {
        let mut bytes = whole.clone();
        bytes[end - 1] ^= 1;
        std::fs::write(&tar, &bytes).unwrap();
        let error = imgpkg.run(&["copy", "--tar", tar.to_str().unwrap(), "--to-repo", &to]).failure().stderr;
        assert!(registry.tags("dst/x").is_empty());
        assert!(error.contains("error verifying sha256 checksum"), "{error}");
        beginnings.retain(|beginning| !error.contains(beginning));
    }
    assert!(beginnings.is_empty(), "never said: {beginnings:?}");
}

#[test]
fn an_image_in_an_archive_that_does_not_match_its_digest_is_refused_with_the_name_of_the_archive() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    Image::of_files(&[("a", b"a")]).push(&registry, "src/app", "v1");
    let tar = imgpkg.home().join("app.tar");
    let tar = tar.to_str().unwrap();
    imgpkg.run(&["copy", "-i", &registry.reference("src/app:v1"), "--to-tar", tar]).success();
    let mut bytes = std::fs::read(tar).unwrap();
    let layer = bytes.windows(2).rposition(|window| window == [0x1f, 0x8b]).unwrap();
    bytes[layer + 12] ^= 1;
    std::fs::write(tar, &bytes).unwrap();
    let registry = Registry::embedded(&imgpkg);
    let to = registry.reference("dst/x");
    for arguments in [["copy", "--tar", tar, "--to-repo", &to], ["push", "--tar", tar, "--to-repo", &to]] {
        let error = imgpkg.run(&arguments).failure().stderr;
        let expected = format!("from archive '{tar}' to {to} (hint: the archive is damaged, get it again;");
        assert!(error.contains(&expected) && error.contains("error verifying sha256 checksum"), "{error}");
        assert!(registry.tags("dst/x").is_empty());
    }
}

#[test]
fn an_archive_that_lacks_a_blob_is_refused() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let tar = archive(&imgpkg, &registry);
    let mut source = tar::Archive::new(std::fs::File::open(&tar).unwrap());
    let mut builder = tar::Builder::new(Vec::new());
    for entry in source.entries().unwrap().take(2) {
        let entry = entry.unwrap();
        builder.append(&entry.header().clone(), entry).unwrap();
    }
    let lacking = imgpkg.home().join("lacking.tar");
    std::fs::write(&lacking, builder.into_inner().unwrap()).unwrap();
    let error = refused_import(&imgpkg, &registry, &lacking);
    assert!(error.contains(".tar.gz"), "{error}");
}

#[test]
fn what_is_no_archive_is_refused() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let file = imgpkg.home().join("no.tar");
    std::fs::write(&file, "this is a text, and long enough to be looked at\n".repeat(100)).unwrap();
    refused_import(&imgpkg, &registry, &file);
    let missing = imgpkg.home().join("missing.tar");
    let error = refused_import(&imgpkg, &registry, &missing);
    assert!(error.contains("no such file or directory"), "{error}");
}

#[test]
fn directories_that_must_not_be_replaced_are_refused() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    Image::of_files(&[("a", b"a")]).push(&registry, "src/app", "v1");
    let reference = registry.reference("src/app:v1");
    let inside = imgpkg.home().join("work/inside");
    std::fs::create_dir_all(&inside).unwrap();
    let home = imgpkg.home().to_str().unwrap();
    let here = inside.to_str().unwrap();
    for output in ["/", ".", "..", "./", "../", home, here, "../../work", "../inside"] {
        let ran = imgpkg.run_in(&inside, &["pull", "-i", &reference, "-o", output]).failure();
        let expected = "Disallowed output directory (trying to avoid accidental deletion)";
        assert!(ran.stderr.contains(expected), "{output}: {}", ran.stderr);
        assert!(inside.is_dir());
    }
}

#[test]
fn a_failed_copy_leaves_the_archive_that_was_there() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let tar = archive(&imgpkg, &registry);
    let before = std::fs::read(&tar).unwrap();
    let arguments = ["copy", "-i", &registry.reference("no/such:v1"), "--to-tar", tar.to_str().unwrap()];
    imgpkg.run(&arguments).failure();
    assert!(std::fs::read(&tar).unwrap() == before);
    assert_eq!(std::fs::read_dir(imgpkg.home()).unwrap().count(), 1, "nothing is left beside the archive");
}

#[test]
fn links_and_devices_in_a_layer_are_skipped_and_counted() {
    let imgpkg = imgpkg();
    let registry = Registry::embedded(&imgpkg);
    let mut builder = tar::Builder::new(Vec::new());
    for (name, kind) in
        [("link", tar::EntryType::Symlink), ("fifo", tar::EntryType::Fifo), ("null", tar::EntryType::Char)]
    {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        builder.append_link(&mut header, name, "/etc/passwd").unwrap();
    }
    imgpkg_testkit::append_file(&mut builder, "/file", b"ok");
    let layer = builder.into_inner().unwrap();
    Image::of_files(&[("a", b"a")])
        .with_raw_layer("application/vnd.oci.image.layer.v1.tar", &layer)
        .push(&registry, "src/app", "v1");
    let out = imgpkg.home().join("out");
    let arguments = ["pull", "-i", &registry.reference("src/app:v1"), "-o", out.to_str().unwrap()];
    let ran = imgpkg.run(&arguments).success();
    assert_eq!(std::fs::read_to_string(out.join("file")).unwrap(), "ok");
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 2);
    assert!(ran.stderr.contains('3'), "{}", ran.stderr);
}

#[test]
fn what_is_no_directory_is_not_replaced_by_a_pull_and_no_registry_is_asked() {
    let imgpkg = imgpkg();
    let file = imgpkg.home().join("file");
    std::fs::write(&file, "precious").unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(imgpkg.home().join("socket")).unwrap();
    for (output, kind) in [("file", "a file"), ("socket", "a socket"), ("/dev/null", "a device")] {
        // Nothing listens there: asking would be the error.
        let arguments = ["pull", "-i", "127.0.0.1:1/apps/x:v1", "-o", output];
        let error = imgpkg.run_in(imgpkg.home(), &arguments).failure().stderr;
        let expected = format!("'{output}' is {kind}, but the output has to be a directory (hint: ");
        assert!(error.contains(&expected), "{error}");
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), "precious");
}

#[test]
fn an_images_lock_is_not_pulled_and_the_command_for_it_is_named() {
    let imgpkg = imgpkg();
    std::fs::write(imgpkg.home().join("images.yml"), format!("{HEADER}images:\n- image: {IMAGE}\n")).unwrap();
    let ran = imgpkg.run_in(imgpkg.home(), &["pull", "--lock", "images.yml", "-o", "out"]).failure();
    assert!(ran.stderr.contains("bundle lock"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains(
            "(hint: 'images.yml' is an ImagesLock, and pull takes a BundleLock; \
             'imgpkg copy --lock images.yml' copies the images of an ImagesLock)"
        ),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_keychain_that_nobody_has_is_refused_and_one_that_is_not_there_yet_is_noted_once() {
    let imgpkg = imgpkg().with_env("IMGPKG_ACTIVE_KEYCHAINS", "gke,foo");
    let registry = Registry::embedded(&imgpkg);
    Image::of_files(&[("a", b"a")]).push(&registry, "src/app", "v1");
    let arguments = ["tag", "list", "-i", &registry.reference("src/app")];
    let error = imgpkg.run(&arguments).failure().stderr;
    let expected = "Error: Creating registry keychain:\n  \
                    Unable to load keychain for foo, available keychains [aks, ecr, gke, github]\n";
    assert!(error.contains(expected), "{error}");
    let known = Tool::new(env!("CARGO_BIN_EXE_imgpkg")).with_env("IMGPKG_ACTIVE_KEYCHAINS", "gke");
    let ran = known.run(&arguments).success();
    assert_eq!(ran.stderr.matches("cloud keychains (gke)").count(), 1, "{}", ran.stderr);
}

#[test]
fn the_old_variable_for_keychains_is_called_deprecated_on_stderr_by_every_command_with_a_registry() {
    let imgpkg = imgpkg().with_env("IMGPKG_ENABLE_IAAS_AUTH", "");
    let registry = Registry::embedded(&imgpkg);
    Image::of_files(&[("a", b"a")]).push(&registry, "src/app", "v1");
    let reference = registry.reference("src/app:v1");
    let out = imgpkg.home().join("out");
    for arguments in [
        vec!["tag", "resolve", "-i", &reference],
        vec!["tag", "list", "-i", &reference, "--json"],
        vec!["pull", "-i", &reference, "-o", out.to_str().unwrap()],
        vec!["copy", "-i", &reference, "--to-repo", &registry.reference("dst/app")],
        vec!["push", "-i", &registry.reference("dst/empty")],
        vec!["describe", "-b", &reference],
    ] {
        let ran = imgpkg.run(&arguments);
        let first = "IMGPKG_ENABLE_IAAS_AUTH environment variable will be deprecated, ";
        assert!(ran.stderr.starts_with(first), "{arguments:?}: {}", ran.stderr);
        assert!(!ran.stdout.contains("deprecated"), "{}", ran.stdout);
    }
}
