//! Runs that stop in the middle, and the ones after them.

use std::fs;
use std::path::PathBuf;

use imgpkg_oci::{BlobPut, Destination as _};

use super::super::fixture::*;
use crate::{Archive, ArchiveWriter, Item, Reused, WriteOptions};

/// A directory with the path of an archive in it.
struct Place {
    directory: tempfile::TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.tar");
        Self { directory, path }
    }

    async fn writer(&self, items: &[Item]) -> ArchiveWriter {
        ArchiveWriter::create(&self.path, items, WriteOptions::default()).await.unwrap()
    }

    /// Begins an archive, writes so many bytes of these layers, and stops.
    async fn stopped(&self, items: &[Item], layers: &[(&[u8], usize)]) {
        let writer = self.writer(items).await;
        for (content, bytes) in layers {
            if *bytes == content.len() {
                writer.put_blob(&layer(content), &Memory::new(content)).await.unwrap();
            } else {
                writer.put_blob(&layer(content), &Memory::breaking(content, *bytes)).await.unwrap_err();
            }
        }
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        self.path.with_added_extension(suffix)
    }

    /// Asserts that the finished archive is the one that an undisturbed run writes, and that nothing else is left.
    async fn assert_is(&self, items: &[Item], layers: &[&[u8]]) {
        assert!(fs::read(&self.path).unwrap() == written(items, layers).await, "other bytes");
        assert_eq!(self.names(), ["x.tar"]);
    }
}

/// Puts a layer; at which offsets its content was opened.
async fn put(writer: &ArchiveWriter, content: &[u8]) -> (BlobPut, Vec<u64>) {
    let memory = Memory::new(content);
    let put = writer.put_blob(&layer(content), &memory).await.unwrap();
    (put, memory.opened_at.into_inner().unwrap())
}

#[tokio::test]
async fn the_next_run_goes_on_inside_a_layer_and_does_not_fetch_whole_ones() {
    let (one, two, three) = (noise(1, 3_000_000), noise(2, 2_500_500), noise(3, 700));
    let items = [item("a", image(&[&one, &two, &three]))];
    let place = Place::new();
    place.stopped(&items, &[(&one, one.len()), (&two, 1_234_567)]).await;
    assert_eq!(place.names(), ["x.tar.partial", "x.tar.partial.journal"]);
    // The reader holds the last piece back until it has seen another.
    let expected = 3_000_000 + 1_234_000;
    let unfinished = ArchiveWriter::unfinished(&place.path).unwrap();
    assert_eq!((unfinished.path, unfinished.bytes), (place.beside("partial"), expected));
    assert_eq!(unfinished.total, 3_000_000 + 2_500_500 + 700);
    assert_eq!(unfinished.files, [place.beside("partial"), place.beside("partial.journal")]);

    let writer = place.writer(&items).await;
    assert_eq!(ArchiveWriter::unfinished(&place.path), None, "it is being written");
    assert_eq!(put(&writer, &one).await, (BlobPut::Present, vec![]));
    assert_eq!(put(&writer, &two).await, (BlobPut::Sent, vec![1_234_000]));
    assert_eq!(put(&writer, &three).await, (BlobPut::Sent, vec![0]));
    writer.finish().await.unwrap();
    place.assert_is(&items, &[&one, &two, &three]).await;
    assert_eq!(ArchiveWriter::unfinished(&place.path), None);
}

#[tokio::test]
async fn a_broken_layer_is_continued_within_a_run_too() {
    let content = noise(4, 900_000);
    let items = [item("a", image(&[&content]))];
    let place = Place::new();
    let writer = place.writer(&items).await;
    writer.put_blob(&layer(&content), &Memory::breaking(&content, 500_000)).await.unwrap_err();
    assert_eq!(put(&writer, &content).await, (BlobPut::Sent, vec![499_000]));
    writer.finish().await.unwrap();
    place.assert_is(&items, &[&content]).await;
}

#[tokio::test]
async fn what_was_damaged_in_between_is_fetched_again() {
    let (whole, part) = (noise(5, 400_000), noise(6, 800_000));
    let items = [item("a", image(&[&whole, &part]))];
    let place = Place::new();
    place.stopped(&items, &[(&whole, whole.len()), (&part, 500_000)]).await;
    // As after a crash of the machine: the journal was saved, the content was not.
    let length = fs::metadata(place.beside("partial")).unwrap().len();
    let file = fs::File::create(place.beside("partial")).unwrap();
    file.set_len(length).unwrap();
    let writer = place.writer(&items).await;
    assert_eq!(put(&writer, &whole).await, (BlobPut::Sent, vec![0]));
    assert_eq!(put(&writer, &part).await, (BlobPut::Sent, vec![499_000, 0]));
    writer.finish().await.unwrap();
    place.assert_is(&items, &[&whole, &part]).await;
}

#[tokio::test]
async fn without_a_usable_journal_or_file_everything_is_fetched() {
    let content = noise(7, 300_000);
    let items = [item("a", image(&[&content]))];
    let spoils: [fn(&Place); 4] = [
        |place| fs::remove_file(place.beside("partial.journal")).unwrap(),
        |place| fs::write(place.beside("partial.journal"), noise(8, 900)).unwrap(),
        |place| fs::remove_file(place.beside("partial")).unwrap(),
        |place| fs::write(place.beside("partial"), b"short").unwrap(),
    ];
    for spoil in spoils {
        let place = Place::new();
        place.stopped(&items, &[(&content, content.len())]).await;
        spoil(&place);
        let writer = place.writer(&items).await;
        assert_eq!(put(&writer, &content).await, (BlobPut::Sent, vec![0]));
        writer.finish().await.unwrap();
        place.assert_is(&items, &[&content]).await;
    }
}

#[tokio::test]
async fn a_run_that_came_to_nothing_leaves_nothing() {
    let place = Place::new();
    place.stopped(&[item("a", image(&[b"one"]))], &[(b"one", 0)]).await;
    assert!(place.names().is_empty());
}

#[tokio::test]
async fn an_unfinished_archive_of_other_images_gives_what_both_have() {
    let (shared, part, old, new) =
        (noise(9, 600_000), noise(10, 700_000), noise(11, 300_000), noise(12, 200_000));
    let place = Place::new();
    let before = [item("a", image(&[&shared, &part, &old]))];
    place.stopped(&before, &[(&shared, shared.len()), (&part, 400_000), (&old, old.len())]).await;

    let items = [item("b", image(&[&new, &shared])), item("c", image(&[&part]))];
    place.stopped(&items, &[(&new, 150_000)]).await;
    assert_eq!(
        place.names(),
        [
            "x.tar.partial",
            "x.tar.partial.journal",
            "x.tar.partial.previous",
            "x.tar.partial.previous.journal"
        ]
    );
    let writer = place.writer(&items).await;
    assert_eq!(put(&writer, &shared).await, (BlobPut::Present, vec![]));
    assert_eq!(put(&writer, &part).await, (BlobPut::Sent, vec![399_000]));
    assert_eq!(put(&writer, &new).await, (BlobPut::Sent, vec![149_000]));
    writer.finish().await.unwrap();
    place.assert_is(&items, &[&shared, &part, &new]).await;
}

#[tokio::test]
async fn an_unfinished_archive_without_anything_in_common_is_dropped() {
    let (old, new) = (noise(13, 300_000), noise(14, 200_000));
    let place = Place::new();
    place.stopped(&[item("a", image(&[&old]))], &[(&old, old.len())]).await;
    let items = [item("b", image(&[&new]))];
    let writer = place.writer(&items).await;
    assert_eq!(place.names(), ["x.tar.partial", "x.tar.partial.journal"]);
    put(&writer, &new).await;
    writer.finish().await.unwrap();
    place.assert_is(&items, &[&new]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_the_next_run_ends_with_the_same_bytes() {
    let contents: Vec<_> = (0..5).map(|seed| noise(20 + seed, 1_500_000 + 777)).collect();
    let layers: Vec<&[u8]> = contents.iter().map(Vec::as_slice).collect();
    let items = [item("a", image(&layers))];
    let expected = written(&items, &layers).await;
    for moment in 0_u64..20 {
        let place = Place::new();
        let killed = Place::new();
        let writer = place.writer(&items).await;
        let running = writer.clone();
        let all = contents.clone();
        let work = tokio::spawn(async move {
            for content in all {
                running.put_blob(&layer(&content), &Memory::new(&content)).await.unwrap();
            }
        });
        tokio::time::sleep(std::time::Duration::from_micros(moment * 1500)).await;
        // What a killed process leaves is what the kernel has at that moment: the journal first, or it claims too much.
        fs::copy(place.beside("partial.journal"), killed.beside("partial.journal")).unwrap();
        fs::copy(place.beside("partial"), killed.beside("partial")).unwrap();
        work.await.unwrap();

        let writer = killed.writer(&items).await;
        for content in &contents {
            put(&writer, content).await;
        }
        writer.finish().await.unwrap();
        assert!(fs::read(&killed.path).unwrap() == expected, "moment {moment}");
        assert_eq!(killed.names(), ["x.tar"]);
    }
}

#[tokio::test]
async fn a_run_killed_before_the_rename_is_not_taken_for_finished() {
    let content = noise(30, 2_000_000);
    let items = [item("a", image(&[&content]))];
    let place = Place::new();
    place.stopped(&items, &[(&content, content.len())]).await;
    let whole = written(&items, &[&content]).await;
    fs::write(place.beside("partial"), &whole).unwrap();
    let writer = place.writer(&items).await;
    assert!(Archive::open(writer.partial_path()).await.is_err());
    assert_eq!(put(&writer, &content).await, (BlobPut::Present, vec![]));
    writer.finish().await.unwrap();
    place.assert_is(&items, &[&content]).await;
}

#[tokio::test]
async fn a_finished_archive_of_an_earlier_version_gives_its_layers_if_they_are_sound() {
    let (kept, damaged, old, new) =
        (noise(40, 600_000), noise(41, 500_000), noise(42, 300_000), noise(43, 200_000));
    let place = Place::new();
    let mut earlier = written(&[item("a", image(&[&kept, &damaged, &old]))], &[&kept, &damaged, &old]).await;
    let at = earlier.windows(100).position(|window| *window == damaged[1000..1100]).unwrap();
    earlier[at] ^= 1;
    fs::write(&place.path, earlier).unwrap();
    let archive = Archive::open(&place.path).await.unwrap();

    let items = [item("a", image(&[&kept, &damaged, &new]))];
    let writer = place.writer(&items).await;
    assert_eq!(writer.reuse(&archive).await.unwrap(), Reused { layers: 1, bytes: 600_000 });
    assert_eq!(put(&writer, &kept).await, (BlobPut::Present, vec![]));
    assert_eq!(put(&writer, &damaged).await, (BlobPut::Sent, vec![0]));
    assert_eq!(put(&writer, &new).await, (BlobPut::Sent, vec![0]));
    writer.finish().await.unwrap();
    place.assert_is(&items, &[&kept, &damaged, &new]).await;
}
