//! Lock files and their relatives: ImagesLock, BundleLock, ImageLocations.
