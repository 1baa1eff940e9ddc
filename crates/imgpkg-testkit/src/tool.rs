//! A binary under test, run in an environment of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A binary and a home directory that is nobody's: no configuration and no credential of this machine reaches it.
pub struct Tool {
    binary: PathBuf,
    home: TempDir,
    environment: Vec<(String, String)>,
}

/// What a run of a binary left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
}

impl Tool {
    /// The binary at this path, usually `env!("CARGO_BIN_EXE_…")`.
    pub fn new(binary: impl AsRef<Path>) -> Self {
        let binary = binary.as_ref().to_owned();
        assert!(binary.is_file(), "{} is not there: run with --workspace", binary.display());
        Self { binary, home: TempDir::new().expect("a temporary home"), environment: Vec::new() }
    }

    /// The same tool with a variable set in its environment.
    #[must_use]
    pub fn with_env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Its home directory.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A command that runs it with these arguments.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).env_clear().env("HOME", self.home.path()).stdin(Stdio::null());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs it to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        finished(&mut self.command(arguments))
    }

    /// Runs it to its end in this working directory.
    pub fn run_in(&self, directory: &Path, arguments: &[&str]) -> Ran {
        finished(self.command(arguments).current_dir(directory))
    }
}

fn finished(command: &mut Command) -> Ran {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Ran {
    /// Runs a command to its end.
    pub fn of(command: &mut Command) -> Self {
        finished(command)
    }

    /// This run, which must have succeeded.
    #[track_caller]
    pub fn success(self) -> Self {
        assert_eq!(self.code, 0, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// This run, which must have been reported as failed: exit code 1, an error on stderr, and no panic.
    #[track_caller]
    pub fn failure(self) -> Self {
        assert_eq!(self.code, 1, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        assert!(self.stderr.contains("imgpkg: Error: "), "{}", self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self
    }

    /// The digest in `…@sha256:…` on stdout.
    #[track_caller]
    pub fn digest(&self) -> String {
        let at = self.stdout.find("@sha256:").unwrap_or_else(|| panic!("no digest in {:?}", self.stdout));
        self.stdout[at + 1..].chars().take(71).collect()
    }
}
