//! From the files that the user names to an image: what `push` and `save` have in common.

use std::path::PathBuf;
use std::sync::Arc;

use imgpkg_bundle::build::{BuiltImage, Contents, ImageKind};

use super::CommandError;
use crate::args::content::{self, Content};
use crate::context::Context;

/// Checks the files, lists them, and builds the image.
///
/// # Errors
/// When the files are not what the kind of image wants, or cannot be read.
pub(super) async fn pack(content: Content, context: &Context) -> Result<BuiltImage, CommandError> {
    let kind = match content.kind {
        content::ImageKind::Bundle => ImageKind::Bundle,
        content::ImageKind::Image => ImageKind::Plain,
    };
    let Content { files, exclusions, labels, preserve_permissions, .. } = content;
    let contents =
        blocking(move || Contents::scan(kind, &files, &exclusions, preserve_permissions)).await??;
    for line in contents.listing() {
        context.ui.line(&format!("{line}\n"));
    }
    if let Some(problem) = contents.lock_warning() {
        context.ui.alert(&format!("imgpkg: Warning: {problem}"));
    }
    Ok(blocking(move || BuiltImage::build(&contents, labels)).await??)
}

/// The name for an image whose user gave none: that of the directory or file it is made of, as far as a repository can
/// have it, and `bundle` where nothing is left of it.
pub(super) async fn name_of(files: Vec<PathBuf>) -> Result<String, CommandError> {
    let real = blocking(move || files.first().and_then(|path| std::fs::canonicalize(path).ok())).await?;
    let name = real.as_deref().and_then(|path| path.file_name()).map(|name| name.to_string_lossy());
    Ok(repository_name(&name.unwrap_or_default()))
}

fn repository_name(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-.".contains(c);
    let name: String =
        name.to_lowercase().chars().map(|c| if allowed(c) { c } else { '-' }).take(200).collect();
    if name.len() < 2 || name == ".." { "bundle".to_owned() } else { name }
}

/// Runs what blocks where blocking is allowed.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, CommandError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| CommandError::Task(Arc::new(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directorys_name_becomes_one_that_a_repository_can_have() {
        for (name, expected) in [
            ("My App", "my-app"),
            ("greeter", "greeter"),
            ("v1.0_x", "v1.0_x"),
            ("Ünï", "-n-"),
            ("a/b", "a-b"),
        ] {
            assert_eq!(repository_name(name), expected);
        }
    }

    #[test]
    fn a_directory_without_a_usable_name_makes_a_bundle() {
        for name in ["", "x", ".."] {
            assert_eq!(repository_name(name), "bundle");
        }
    }
}
