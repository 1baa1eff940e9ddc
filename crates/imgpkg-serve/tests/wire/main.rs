//! The registry as its clients see it: every endpoint over a real connection, and an independent client against it.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "the whole crate is a test, its support functions too"
)]

mod blobs;
mod connections;
mod independent_client;
mod lists;
mod manifests;
mod names;
mod registry;
mod starting;
mod uploads;
