//! What a tool is asked to do.

use std::path::Path;

use crate::workload::Workload;

/// A thing to do with a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Job {
    /// From a registry into a file (or what the tool has instead).
    ToTar,
    /// From a file into a registry.
    TarToRegistry,
    /// From a registry into another one.
    RegistryToRegistry,
    /// The same once more, with nothing left to do.
    Again,
    /// From a registry into another repository of it.
    SameRegistry,
    /// The floor: every blob from the registry to nowhere.
    Fetch,
    /// The floor: the same bytes hashed.
    Hash,
    /// The floor: the same bytes written to the disk.
    Write,
    /// The part of [`Job::Write`] in which the disk is waited for.
    Sync,
}

impl Job {
    /// How it is called in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ToTar => "to tar",
            Self::TarToRegistry => "tar to registry",
            Self::RegistryToRegistry => "registry to registry",
            Self::Again => "the same, nothing to do",
            Self::SameRegistry => "to another repository of the registry",
            Self::Fetch => "floor: fetch",
            Self::Hash => "floor: hash",
            Self::Write => "floor: write and fsync",
            Self::Sync => "floor: fsync alone",
        }
    }

    /// The jobs of a workload, in the order in which they are done: [`Job::Again`] right behind what it repeats.
    pub(crate) fn of(workload: &Workload) -> &'static [Self] {
        if workload.delay_millis > 0 {
            &[Self::ToTar, Self::TarToRegistry, Self::RegistryToRegistry, Self::Again]
        } else {
            &[Self::ToTar, Self::TarToRegistry, Self::RegistryToRegistry, Self::SameRegistry]
        }
    }
}

/// Where a job finds things and puts them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting<'a> {
    /// Host and port of the source.
    pub(crate) source: &'a str,
    /// The bundle, with the host of the source.
    pub(crate) bundle: &'a str,
    /// What the bundle refers to, without a host: `s/image-000@sha256:…`.
    pub(crate) references: &'a [String],
    /// Host and port of the destination.
    pub(crate) destination: &'a str,
    /// A path within the destination under which there is nothing, or what the job before has put there.
    pub(crate) path: &'a str,
    /// The archive to read.
    pub(crate) tar: &'a Path,
    /// The archive to write.
    pub(crate) output: &'a Path,
}
