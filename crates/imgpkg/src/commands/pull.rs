//! `imgpkg pull`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use imgpkg_bundle::extract::OutputDirectory;
use imgpkg_bundle::pull::{self, Event, Listener, Wanted};
use imgpkg_lock::{BundleLock, ImagesLock};
use imgpkg_oci::Reference;

use super::CommandError;
use super::metered::Metered;
use crate::args::pull::{PullArgs, PullRequest, PullSource};
use crate::context::Context;
use crate::ui::{Ui, error};

/// Fetches an image's files into a directory.
pub(super) async fn run(args: &PullArgs, context: &Context) -> Result<(), CommandError> {
    let request = args.request()?;
    let client = context.client(&args.registry, None)?;
    let wanted = wanted(&request);
    let (name, reference) = match request.source {
        PullSource::Bundle(typed) | PullSource::Image(typed) => (typed.text, typed.reference),
        PullSource::Lock(path) => {
            let lock = BundleLock::read(&path).map_err(|error| refused(&path, error))?;
            (lock.image.to_string(), Reference::from(lock.image))
        }
    };
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let output = OutputDirectory::prepare(&request.output, home.as_deref())
        .map_err(|error| pull::Error::of_output(wanted, error))?;
    let repositories = Arc::new(Metered::new(Arc::new(client), context.progress.listener("pull")));
    let listener = listener(context.ui.clone());
    let skipped = pull::pull(repositories, &name, &reference, wanted, output, listener).await?;
    if skipped > 0 {
        context.ui.alert(&format!(
            "imgpkg: Warning: {skipped} links, devices or pipes in the image were skipped: only files and directories are created"
        ));
    }
    Ok(())
}

/// Why a file is no BundleLock, and what can be done with it if it is an ImagesLock.
fn refused(path: &Path, error: imgpkg_lock::Error) -> CommandError {
    match ImagesLock::read(path) {
        Ok(_) => CommandError::PulledImagesLock { path: path.to_owned(), cause: error::message(&error) },
        Err(_) => CommandError::Lock(error),
    }
}

fn wanted(request: &PullRequest) -> Wanted {
    let recursive = request.recursive;
    match (&request.source, request.bundle_check) {
        (PullSource::Bundle(_), _) | (PullSource::Lock(_), true) => Wanted::Bundle { recursive },
        (PullSource::Lock(_), false) if recursive => Wanted::Bundle { recursive },
        (PullSource::Lock(_), false) => Wanted::BundleFiles,
        (PullSource::Image(_), true) => Wanted::Image,
        (PullSource::Image(_), false) => Wanted::AnyImage,
    }
}

fn listener(ui: Arc<Ui>) -> Listener {
    Arc::new(move |event| ui.line(&words(&event)))
}

fn words(event: &Event) -> String {
    let indented = |depth: &usize| "  ".repeat(*depth);
    match event {
        Event::Pulling { reference, bundle: true } => format!("Pulling bundle '{reference}'\n"),
        Event::Pulling { reference, bundle: false } => format!("Pulling image '{reference}'\n"),
        Event::NestedBundles => "\nNested bundles\n".to_owned(),
        Event::PullingNested { reference, depth } => {
            format!("{}Pulling nested bundle '{reference}'\n", indented(depth))
        }
        Event::Skipped { reference, depth } => {
            let indent = indented(depth);
            format!("{indent}Pulling nested bundle '{reference}'\n{indent}Skipped, already downloaded\n")
        }
        Event::Extracting { digest, position, count, depth, bundle } => {
            let indent = indented(&(depth + usize::from(*bundle)));
            format!("{indent}Extracting layer '{digest}' ({position}/{count})\n")
        }
        Event::Located { repository, relocated: true } => format!(
            "\nLocating image lock file images...\nThe bundle repo ({repository}) is hosting every image specified in \
             the bundle's Images Lock file (.imgpkg/images.yml)\n"
        ),
        Event::Located { .. } => {
            "\nLocating image lock file images...\nOne or more images not found in bundle repo; \
                                  skipping lock file update\n"
                .to_owned()
        }
        _ => String::new(),
    }
}
