//! `imgpkg describe`.

use std::num::NonZeroUsize;

use clap::ArgAction;

use super::ArgumentError;
use super::concurrency::concurrency;
use super::reference::{TypedReference, required};
use super::registry::RegistryArgs;
use super::value;

const LONG: &str = "\
Shows what a bundle is made of: the images and bundles that it refers to, at any depth, where they are found now and where
they came from, their annotations, their layers, and the signatures that belong to them.";

const EXAMPLES: &str = "  # Describe a bundle
  imgpkg describe -b registry.example/app-config:v1.0.0

  # The same for a program to read, without asking for layers
  imgpkg describe -b registry.example/app-config:v1.0.0 -o yaml --layers=false";

/// What was typed behind `imgpkg describe`.
#[derive(Debug, Clone, clap::Args)]
#[command(
    about = "Describe the images and bundles associated with a give bundle",
    long_about = LONG,
    after_long_help = EXAMPLES
)]
pub(crate) struct DescribeArgs {
    /// Bundle reference for copying (happens thickly, i.e. bundle image + all referenced images)
    #[arg(short, long)]
    pub(crate) bundle: Option<String>,
    /// Concurrency: at most this many requests at a time per registry (default: as many as the registry takes well)
    #[arg(long, value_parser = value::integer)]
    pub(crate) concurrency: Option<i64>,
    /// Retrieve cosign artifact information (Default: true)
    #[arg(long, action = ArgAction::Set, value_parser = value::boolean, default_value = "true")]
    pub(crate) cosign_artifacts: bool,
    /// Retrieve image layers info (Default: true)
    #[arg(long, action = ArgAction::Set, value_parser = value::boolean, default_value = "true")]
    pub(crate) layers: bool,
    /// Type of output possible values: [text, yaml]
    #[arg(short, long, default_value = "text")]
    pub(crate) output_type: String,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
}

/// What `describe` is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DescribeRequest {
    /// The bundle.
    pub(crate) bundle: TypedReference,
    /// The most requests at a time, where the user set a limit.
    pub(crate) concurrency: Option<NonZeroUsize>,
    /// Are signatures looked for?
    pub(crate) cosign_artifacts: bool,
    /// Are layers listed?
    pub(crate) layers: bool,
    /// The form of the description.
    pub(crate) output: DescribeOutput,
}

/// The form of a description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DescribeOutput {
    /// For people.
    Text,
    /// For programs.
    Yaml,
}

impl DescribeArgs {
    /// Checks the arguments, in the reference's order.
    ///
    /// # Errors
    /// When the output type is none or the reference does not parse.
    pub(crate) fn request(&self) -> Result<DescribeRequest, ArgumentError> {
        let output = match self.output_type.as_str() {
            "text" => DescribeOutput::Text,
            "yaml" => DescribeOutput::Yaml,
            _ => return Err(ArgumentError::OutputType),
        };
        let bundle = self.bundle.as_deref().unwrap_or_default();
        Ok(DescribeRequest {
            concurrency: concurrency(self.concurrency)?,
            bundle: required("bundle", 'b', bundle, TypedReference::checked(bundle))?,
            cosign_artifacts: self.cosign_artifacts,
            layers: self.layers,
            output,
        })
    }
}
