//! `imgpkg copy --dry-run`: what a copy would move, in words. Nothing is written anywhere.

use std::sync::atomic::Ordering;

use imgpkg_copy::Forecast;
use imgpkg_copy::forecast::Amount;

use super::{discover_source, options};
use crate::args::copy::{CopyArgs, CopyDestination, CopyRequest};
use crate::commands::CommandError;
use crate::context::Context;
use crate::ui::quantity::bytes;

/// How many requests a locations image takes: two questions whether it is there, two blobs of two requests each, and two
/// tags.
const REQUESTS_OF_LOCATIONS: usize = 8;

/// Prints the plan.
pub(super) async fn run(
    args: &CopyArgs,
    request: &CopyRequest,
    context: &Context,
) -> Result<(), CommandError> {
    let (client, requests) = context.counting_client(&args.registry, request.concurrency)?;
    context.progress.begin("copy");
    let set = discover_source(request, &client).await?;
    let options = options(request);
    let (forecast, place) = match &request.destination {
        CopyDestination::Tar { path, .. } => {
            (Forecast::of_archive(&set, path, options).await?, format!("'{}'", path.display()))
        }
        CopyDestination::Repository { repository, .. } => {
            let destination = client.repository(repository);
            let forecast = Forecast::of_repository(&set, &*destination, repository, options).await?;
            (forecast, repository.to_string())
        }
    };
    // The questions that led to the plan are asked again by the copy itself.
    let requests = requests.load(Ordering::Relaxed) + requests_of(&forecast);
    context.ui.block(&text(&forecast, &place, requests));
    Ok(())
}

/// How many requests the transfer takes. A registry that sends clients elsewhere for its blobs, or that refuses to mount,
/// makes more of them.
fn requests_of(forecast: &Forecast) -> usize {
    let sends = 2 * forecast.send.blobs + forecast.send_large;
    let writes = forecast.manifests + forecast.tags + REQUESTS_OF_LOCATIONS * forecast.locations;
    forecast.fetch.blobs - forecast.at_hand.min(forecast.fetch.blobs) + forecast.mount.blobs + sends + writes
}

fn text(forecast: &Forecast, place: &str, requests: usize) -> String {
    let mut text = format!("Would copy {} images to {place}:\n", forecast.images.len());
    for image in &forecast.images {
        let note = if image.in_place { " (already there)" } else { "" };
        text.push_str(&format!("  {}{note}\n", image.source));
    }
    let lines = match forecast.archive_bytes {
        Some(size) => archive_lines(forecast, size),
        None => repository_lines(forecast),
    };
    for (name, value) in lines {
        text.push_str(&format!("{:<15}{value}\n", format!("{name}:")));
    }
    if forecast.left_out.blobs > 0 {
        let amount = amount(forecast.left_out, "layers");
        text.push_str(&format!(
            "{:<15}{amount} that may not be passed on (hint: --include-non-distributable-layers copies them)\n",
            "left out:"
        ));
    }
    text.push_str(&format!("{:<15}about {requests}\nNothing has been written.\n", "requests:"));
    text
}

fn repository_lines(forecast: &Forecast) -> Vec<(&'static str, String)> {
    let mut lines = vec![("already there", amount(forecast.there, "blobs"))];
    let at_most = |amount_of: Amount| match amount_of.blobs {
        0 => amount(amount_of, "blobs"),
        _ => format!("{}, at most", amount(amount_of, "blobs")),
    };
    if forecast.mount.blobs > 0 {
        let mount = amount(forecast.mount, "blobs");
        lines
            .push(("to mount", format!("{mount}, to be fetched and sent where the registry does not mount")));
    }
    lines.push(("to fetch", at_most(forecast.fetch)));
    lines.push(("to send", at_most(forecast.send)));
    lines.push(("to write", format!("{} manifests, {} tags", forecast.manifests, forecast.tags)));
    lines
}

fn archive_lines(forecast: &Forecast, size: u64) -> Vec<(&'static str, String)> {
    let there = match forecast.there.blobs {
        0 => amount(forecast.there, "layers"),
        _ => format!("{}, verified before they are used", amount(forecast.there, "layers")),
    };
    let fetch = match forecast.begun_bytes {
        0 => amount(forecast.fetch, "layers"),
        begun => {
            format!("{}, {} of which are on the disk already", amount(forecast.fetch, "layers"), bytes(begun))
        }
    };
    vec![("size of tar", bytes(size)), ("already there", there), ("to fetch", fetch)]
}

fn amount(amount: Amount, what: &str) -> String {
    format!("{} {what}, {}", amount.blobs, bytes(amount.bytes))
}

#[cfg(test)]
mod tests {
    use imgpkg_copy::forecast::ImageForecast;
    use imgpkg_oci::DigestReference;

    use super::*;

    fn image(in_place: bool) -> ImageForecast {
        let source = format!("registry.example/app@sha256:{}", "a".repeat(64));
        ImageForecast { source: DigestReference::parse(&source).unwrap(), in_place }
    }

    fn of(blobs: usize, bytes: u64) -> Amount {
        Amount { blobs, bytes }
    }

    #[test]
    fn a_plan_for_a_repository_says_what_is_fetched_mounted_and_sent() {
        let forecast = Forecast {
            images: vec![image(false), image(true)],
            there: of(12, 34 << 20),
            mount: of(3, 1 << 20),
            fetch: of(2, 500),
            at_hand: 1,
            send: of(4, 777 << 20),
            send_large: 1,
            manifests: 5,
            tags: 1,
            locations: 2,
            ..Forecast::default()
        };
        assert_eq!(requests_of(&forecast), 2 - 1 + 3 + 2 * 4 + 1 + 5 + 1 + 2 * 8);
        let a = "a".repeat(64);
        let expected = format!(
            "Would copy 2 images to internal.example/app:
  registry.example/app@sha256:{a}
  registry.example/app@sha256:{a} (already there)
already there: 12 blobs, 34.0 MiB
to mount:      3 blobs, 1.0 MiB, to be fetched and sent where the registry does not mount
to fetch:      2 blobs, 500 B, at most
to send:       4 blobs, 777.0 MiB, at most
to write:      5 manifests, 1 tags
requests:      about 57
Nothing has been written.
"
        );
        assert_eq!(text(&forecast, "internal.example/app", 57), expected);
    }

    #[test]
    fn a_plan_for_a_tar_says_its_size_and_what_is_on_the_disk() {
        let forecast = Forecast {
            archive_bytes: Some(778 << 20),
            there: of(5, 30 << 20),
            fetch: of(10, 700 << 20),
            begun_bytes: 10 << 20,
            left_out: of(1, 100),
            ..Forecast::default()
        };
        let expected = "Would copy 0 images to 'app.tar':
size of tar:   778.0 MiB
already there: 5 layers, 30.0 MiB, verified before they are used
to fetch:      10 layers, 700.0 MiB, 10.0 MiB of which are on the disk already
left out:      1 layers, 100 B that may not be passed on (hint: --include-non-distributable-layers copies them)
requests:      about 10
Nothing has been written.
";
        assert_eq!(text(&forecast, "'app.tar'", requests_of(&forecast)), expected);
    }
}
