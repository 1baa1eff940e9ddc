//! What goes over the wire: the client against servers that follow a script.

mod auth;
mod blob;
mod manifest;
mod origin;
mod retry;
mod server;
mod upload;
