//! Test support: temporary registries, fixtures, and the real binary.
