//! Paths that are never replaced by output, because too much would be gone.

use std::path::{Component, Path, PathBuf};

use crate::Error;

/// The directories that must not be lost.
pub(super) struct Protected {
    /// The current directory, if there is one.
    pub(super) current: Option<PathBuf>,
    /// The user's home directory, if there is one.
    pub(super) home: Option<PathBuf>,
}

impl Protected {
    /// Where an output path is, with all links on the way resolved, except the last name's own: what is replaced is the
    /// link, not what it points to.
    ///
    /// # Errors
    /// When that is the root, or is or contains a protected directory, or when it is a link to such a place.
    pub(super) fn location(&self, output: &Path) -> Result<PathBuf, Error> {
        let resolved = self.resolve(output)?;
        let location = match (output.components().next_back(), output.parent()) {
            (Some(Component::Normal(name)), Some(parent)) => self.resolve(parent)?.join(name),
            _ => resolved.clone(),
        };
        let is_lost = |protected: &Path| protected.starts_with(&location) || protected.starts_with(&resolved);
        let mut protected = vec![PathBuf::from("/")];
        for directory in [&self.current, &self.home].into_iter().flatten().filter(|path| path.is_absolute()) {
            protected.push(directory.clone());
            protected.extend(directory.canonicalize());
        }
        if output.as_os_str().is_empty() || protected.iter().any(|directory| is_lost(directory)) {
            return Err(Error::DisallowedOutput);
        }
        Ok(location)
    }

    /// The absolute path without links, as far as it exists; what follows is taken by its text.
    fn resolve(&self, path: &Path) -> Result<PathBuf, Error> {
        let mut resolved = PathBuf::from("/");
        if path.is_relative() {
            let current = self.current.as_deref();
            resolved = current
                .ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound))
                .and_then(Path::canonicalize)
                .map_err(|error| Error::CurrentDirectory(error.into()))?;
        }
        for component in path.components() {
            match component {
                Component::ParentDir => {
                    resolved.pop();
                }
                Component::Normal(name) => {
                    resolved.push(name);
                    resolved = resolved.canonicalize().unwrap_or(resolved);
                }
                _ => {}
            }
        }
        Ok(resolved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    struct Places {
        _root: tempfile::TempDir,
        root: PathBuf,
        protected: Protected,
    }

    /// `home/me` is the home directory, `work/here` the current one.
    fn places() -> Places {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().canonicalize().unwrap();
        let (home, current) = (root.join("home/me"), root.join("work/here"));
        fs::create_dir_all(&home).unwrap();
        fs::create_dir_all(&current).unwrap();
        let protected = Protected { current: Some(current), home: Some(home) };
        Places { _root: temporary, root, protected }
    }

    #[test]
    fn the_root_the_current_directory_and_what_contains_it_are_refused() {
        let Places { root, protected, _root } = places();
        symlink(root.join("work"), root.join("link")).unwrap();
        symlink("/", root.join("work/here/root")).unwrap();
        for output in
            ["", "/", "//", "/.", ".", "./", "..", "../", "../..", "../here", "new/..", "new/../..", "root"]
        {
            let error = protected.location(Path::new(output)).unwrap_err();
            assert!(matches!(error, Error::DisallowedOutput), "{output}: {error}");
        }
        for output in ["", "work", "work/here", "work/here/", "work/new/../here", "link", "link/here"] {
            let error = protected.location(&root.join(output)).unwrap_err();
            assert!(matches!(error, Error::DisallowedOutput), "{output}: {error}");
        }
    }

    #[test]
    fn the_home_directory_and_what_contains_it_are_refused() {
        let Places { root, protected, _root } = places();
        symlink(root.join("home/me"), root.join("work/here/tilde")).unwrap();
        for output in ["../../home/me", "../../home", "tilde", "tilde/."] {
            let error = protected.location(Path::new(output)).unwrap_err();
            assert!(matches!(error, Error::DisallowedOutput), "{output}: {error}");
        }
    }

    #[test]
    fn other_places_are_found_without_links() {
        let Places { root, protected, _root } = places();
        fs::create_dir(root.join("other")).unwrap();
        symlink("../../other", root.join("work/here/link")).unwrap();
        let cases = [
            ("out", "work/here/out"),
            ("a/b/../c", "work/here/a/c"),
            ("../out/", "work/out"),
            ("link", "work/here/link"),
            ("link/out", "other/out"),
        ];
        for (output, place) in cases {
            assert_eq!(protected.location(Path::new(output)).unwrap(), root.join(place), "{output}");
        }
    }

    #[test]
    fn without_a_current_directory_only_absolute_paths_mean_something() {
        let Places { root, protected, _root } = places();
        let protected = Protected { current: None, home: protected.home };
        assert!(matches!(protected.location(Path::new("out")).unwrap_err(), Error::CurrentDirectory(_)));
        assert_eq!(protected.location(&root.join("out")).unwrap(), root.join("out"));
    }
}
