//! One registry as a client sees it.
