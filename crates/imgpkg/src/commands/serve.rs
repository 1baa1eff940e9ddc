//! `imgpkg serve`.

use imgpkg_serve::{ServeOptions, Server, StorageLocation};

use super::CommandError;
use crate::args::serve::ServeArgs;
use crate::context::Context;
use crate::interrupt::Interrupts;

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
