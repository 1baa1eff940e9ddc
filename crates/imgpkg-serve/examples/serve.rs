//! Runs a registry until it is interrupted: `cargo run --example serve -- [DIRECTORY]`. Without a directory it is a
//! temporary one. Prints its address, and a line for each request when `LOG_REQUESTS` is set.
#![expect(clippy::print_stdout, reason = "an example's output")]

use std::sync::Arc;

use imgpkg_serve::{RequestObserver, RequestSummary, ServeOptions, Server, StorageLocation};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let storage = match std::env::args_os().nth(1) {
        Some(directory) => StorageLocation::Directory(directory.into()),
        None => StorageLocation::Temporary,
    };
    let on_request = std::env::var_os("LOG_REQUESTS").map(|_| -> RequestObserver {
        Arc::new(|request: &RequestSummary| {
            println!("{} {} {}", request.status.as_u16(), request.method, request.uri);
        })
    });
    let server = Server::bind(ServeOptions { storage, on_request, ..ServeOptions::default() }).await?;
    println!("Listening on {}", server.local_addr());
    server
        .run(async {
            // Where the signal cannot be waited for, the process just goes on until it is killed.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        })
        .await?;
    Ok(())
}
