//! Whole images against those that the reference pushed: `tests/golden/push`, and the table of its description.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../imgpkg-formats/tests/inputs/mod.rs"]
#[expect(dead_code, reason = "shared with the tests of the encoders, which need more of it")]
mod inputs;

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use imgpkg_bundle::build::{BuiltImage, Contents, ImageKind};
use imgpkg_oci::{Digest, ImageConfig};
use inputs::{Input, golden};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Vectors {
    format: u32,
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
struct Case {
    name: String,
    command: String,
    roots: Vec<String>,
    args: Vec<String>,
    files: Vec<File>,
    expect: Expected,
}

#[derive(Debug, Deserialize)]
struct File {
    path: String,
    mode: String,
    content: Input,
}

#[derive(Debug, Deserialize)]
struct Expected {
    listing: Option<Vec<String>>,
    tar_sha256: String,
    layer: Blob,
    config: Blob,
    manifest: Blob,
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
struct Blob {
    size: u64,
    digest: String,
}

impl Blob {
    fn of(bytes: &[u8]) -> Self {
        Self { size: bytes.len() as u64, digest: Digest::sha256_of(bytes).to_string() }
    }
}

/// Writes a case's tree, whatever umask the test runs with.
fn write_tree(root: &Path, files: &[File]) {
    fs::set_permissions(root, Permissions::from_mode(0o755)).unwrap();
    for file in files {
        let path = root.join(&file.path);
        for parent in Path::new(&file.path).ancestors().skip(1).filter(|path| !path.as_os_str().is_empty()) {
            fs::create_dir_all(root.join(parent)).unwrap();
            fs::set_permissions(root.join(parent), Permissions::from_mode(0o755)).unwrap();
        }
        fs::write(&path, file.content.bytes()).unwrap();
        let mode = u32::from_str_radix(&file.mode, 8).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    }
}

/// The values of a flag that may be given several times, each a list.
fn values<'a>(args: &'a [String], flag: &str) -> Vec<&'a str> {
    let given = args.windows(2).filter(|pair| pair[0] == flag);
    given.flat_map(|pair| pair[1].split(',')).collect()
}

fn build(root: &Path, case: &Case) -> (Contents, BuiltImage) {
    let kind = if case.command == "push -b" { ImageKind::Bundle } else { ImageKind::Plain };
    let files: Vec<PathBuf> = case.roots.iter().map(|path| root.join(path)).collect();
    let mut exclusions = values(&case.args, "--file-exclusion");
    if exclusions.is_empty() {
        exclusions.push(".git");
    }
    let exclusions: Vec<String> = exclusions.into_iter().map(str::to_owned).collect();
    let preserve = case.args.iter().any(|arg| arg == "--preserve-permissions");
    let labels: BTreeMap<_, _> = values(&case.args, "-l")
        .into_iter()
        .map(|label| label.split_once('=').unwrap())
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let contents = Contents::scan(kind, &files, &exclusions, preserve).unwrap();
    let image = BuiltImage::build(&contents, labels).unwrap();
    (contents, image)
}

#[test]
fn every_pushed_tree_is_the_image_of_the_reference() {
    let text = fs::read_to_string(golden("push").join("vectors.json")).unwrap();
    let vectors: Vectors = serde_json::from_str(&text).unwrap();
    assert_eq!((vectors.format, vectors.cases.len()), (1, 25));
    for case in vectors.cases {
        let name = &case.name;
        let root = tempfile::tempdir().unwrap();
        write_tree(root.path(), &case.files);
        let (contents, image) = build(root.path(), &case);
        if let Some(listing) = &case.expect.listing {
            assert_eq!(&contents.listing().collect::<Vec<_>>(), listing, "{name}");
        }
        let config = ImageConfig::parse(image.config()).unwrap();
        assert_eq!(config.diff_ids(), [case.expect.tar_sha256.as_str()], "{name}");
        let layer = Blob { size: image.layer().size, digest: image.layer().digest.to_string() };
        assert_eq!(layer, case.expect.layer, "{name}");
        assert_eq!(Blob::of(image.config()), case.expect.config, "{name}");
        assert_eq!(Blob::of(image.manifest().bytes()), case.expect.manifest, "{name}");
    }
}

fn plain(files: &[PathBuf]) -> BuiltImage {
    BuiltImage::build(&Contents::scan(ImageKind::Plain, files, &[], false).unwrap(), BTreeMap::new()).unwrap()
}

fn lines(count: usize) -> Vec<u8> {
    (0..count).flat_map(|number| format!("line {number}\n").into_bytes()).collect()
}

fn linear_congruential(len: usize) -> Vec<u8> {
    let next = |state: &u64| Some((state * 1_103_515_245 + 12345) % (1 << 31));
    std::iter::successors(next(&1), next).map(|state| (state >> 16) as u8).take(len).collect()
}

#[test]
fn a_single_file_gives_the_manifest_of_the_reference_whatever_its_content() {
    let mixed = [lines(3000), linear_congruential(40000), lines(3000)].concat();
    let all_bytes: Vec<u8> = (0..=255).collect();
    let expected: [(Vec<u8>, &str); 10] = [
        (vec![], "2af39d3c76576427ab24a113b5717cf2c34e8bb2b4f9a6b62c51ef837cee3113"),
        (b"x".to_vec(), "0229057a6bf4025738a3bea2d2434107261856886ee403929d1a0f4cd7d3f4ce"),
        (b"hello world".repeat(3), "c4036262164847246392a5c21b7398a6a9d6c987e34759657ee697f96f74130b"),
        (vec![0; 300_000], "2f35f9e79ef2a1ba7b1ffd982f78b0e08e8e8bba88d8e922555574002464c1f0"),
        (b"ab".repeat(50_000), "0eddcaf6d3f00cde79587c21477ce610d75115336ee8923f6e792ac34a7d2e57"),
        (all_bytes.repeat(700), "441515b0f0422cf339dfdffd5247dd8851994861a28a23ffae819c2dad432a61"),
        (lines(20000), "7dbf0b6c7f06be741c8a0f596e36a8306e41aa2f530f30c92096f5c8ae5bea30"),
        (linear_congruential(70000), "d71e5c03c39963658395a31c9797cb23c341a896cda070285f407fb246d0aee2"),
        (mixed, "6b33327d9d6615a99cbf61e834b9c207cefcd150994e87f6211ebcdb27802e18"),
        (lines(20000)[..64000].to_vec(), "58fa0f8853af99b653348cc32ed4d3a0816722351e10bf05f1a2868dda232900"),
    ];
    for (content, manifest) in expected {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("f");
        fs::write(&file, &content).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        assert_eq!(plain(&[file]).digest().hex(), manifest, "{} bytes", content.len());
    }
}

#[test]
fn no_files_at_all_make_the_empty_image_of_the_reference() {
    let image = plain(&[]);
    assert_eq!(image.layer().size, 39);
    assert_eq!(
        image.layer().digest.hex(),
        "89732bc7504122601f40269fc9ddfb70982e633ea9caf641ae45736f2846b004"
    );
    assert_eq!(image.config().len(), 273);
    assert_eq!(
        Digest::sha256_of(image.config()).hex(),
        "d1a444cfe33ef2d96cbc4c42a768dbb6aa35c334c50fe8445aca51c7805ac0d3"
    );
    assert_eq!(image.digest().hex(), "12798cbf035884be93b90ba6f2c6148aafe6b8cd64b58ceefcf46ca7327c5296");
}

#[test]
fn the_locations_image_of_a_bundle_without_images_is_the_one_of_the_reference() {
    let document = b"---\napiVersion: imgpkg.carvel.dev/v1alpha1\nimages: null\nkind: ImageLocations\n";
    let image = BuiltImage::from_entries(&[("image-locations.yml", document, 0o600)]).unwrap();
    assert_eq!(
        image.layer().digest.hex(),
        "73ac5feef5f3d2a05f799171b1978a45a4563256d9bff73ac1c860202beeef03"
    );
    assert_eq!(image.digest().hex(), "161287dd62eb95c5342c3d4dba7559d6e59921092839a4426e4e3b25c48199ab");
}

#[test]
fn the_locations_image_of_the_published_example_is_the_one_of_the_reference() {
    let document = b"---\napiVersion: imgpkg.carvel.dev/v1alpha1\nimages:\n- image: \
        index.docker.io/dkalinin/k8s-simple-app@sha256:4c8b96d4fffdfae29258d94a22ae4ad1fe36139d47288b8960d9958d1e63a9d0\n  \
        isBundle: false\nkind: ImageLocations\n";
    let image = BuiltImage::from_entries(&[("image-locations.yml", document, 0o600)]).unwrap();
    assert_eq!(image.digest().hex(), "510482df49db421542ae10142e8ce99572b23ef72675c37e92e4a12b541a3f6a");
}
