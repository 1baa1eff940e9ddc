//! From a directory to an image and back; nested bundles and their locations.
