//! `imgpkg copy`.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use imgpkg_archive::Archive;
use imgpkg_copy::{Event, ImageSet, LayerChoice, Listener, Options, Outcome, copy as engine, discover};
use imgpkg_lock::AnyLock;
use imgpkg_oci::{Reference, Tag};
use imgpkg_registry::Client;

mod dry_run;

use super::CommandError;
use super::lock_output::LockOutput;
use crate::args::copy::{CopyArgs, CopyDestination, CopyRequest, CopySource};
use crate::context::Context;
use crate::ui::Ui;

/// Copies what was named to a repository or an archive.
pub(super) async fn run(args: &CopyArgs, context: &Context) -> Result<(), CommandError> {
    let request = args.request()?;
    if request.dry_run {
        return dry_run::run(args, &request, context).await;
    }
    let client = context.client(&args.registry, request.concurrency)?;
    let progress = context.progress.listener("copy");
    let set = discover_source(&request, &client).await?;
    let exported = !matches!(request.source, CopySource::Tar(_));
    if exported {
        say_exported(&set, &context.ui);
    }
    let options = options(&request);
    let listener = listener(context.ui.clone(), progress);
    let outcome = match &request.destination {
        CopyDestination::Tar { path, .. } => engine::to_archive(&set, path, options, listener).await?,
        CopyDestination::Repository { repository, lock_output } => {
            let lock_output = LockOutput::checked(lock_output.as_deref(), "copy", &set)?;
            let destination = client.repository(repository);
            let outcome = engine::to_repository(&set, destination, repository, options, listener).await?;
            if let Some(lock_output) = lock_output {
                lock_output.write(&set, &outcome)?;
            }
            outcome
        }
    };
    warn(&outcome, options, &context.ui);
    Ok(())
}

fn options(request: &CopyRequest) -> Options {
    Options {
        layers: match request.include_non_distributable_layers {
            true => LayerChoice::All,
            false => LayerChoice::Distributable,
        },
        repository_based_tags: request.repo_based_tags,
        concurrency: request.concurrency.map(NonZeroUsize::get),
        resume: matches!(request.destination, CopyDestination::Tar { resume: true, .. }),
    }
}

async fn discover_source(request: &CopyRequest, client: &Client) -> Result<ImageSet, CommandError> {
    let repositories = Arc::new(client.clone());
    let set = match &request.source {
        CopySource::Tar(path) => return Ok(discover::from_archive(Archive::open(path).await?).await?),
        CopySource::Image(image) => discover::from_image(repositories, &image.text, &image.reference).await?,
        CopySource::Bundle(bundle) => {
            let tag = bundle.reference.tag().cloned();
            discover::from_bundle(repositories, &bundle.text, &bundle.reference, tag, true).await?
        }
        CopySource::Lock(path) => match AnyLock::read(path).map_err(CommandError::Lock)? {
            AnyLock::Images(lock) => discover::from_images_lock(repositories, lock).await?,
            AnyLock::Bundle(lock) => {
                let tag = lock.tag.as_deref().map(Tag::parse).transpose().map_err(CommandError::LockedTag)?;
                let name = lock.image.to_string();
                discover::from_bundle(repositories, &name, &Reference::from(lock.image), tag, false).await?
            }
        },
    };
    match request.cosign_signatures {
        true => Ok(discover::add_signatures(set).await?),
        false => Ok(set),
    }
}

/// Every line of a copy begins like this.
const PREFIX: &str = "copy | ";

fn say_exported(set: &ImageSet, ui: &Ui) {
    let references = set.references();
    let count = references.len();
    ui.line(&format!("{PREFIX}exporting {count} images...\n"));
    for reference in references {
        ui.line(&format!("{PREFIX}will export {reference}\n"));
    }
    ui.line(&format!("{PREFIX}exported {count} images\n"));
}

fn listener(ui: Arc<Ui>, progress: Listener) -> Listener {
    Arc::new(move |event| {
        progress(event.clone());
        let line = match event {
            Event::Importing { items } => format!("importing {items} images..."),
            Event::TaggingImages => "Tagging images".to_owned(),
            Event::Reusing { layers } => {
                format!("Going to reuse {layers} layers from the tar already in disk")
            }
            Event::WritingLayers => "writing layers...".to_owned(),
            Event::FileWritten { name, elapsed } => format!("done: file '{name}' ({})", go_duration(elapsed)),
            _ => return,
        };
        ui.line(&format!("{PREFIX}{line}\n"));
    })
}

/// What the user may not expect, although the copy went well.
fn warn(outcome: &Outcome, options: Options, ui: &Ui) {
    if !outcome.left_out_layers.is_empty() {
        let mut text = format!(
            "{PREFIX}Warning: Skipped the followings layer(s) due to it being non-distributable. If you would like to \
             include non-distributable layers, use the --include-non-distributable-layers flag\n"
        );
        for (image, layers) in &outcome.left_out_layers {
            // Writing to a string cannot fail.
            let _ = write!(text, "{PREFIX} - Image: {image}\n{PREFIX}   Layers:\n");
            layers.iter().for_each(|layer| text.push_str(&format!("{PREFIX}     - {layer}\n")));
        }
        ui.warning(&text);
    }
    if options.layers == LayerChoice::All && !outcome.has_non_distributable {
        ui.warning(&format!(
            "{PREFIX}Warning: '--include-non-distributable-layers' flag provided, but no images contained a \
             non-distributable layer.\n"
        ));
    }
    if let Some(warning) = left_out_warning(outcome.left_out_images) {
        ui.warning(&format!("{PREFIX}Warning: {warning}\n"));
    }
}

/// What to say about so many images that a bundle names and its archive does not hold.
pub(super) fn left_out_warning(count: usize) -> Option<String> {
    let (images, them) = match count {
        0 => return None,
        1 => ("1 referenced image is".to_owned(), "it"),
        count => (format!("{count} referenced images are"), "them"),
    };
    Some(format!(
        "{images} not in the tar, which holds the bundle alone; to carry {them} along, copy the bundle from a registry \
         with --to-tar"
    ))
}

/// A duration in the notation of Go, which the reference prints: `1.191µs`, `32.5ms`, `2m3.5s`.
fn go_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let scaled = |unit: u128, name: &str| {
        let fraction = format!("{:0width$}", nanos % unit, width = unit.ilog10() as usize);
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{}{point}{fraction}{name}", nanos / unit)
    };
    match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => scaled(1_000, "µs"),
        1_000_000..1_000_000_000 => scaled(1_000_000, "ms"),
        1_000_000_000..60_000_000_000 => scaled(1_000_000_000, "s"),
        _ => {
            let (minutes, hours) = (duration.as_secs() / 60 % 60, duration.as_secs() / 3600);
            let rest = go_duration(duration - Duration::from_secs(duration.as_secs() / 60 * 60));
            let hours = if hours > 0 { format!("{hours}h") } else { String::new() };
            format!("{hours}{minutes}m{rest}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_go_writes_them() {
        for (nanos, expected) in [
            (0, "0s"),
            (999, "999ns"),
            (1_191, "1.191µs"),
            (32_521, "32.521µs"),
            (1_000_000, "1ms"),
            (1_500_000_000, "1.5s"),
            (59_999_999_999, "59.999999999s"),
            (60_000_000_000, "1m0s"),
            (3_723_500_000_000, "1h2m3.5s"),
        ] {
            assert_eq!(go_duration(Duration::from_nanos(nanos)), expected);
        }
    }
}
