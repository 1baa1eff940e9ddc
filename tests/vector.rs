//! An archive that the reference tool wrote: imported completely, and written again byte for byte.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use imgpkg_oci::Digest;
use imgpkg_testkit::{Registry, Tool, load_archive};

const OUTER: &str = "f3d4f013bfe85af92feae7bb8db08932af08a215bad6c4d33b65b6429647f045";
const INNER: &str = "cac44ba81b72c7f96a720b03548f187edb9987c5c0be5d853603f618c44c3a66";
const OUTER_LOCATIONS: &str = "bf7acb7dd300e8f54069e92d8d57e648657863ace1152567f029a5a3961cecd7";
const INNER_LOCATIONS: &str = "b1d11166b4e938651099ae970ae7a83520355c9eb86aba908752df0a60f4bea2";
const IMAGES: [&str; 6] = [
    "1497d65a8fd7b7c5c616bdb6497bf6c3645a11d1aa1007cdfbf05604a1cfa7be",
    "b472644ac4b3759bc4587d0d5f99857789e74ebfb628d6d8eb690cd25f14e4d5",
    "1fa420beff8270c0e18169dc108be209439d6861a56821871c8b044ba7d67d79",
    "70e1bae1c6d605117ec11309e0b286c0368025b8ce8f48927e51a69bfab965c9",
    "c6b79d328b03fb4c72e0451adecbb0e0104261996f4a8ebec5505c6ba894884a",
    "e7ecf543e5e2288a4e840114354cb59f9faf1d0879586e178e40acc552e85b06",
];

fn vector() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/tar/nested-bundle.tar");
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_recorded_archive_imports_with_all_its_digests_and_tags() {
    let imgpkg = Tool::new(env!("CARGO_BIN_EXE_imgpkg"));
    let registry = Registry::embedded(&imgpkg);
    let lock = imgpkg.home().join("lock.yml");
    let to = registry.reference("imp/dst");
    let arguments = ["copy", "--tar", &vector(), "--to-repo", &to, "--lock-output", lock.to_str().unwrap()];
    imgpkg.run(&arguments).success();
    let digests = [OUTER, INNER, OUTER_LOCATIONS, INNER_LOCATIONS].iter().chain(&IMAGES);
    let mut expected: Vec<_> = digests.clone().map(|hex| format!("sha256-{hex}.imgpkg")).collect();
    expected.extend([OUTER, INNER].map(|hex| format!("sha256-{hex}.image-locations.imgpkg")));
    expected.push("2.0".to_owned());
    expected.sort();
    assert_eq!(expected.len(), 13);
    assert_eq!(registry.tags("imp/dst"), expected);
    for hex in digests {
        let manifest = registry.manifest("imp/dst", &format!("sha256-{hex}.imgpkg"));
        assert_eq!(Digest::sha256_of(&manifest).hex(), *hex);
    }
    let locations = registry.manifest("imp/dst", &format!("sha256-{OUTER}.image-locations.imgpkg"));
    assert_eq!(Digest::sha256_of(&locations).hex(), OUTER_LOCATIONS);
    let expected = format!(
        "---\napiVersion: imgpkg.carvel.dev/v1alpha1\nbundle:\n  image: {to}@sha256:{OUTER}\n  tag: \"2.0\"\nkind: BundleLock\n"
    );
    assert_eq!(std::fs::read_to_string(lock).unwrap(), expected);
}

/// The archive names its origins as repositories of `localhost:5117`, so that is where its images have to be.
#[test]
fn the_recorded_archive_is_written_again_byte_for_byte() {
    let imgpkg = Tool::new(env!("CARGO_BIN_EXE_imgpkg"));
    let registry = Registry::embedded_with(&imgpkg, &["--listen", "127.0.0.1:5117"]);
    load_archive(&registry, Path::new(&vector()));
    let expected = std::fs::read(vector()).unwrap();
    for concurrency in ["1", "3", "50"] {
        let tar = imgpkg.home().join(format!("{concurrency}.tar"));
        let from = "localhost:5117/vec/outer:2.0";
        let arguments = ["copy", "-b", from, "--to-tar", tar.to_str().unwrap(), "--concurrency", concurrency];
        imgpkg.run(&arguments).success();
        assert!(std::fs::read(&tar).unwrap() == expected, "with --concurrency {concurrency}");
    }
}
