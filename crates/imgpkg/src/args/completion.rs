//! `imgpkg completion`.

use clap_complete::Shell;

use super::ArgumentError;

const LONG: &str = "\
Prints a script that teaches a shell to complete imgpkg's commands and flags.";

const EXAMPLES: &str = "  # For this session of bash
  source <(imgpkg completion bash)

  # For every session of zsh
  imgpkg completion zsh > \"${fpath[1]}/_imgpkg\"

  # For every session of fish
  imgpkg completion fish > ~/.config/fish/completions/imgpkg.fish

  # For this session of PowerShell
  imgpkg completion powershell | Out-String | Invoke-Expression";

/// What was typed behind `imgpkg completion`.
#[derive(Debug, Clone, clap::Args)]
#[command(about = "Generate completion script", long_about = LONG, after_long_help = EXAMPLES)]
pub(crate) struct CompletionArgs {
    #[arg(value_name = "bash|zsh|fish|powershell")]
    pub(crate) shell: Vec<String>,
}

impl CompletionArgs {
    /// The shell.
    ///
    /// # Errors
    /// When there is not one, or it is none that completion can be made for.
    pub(crate) fn request(&self) -> Result<Shell, ArgumentError> {
        let [shell] = self.shell.as_slice() else {
            return Err(ArgumentError::Arity { received: self.shell.len() });
        };
        match shell.as_str() {
            "bash" => Ok(Shell::Bash),
            "zsh" => Ok(Shell::Zsh),
            "fish" => Ok(Shell::Fish),
            "powershell" => Ok(Shell::PowerShell),
            _ => Err(ArgumentError::Shell { shell: shell.clone() }),
        }
    }
}
