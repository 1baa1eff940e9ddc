//! Test support: the real binaries in a clean environment ([`Tool`]), temporary registries ([`Registry`]), images to
//! fill them with ([`Image`]), and a proxy before them that makes things go wrong on purpose ([`FaultProxy`]). What goes
//! wrong by accident panics, with everything that helps to see why: a test cannot go on without its ground.
//!
//! ```no_run
//! use imgpkg_testkit::{Image, Registry, Tool};
//!
//! let imgpkg = Tool::new("target/debug/imgpkg");
//! let registry = Registry::embedded(&imgpkg);
//! let digest = Image::of_files(&[("greeting", b"hello")]).push(&registry, "team/app", "v1");
//! let printed = imgpkg.run(&["tag", "resolve", "-i", &registry.reference("team/app:v1")]).success();
//! assert!(printed.stdout.ends_with(digest.as_str()));
//! ```

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::print_stdout)]

mod archive;
mod bundle;
mod http;
mod image;
mod nested_bundle;
mod proxy;
mod registry;
mod snapshot;
mod stage;
mod stub;
mod tool;

pub use archive::load_archive;
pub use bundle::BundleDirectory;
pub use http::Response;
pub use image::{Image, append_file, push_index};
pub use nested_bundle::{NestedBundle, noise};
pub use proxy::{Fault, FaultProxy, Link, Seen};
pub use registry::{Registry, peer_is_missing};
pub use snapshot::Snapshot;
pub use stage::{Job, Made, Scene, Stage};
pub use stub::Stub;
pub use tool::{Ran, Tool};
