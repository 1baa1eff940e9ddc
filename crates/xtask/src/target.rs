//! What has been promised, and whether it was kept.

use crate::floor::{CURL, DD, SHA256SUM};
use crate::job::Job;
use crate::sample::{Sample, Selection, Spread};
use crate::tool::{CARVEL, OURS};

/// The time in which `curl` fetched L on the machine on which Carvel's imgpkg was recorded, in seconds.
const RECORDED_CURL_SECONDS: f64 = 0.86;

/// The most memory that a copy of L may take, in megabytes.
const PEAK_MEGABYTES: f64 = 60.0;

/// Bytes that may go to the disk for each byte of an archive.
const WRITTEN_FOR_EACH_BYTE: f64 = 1.01;

/// The most that a copy within a registry may upload, in megabytes: the locations image, but no layer of L.
const UPLOADED_MEGABYTES: f64 = 1.0;

/// Where `docker-registry` takes part, times may be so many times as long.
const DOCKER_FACTOR: f64 = 2.0;

/// What Carvel's imgpkg took, in seconds; what ours may take at most of S, and how many requests.
const SMALL: [(Job, f64, f64, f64); 4] = [
    (Job::ToTar, 25.2, 1.3, 900.0),
    (Job::TarToRegistry, 13.1, 1.5, 1740.0),
    (Job::RegistryToRegistry, 35.8, 2.5, 2600.0),
    (Job::Again, 24.4, 1.0, 700.0),
];

/// What Carvel's imgpkg took for L, in seconds, and what share of it ours may take; `ToTar` has a limit of its own.
const LARGE: [(Job, f64, Option<f64>); 4] = [
    (Job::ToTar, 2.5, None),
    (Job::TarToRegistry, 4.7, Some(0.75)),
    (Job::RegistryToRegistry, 5.2, Some(0.75)),
    (Job::SameRegistry, 2.2, None),
];

/// A promise about one quantity of one job.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Verdict {
    /// `S` or `L`.
    pub(crate) workload: &'static str,
    /// The registry at the other end.
    pub(crate) registry: &'static str,
    /// The job.
    pub(crate) job: Job,
    /// The quantity, with its unit.
    pub(crate) quantity: &'static str,
    /// The largest value that keeps the promise.
    pub(crate) limit: f64,
    /// What was measured; its median counts.
    pub(crate) ours: Spread,
    /// What Carvel's imgpkg takes, for times.
    pub(crate) carvel: Option<f64>,
}

impl Verdict {
    /// Was the promise kept?
    pub(crate) fn is_met(&self) -> bool {
        self.ours.median <= self.limit
    }
}

/// Compares all that was measured with all that was promised.
pub(crate) fn verdicts(samples: &[Sample]) -> Vec<Verdict> {
    ["embedded", "docker-registry"]
        .into_iter()
        .flat_map(|registry| {
            let judge = Judge { samples, registry };
            let mut verdicts = judge.small();
            verdicts.extend(judge.large());
            verdicts
        })
        .collect()
}

struct Judge<'a> {
    samples: &'a [Sample],
    registry: &'static str,
}

impl<'a> Judge<'a> {
    fn of(&self, workload: &'static str, tool: &'a str, job: Job) -> Selection<'a> {
        Selection { samples: self.samples, workload, registry: self.registry, tool, job }
    }

    fn verdict(
        &self,
        workload: &'static str,
        job: Job,
        quantity: &'static str,
        limit: f64,
        ours: Option<Spread>,
    ) -> Option<Verdict> {
        Some(Verdict { workload, registry: self.registry, job, quantity, limit, ours: ours?, carvel: None })
    }

    fn small(&self) -> Vec<Verdict> {
        let factor = if self.registry == "embedded" { 1.0 } else { DOCKER_FACTOR };
        let mut verdicts = Vec::new();
        for (job, recorded, seconds, requests) in SMALL {
            let ours = self.of("S", OURS, job);
            let time = self.verdict("S", job, "seconds", seconds * factor, ours.seconds());
            // Latency makes these times, which is the same on every machine: they are not scaled.
            let measured = self.of("S", CARVEL, job).seconds().map(|seconds| seconds.median);
            let carvel = Some(measured.unwrap_or(recorded));
            verdicts.extend(time.map(|verdict| Verdict { carvel, ..verdict }));
            let counted = ours.traffic(|traffic| traffic.total());
            verdicts.extend(self.verdict("S", job, "requests", requests, counted));
            verdicts.extend(self.written("S", job));
        }
        verdicts
    }

    fn large(&self) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        for (job, recorded, share) in LARGE {
            let ours = self.of("L", OURS, job);
            let carvel = self.carvel_large(job, recorded);
            let limit = match share {
                Some(share) => carvel.map(|seconds| seconds * share),
                None if job == Job::ToTar => self.to_tar_seconds(),
                None => None,
            };
            let time = limit.and_then(|limit| self.verdict("L", job, "seconds", limit, ours.seconds()));
            verdicts.extend(time.map(|verdict| Verdict { carvel, ..verdict }));
            if job == Job::ToTar {
                let limit = self.to_tar_cpu();
                verdicts
                    .extend(limit.and_then(|limit| self.verdict("L", job, "CPU seconds", limit, ours.cpu())));
            }
            if job == Job::SameRegistry {
                let uploaded = ours.traffic(|traffic| traffic.uploaded_bytes);
                let uploaded = uploaded.and_then(|bytes| Spread::of([bytes.median / 1e6]));
                verdicts.extend(self.verdict("L", job, "MB uploaded", UPLOADED_MEGABYTES, uploaded));
            }
            verdicts.extend(self.verdict("L", job, "MB of memory", PEAK_MEGABYTES, ours.peak()));
            verdicts.extend(self.written("L", job));
        }
        verdicts
    }

    fn written(&self, workload: &'static str, job: Job) -> Option<Verdict> {
        let written = (job == Job::ToTar).then(|| self.of(workload, OURS, job).written())?;
        self.verdict(workload, job, "bytes written for each", WRITTEN_FOR_EACH_BYTE, written)
    }

    /// What Carvel's imgpkg takes, measured or else recorded on another machine and scaled by what `curl` takes here.
    fn carvel_large(&self, job: Job, recorded: f64) -> Option<f64> {
        let measured = self.of("L", CARVEL, job).seconds().map(|seconds| seconds.median);
        let curl = self.of("L", CURL, Job::Fetch).seconds();
        measured.or_else(|| Some(recorded * curl?.median / RECORDED_CURL_SECONDS))
    }

    /// One and a half times the time of `curl`, and the time that the disk needs.
    fn to_tar_seconds(&self) -> Option<f64> {
        let curl = self.of("L", CURL, Job::Fetch).seconds()?.median;
        let sync = self.of("L", DD, Job::Sync).seconds()?.median;
        Some(1.5 * curl + sync)
    }

    /// 1.4 times the processor time of those that fetch, hash and write.
    fn to_tar_cpu(&self) -> Option<f64> {
        let curl = self.of("L", CURL, Job::Fetch).cpu()?.median;
        let hash = self.of("L", SHA256SUM, Job::Hash).cpu()?.median;
        let write = self.of("L", DD, Job::Write).cpu()?.median;
        Some(1.4 * (curl + hash + write))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Usage;
    use crate::proxy::Traffic;

    fn sample(workload: &'static str, tool: &str, job: Job, seconds: f64, cpu: f64) -> Sample {
        Sample {
            workload,
            registry: "embedded",
            tool: tool.into(),
            job,
            usage: Some(Usage {
                seconds,
                cpu_seconds: Some(cpu),
                peak_kib: Some(50_000),
                written_bytes: Some(1020),
            }),
            traffic: None,
            tar_bytes: (job == Job::ToTar).then_some(1000),
        }
    }

    fn find<'v>(verdicts: &'v [Verdict], job: Job, quantity: &str) -> &'v Verdict {
        verdicts.iter().find(|verdict| (verdict.job, verdict.quantity) == (job, quantity)).unwrap()
    }

    #[test]
    fn limits_of_l_follow_from_the_floor_of_the_same_run() {
        let samples = [
            sample("L", OURS, Job::ToTar, 4.1, 3.0),
            sample("L", OURS, Job::TarToRegistry, 7.0, 3.0),
            sample("L", CURL, Job::Fetch, 1.72, 1.0),
            sample("L", SHA256SUM, Job::Hash, 1.0, 0.5),
            sample("L", DD, Job::Write, 2.0, 0.5),
            sample("L", DD, Job::Sync, 1.5, 0.0),
        ];
        let verdicts = verdicts(&samples);
        let seconds = find(&verdicts, Job::ToTar, "seconds");
        assert!((seconds.limit - 4.08).abs() < 1e-9 && !seconds.is_met(), "{seconds:?}");
        assert!((seconds.carvel.unwrap() - 5.0).abs() < 1e-9);
        let cpu = find(&verdicts, Job::ToTar, "CPU seconds");
        assert!((cpu.limit - 2.8).abs() < 1e-9 && !cpu.is_met(), "{cpu:?}");
        let push = find(&verdicts, Job::TarToRegistry, "seconds");
        assert!((push.limit - 0.75 * 9.4).abs() < 1e-9 && push.is_met(), "{push:?}");
        assert!(find(&verdicts, Job::ToTar, "MB of memory").is_met());
        assert!(!find(&verdicts, Job::ToTar, "bytes written for each").is_met());
    }

    #[test]
    fn requests_of_s_are_compared_and_carvels_own_run_replaces_the_recorded_one() {
        let mut ours = sample("S", OURS, Job::Again, 0.9, 0.1);
        let requests = [("GET manifests".to_owned(), 701)].into();
        ours.traffic = Some(Traffic { requests, ..Traffic::default() });
        let verdicts = verdicts(&[ours, sample("S", CARVEL, Job::Again, 30.0, 1.0)]);
        let seconds = find(&verdicts, Job::Again, "seconds");
        assert!(seconds.is_met());
        assert_eq!(seconds.carvel, Some(30.0));
        assert!(!find(&verdicts, Job::Again, "requests").is_met());
    }
}
