//! The tools that are compared, and how each is told to do a job.

use std::path::{Path, PathBuf};
use std::process::Command;

use imgpkg_testkit::Tool;

use crate::error::Error;
use crate::job::{Job, Setting};

/// The name of our own tool in the report.
pub(crate) const OURS: &str = "ours";

/// The name of Carvel's tool in the report.
pub(crate) const CARVEL: &str = "Carvel's imgpkg";

/// A tool and where it is.
pub(crate) struct Contestant {
    kind: Kind,
    tool: Tool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ours,
    Carvel,
    Skopeo,
    Crane,
    Regctl,
}

impl Contestant {
    /// The binary under test.
    pub(crate) fn ours(binary: &Path) -> Self {
        Self { kind: Kind::Ours, tool: Tool::new(binary) }
    }

    /// Every peer that is on `PATH`.
    pub(crate) fn peers() -> Vec<Self> {
        let peers = [
            (Kind::Carvel, "imgpkg"),
            (Kind::Skopeo, "skopeo"),
            (Kind::Crane, "crane"),
            (Kind::Regctl, "regctl"),
        ];
        let found = peers.into_iter().filter_map(|(kind, program)| {
            let peer = Self { kind, tool: Tool::new(find(program)?) };
            // An imgpkg that can serve is this project's.
            let ours = kind == Kind::Carvel && peer.tool.run(&["serve", "--help"]).code == 0;
            (!ours).then_some(peer)
        });
        found.collect()
    }

    /// How it is called in the report.
    pub(crate) fn name(&self) -> &'static str {
        match self.kind {
            Kind::Ours => OURS,
            Kind::Carvel => CARVEL,
            Kind::Skopeo => "skopeo",
            Kind::Crane => "crane",
            Kind::Regctl => "regctl",
        }
    }

    /// Does it copy a bundle with everything in it by itself?
    pub(crate) fn knows_bundles(&self) -> bool {
        matches!(self.kind, Kind::Ours | Kind::Carvel)
    }

    /// The commands that do a job; `None` if the tool cannot do it.
    pub(crate) fn commands(&self, job: Job, setting: &Setting<'_>) -> Result<Option<Vec<Command>>, Error> {
        match self.kind {
            Kind::Ours | Kind::Carvel => Ok(self.imgpkg(job, setting)),
            Kind::Skopeo => self.skopeo(job, setting),
            Kind::Crane => {
                Ok(self.each_reference(job, setting, |tool, from, to| tool.command(&["copy", from, to])))
            }
            Kind::Regctl => Ok(self.each_reference(job, setting, |tool, from, to| {
                let plain = |host: &str| format!("reg={host},tls=disabled");
                let (source, destination) = (plain(setting.source), plain(setting.destination));
                tool.command(&["--host", &source, "--host", &destination, "image", "copy", from, to])
            })),
        }
    }

    fn imgpkg(&self, job: Job, setting: &Setting<'_>) -> Option<Vec<Command>> {
        let target = format!("{}/{}/bundle", setting.destination, setting.path);
        let (tar, output) = (setting.tar.to_str()?, setting.output.to_str()?);
        let arguments = match job {
            Job::ToTar => ["copy", "-b", setting.bundle, "--to-tar", output],
            Job::TarToRegistry => ["copy", "--tar", tar, "--to-repo", &target],
            Job::RegistryToRegistry | Job::Again | Job::SameRegistry => {
                ["copy", "-b", setting.bundle, "--to-repo", &target]
            }
            Job::Fetch | Job::Hash | Job::Write | Job::Sync => return None,
        };
        Some(vec![self.tool.command(&arguments)])
    }

    /// `skopeo sync` takes a list of references; instead of a tar it writes a directory for each.
    fn skopeo(&self, job: Job, setting: &Setting<'_>) -> Result<Option<Vec<Command>>, Error> {
        let registry = format!("{}/{}", setting.destination, setting.path);
        let (kind, target) = match job {
            Job::ToTar => ("dir", setting.output.display().to_string()),
            Job::RegistryToRegistry | Job::Again | Job::SameRegistry => ("docker", registry),
            _ => return Ok(None),
        };
        let mut list = format!("\"{}\":\n  tls-verify: false\n  images:\n", setting.source);
        for (repository, digest) in setting.references.iter().filter_map(|one| one.split_once('@')) {
            list.push_str(&format!("    {repository}:\n    - \"{digest}\"\n"));
        }
        let file = self.tool.home().join("list.yml");
        std::fs::write(&file, list).map_err(Error::system("Writing the list for skopeo"))?;
        let mut command =
            self.tool.command(&["--insecure-policy", "sync", "--all", "--src", "yaml", "--dest"]);
        command.args([kind, "--dest-tls-verify=false"]).arg(file).arg(target);
        Ok(Some(vec![command]))
    }

    /// One command for each reference, for tools that copy one at a time.
    fn each_reference(
        &self,
        job: Job,
        setting: &Setting<'_>,
        command: impl Fn(&Tool, &str, &str) -> Command,
    ) -> Option<Vec<Command>> {
        if !matches!(job, Job::RegistryToRegistry | Job::Again | Job::SameRegistry) {
            return None;
        }
        let commands = setting.references.iter().filter_map(|reference| {
            let (repository, digest) = reference.split_once('@')?;
            let tag = digest.replace(':', "-");
            let to = format!("{}/{}/{repository}:{tag}", setting.destination, setting.path);
            Some(command(&self.tool, &format!("{}/{reference}", setting.source), &to))
        });
        Some(commands.collect())
    }
}

/// The program of this name on `PATH`.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(kind: Kind, job: Job) -> Vec<String> {
        let contestant = Contestant { kind, tool: Tool::new(std::env::current_exe().unwrap()) };
        let references = ["s/a@sha256:1".to_owned(), "s/b@sha256:2".to_owned()];
        let setting = Setting {
            source: "from:1",
            bundle: "from:1/s/bundle:v1",
            references: &references,
            destination: "to:2",
            path: "run-7",
            tar: Path::new("in.tar"),
            output: Path::new("out.tar"),
        };
        let commands = contestant.commands(job, &setting).unwrap().unwrap_or_default();
        let shown = commands.iter().map(|command| {
            let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
            words.join(" ")
        });
        shown.collect()
    }

    #[test]
    fn both_imgpkgs_get_the_same_words() {
        for kind in [Kind::Ours, Kind::Carvel] {
            assert_eq!(commands(kind, Job::ToTar), ["copy -b from:1/s/bundle:v1 --to-tar out.tar"]);
            assert_eq!(commands(kind, Job::TarToRegistry), ["copy --tar in.tar --to-repo to:2/run-7/bundle"]);
            let again = ["copy -b from:1/s/bundle:v1 --to-repo to:2/run-7/bundle"];
            assert_eq!(commands(kind, Job::Again), again);
        }
    }

    #[test]
    fn a_tool_without_bundles_gets_each_reference_and_no_job_that_it_cannot_do() {
        let each = [
            "copy from:1/s/a@sha256:1 to:2/run-7/s/a:sha256-1",
            "copy from:1/s/b@sha256:2 to:2/run-7/s/b:sha256-2",
        ];
        assert_eq!(commands(Kind::Crane, Job::RegistryToRegistry), each);
        assert!(commands(Kind::Crane, Job::ToTar).is_empty());
        assert!(commands(Kind::Skopeo, Job::TarToRegistry).is_empty());
        assert_eq!(commands(Kind::Skopeo, Job::RegistryToRegistry).len(), 1);
    }
}
