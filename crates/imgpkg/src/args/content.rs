//! The flags that say what goes into an image that is built: files, what to leave out, labels.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::ArgAction;

use super::ArgumentError;
use super::exclusion::Exclusions;
use super::value::{self, CsvRecord, Labels};

/// The label that makes an image a bundle.
const BUNDLE_LABEL: &str = "dev.carvel.imgpkg.bundle";

/// Is it a bundle, or an image like any other?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ImageKind {
    /// Configuration with an `.imgpkg` directory.
    Bundle,
    /// Any files.
    Image,
}

/// The content flags as they were typed.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ContentArgs {
    /// Set file (format: /tmp/foo) (can be specified multiple times)
    #[arg(short, long, value_parser = value::csv_record)]
    pub(crate) file: Vec<CsvRecord>,
    #[command(flatten)]
    pub(crate) exclusions: Exclusions,
    /// Set labels on image
    #[arg(short, long, value_parser = value::labels)]
    pub(crate) labels: Vec<Labels>,
    /// Preserve the group and all permissions of all the files and folders
    #[arg(long, action = ArgAction::Set, value_parser = value::boolean, default_value = "false")]
    pub(crate) preserve_permissions: bool,
}

/// What goes into an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    /// Is it to be a bundle?
    pub(crate) kind: ImageKind,
    /// Files and directories, in the order given.
    pub(crate) files: Vec<PathBuf>,
    /// Paths to leave out, relative to each of the directories.
    pub(crate) exclusions: Vec<String>,
    /// Labels of the image, without the bundle's own.
    pub(crate) labels: BTreeMap<String, String>,
    /// Do files keep the permissions of group and others?
    pub(crate) preserve_permissions: bool,
}

impl ContentArgs {
    /// The labels of all occurrences; a later one wins.
    ///
    /// # Errors
    /// When one of them is the bundle's own.
    pub(crate) fn checked_labels(&self) -> Result<BTreeMap<String, String>, ArgumentError> {
        let labels: BTreeMap<String, String> =
            self.labels.iter().flat_map(|Labels(labels)| labels.clone()).collect();
        if labels.contains_key(BUNDLE_LABEL) {
            return Err(ArgumentError::ReservedLabel { key: BUNDLE_LABEL });
        }
        Ok(labels)
    }

    /// What goes into an image of this kind with these labels.
    pub(crate) fn content(&self, kind: ImageKind, labels: BTreeMap<String, String>) -> Content {
        Content {
            kind,
            files: value::items(&self.file).into_iter().map(PathBuf::from).collect(),
            exclusions: self.exclusions.paths.clone(),
            labels,
            preserve_permissions: self.preserve_permissions,
        }
    }

    /// The first flag that was given, if any: none of them goes with a finished image.
    pub(crate) fn first_given(&self) -> Option<&'static str> {
        let given = [
            ("file", !self.file.is_empty()),
            ("file-exclusion", self.exclusions.given),
            ("labels", !self.labels.is_empty()),
            ("preserve-permissions", self.preserve_permissions),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
    }
}
