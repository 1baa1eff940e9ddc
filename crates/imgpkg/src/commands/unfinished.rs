//! What a failed run leaves beside the archive that it was to write, and what to do about it.

use std::path::{Path, PathBuf};

use imgpkg_archive::{ArchiveWriter, Unfinished};

use crate::args::Command;
use crate::args::copy::CopyDestination;
use crate::ui::quantity;

/// What to say after an error, a line each.
pub(crate) fn hints(command: &Command) -> Vec<String> {
    let unfinished = archive_of(command).and_then(|path| ArchiveWriter::unfinished(&path));
    unfinished.as_ref().map(lines).unwrap_or_default()
}

/// The archive that the command was to write.
fn archive_of(command: &Command) -> Option<PathBuf> {
    match command {
        Command::Copy(args) => match args.request().ok().filter(|request| !request.dry_run)?.destination {
            CopyDestination::Tar { path, .. } => Some(path),
            CopyDestination::Repository { .. } => None,
        },
        Command::Save(args) => args.request().ok().map(|request| request.tar),
        _ => None,
    }
}

fn lines(unfinished: &Unfinished) -> Vec<String> {
    let Unfinished { path, bytes, total, files, .. } = unfinished;
    let files: Vec<String> = files.iter().map(|file| quoted(file)).collect();
    vec![
        format!(
            "hint: '{}' has {} of the layers; the same command again goes on from there",
            path.display(),
            quantity::bytes_of(*bytes, *total)
        ),
        format!("hint: to drop that: rm {}", files.join(" ")),
    ]
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+,@%".contains(c);
    match text.chars().all(is_plain) && !text.starts_with('-') {
        true => text,
        false if text.starts_with('-') => format!("'./{}'", text.replace('\'', r"'\''")),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hints_name_the_file_its_size_and_how_to_be_rid_of_it() {
        let unfinished = Unfinished {
            path: "app.tar.partial".into(),
            bytes: 35_756_441,
            total: 777 << 20,
            files: vec!["app.tar.partial".into(), "app.tar.partial.journal".into()],
        };
        assert_eq!(
            lines(&unfinished),
            [
                "hint: 'app.tar.partial' has 34.1 of 777.0 MiB of the layers; the same command again goes on from there",
                "hint: to drop that: rm app.tar.partial app.tar.partial.journal",
            ]
        );
    }

    #[test]
    fn paths_are_quoted_where_a_shell_would_misread_them() {
        for (path, expected) in [
            ("/tmp/a_b-1.tar.partial", "/tmp/a_b-1.tar.partial"),
            ("my app.tar", "'my app.tar'"),
            ("it's", r"'it'\''s'"),
            ("-x.tar", "'./-x.tar'"),
        ] {
            assert_eq!(quoted(Path::new(path)), expected);
        }
    }
}
