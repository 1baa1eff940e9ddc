//! Discover, plan, transfer, record: between any source and any destination.
