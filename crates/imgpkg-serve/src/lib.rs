//! An OCI registry over a directory.
