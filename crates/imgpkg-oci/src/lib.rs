//! The nouns of the OCI specifications: digests, references, descriptors, manifests, sources and destinations.
