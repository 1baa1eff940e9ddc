use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::StreamExt as _;
use imgpkg_oci::{BlobError, BlobReader, Descriptor, Digest, MediaType};
use tar::EntryType;

use super::*;
use crate::Error;

/// A tar in the making, with names that a well-behaved writer would refuse.
#[derive(Default)]
pub(super) struct Tar(Vec<u8>);

impl Tar {
    fn entry(self, name: &str, kind: EntryType, content: &[u8]) -> Self {
        self.entry_with(name, kind, content, |_| {})
    }

    fn entry_with(
        mut self,
        name: &str,
        kind: EntryType,
        content: &[u8],
        change: impl FnOnce(&mut tar::Header),
    ) -> Self {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_mode(0o600);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(content.len() as u64);
        header.set_entry_type(kind);
        change(&mut header);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str, content: &str) -> Self {
        self.entry(name, EntryType::Regular, content.as_bytes())
    }

    fn directory(self, name: &str) -> Self {
        self.entry(name, EntryType::Directory, b"")
    }

    fn bytes(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

fn digest() -> Digest {
    Digest::sha256_of(b"layer")
}

/// A directory in a directory of its own, so that what escapes can be seen.
struct Place {
    root: tempfile::TempDir,
    output: PathBuf,
}

impl Place {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let output = root.path().join("output");
        fs::create_dir(&output).unwrap();
        Self { root, output }
    }

    /// Applies the layers; the number of entries skipped.
    fn extract(&self, layers: impl IntoIterator<Item = Tar>) -> Result<u64, Error> {
        let mut extraction = Extraction::new(Directory::open(&self.output).unwrap());
        for layer in layers {
            extraction.apply_layer(&digest(), &layer.bytes()[..])?;
        }
        Ok(extraction.skipped())
    }

    /// Everything that is in the directory: names, and contents of files.
    fn found(&self) -> Vec<String> {
        let walk = walkdir::WalkDir::new(&self.output).min_depth(1).sort_by_file_name();
        walk.into_iter()
            .map(|entry| {
                let entry = entry.unwrap();
                let name = entry.path().strip_prefix(&self.output).unwrap().display().to_string();
                match entry.file_type() {
                    kind if kind.is_dir() => format!("{name}/"),
                    kind if kind.is_file() => {
                        format!("{name}={}", fs::read_to_string(entry.path()).unwrap())
                    }
                    kind => format!("{name}: {kind:?}"),
                }
            })
            .collect()
    }

    fn assert_nothing_escaped(&self) {
        let beside: Vec<_> =
            fs::read_dir(self.root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(beside, ["output"]);
    }
}

#[test]
fn files_and_directories_come_out_as_they_went_in_even_empty_ones() {
    let place = Place::new();
    let layer = Tar::default()
        .directory(".")
        .directory("empty")
        .file("a/b/c", "1")
        .file("/etc/passwd", "2")
        .file(r"win\dows", "3");
    assert_eq!(place.extract([layer]).unwrap(), 0);
    assert_eq!(
        place.found(),
        ["a/", "a/b/", "a/b/c=1", "empty/", "etc/", "etc/passwd=2", "win/", "win/dows=3"]
    );
    place.assert_nothing_escaped();
}

#[test]
fn a_name_that_steps_back_is_refused_with_layer_and_entry() {
    for name in ["../x", "a/../../x", r"..\x", "a/.."] {
        let place = Place::new();
        let error = place.extract([Tar::default().file(name, "1")]).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&format!("'{name}'")) && text.contains(digest().as_str()), "{text}");
        assert!(place.found().is_empty());
        place.assert_nothing_escaped();
    }
}

#[test]
fn links_devices_and_fifos_are_skipped_and_counted() {
    let place = Place::new();
    let layer = Tar::default()
        .file("file", "1")
        .entry_with("symlink", EntryType::Symlink, b"", |header| header.set_link_name("/etc").unwrap())
        .entry_with("hard", EntryType::Link, b"", |header| header.set_link_name("file").unwrap())
        .entry("char", EntryType::Char, b"")
        .entry("block", EntryType::Block, b"")
        .entry("sub/fifo", EntryType::Fifo, b"");
    assert_eq!(place.extract([layer]).unwrap(), 5);
    assert_eq!(place.found(), ["file=1"]);
}

#[test]
fn writing_through_a_link_of_the_layer_lands_inside() {
    let place = Place::new();
    let outside = place.root.path().join("output/../outside");
    let layer = Tar::default()
        .entry_with("link", EntryType::Symlink, b"", |header| header.set_link_name(&outside).unwrap())
        .file("link/file", "1");
    assert_eq!(place.extract([layer]).unwrap(), 1);
    assert_eq!(place.found(), ["link/", "link/file=1"]);
    place.assert_nothing_escaped();
}

#[test]
fn links_that_somebody_else_has_put_there_are_not_followed() {
    let place = Place::new();
    let outside = place.root.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "mine").unwrap();
    symlink(&outside, place.output.join("directory")).unwrap();
    symlink(outside.join("file"), place.output.join("file")).unwrap();
    symlink(&outside, place.output.join("gone")).unwrap();
    let lower = Tar::default().file("directory/file", "1").file("file", "2");
    let upper = Tar::default().file("gone/.wh.file", "");
    place.extract([lower, upper]).unwrap();
    assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "mine");
    assert_eq!(&place.found()[..3], ["directory/", "directory/file=1", "file=2"]);
}

#[test]
fn other_types_are_an_error_that_names_type_and_file() {
    let place = Place::new();
    let error = place.extract([Tar::default().entry("c", EntryType::Continuous, b"")]).unwrap_err();
    assert!(error.to_string().starts_with("Unsupported tar entry type '7' for file 'c'"), "{error}");
}

#[test]
fn the_output_directory_itself_is_not_replaced() {
    let place = Place::new();
    let error = place.extract([Tar::default().file("./", "x")]).unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");
    assert_eq!(place.extract([Tar::default().entry(".", EntryType::Symlink, b"")]).unwrap(), 1);
}

#[test]
fn a_later_entry_replaces_an_earlier_one_whatever_they_are() {
    let place = Place::new();
    let layer = Tar::default()
        .file("a/b/c", "1")
        .file("a", "2")
        .file("x", "3")
        .directory("x")
        .file("y", "4")
        .file("y/z", "5")
        .file("gone", "6")
        .entry("gone", EntryType::Symlink, b"");
    place.extract([layer]).unwrap();
    assert_eq!(place.found(), ["a=2", "x/", "y/", "y/z=5"]);
}

#[test]
fn upper_layers_win_and_directories_are_merged() {
    let place = Place::new();
    let lower =
        Tar::default().file("d/both", "low").file("d/low", "low").file("was-file", "").file("was-dir/x", "");
    let upper =
        Tar::default().directory("d").file("d/both", "up").directory("was-file").file("was-dir", "up");
    place.extract([lower, upper]).unwrap();
    assert_eq!(place.found(), ["d/", "d/both=up", "d/low=low", "was-dir=up", "was-file/"]);
}

#[test]
fn whiteouts_hide_what_is_below_them_and_only_that() {
    let place = Place::new();
    let lower = Tar::default().file("a", "low").file("d/x", "low").file("d/y/z", "low").file("e/f", "low");
    let upper = Tar::default().file("a", "up").file(".wh.a", "").file("d/.wh.x", "").file("d/.wh.y", "");
    let top = Tar::default().file(".wh.e", "").file(".wh.nothing", "").file("no/dir/.wh.x", "");
    place.extract([lower, upper, top]).unwrap();
    assert_eq!(place.found(), ["a=up", "d/"]);
}

#[test]
fn an_opaque_directory_hides_what_is_below_wherever_its_mark_stands() {
    let mark = "d/.wh..wh..opq";
    for mark_comes_first in [true, false] {
        let place = Place::new();
        let lower = Tar::default().file("d/low", "").file("d/sub/low", "").file("stays", "");
        let upper = Tar::default();
        let upper = if mark_comes_first { upper.file(mark, "") } else { upper };
        let upper = upper.file("d/sub/up", "up").file("d/new", "up");
        let upper = if mark_comes_first { upper } else { upper.file(mark, "") };
        place.extract([lower, upper]).unwrap();
        assert_eq!(place.found(), ["d/", "d/new=up", "d/sub/", "d/sub/up=up", "stays="]);
    }
}

#[test]
fn whiteouts_in_the_lowest_layer_hide_nothing() {
    let place = Place::new();
    let layer = Tar::default().file("a", "1").file(".wh.a", "").file("d/b", "2").file("d/.wh..wh..opq", "");
    place.extract([layer]).unwrap();
    assert_eq!(place.found(), ["a=1", "d/", "d/b=2"]);
}

#[test]
fn a_whiteout_of_the_directory_above_is_refused() {
    for name in ["d/.wh...", "d/.wh..", ".wh."] {
        let place = Place::new();
        let error = place.extract([Tar::default(), Tar::default().file(name, "")]).unwrap_err();
        assert!(matches!(error, Error::Refused { .. }), "{name}: {error}");
    }
}

#[test]
fn too_many_entries_are_refused() {
    let place = Place::new();
    let mut extraction = Extraction::new(Directory::open(&place.output).unwrap());
    extraction.limit_entries(3);
    let layer = || Tar::default().file("a", "").directory("b").bytes();
    extraction.apply_layer(&digest(), &layer()[..]).unwrap();
    let error = extraction.apply_layer(&digest(), &layer()[..]).unwrap_err();
    assert!(matches!(error, Error::TooManyEntries { limit: 3, .. }), "{error}");
}

#[test]
fn a_long_name_is_a_name_and_a_huge_one_is_refused_before_it_is_read() {
    let long = format!("{}/{}", "d".repeat(200), "f".repeat(200));
    let place = Place::new();
    let layer = Tar::default().entry("L", EntryType::GNULongName, long.as_bytes()).file("cut", "1");
    place.extract([layer]).unwrap();
    assert_eq!(place.found(), [format!("{}/", "d".repeat(200)), format!("{long}=1")]);

    let huge = vec![b'x'; 2 * 1024 * 1024];
    for kind in [EntryType::GNULongName, EntryType::XHeader] {
        let error = place.extract([Tar::default().entry("L", kind, &huge).file("x", "")]).unwrap_err();
        let Error::LayerFormat { source, .. } = &error else { panic!("{error}") };
        assert!(source.to_string().contains("1 MiB"), "{source}");
    }
    let longer = "x/".repeat(2100);
    let layer = Tar::default().entry("L", EntryType::GNULongName, longer.as_bytes()).file("x", "");
    assert!(matches!(place.extract([layer]).unwrap_err(), Error::Refused { .. }));
}

#[test]
fn a_tar_that_ends_early_or_is_none_is_an_error() {
    let place = Place::new();
    let whole = Tar::default().file("a", &"x".repeat(2000)).bytes();
    let mut extraction = Extraction::new(Directory::open(&place.output).unwrap());
    for content in [&whole[..300], &whole[..512], &whole[..1500], b"this is no tar at all"] {
        let error = extraction.apply_layer(&digest(), content).unwrap_err();
        assert!(matches!(error, Error::LayerFormat { .. }), "{} bytes: {error}", content.len());
    }
    extraction.apply_layer(&digest(), &b""[..]).unwrap();
}

/// The umask of this process, which only making a file tells.
fn umask(directory: &Path) -> u32 {
    let probe = directory.join("probe");
    let mut options = fs::OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(options.write(true).create_new(true), 0o777);
    let mode = options.open(&probe).unwrap().metadata().unwrap().mode();
    fs::remove_file(probe).unwrap();
    0o777 & !mode
}

#[test]
fn files_get_the_permissions_that_the_umask_leaves() {
    let place = Place::new();
    let umask = umask(place.root.path());
    let cases = [
        (0o600, 0o666),
        (0o700, 0o777),
        (0o400, 0o444),
        (0, 0),
        (0o664, 0o664),
        (0o604, 0o604),
        (0o4755, 0o755),
    ];
    for (header_mode, mode) in cases {
        let layer =
            Tar::default().entry_with("f", EntryType::Regular, b"x", |header| header.set_mode(header_mode));
        place.extract([layer]).unwrap();
        let got = fs::symlink_metadata(place.output.join("f")).unwrap().mode() & 0o7777;
        assert_eq!(got, mode & !umask, "{header_mode:o} with umask {umask:o}");
    }
    place.extract([Tar::default().directory("d")]).unwrap();
    assert_eq!(fs::metadata(place.output.join("d")).unwrap().mode() & 0o777, 0o777 & !umask);
}

#[test]
fn the_permissions_follow_another_umask_too() {
    let name = "extract::tests::files_get_the_permissions_that_the_umask_leaves";
    for umask in ["0111", "0022", "0002", "0077"] {
        let script = format!("umask {umask} && exec \"$0\" --exact {name}");
        let mut shell = std::process::Command::new("sh");
        let output = shell.arg("-c").arg(script).arg(std::env::current_exe().unwrap()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "umask {umask}: {text}");
    }
}

#[test]
fn times_are_the_headers() {
    let place = Place::new();
    let layer = Tar::default()
        .file("epoch", "1")
        .entry_with("later", EntryType::Regular, b"", |header| header.set_mtime(1_000_000_000))
        .entry("pax", EntryType::XHeader, b"20 mtime=1234567.89\n21 atime=2345678.125\n")
        .file("pax", "");
    place.extract([layer]).unwrap();
    let times = |name: &str| {
        let metadata = fs::metadata(place.output.join(name)).unwrap();
        assert_eq!((metadata.atime(), metadata.atime_nsec()), (metadata.mtime(), metadata.mtime_nsec()));
        (metadata.mtime(), metadata.mtime_nsec())
    };
    assert_eq!(times("epoch"), (0, 0));
    assert_eq!(times("later"), (1_000_000_000, 0));
    assert_eq!(times("pax"), (2_345_678, 125_000_000));
}

#[test]
fn files_belong_to_whom_the_header_says_when_root_extracts_them() {
    let place = Place::new();
    let layer = Tar::default().entry_with("f", EntryType::Regular, b"x", |header| {
        header.set_uid(1234);
        header.set_gid(4321);
    });
    let mine = fs::metadata(&place.output).unwrap();
    place.extract([layer]).unwrap();
    let file = fs::metadata(place.output.join("f")).unwrap();
    let expected = if mine.uid() == 0 { (1234, 4321) } else { (mine.uid(), mine.gid()) };
    assert_eq!((file.uid(), file.gid()), expected);
}

#[test]
fn a_subdirectory_is_made_empty_and_stays_inside() {
    let place = Place::new();
    place.extract([Tar::default().file("a/b/old", "1").file("a/beside", "2")]).unwrap();
    let root = Directory::open(&place.output).unwrap();
    let inner = root.subdirectory("a/b").unwrap();
    assert_eq!(inner.path(), place.output.join("a/b"));
    let mut extraction = Extraction::new(inner);
    extraction.apply_layer(&digest(), &Tar::default().file("new", "3").bytes()[..]).unwrap();
    assert_eq!(place.found(), ["a/", "a/b/", "a/b/new=3", "a/beside=2"]);
    for name in ["", ".", "../x", "a/../../x"] {
        assert!(root.subdirectory(name).is_err(), "{name}");
    }
}

#[test]
fn a_deep_tree_can_be_written_and_deleted() {
    let place = Place::new();
    let deep = format!("{}f", "d/".repeat(255));
    let layer = Tar::default().entry("L", EntryType::GNULongName, deep.as_bytes()).file("x", "1");
    place.extract([layer]).unwrap();
    assert_eq!(place.found().len(), 256);
    place.extract([Tar::default().file("d", "")]).unwrap();
    assert_eq!(place.found(), ["d="]);
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A reader of `content` that claims to be the blob `announced`, in pieces of seven bytes.
fn blob(content: &[u8], announced: &[u8]) -> BlobReader {
    let descriptor =
        Descriptor::new(MediaType::default(), Digest::sha256_of(announced), announced.len() as u64);
    let pieces: Vec<io::Result<Bytes>> =
        content.chunks(7).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    BlobReader::new(descriptor, futures_util::stream::iter(pieces).boxed())
}

#[tokio::test]
async fn a_layer_is_applied_while_it_arrives() {
    let place = Place::new();
    let layer = gzip(&Tar::default().file("a", "1").entry("l", EntryType::Symlink, b"").bytes());
    let extraction = Extraction::new(Directory::open(&place.output).unwrap());
    let extraction = extraction.apply_blob(blob(&layer, &layer)).await.unwrap();
    assert_eq!(extraction.skipped(), 1);
    assert_eq!(place.found(), ["a=1"]);
}

#[tokio::test]
async fn what_follows_the_tar_counts_for_the_digest() {
    let layer = Tar::default().file("a", "1").bytes();
    let padded = [&layer[..], &[0; 5000]].concat();
    let place = Place::new();
    let extraction = Extraction::new(Directory::open(&place.output).unwrap());
    let extraction = extraction.apply_blob(blob(&padded, &padded)).await.unwrap();

    let mut changed = padded.clone();
    changed[6000] = 1;
    let error = extraction.apply_blob(blob(&changed, &padded)).await.unwrap_err();
    assert!(matches!(&error, Error::LayerContent { source: BlobError::Checksum { .. }, .. }), "{error}");
}

#[tokio::test]
async fn a_damaged_layer_is_reported_as_damaged_even_when_it_cannot_be_unpacked() {
    let layer = gzip(&Tar::default().file("a", &"some text ".repeat(1000)).bytes());
    let mut damaged = layer.clone();
    damaged[layer.len() / 2] ^= 0xff;
    let place = Place::new();
    let extraction = Extraction::new(Directory::open(&place.output).unwrap());
    let error = extraction.apply_blob(blob(&damaged, &layer)).await.unwrap_err();
    assert!(matches!(&error, Error::LayerContent { source: BlobError::Checksum { .. }, .. }), "{error}");
}

#[tokio::test]
async fn a_layer_that_is_what_it_should_be_but_no_tar_is_a_format_error() {
    let place = Place::new();
    for content in [&b"\x28\xb5\x2f\xfdzstd"[..], b"\x1f\x8bgzip", b"text"] {
        let extraction = Extraction::new(Directory::open(&place.output).unwrap());
        let error = extraction.apply_blob(blob(content, content)).await.unwrap_err();
        assert!(matches!(error, Error::LayerFormat { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_document_is_read_from_a_blob_only_when_the_blob_is_right() {
    let content = gzip(b"document");
    let read = |content: &mut dyn io::Read| {
        let mut start = [0; 3];
        content.read_exact(&mut start).map(|()| start)
    };
    let start = with_blocking_reader(blob(&content, &content), read).await.unwrap().unwrap();
    assert_eq!(&start, b"doc");
    let error = with_blocking_reader(blob(&content[1..], &content), read).await.unwrap_err();
    assert!(matches!(error, BlobError::Size { .. }), "{error}");
}

/// The names in a directory.
fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn an_output_directory_appears_when_it_is_committed_and_not_before() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("parent/of/output");
    let output = OutputDirectory::prepare(&path, None).unwrap();
    fs::write(output.directory().path().join("file"), "new").unwrap();
    assert!(!path.exists());
    assert!(names(path.parent().unwrap())[0].starts_with(".output.imgpkg-"));
    let mode = fs::metadata(output.directory().path()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o777 & !umask(root.path()));
    output.commit().unwrap();
    assert_eq!(names(path.parent().unwrap()), ["output"]);
    assert_eq!(fs::read_to_string(path.join("file")).unwrap(), "new");
}

#[test]
fn an_output_directory_replaces_whatever_was_there() {
    let root = tempfile::tempdir().unwrap();
    let target = root.path().join("target");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("file"), "kept").unwrap();
    let path = root.path().join("output");
    type Make<'a> = &'a dyn Fn();
    let kinds: [Make<'_>; 4] = [
        &|| fs::create_dir_all(path.join("old/deep")).unwrap(),
        &|| fs::write(&path, "old").unwrap(),
        &|| symlink(&target, &path).unwrap(),
        &|| symlink("nowhere", &path).unwrap(),
    ];
    for make in kinds {
        make();
        OutputDirectory::prepare(&path, None).unwrap().commit().unwrap();
        assert!(fs::symlink_metadata(&path).unwrap().is_dir());
        assert!(names(&path).is_empty());
        assert_eq!(names(root.path()), ["output", "target"]);
        fs::remove_dir(&path).unwrap();
    }
    assert_eq!(fs::read_to_string(target.join("file")).unwrap(), "kept");
}

#[test]
fn an_output_directory_that_is_given_up_leaves_everything_as_it_was() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("output");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("file"), "old").unwrap();
    let output = OutputDirectory::prepare(&path, None).unwrap();
    fs::write(output.directory().path().join("file"), "new").unwrap();
    drop(output);
    assert_eq!(names(root.path()), ["output"]);
    assert_eq!(fs::read_to_string(path.join("file")).unwrap(), "old");

    let deep = root.path().join("a/b/output");
    drop(OutputDirectory::prepare(&deep, None).unwrap());
    assert_eq!(names(root.path()), ["output"]);
}

#[test]
fn the_directory_beside_is_kept_while_somebody_writes_into_it() {
    let root = tempfile::tempdir().unwrap();
    let output = OutputDirectory::prepare(&root.path().join("output"), None).unwrap();
    let directory = output.directory().clone();
    drop(output);
    assert!(directory.path().exists());
    drop(directory);
    assert!(names(root.path()).is_empty());
}

#[test]
fn dangerous_output_directories_are_refused() {
    let home = tempfile::tempdir().unwrap();
    for path in ["/", ".", "..", "./", "/proc/self/cwd/.."].map(Path::new).into_iter().chain([home.path()]) {
        let error = OutputDirectory::prepare(path, Some(home.path())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Disallowed output directory (trying to avoid accidental deletion)",
            "{}",
            path.display()
        );
    }
}

#[test]
fn an_output_below_a_file_is_an_error_that_leaves_nothing_behind() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("file"), "x").unwrap();
    let error = OutputDirectory::prepare(&root.path().join("file/a/output"), None).unwrap_err();
    assert!(matches!(error, Error::Output { .. }), "{error}");
    assert_eq!(names(root.path()), ["file"]);
}

#[test]
fn a_name_of_any_length_can_be_output() {
    let root = tempfile::tempdir().unwrap();
    for name in ["x".repeat(255), "ü".repeat(127)] {
        OutputDirectory::prepare(&root.path().join(&name), None).unwrap().commit().unwrap();
        assert!(root.path().join(name).is_dir());
    }
}
