//! What a command says about its way: before it begins, while it works, and when it fails.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]
