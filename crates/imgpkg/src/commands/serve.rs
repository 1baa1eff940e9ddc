//! `imgpkg serve`.

use std::sync::Arc;

use imgpkg_serve::{ServeOptions, Server, StorageFailure, StorageFailureObserver, StorageLocation};

use super::CommandError;
use crate::args::serve::ServeArgs;
use crate::context::Context;
use crate::interrupt::Interrupts;
use crate::ui::Ui;

/// Runs a registry until it is told to stop, which is how it ends well.
pub(super) async fn run(args: &ServeArgs, context: &Context) -> Result<(), CommandError> {
    let request = args.request()?;
    // Before anything is there that would have to be cleaned up.
    let mut interrupts = Interrupts::listen();
    let place = match &request.directory {
        Some(directory) => format!("Content is kept in {}", directory.display()),
        None => "Content is kept in a temporary directory, which is removed at the end".to_owned(),
    };
    let storage = request.directory.map_or(StorageLocation::Temporary, StorageLocation::Directory);
    let server = Server::bind(ServeOptions {
        storage,
        read_only: request.read_only,
        listen: request.listen,
        allow_anonymous_writes: request.allow_anonymous_writes,
        on_storage_failure: Some(storage_failures(&context.ui)),
        ..ServeOptions::default()
    })
    .await?;
    context.ui.raw(&format!("Listening on {}\n", server.local_addr()));
    context.ui.note(&place);
    server
        .run(async move {
            interrupts.next().await;
        })
        .await?;
    Ok(())
}

/// One line for whoever runs the registry, who may have to make room.
fn storage_failures(ui: &Arc<Ui>) -> StorageFailureObserver {
    let ui = Arc::clone(ui);
    Arc::new(move |failure: &StorageFailure| {
        let StorageFailure { method, uri, reason } = failure;
        ui.alert(&format!("imgpkg serve: {method} {uri}: the storage failed: {reason}"));
    })
}
