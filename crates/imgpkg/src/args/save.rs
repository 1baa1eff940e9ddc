//! `imgpkg save`.

use std::path::PathBuf;

use imgpkg_oci::TagReference;

use super::ArgumentError;
use super::content::{Content, ContentArgs, ImageKind};
use super::value;

/// The registry that saved images are recorded to come from: a name that no one can contact (RFC 6761).
pub(crate) const ORIGIN_REGISTRY: &str = "saved.imgpkg.invalid";

const LONG: &str = "\
Packs files and directories into the image that `imgpkg push` would make of them, digest for digest, and writes it to a tar
file. No registry is needed or contacted. `imgpkg push --tar` and `imgpkg copy --tar` bring it into a registry later. The
tar holds the image alone: the images which a bundle's lock file names are not in it.";

const EXAMPLES: &str = "  # Save the directory config as a bundle
  imgpkg save -f config/ --to-tar app.tar

  # The same, with the name and the tag that the tar shall record
  imgpkg save -b app-config:v1.0.0 -f config/ --to-tar app.tar

  # Save any files as a plain image
  imgpkg save -i -f static/ --to-tar assets.tar

  # Where there is a registry: push what was saved
  imgpkg push --tar app.tar --to-repo registry.example/app-config";

/// What was typed behind `imgpkg save`.
#[derive(Debug, Clone, clap::Args)]
#[command(about = "Save files as image to a tar file", long_about = LONG, after_long_help = EXAMPLES)]
pub(crate) struct SaveArgs {
    #[arg(
        short,
        long,
        help = "Name to record for the bundle (format: NAME[:TAG]) (default: the name of the directory, tagged latest)"
    )]
    pub(crate) bundle: Option<String>,
    #[arg(
        short,
        long,
        num_args = 0..=1,
        default_missing_value = "",
        help = "Save a plain image instead of a bundle, optionally with a name to record for it (format: NAME[:TAG])"
    )]
    pub(crate) image: Option<String>,
    #[command(flatten)]
    pub(crate) content: ContentArgs,
    /// Location to write a tar file containing the image
    #[arg(long, value_parser = value::path())]
    pub(crate) to_tar: Option<PathBuf>,
}

/// What `save` is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SaveRequest {
    /// What goes into the image.
    pub(crate) content: Content,
    /// The name that is recorded, within [`ORIGIN_REGISTRY`]; `None` where the user gave none.
    pub(crate) name: Option<TagReference>,
    /// The tar file.
    pub(crate) tar: PathBuf,
}

impl SaveArgs {
    /// Checks the arguments.
    ///
    /// # Errors
    /// When they contradict each other, the name does not parse, or there is no file to save.
    pub(crate) fn request(&self) -> Result<SaveRequest, ArgumentError> {
        let tar = self.to_tar.clone().ok_or(ArgumentError::Required { flag: "to-tar" })?;
        let labels = self.content.checked_labels()?;
        if tar.as_os_str().is_empty() {
            return Err(ArgumentError::Empty { flag: "to-tar" });
        }
        let bundle = super::reference::given(&self.bundle);
        let (kind, name) = match (bundle, self.image.as_deref()) {
            (Some(_), Some(_)) => return Err(ArgumentError::ImageAndBundle),
            (None, Some(image)) => (ImageKind::Image, Some(image).filter(|name| !name.is_empty())),
            (bundle, None) => (ImageKind::Bundle, bundle),
        };
        let name = name.map(recorded_name).transpose()?;
        let content = self.content.content(kind, labels);
        match content.files.is_empty() {
            true => Err(ArgumentError::NoFiles),
            false => Ok(SaveRequest { content, name, tar }),
        }
    }
}

/// The name under which an image is recorded: the path and the tag given, within the registry that is none.
fn recorded_name(text: &str) -> Result<TagReference, ArgumentError> {
    let path = match text.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) => rest,
        _ => text,
    };
    let parsed = TagReference::parse(&format!("{ORIGIN_REGISTRY}/{path}"));
    parsed.map_err(|source| ArgumentError::Reference { text: text.to_owned(), source })
}
