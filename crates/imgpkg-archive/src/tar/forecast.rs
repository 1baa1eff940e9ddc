//! What writing an archive would take, found out without writing anything.

use std::collections::BTreeMap;
use std::path::Path;

use imgpkg_oci::Digest;

use super::layout::Layout;
use super::partial::Partial;
use super::resume::left_over;
use super::writer::WriteOptions;
use crate::{Archive, Error, Item};

/// An archive that could be written: how large it would be, and how much of it is already on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    size: u64,
    layers: BTreeMap<Digest, LayerForecast>,
}

/// One layer of an archive that could be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerForecast {
    /// Its size in bytes.
    pub size: u64,
    /// How many of them, from its start on, are in a file on the disk. Nobody has verified them yet.
    pub there: u64,
}

impl LayerForecast {
    /// Is all of it on the disk?
    pub fn is_whole(&self) -> bool {
        self.there >= self.size
    }
}

impl Forecast {
    /// What [`ArchiveWriter::create`](crate::ArchiveWriter::create) would find and do with the same arguments. Reads the
    /// journals of unfinished files and nothing else; waits for the disk.
    ///
    /// # Errors
    /// [`Error::Create`] when there could be no archive at `target`, because it is a directory, a device or a pipe, and
    /// [`Error::Item`] when an image cannot be described in an archive.
    pub fn of(target: &Path, items: &[Item], options: WriteOptions) -> Result<Self, Error> {
        let layout = Layout::new(items, options.include_non_distributable)?;
        let partial = Partial::path_for(target)?;
        let there = left_over(&partial, &layout);
        let layers = layout.slots.iter().map(|(digest, slot)| {
            let there = there.get(digest).copied().unwrap_or(0);
            (digest.clone(), LayerForecast { size: slot.content.size, there })
        });
        Ok(Self { size: layout.size, layers: layers.collect() })
    }

    /// The same, if the layers of a finished archive are used as well.
    #[must_use]
    pub fn with(mut self, archive: &Archive) -> Self {
        let found = self.layers.iter_mut().filter(|(digest, _)| archive.has_layer(digest));
        found.for_each(|(_, layer)| layer.there = layer.size);
        self
    }

    /// The size of the finished archive in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The layers, ascending by digest. What is no layer stands in `manifest.json` and is not among them.
    pub fn layers(&self) -> impl Iterator<Item = (&Digest, LayerForecast)> {
        self.layers.iter().map(|(digest, layer)| (digest, *layer))
    }

    /// How many layers are on the disk in full.
    pub fn whole_layers(&self) -> usize {
        self.layers.values().filter(|layer| layer.is_whole()).count()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use imgpkg_oci::Destination as _;

    use super::super::fixture::*;
    use super::*;
    use crate::ArchiveWriter;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn a_forecast_knows_the_size_and_writes_nothing() {
        let (one, two) = (noise(1, 70_000), noise(2, 1_000));
        let items = [item("a", image(&[&one, &two]))];
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.tar");
        let forecast = Forecast::of(&path, &items, WriteOptions::default()).unwrap();
        assert!(names(directory.path()).is_empty());
        assert_eq!(forecast.size(), written(&items, &[&one, &two]).await.len() as u64);
        assert_eq!(forecast.whole_layers(), 0);
        assert_eq!(forecast.layers().map(|(_, layer)| layer.size).sum::<u64>(), 71_000);
    }

    #[tokio::test]
    async fn what_a_stopped_run_left_is_counted_and_stays_as_it_is() {
        let (one, two) = (noise(3, 300_000), noise(4, 900_000));
        let items = [item("a", image(&[&one, &two]))];
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.tar");
        let writer = ArchiveWriter::create(&path, &items, WriteOptions::default()).await.unwrap();
        writer.put_blob(&layer(&one), &Memory::new(&one)).await.unwrap();
        writer.put_blob(&layer(&two), &Memory::breaking(&two, 500_000)).await.unwrap_err();
        drop(writer);
        let before = fs::read(path.with_added_extension("partial")).unwrap();
        let forecast = Forecast::of(&path, &items, WriteOptions::default()).unwrap();
        assert_eq!(forecast.whole_layers(), 1);
        assert_eq!(forecast.layers().map(|(_, layer)| layer.there).sum::<u64>(), 300_000 + 499_000);
        assert!(fs::read(path.with_added_extension("partial")).unwrap() == before);
        // Of other images only what both have counts.
        let others = [item("b", image(&[&one, &noise(5, 10)]))];
        let forecast = Forecast::of(&path, &others, WriteOptions::default()).unwrap();
        assert_eq!(forecast.layers().map(|(_, layer)| layer.there).sum::<u64>(), 300_000);
    }

    #[tokio::test]
    async fn the_layers_of_a_finished_archive_count_when_it_is_used() {
        let (old, new) = (noise(6, 5_000), noise(7, 6_000));
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.tar");
        let first = [item("a", image(&[&old]))];
        fs::write(&path, written(&first, &[&old]).await).unwrap();
        let items = [item("b", image(&[&old, &new]))];
        let forecast = Forecast::of(&path, &items, WriteOptions::default()).unwrap();
        assert_eq!(forecast.whole_layers(), 0);
        let forecast = forecast.with(&Archive::open(&path).await.unwrap());
        assert_eq!(forecast.whole_layers(), 1);
        assert_eq!(forecast.layers().map(|(_, layer)| layer.there).sum::<u64>(), 5_000);
    }

    #[test]
    fn a_directory_can_be_no_archive() {
        let directory = tempfile::tempdir().unwrap();
        let error = Forecast::of(directory.path(), &[], WriteOptions::default()).unwrap_err();
        assert!(matches!(error, Error::Create { .. }), "{error}");
    }
}
