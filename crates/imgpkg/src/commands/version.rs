//! `imgpkg version`, and what `--version` prints.

use crate::context::Context;

/// What this program calls itself.
pub(crate) const VERSION: &str = concat!("imgpkg version ", env!("CARGO_PKG_VERSION"), "\n");

/// Prints the version.
pub(super) fn run(context: &Context) {
    context.ui.block(VERSION);
}
