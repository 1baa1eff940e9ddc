//! Combinations of arguments that make no sense, and arguments that name nothing. The texts of what the reference knows
//! are the reference's, word for word.

use imgpkg_oci::ReferenceError;

/// Why the arguments of a command are not a request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ArgumentError {
    /// A flag that has to be given was not.
    #[error("required flag(s) \"{flag}\" not set")]
    Required {
        /// Its long name.
        flag: &'static str,
    },
    /// A flag that names an image or a bundle was not given, or is empty; what the reference says about that comes behind.
    #[error("Expected --{flag} (-{short})")]
    Missing {
        /// Its long name.
        flag: &'static str,
        /// Its short name.
        short: char,
        /// What is wrong with nothing as a reference.
        source: Box<ArgumentError>,
    },
    /// No file to make an image of.
    #[error("Expected at least one file or directory (-f)")]
    NoFiles,
    /// A flag that names a file has an empty value.
    #[error("Expected --{flag} to be none empty")]
    Empty {
        /// Its long name.
        flag: &'static str,
    },
    /// A label that only the program itself may set.
    #[error("label '{key}' is reserved and cannot be overriden. Please use a different key")]
    ReservedLabel {
        /// The label's key.
        key: &'static str,
    },
    /// `-b` and `-i` at once.
    #[error("Expected only one of image or bundle")]
    ImageAndBundle,
    /// Neither `-b` nor `-i`.
    #[error("Expected either image or bundle")]
    NeitherImageNorBundle,
    /// A lock of an image that is pushed.
    #[error("Lock output is not compatible with image, use bundle for lock output")]
    LockOfImage,
    /// A reference that does not parse, where one is written to.
    #[error("Parsing '{text}'")]
    Reference {
        /// What was given.
        text: String,
        /// Why it is none.
        source: ReferenceError,
    },
    /// A reference that does not parse, where it would be looked at.
    #[error("Unable to check if {text} is a bundle")]
    Checked {
        /// What was given.
        text: String,
        /// Why it is none.
        source: ReferenceError,
    },
    /// A reference that does not parse, where a tag is looked up.
    #[error(transparent)]
    Named(ReferenceError),
    /// A repository that does not parse.
    #[error("Building import repository ref")]
    Repository(#[source] ReferenceError),
    /// `--to-repo` of `push` without `--tar`.
    #[error("Cannot use --to-repo without --tar (hint: Use -b or -i to say where files are pushed)")]
    RepositoryWithoutTar,
    /// A flag about files beside a tar that holds finished images.
    #[error("Cannot use --{flag} with --tar (hint: The image in the tar is pushed as it was saved)")]
    FilesAndTar {
        /// The flag's long name.
        flag: &'static str,
    },
    /// Not exactly one destination for what is in a tar.
    #[error("Expected exactly one of --bundle (-b), --image (-i), or --to-repo as the destination of --tar")]
    DestinationOfTar,
    /// An output directory whose contents are dear to the user.
    #[error("Disallowed output directory (trying to avoid accidental deletion)")]
    OutputDirectory,
    /// More than one thing to pull.
    #[error("Expected only one of image, bundle, or lock")]
    SeveralToPull,
    /// Nothing to pull.
    #[error("Expected either image or bundle reference")]
    NothingToPull,
    /// `--recursive` with `-i`. (The reference says bundle and means image.)
    #[error("Cannot use --recursive (-r) flag when pulling a bundle")]
    RecursiveImage,
    /// `--image-is-bundle-check=false` with `-b`.
    #[error("Cannot set --image-is-bundle-check while using -b flag")]
    UncheckedBundle,
    /// Not exactly one source to copy.
    #[error("Expected either --lock, --bundle (-b), --image (-i), or --tar as a source")]
    CopySource,
    /// Not exactly one destination to copy to.
    #[error("Expected either --to-tar or --to-repo")]
    CopyDestination,
    /// From a tar into a tar.
    #[error("Cannot use tar source (--tar) with tar destination (--to-tar)")]
    TarToTar,
    /// A lock of what is in a tar.
    #[error("Cannot output lock file with tar destination")]
    LockOfTar,
    /// Resuming a copy to a repository.
    #[error("Flag --resume can only be used when copying to tar")]
    ResumeToRepository,
    /// An output type that is none.
    #[error("--output-type can only have the following values [text, yaml]")]
    OutputType,
    /// No request at a time would be no progress at all.
    #[error("Expected --concurrency to be at least 1, got {given}")]
    Concurrency {
        /// What was given.
        given: i64,
    },
    /// A parent command alone.
    #[error("Use one of available subcommands: {subcommands}")]
    Subcommand {
        /// Its subcommands.
        subcommands: &'static str,
    },
    /// The wrong number of arguments.
    #[error("accepts 1 arg(s), received {received}")]
    Arity {
        /// How many there were.
        received: usize,
    },
    /// A shell that there is no completion for.
    #[error("invalid argument {shell:?} for \"imgpkg completion\"")]
    Shell {
        /// What was given.
        shell: String,
    },
    /// An address to listen on that is none.
    #[error("Expected --listen to be an address such as 127.0.0.1:5000 (port 0: any free one), got '{text}'")]
    Listen {
        /// What was given.
        text: String,
    },
    /// An address that others reach, open to be written to.
    #[error(
        "Anyone who can reach {address} could write to this registry \
         (hint: Use --read-only, or --allow-anonymous-writes if that is meant)"
    )]
    OpenToAll {
        /// The address.
        address: std::net::SocketAddr,
    },
}
