//! The tables, for people and for programs.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::error::Error;
use crate::sample::{Sample, Selection, Spread};
use crate::target::{self, Verdict};
use crate::tool::OURS;

/// All that is to be printed.
pub(crate) struct Report {
    rounds: usize,
    notes: Vec<String>,
    samples: Vec<Sample>,
}

impl Report {
    /// A report of so many rounds.
    pub(crate) fn new(rounds: usize) -> Self {
        Self { rounds, notes: Vec::new(), samples: Vec::new() }
    }

    /// Adds what was measured, and a line about it.
    pub(crate) fn add(&mut self, note: String, samples: Vec<Sample>) {
        self.notes.push(note);
        self.samples.extend(samples);
    }

    /// Writes the tables to stdout and everything to a file, if there is to be one.
    pub(crate) fn print(&self, file: Option<&Path>) -> Result<(), Error> {
        let wrong = || Error::system("Writing the report");
        std::io::stdout().write_all(self.text().as_bytes()).map_err(wrong())?;
        match file {
            Some(file) => std::fs::write(file, format!("{:#}\n", self.json())).map_err(wrong()),
            None => Ok(()),
        }
    }

    /// The tables in Markdown.
    fn text(&self) -> String {
        let rounds = self.rounds;
        let notes: String = self.notes.iter().map(|note| format!("- {note}\n")).collect();
        let (targets, runs, requests) = (self.targets(), self.runs(), self.requests());
        format!(
            "{notes}- medians of {rounds} rounds, with the smallest and the largest value\n\n\
             ### Targets\n\n{targets}\n### Runs\n\n{runs}\n### Our requests\n\n{requests}"
        )
    }

    fn targets(&self) -> String {
        let head = "| workload, registry | job | quantity | Carvel's imgpkg | at most | ours | of the limit | |\n\
                    |---|---|---|---|---|---|---|---|\n";
        let row = |verdict: Verdict| {
            let mark = if verdict.is_met() { "met" } else { "**not met**" };
            let digits = if verdict.quantity == "requests" { 0 } else { 2 };
            format!(
                "| {}, {} | {} | {} | {} | {:.digits$} | {} | {:.2} | {mark} |\n",
                verdict.workload,
                verdict.registry,
                verdict.job.name(),
                verdict.quantity,
                verdict.carvel.map_or_else(String::new, |seconds| format!("{seconds:.1}")),
                verdict.limit,
                spread(Some(verdict.ours), digits),
                verdict.ours.median / verdict.limit,
            )
        };
        let rows: String = target::verdicts(&self.samples).into_iter().map(row).collect();
        format!("{head}{rows}")
    }

    fn runs(&self) -> String {
        let head = "| workload, registry | job | tool | seconds | × ours | CPU seconds | peak MB | requests | MB sent | MB received |\n\
                    |---|---|---|---|---|---|---|---|---|---|\n";
        let rows: String = self.selections().into_iter().map(|selection| self.run_row(selection)).collect();
        format!("{head}{rows}")
    }

    fn run_row(&self, selection: Selection<'_>) -> String {
        let ours = Selection { tool: OURS, ..selection }.seconds();
        let ratio = ours.zip(selection.seconds()).map(|(ours, theirs)| theirs.median / ours.median);
        let megabytes = |of: fn(&crate::proxy::Traffic) -> u64| {
            let bytes = selection.traffic(of).map(|bytes| bytes.median / 1e6);
            bytes.map_or_else(String::new, |bytes| format!("{bytes:.1}"))
        };
        format!(
            "| {}, {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
            selection.workload,
            selection.registry,
            selection.job.name(),
            selection.tool,
            spread(selection.seconds(), 2),
            ratio.map_or_else(String::new, |ratio| format!("{ratio:.1}")),
            spread(selection.cpu(), 2),
            selection.peak().map_or_else(String::new, |peak| format!("{:.0}", peak.max)),
            spread(selection.traffic(|traffic| traffic.total()), 0),
            megabytes(|traffic| traffic.sent_bytes),
            megabytes(|traffic| traffic.received_bytes),
        )
    }

    fn requests(&self) -> String {
        let ours: Vec<_> = self
            .selections()
            .into_iter()
            .filter(|selection| selection.tool == OURS)
            .filter_map(|selection| Some((selection, selection.last_traffic()?)))
            .collect();
        let mut text =
            "| workload, registry | job | connections | requests |\n|---|---|---|---|\n".to_owned();
        for (selection, traffic) in ours {
            let kinds: Vec<_> =
                traffic.requests.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
            text.push_str(&format!(
                "| {}, {} | {} | {} | {} |\n",
                selection.workload,
                selection.registry,
                selection.job.name(),
                traffic.connections,
                kinds.join(", ")
            ));
        }
        text
    }

    /// Each combination of workload, registry, job and tool that was measured, in the order of the jobs.
    fn selections(&self) -> Vec<Selection<'_>> {
        let mut known = BTreeSet::new();
        let mut selections: Vec<_> = self
            .samples
            .iter()
            .filter(|sample| known.insert((sample.workload, sample.registry, sample.job, &sample.tool)))
            .map(|sample| Selection {
                samples: &self.samples,
                workload: sample.workload,
                registry: sample.registry,
                tool: &sample.tool,
                job: sample.job,
            })
            .collect();
        // Stable: workloads and registries stay in the order in which they were run, and so do tools.
        let order = |one: &Selection<'_>| {
            let same = |other: &&Sample| (other.workload, other.registry) == (one.workload, one.registry);
            (self.samples.iter().position(|sample| same(&sample)), one.job)
        };
        selections.sort_by_key(order);
        selections
    }

    fn json(&self) -> Value {
        let samples: Vec<_> = self.samples.iter().map(sample_json).collect();
        let verdicts: Vec<_> = target::verdicts(&self.samples)
            .iter()
            .map(|verdict| {
                json!({
                    "workload": verdict.workload, "registry": verdict.registry, "job": verdict.job.name(),
                    "quantity": verdict.quantity, "limit": verdict.limit, "carvel": verdict.carvel,
                    "median": verdict.ours.median, "min": verdict.ours.min, "max": verdict.ours.max,
                    "met": verdict.is_met(),
                })
            })
            .collect();
        json!({"rounds": self.rounds, "notes": self.notes, "targets": verdicts, "samples": samples})
    }
}

fn sample_json(sample: &Sample) -> Value {
    let usage = sample.usage.as_ref().map(|usage| {
        json!({
            "seconds": usage.seconds, "cpu_seconds": usage.cpu_seconds, "peak_kib": usage.peak_kib,
            "written_bytes": usage.written_bytes,
        })
    });
    let traffic = sample.traffic.as_ref().map(|traffic| {
        json!({
            "requests": traffic.requests, "connections": traffic.connections, "sent_bytes": traffic.sent_bytes,
            "received_bytes": traffic.received_bytes, "uploaded_bytes": traffic.uploaded_bytes,
        })
    });
    json!({
        "workload": sample.workload, "registry": sample.registry, "tool": sample.tool, "job": sample.job.name(),
        "tar_bytes": sample.tar_bytes, "usage": usage, "traffic": traffic,
    })
}

/// `1.23 (1.20–1.40)`, or one number where all are the same.
fn spread(spread: Option<Spread>, digits: usize) -> String {
    let Some(Spread { median, min, max }) = spread else { return String::new() };
    let [median, min, max] = [median, min, max].map(|number| format!("{number:.digits$}"));
    if min == max { median } else { format!("{median} ({min}–{max})") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Job;
    use crate::measure::Usage;
    use crate::proxy::Traffic;

    fn sample(tool: &str, job: Job, seconds: f64, requests: u64) -> Sample {
        let requests = [("GET blobs".to_owned(), requests), ("HEAD blobs".to_owned(), 1)].into();
        Sample {
            workload: "S",
            registry: "embedded",
            tool: tool.into(),
            job,
            usage: Some(Usage { seconds, ..Usage::default() }),
            traffic: Some(Traffic { requests, connections: 3, sent_bytes: 1_500_000, ..Traffic::default() }),
            tar_bytes: None,
        }
    }

    fn report() -> Report {
        let mut report = Report::new(3);
        let samples = vec![
            sample(OURS, Job::ToTar, 1.0, 800),
            sample(OURS, Job::Again, 2.0, 5),
            sample("skopeo", Job::ToTar, 5.0, 2000),
            sample(OURS, Job::ToTar, 1.2, 800),
            sample(OURS, Job::ToTar, 1.4, 1000),
        ];
        report.add("a note".into(), samples);
        report
    }

    #[test]
    fn a_row_has_the_median_the_bounds_and_the_ratio_to_ours() {
        let text = report().text();
        let rows = [
            "| S, embedded | to tar | ours | 1.20 (1.00–1.40) | 1.0 |  |  | 801 (801–1001) | 1.5 | 0.0 |",
            "| S, embedded | to tar | skopeo | 5.00 | 4.2 |  |  | 2001 | 1.5 | 0.0 |",
            "| S, embedded | to tar | seconds | 25.2 | 1.30 | 1.20 (1.00–1.40) | 0.92 | met |",
            "| S, embedded | the same, nothing to do | seconds | 24.4 | 1.00 | 2.00 | 2.00 | **not met** |",
            "| S, embedded | to tar | requests |  | 900 | 801 (801–1001) | 0.89 | met |",
            "| S, embedded | the same, nothing to do | 3 | 5 GET blobs, 1 HEAD blobs |",
        ];
        for row in rows {
            assert!(text.contains(row), "{row}\nin\n{text}");
        }
        assert!(text.starts_with("- a note\n"), "{text}");
    }

    #[test]
    fn the_file_for_programs_has_every_sample_and_every_verdict() {
        let json = report().json();
        assert_eq!(json["samples"].as_array().unwrap().len(), 5);
        assert_eq!(json["samples"][2]["traffic"]["requests"]["GET blobs"], 2000);
        let missed = json["targets"].as_array().unwrap().iter().filter(|target| target["met"] == false);
        assert_eq!(missed.count(), 1);
    }
}
