//! What makes files and their names survive a crash of the machine. File systems commit what several threads ask for
//! together in one go, so everything that may be synced at the same time is.

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// How many threads ask at once.
const THREADS: usize = 8;

/// Syncs a registry's files and directories; or does not, where they go with the server anyway.
#[derive(Debug)]
pub(super) struct Durability {
    root: PathBuf,
    wanted: bool,
    /// The directories whose own names survive a crash already. None is ever removed.
    settled: Mutex<HashSet<PathBuf>>,
}

impl Durability {
    pub(super) fn new(root: &Path, wanted: bool) -> Self {
        Self { root: root.to_owned(), wanted, settled: Mutex::default() }
    }

    /// Makes the content of these files survive.
    pub(super) fn sync_files<'a>(&self, files: impl IntoIterator<Item = &'a File>) -> io::Result<()> {
        if self.wanted {
            at_once(&files.into_iter().collect::<Vec<_>>(), |file| file.sync_all())
        } else {
            Ok(())
        }
    }

    /// Makes the names in these directories survive, and those of the directories themselves. Those that do not exist are
    /// left out.
    pub(super) fn sync_directories(&self, directories: impl IntoIterator<Item = PathBuf>) -> io::Result<()> {
        if !self.wanted {
            return Ok(());
        }
        let mut changed: BTreeSet<PathBuf> = directories.into_iter().filter(|path| path.is_dir()).collect();
        let mut unsettled = BTreeSet::new();
        {
            let settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
            for directory in &changed {
                let below_root = |path: &&Path| path.starts_with(&self.root) && *path != self.root;
                let new = |path: &&Path| !settled.contains(*path);
                unsettled
                    .extend(directory.ancestors().take_while(below_root).filter(new).map(Path::to_owned));
            }
        }
        changed.extend(unsettled.iter().filter_map(|path| path.parent()).map(Path::to_owned));
        at_once(&changed.iter().collect::<Vec<_>>(), |path| File::open(path)?.sync_all())?;
        self.settled.lock().unwrap_or_else(PoisonError::into_inner).extend(unsettled);
        Ok(())
    }
}

fn at_once<T: Copy + Send + Sync>(all: &[T], sync: impl Fn(T) -> io::Result<()> + Sync) -> io::Result<()> {
    let sync = &sync;
    for some in all.chunks(THREADS) {
        let Some((first, others)) = some.split_first() else { continue };
        std::thread::scope(|scope| {
            let others: Vec<_> = others.iter().map(|&item| scope.spawn(move || sync(item))).collect();
            let mut result = sync(*first);
            for other in others {
                let other = other.join().unwrap_or_else(|_| Err(io::Error::other("a sync was interrupted")));
                result = result.and(other);
            }
            result
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_up_to_the_root_are_settled_once() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        let durability = Durability::new(root.path(), true);
        durability.sync_directories([deep.clone(), root.path().join("missing")]).unwrap();
        let settled = durability.settled.lock().unwrap().clone();
        assert_eq!(settled, HashSet::from([deep, root.path().join("a")]));
    }

    #[test]
    fn every_item_is_synced_and_any_failure_is_reported() {
        let items: Vec<u32> = (0..20).collect();
        let seen = Mutex::new(Vec::new());
        at_once(&items, |item| {
            seen.lock().unwrap().push(item);
            Ok(())
        })
        .unwrap();
        let mut seen = seen.into_inner().unwrap();
        seen.sort_unstable();
        assert_eq!(seen, items);
        let fail_at = |bad| move |item| if item == bad { Err(io::Error::other("full")) } else { Ok(()) };
        assert!(at_once(&items, fail_at(0)).is_err());
        assert!(at_once(&items, fail_at(13)).is_err());
    }
}
