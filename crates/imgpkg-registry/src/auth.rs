//! Who we are to a registry: where credentials come from, what a registry wants to see, and the tokens it hands out.

mod authorizer;
mod challenge;
mod credential;
mod docker_config;
mod env;
mod helper;
mod keychain;
mod token;

pub(crate) use authorizer::{Access, Authorizer};
pub(crate) use challenge::Challenge;
pub(crate) use keychain::Keychain;
