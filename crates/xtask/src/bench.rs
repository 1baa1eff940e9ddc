//! Runs everything in turn.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use imgpkg_testkit::{Registry, Tool};
use tempfile::TempDir;

use crate::error::Error;
use crate::floor;
use crate::job::{Job, Setting};
use crate::measure;
use crate::options::Options;
use crate::report::Report;
use crate::sample::Sample;
use crate::say;
use crate::settle::settle;
use crate::site::{Kind, Site, Way};
use crate::tool::Contestant;
use crate::workload::{L, S, Workload};

/// A peer whose jobs take longer than this together is run in the first round only.
const PATIENCE: Duration = Duration::from_secs(60);

/// Measures what the options ask for and prints the report on stdout.
pub(crate) fn run(options: &Options) -> Result<(), Error> {
    let binary = match &options.binary {
        Some(binary) => binary.clone(),
        None => build()?,
    };
    let binary = binary.canonicalize().map_err(Error::system(format!("Looking for {}", binary.display())))?;
    let imgpkg = Tool::new(&binary);
    let mut contestants = vec![Contestant::ours(&binary)];
    if !options.quick {
        contestants.extend(Contestant::peers());
    }
    let mut report = Report::new(options.rounds);
    let before = load();
    for kind in [Kind::Embedded, Kind::Docker] {
        let wanted = kind == Kind::Embedded || !(options.quick || options.no_docker);
        if !wanted || !kind.is_installed() {
            continue;
        }
        for workload in [&S, &L].into_iter().filter(|workload| options.includes(workload.name)) {
            say(&format!("{}, {}: making and pushing the images", workload.name, kind.name()));
            let site = Site::open(kind, workload, &imgpkg)?;
            let scratch = scratch()?;
            let mut bench = Bench { site, kind, workload, scratch, run: 0, samples: Vec::new() };
            let note = bench.measure(&imgpkg, &contestants, options.rounds)?;
            report.add(note, bench.samples);
        }
    }
    if let Some((before, after)) = before.zip(load()) {
        let load = format!(
            "others use this machine too where its load is above one or two: {before} before, {after} after"
        );
        report.add(load, Vec::new());
    }
    report.print(options.json.as_deref())
}

/// Builds the binary under test.
fn build() -> Result<PathBuf, Error> {
    say("building the release binary");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--package", "imgpkg"]).current_dir(&root);
    measure::run([command])?;
    Ok(target_directory().join("release/imgpkg"))
}

fn target_directory() -> PathBuf {
    let chosen = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    chosen.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"))
}

/// A directory for archives on the disk that the build is on: a temporary one might be in memory.
fn scratch() -> Result<TempDir, Error> {
    let target = target_directory();
    std::fs::create_dir_all(&target)
        .and_then(|()| tempfile::Builder::new().prefix("bench-").tempdir_in(target))
        .map_err(Error::system("Making a directory for archives"))
}

/// One workload at one kind of registry.
struct Bench<'a> {
    site: Site<'a>,
    kind: Kind,
    workload: &'static Workload,
    scratch: TempDir,
    /// Counts the destinations' paths, so that none is used twice by accident.
    run: usize,
    samples: Vec<Sample>,
}

impl Bench<'_> {
    /// All rounds; returns a line about the workload.
    fn measure(&mut self, imgpkg: &Tool, contestants: &[Contestant], rounds: usize) -> Result<String, Error> {
        let delayed = self.workload.delay_millis > 0;
        let way = self.site.way(delayed)?;
        let tar = self.scratch.path().join("input.tar");
        let output = tar.display().to_string();
        measure::run([imgpkg.command(&["copy", "-b", &way.bundle, "--to-tar", &output])])?;
        let note = self.note(&tar)?;
        say(&note);
        let ours = contestants.iter().take(1);
        if !delayed {
            // The proxies would cost time here, so requests are counted in a run of their own.
            let counted = self.site.way(true)?;
            for contestant in ours {
                self.jobs(contestant, &counted, &tar, false)?;
            }
        }
        let mut slow = Vec::new();
        for round in 1..=rounds {
            say(&format!("{}, {}: round {round} of {rounds}", self.workload.name, self.kind.name()));
            for contestant in contestants {
                let name = contestant.name();
                let skipped = self.kind != Kind::Embedded && !contestant.knows_bundles();
                if skipped || slow.contains(&name) {
                    continue;
                }
                let begun = Instant::now();
                self.jobs(contestant, &way, &tar, true)?;
                if name != crate::tool::OURS && begun.elapsed() > PATIENCE {
                    slow.push(name);
                }
            }
            if !delayed {
                self.floor(&tar)?;
            }
        }
        Ok(note)
    }

    fn note(&self, tar: &Path) -> Result<String, Error> {
        let (workload, published) = (self.workload, &self.site.published);
        let size = size(tar).unwrap_or_default();
        Ok(format!(
            "{}, {}: {} references, {} blobs, {:.1} MB, in a tar {:.1} MB; a round trip through the proxy takes {:.1} ms",
            workload.name,
            self.kind.name(),
            workload.references,
            published.blobs.len(),
            published.blob_bytes as f64 / 1e6,
            size as f64 / 1e6,
            self.site.round_trip_millis()?,
        ))
    }

    /// Every job that the tool can do. A peer that fails is told about and left; ours must not.
    fn jobs(&mut self, contestant: &Contestant, way: &Way, tar: &Path, timed: bool) -> Result<(), Error> {
        let mut destination: Option<Registry> = None;
        for &job in Job::of(self.workload) {
            if job != Job::Again {
                self.run += 1;
                destination = None;
                if matches!(job, Job::TarToRegistry | Job::RegistryToRegistry) {
                    destination = Some(self.site.destination()?);
                }
            }
            match self.job(contestant, job, way, tar, destination.as_ref(), timed) {
                Ok(()) => {}
                Err(error) if contestant.name() == crate::tool::OURS => return Err(error),
                Err(error) => {
                    say(&format!("{} cannot do this ({}): {error}", contestant.name(), job.name()));
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn job(
        &mut self,
        contestant: &Contestant,
        job: Job,
        way: &Way,
        tar: &Path,
        destination: Option<&Registry>,
        timed: bool,
    ) -> Result<(), Error> {
        let host = self.site.reach(way, destination)?;
        let (path, output) = (format!("run-{}", self.run), self.scratch.path().join("output"));
        let setting = Setting {
            source: &way.source,
            bundle: &way.bundle,
            references: &self.site.published.references,
            destination: &host,
            path: &path,
            tar,
            output: &output,
        };
        let Some(commands) = contestant.commands(job, &setting)? else { return Ok(()) };
        self.settle(tar);
        self.site.take_traffic();
        let measured = measure::run(commands);
        let traffic = self.site.take_traffic();
        let tar_bytes = size(&output);
        remove(&output)?;
        let usage = measured?;
        say(&format!(
            "  {}, {}: {:.2} s{}",
            contestant.name(),
            job.name(),
            usage.seconds,
            if way.counted { format!(", {} requests", traffic.total()) } else { String::new() }
        ));
        self.samples.push(Sample {
            workload: self.workload.name,
            registry: self.kind.name(),
            tool: contestant.name().to_owned(),
            job,
            usage: timed.then_some(usage),
            traffic: way.counted.then_some(traffic),
            tar_bytes,
        });
        Ok(())
    }

    /// Makes ready for a run that writes as much as the archive has, and a little more.
    fn settle(&self, tar: &Path) {
        let bytes = size(tar).unwrap_or_default();
        settle(self.scratch.path(), bytes + bytes / 4);
    }

    fn floor(&mut self, tar: &Path) -> Result<(), Error> {
        self.settle(tar);
        let scratch = self.scratch.path();
        let fetched = floor::fetch(self.site.source_address(), &self.site.published.blobs, scratch)?;
        let mut all = vec![(Job::Fetch, floor::CURL, fetched)];
        all.extend(floor::hash_and_write(tar, scratch, || self.settle(tar))?);
        for (job, tool, usage) in all {
            say(&format!("  {tool}, {}: {:.2} s", job.name(), usage.seconds));
            self.samples.push(Sample {
                workload: self.workload.name,
                registry: self.kind.name(),
                tool: tool.to_owned(),
                job,
                usage: Some(usage),
                traffic: None,
                tar_bytes: None,
            });
        }
        Ok(())
    }
}

/// How many programs wanted a processor in the last minute, on average.
fn load() -> Option<String> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next().map(str::to_owned)
}

/// The size of a file; what is not a file has none.
fn size(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len())
}

/// Removes what a run has written, if anything.
fn remove(path: &Path) -> Result<(), Error> {
    let removed = match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(_) => Ok(()),
    };
    removed.map_err(Error::system(format!("Removing {}", path.display())))
}
