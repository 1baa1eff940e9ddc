//! What goes over the wire: the client against servers that follow a script.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test, in its helpers too")]
#![allow(clippy::print_stdout, reason = "a test that is skipped says so")]

mod auth;
mod blob;
mod docker_registry;
mod manifest;
mod origin;
mod proxy;
mod retry;
mod server;
mod upload;
mod upload_parts;
