//! The `imgpkg` binary.
fn main() {}
