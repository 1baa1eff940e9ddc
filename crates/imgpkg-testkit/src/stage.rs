//! Where copies are disturbed: a source and a destination, each behind a proxy, and the jobs that go from one to the
//! other.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use crate::nested_bundle::NestedBundle;
use crate::proxy::FaultProxy;
use crate::registry::Registry;
use crate::snapshot::Snapshot;
use crate::tool::{Ran, Tool};

/// Two registries, and a bundle in the first. Scenes on it do not disturb each other.
pub struct Stage {
    imgpkg: Tool,
    source: Registry,
    destination: Registry,
    bundle: NestedBundle,
    tar: PathBuf,
    scenes: AtomicUsize,
}

/// What is done with the bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// From the registry to an archive.
    ToTar,
    /// From an archive to a registry.
    FromTar,
    /// From one registry to the other.
    Between,
    /// The image with the large layer from the registry into a directory.
    Pull,
}

/// What a job has made.
#[derive(Clone, PartialEq, Eq)]
pub enum Made {
    /// Nothing, or nothing whole.
    Nothing,
    /// An archive of these bytes.
    Archive(Vec<u8>),
    /// What is in a repository.
    Repository(Snapshot),
    /// The files of a directory.
    Directory(BTreeMap<PathBuf, Vec<u8>>),
}

/// A place on the stage with proxies of its own, where jobs run under different names.
pub struct Scene<'a> {
    stage: &'a Stage,
    /// Before the registry that has the bundle.
    pub source: FaultProxy,
    /// Before the registry that gets it.
    pub destination: FaultProxy,
    directory: TempDir,
    number: usize,
}

impl Stage {
    /// Starts the registries with this tool, and fills the first.
    pub fn new(imgpkg: Tool) -> Self {
        let (source, destination) = (Registry::embedded(&imgpkg), Registry::embedded(&imgpkg));
        let bundle = NestedBundle::push(&imgpkg, &source, 1);
        let tar = imgpkg.home().join("source.tar");
        let from = source.reference(&format!("{}:{}", bundle.repository, NestedBundle::TAG));
        imgpkg.run(&["copy", "-b", &from, "--to-tar", tar.to_str().expect("a UTF-8 path")]).success();
        Self { imgpkg, source, destination, bundle, tar, scenes: AtomicUsize::new(0) }
    }

    /// The bundle.
    pub fn bundle(&self) -> &NestedBundle {
        &self.bundle
    }

    /// The registry that has the bundle.
    pub fn source(&self) -> &Registry {
        &self.source
    }

    /// The registry that gets it.
    pub fn destination(&self) -> &Registry {
        &self.destination
    }

    /// A new scene.
    pub fn scene(&self) -> Scene<'_> {
        Scene {
            stage: self,
            source: FaultProxy::before(&self.source, Vec::new()),
            destination: FaultProxy::before(&self.destination, Vec::new()),
            directory: TempDir::new().expect("a temporary directory"),
            number: self.scenes.fetch_add(1, Ordering::SeqCst),
        }
    }
}

impl Scene<'_> {
    /// The command of a job, with further flags. What it makes has this name.
    pub fn command(&self, job: Job, name: &str, flags: &[&str]) -> Command {
        let bundle = &self.stage.bundle;
        let from = self.source.reference(&format!("{}:{}", bundle.repository, NestedBundle::TAG));
        let image = self.source.reference("src/app:v1");
        let to = self.destination.reference(&self.repository(name));
        let path = self.path(name);
        let path = path.to_str().expect("a UTF-8 path");
        let tar = self.stage.tar.to_str().expect("a UTF-8 path");
        let job: &[&str] = match job {
            Job::ToTar => &["copy", "-b", &from, "--to-tar", path],
            Job::FromTar => &["copy", "--tar", tar, "--to-repo", &to],
            Job::Between => &["copy", "-b", &from, "--to-repo", &to],
            Job::Pull => &["pull", "-i", &image, "-o", path],
        };
        self.stage.imgpkg.command(&[job, flags].concat())
    }

    /// Does a job to its end.
    pub fn run(&self, job: Job, name: &str, flags: &[&str]) -> Ran {
        Ran::of(&mut self.command(job, name, flags))
    }

    /// Where a file or a directory of this name is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The names of everything in the directory of files.
    pub fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).expect("a directory");
        let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("a UTF-8 name");
        let mut names: Vec<_> = entries.map(|entry| name(entry.expect("an entry"))).collect();
        names.sort();
        names
    }

    /// The repository of this name.
    pub fn repository(&self, name: &str) -> String {
        format!("scene{}/{name}", self.number)
    }

    /// What a job has made under this name.
    #[track_caller]
    pub fn made(&self, job: Job, name: &str) -> Made {
        let path = self.path(name);
        match job {
            Job::ToTar => fs::read(path).map_or(Made::Nothing, Made::Archive),
            Job::Pull if !path.exists() => Made::Nothing,
            Job::Pull => {
                let mut files = BTreeMap::new();
                read_directory(&path, &path, &mut files);
                Made::Directory(files)
            }
            Job::FromTar | Job::Between => {
                Made::Repository(Snapshot::of(&self.stage.destination, &self.repository(name)))
            }
        }
    }

    /// Does a job that nothing disturbs. What it has made, and how many requests both proxies saw.
    #[track_caller]
    pub fn undisturbed(&self, job: Job) -> Made {
        self.run(job, "undisturbed", &[]).success();
        let made = self.made(job, "undisturbed");
        let requests = self.source.seen().len() + self.destination.seen().len();
        assert!(requests > 0, "nothing went through the proxies");
        self.source.forget();
        self.destination.forget();
        // Nothing of it may be found by a later run.
        if job == Job::ToTar {
            fs::remove_file(self.path("undisturbed")).expect("the archive");
        }
        made
    }
}

fn read_directory(root: &Path, directory: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read_directory(root, &path, files);
        } else {
            let name = path.strip_prefix(root).expect("a path below").to_owned();
            files.insert(name, fs::read(&path).expect("a file"));
        }
    }
}

impl Made {
    /// Fails if this is not the same as what was expected, saying in which way it is not.
    #[track_caller]
    pub fn assert_is(&self, expected: &Self) {
        match (self, expected) {
            (Self::Repository(here), Self::Repository(there)) => {
                assert_eq!(here.tags, there.tags, "other tags");
                assert_eq!(here.blobs, there.blobs, "other blobs");
                assert!(here.manifests == there.manifests, "other manifests");
            }
            (Self::Archive(here), Self::Archive(there)) => {
                let first = here.iter().zip(there).position(|(here, there)| here != there);
                assert_eq!((here.len(), first), (there.len(), None), "length, and first difference");
            }
            (here, there) => assert!(here == there, "something else was made"),
        }
    }
}
