//! Directories that are bundles.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A directory with a lock file, and files beside it.
pub struct BundleDirectory {
    directory: TempDir,
}

impl BundleDirectory {
    /// A bundle of these images (digest references), with one configuration file.
    pub fn of_images(images: &[&str]) -> Self {
        let entries: String = images.iter().map(|image| format!("- image: {image}\n")).collect();
        let images =
            if entries.is_empty() { "images: []\n".to_owned() } else { format!("images:\n{entries}") };
        Self::with_lock(&format!("apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\n{images}"))
    }

    /// A bundle with exactly this lock file.
    pub fn with_lock(lock: &str) -> Self {
        let bundle = Self { directory: TempDir::new().expect("a temporary directory") };
        bundle.write(".imgpkg/images.yml", lock).write("config.yml", "greeting: hello\n")
    }

    /// The same directory with one more file, or another content of it.
    #[must_use]
    pub fn write(self, name: &str, content: &str) -> Self {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(path, content).expect("a file");
        self
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Where it is, as an argument.
    pub fn argument(&self) -> &str {
        self.path().to_str().expect("a UTF-8 path")
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }
}
