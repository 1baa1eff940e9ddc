//! One file that holds images: the tar that imgpkg writes and reads.
