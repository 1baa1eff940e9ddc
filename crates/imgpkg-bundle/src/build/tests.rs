use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use imgpkg_oci::{BlobProgress, Descriptor, Digest, ErrorKind, Source, TagOrDigest};

use super::*;
use crate::Error;

/// A directory with files of the content `x`; a name that ends in `/` is a directory.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new(names: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap();
        for name in names {
            let path = root.path().join(name);
            if name.ends_with('/') {
                fs::create_dir_all(path).unwrap();
            } else {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, "x").unwrap();
            }
        }
        Self(root)
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("{}/{name}", self.0.path().display()))
    }

    fn paths(&self, names: &[&str]) -> Vec<PathBuf> {
        names.iter().map(|name| self.path(name)).collect()
    }

    fn scan(&self, kind: ImageKind, arguments: &[&str]) -> Result<Contents, Error> {
        Contents::scan(kind, &self.paths(arguments), &[], false)
    }

    fn listing(&self, arguments: &[&str], exclusions: &[&str]) -> Vec<String> {
        let exclusions: Vec<_> = exclusions.iter().map(|name| (*name).to_owned()).collect();
        let contents = Contents::scan(ImageKind::Plain, &self.paths(arguments), &exclusions, false).unwrap();
        contents.listing().collect()
    }

    /// The text of an error, with the temporary directory written as `ROOT`.
    fn text(&self, result: Result<Contents, Error>) -> String {
        result.unwrap_err().to_string().replace(self.0.path().to_str().unwrap(), "ROOT")
    }
}

#[test]
fn a_bundle_without_imgpkg_is_refused() {
    let tree = Tree::new(&["config.yml"]);
    assert_eq!(
        tree.text(tree.scan(ImageKind::Bundle, &[""])),
        "This directory is not a bundle. It is missing .imgpkg/images.yml"
    );
    assert!(matches!(tree.scan(ImageKind::Bundle, &[]), Err(Error::NotABundle)));
}

#[test]
fn a_bundle_with_two_imgpkg_is_refused_at_any_depth() {
    let tree = Tree::new(&["a/.imgpkg/images.yml", "b/deep/er/.imgpkg/images.yml"]);
    assert_eq!(
        tree.text(tree.scan(ImageKind::Bundle, &["a", "b"])),
        "This directory contains multiple bundle definitions. Only a single instance of .imgpkg/images.yml can be \
         provided and instead these were provided ROOT/a/.imgpkg, ROOT/b/deep/er/.imgpkg"
    );
}

#[test]
fn imgpkg_must_be_directly_below_a_given_path() {
    let tree = Tree::new(&["a/b/.imgpkg/images.yml", "c/x"]);
    assert_eq!(
        tree.text(tree.scan(ImageKind::Bundle, &["c", "./a"])),
        "Expected '.imgpkg' directory, to be a direct child of one of: ROOT/c, ROOT/./a; was ROOT/a/b/.imgpkg"
    );
    tree.scan(ImageKind::Bundle, &["a/../a/b/"]).unwrap();
}

#[test]
fn a_bundle_without_images_lock_is_refused() {
    let tree = Tree::new(&["a/.imgpkg/", "b/.imgpkg"]);
    for root in ["a", "b"] {
        assert_eq!(
            tree.text(tree.scan(ImageKind::Bundle, &[root])),
            format!(
                "The bundle expected .imgpkg/images.yml to exist, but it wasn't found in the path \
                 ROOT/{root}/.imgpkg/images.yml"
            )
        );
    }
}

#[test]
fn a_bundle_knows_its_lock_file() {
    let tree = Tree::new(&["a/.imgpkg/images.yml"]);
    let contents = tree.scan(ImageKind::Bundle, &["./a/"]).unwrap();
    assert_eq!(contents.images_lock(), Some(tree.path("a/.imgpkg/images.yml").as_path()));
    assert_eq!(contents.size(), 1);
}

#[test]
fn a_lock_file_that_nobody_can_read_is_a_warning_and_no_error() {
    let tree = Tree::new(&["a/.imgpkg/images.yml", "b"]);
    let lock = tree.path("a/.imgpkg/images.yml");
    let warning = tree.scan(ImageKind::Bundle, &["a"]).unwrap().lock_warning().unwrap();
    assert!(warning.contains(lock.to_str().unwrap()) && !warning.contains('\n'), "{warning}");
    fs::write(&lock, "apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\n").unwrap();
    assert_eq!(tree.scan(ImageKind::Bundle, &["a"]).unwrap().lock_warning(), None);
    assert_eq!(tree.scan(ImageKind::Plain, &["b"]).unwrap().lock_warning(), None);
}

#[test]
fn a_plain_image_must_not_be_a_bundle() {
    let tree = Tree::new(&["a/.imgpkg/images.yml", "b/.imgpkg/other.yml", "c/d/.imgpkg/images.yml"]);
    assert_eq!(
        tree.text(tree.scan(ImageKind::Plain, &["a"])),
        "Images cannot be pushed with '.imgpkg' directories, consider using --bundle (-b) option"
    );
    // What is no valid bundle is just files.
    for arguments in [&["b"][..], &["c"], &["a", "c"]] {
        tree.scan(ImageKind::Plain, arguments).unwrap();
    }
}

#[test]
fn the_same_name_from_two_places_is_refused() {
    let tree = Tree::new(&["d1/a.txt", "d1/sub/", "d2/a.txt", "d2/sub/", "d2/b", "a.txt"]);
    assert_eq!(
        tree.text(tree.scan(ImageKind::Plain, &["d1", "./d2/"])),
        "Found duplicate paths: ROOT/d1/a.txt, ROOT/d2/a.txt, ROOT/d1/sub, ROOT/d2/sub"
    );
    assert_eq!(
        tree.text(tree.scan(ImageKind::Plain, &["a.txt", "d1"])),
        "Found duplicate paths: ROOT/a.txt, ROOT/d1/a.txt"
    );
    assert_eq!(
        tree.text(tree.scan(ImageKind::Plain, &["a.txt", "a.txt"])),
        "Found duplicate paths: ROOT/a.txt, ROOT/a.txt"
    );
}

#[test]
fn a_missing_path_is_reported_before_anything_else() {
    let tree = Tree::new(&["a"]);
    for kind in [ImageKind::Bundle, ImageKind::Plain] {
        assert_eq!(
            tree.text(tree.scan(kind, &["a", "no/such"])),
            "lstat ROOT/no/such: no such file or directory"
        );
    }
    assert_eq!(tree.text(tree.scan(ImageKind::Plain, &["a/"])), "lstat ROOT/a/: not a directory");
}

#[test]
fn what_is_no_regular_file_is_refused_even_when_excluded() {
    let tree = Tree::new(&["d/file", "d/sub/file", "target/file"]);
    symlink("file", tree.path("d/sub/link")).unwrap();
    symlink("target", tree.path("link")).unwrap();
    let excluded = ["sub/link".to_owned()];
    assert_eq!(
        tree.text(Contents::scan(ImageKind::Plain, &tree.paths(&["d/."]), &excluded, false)),
        "Adding file 'ROOT/d/.' to tar: Expected file 'ROOT/d/sub/link' to be a regular file"
    );
    assert_eq!(
        tree.text(tree.scan(ImageKind::Plain, &["link"])),
        "Adding file 'ROOT/link' to tar: Expected file 'ROOT/link' to be a regular file"
    );
    // Below an excluded directory nobody looks.
    assert_eq!(tree.listing(&["d"], &["sub"]), ["dir: .", "file: file"]);
    assert!(tree.listing(&["d"], &["."]).is_empty());
    assert_eq!(tree.text(tree.scan(ImageKind::Plain, &["/dev/null"])).split(':').count(), 2);
}

#[test]
fn a_link_to_a_directory_counts_as_it_with_a_slash_only() {
    let tree = Tree::new(&["target/file"]);
    symlink("target", tree.path("link")).unwrap();
    assert_eq!(tree.listing(&["link/"], &[]), ["dir: .", "file: file"]);
}

#[test]
fn a_link_to_a_file_is_that_file_under_the_links_name() {
    let tree = Tree::new(&["d/name"]);
    symlink("d/name", tree.path("link")).unwrap();
    symlink("d/name", tree.path("name")).unwrap();
    assert_eq!(tree.listing(&["link"], &[]), ["file: link"]);
    assert!(tree.listing(&["link"], &["link"]).is_empty());
    let build = |argument| {
        BuiltImage::build(&tree.scan(ImageKind::Plain, &[argument]).unwrap(), BTreeMap::new()).unwrap()
    };
    assert_eq!(build("name").digest(), build("d/name").digest());
}

#[test]
fn arguments_keep_their_order_and_directories_come_before_what_is_in_them() {
    let tree = Tree::new(&["d/a/x", "d/a-b", "d/a.d/y", "d/B", "d/A b", "d/empty/", "first", "e/z"]);
    assert_eq!(
        tree.listing(&["first", "d", "e"], &[]),
        [
            "file: first",
            "dir: .",
            "file: A b",
            "file: B",
            "dir: a",
            "file: a/x",
            "file: a-b",
            "dir: a.d",
            "file: a.d/y",
            "dir: empty",
            "dir: .",
            "file: z",
        ]
    );
}

#[test]
fn exclusions_are_whole_paths_below_each_argument() {
    let tree = Tree::new(&["d/.git/config", "d/sub/.git/config", "d/.gitignore", "e/sub/file"]);
    assert_eq!(
        tree.listing(&["d"], &[".git"]),
        ["dir: .", "file: .gitignore", "dir: sub", "dir: sub/.git", "file: sub/.git/config"]
    );
    assert_eq!(tree.listing(&["e"], &["sub/", "s*", "file"]), ["dir: .", "dir: sub", "file: sub/file"]);
}

#[test]
fn the_label_of_bundles_is_reserved() {
    let tree = Tree::new(&["a"]);
    let labels = BTreeMap::from([(BUNDLE_LABEL.to_owned(), "x".to_owned())]);
    let error = BuiltImage::build(&tree.scan(ImageKind::Plain, &["a"]).unwrap(), labels).unwrap_err();
    assert_eq!(
        error.to_string(),
        "label 'dev.carvel.imgpkg.bundle' is reserved and cannot be overriden. Please use a different key"
    );
}

#[test]
fn a_file_that_changes_its_size_meanwhile_is_an_error_that_names_it() {
    let tree = Tree::new(&["a", "b"]);
    for content in ["", "xy"] {
        fs::write(tree.path("b"), "x").unwrap();
        let contents = tree.scan(ImageKind::Plain, &["a", "b"]).unwrap();
        fs::write(tree.path("b"), content).unwrap();
        let error = BuiltImage::build(&contents, BTreeMap::new()).unwrap_err();
        assert!(
            matches!(&error, Error::FileChanged { path, announced: 1 } if *path == tree.path("b")),
            "{error}"
        );
    }
    let contents = tree.scan(ImageKind::Plain, &["a", "b"]).unwrap();
    fs::remove_file(tree.path("b")).unwrap();
    let error = BuiltImage::build(&contents, BTreeMap::new()).unwrap_err();
    assert!(matches!(&error, Error::ReadFile { path, .. } if *path == tree.path("b")), "{error}");
}

/// Two million bytes that compress to about as many, so that every buffer is used more than once.
fn noise() -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    (0..4_000_000).map(|_| next()).collect()
}

#[tokio::test]
async fn the_layer_can_be_read_from_any_offset() {
    let tree = Tree::new(&[]);
    fs::write(tree.path("noise"), noise()).unwrap();
    let image =
        BuiltImage::build(&tree.scan(ImageKind::Plain, &["noise"]).unwrap(), BTreeMap::new()).unwrap();
    let layer = image.layer();
    assert!(layer.size > 3_900_000, "{}", layer.size);
    let read = image.blob(layer, BlobProgress::start(&layer.digest)).await.unwrap();
    let whole = read.collect(layer.size).await.unwrap();
    assert!(layer.digest.matches(&whole));
    for offset in [1, 262_144, 3_000_001, whole.len()] {
        let mut progress = BlobProgress::start(&layer.digest);
        progress.advance(&whole[..offset]);
        let rest = image.blob(layer, progress).await.unwrap().collect(layer.size).await.unwrap();
        assert_eq!(rest, whole[offset..], "{offset}");
    }
}

#[tokio::test]
async fn a_built_image_has_its_own_content_and_no_other() {
    let image = BuiltImage::from_entries(&[("a", b"content", 0o600)]).unwrap();
    let tree = image.tree();
    assert_eq!(tree.manifest.parse().unwrap(), {
        let imgpkg_oci::TreeContent::Image { image, .. } = &tree.content else { panic!("an image") };
        imgpkg_oci::Document::Image((**image).clone())
    });
    let own = TagOrDigest::Digest(image.digest().clone());
    assert_eq!(Source::manifest(&image, &own).await.unwrap(), *image.manifest());
    assert_eq!(image.resolve(&own).await.unwrap(), *image.digest());
    let imgpkg_oci::Document::Image(view) = tree.manifest.parse().unwrap() else { panic!("an image") };
    for blob in [&view.config, &view.layers[0]] {
        let read = image.blob(blob, BlobProgress::start(&blob.digest)).await.unwrap();
        assert!(blob.digest.matches(&read.collect(blob.size).await.unwrap()));
    }
    let other = Digest::sha256_of(b"other");
    let error = Source::manifest(&image, &TagOrDigest::Digest(other.clone())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let blob = Descriptor::new(imgpkg_oci::MediaType::default(), other.clone(), 5);
    let error = image.blob(&blob, BlobProgress::start(&other)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn an_image_made_in_memory_is_the_one_made_of_files() {
    let tree = Tree::new(&["d/"]);
    fs::write(tree.path("d/name"), "content").unwrap();
    let mode = fs::Permissions::from_mode(0o600);
    fs::set_permissions(tree.path("d/name"), mode).unwrap();
    let from_files =
        BuiltImage::build(&tree.scan(ImageKind::Plain, &["d"]).unwrap(), BTreeMap::new()).unwrap();
    let in_memory = BuiltImage::from_entries(&[("name", b"content", 0o644)]).unwrap();
    assert_eq!(in_memory.digest(), from_files.digest());
}

#[test]
fn a_name_that_no_tar_holds_is_refused() {
    let error = BuiltImage::from_entries(&[("a\0b", b"", 0o600)]).unwrap_err();
    assert!(matches!(&error, Error::Unrepresentable { path, .. } if path == Path::new("a\0b")), "{error}");
}
