//! `imgpkg describe`.

mod text;
mod yaml;

use std::sync::Arc;

use imgpkg_bundle::describe::{Options, describe};

use super::CommandError;
use crate::args::describe::{DescribeArgs, DescribeOutput};
use crate::context::Context;

/// Shows what a bundle is made of.
pub(super) async fn run(args: &DescribeArgs, context: &Context) -> Result<(), CommandError> {
    let request = args.request()?;
    let client = context.client(&args.registry, request.concurrency)?;
    let options = Options { signatures: request.cosign_artifacts, layers: request.layers };
    let bundle = &request.bundle;
    let description = describe(Arc::new(client), &bundle.text, &bundle.reference, options).await?;
    context.ui.block(&match request.output {
        DescribeOutput::Text => text::render(&description),
        DescribeOutput::Yaml => yaml::render(&description),
    });
    Ok(())
}
