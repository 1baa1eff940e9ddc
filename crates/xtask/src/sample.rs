//! What has been measured.

use crate::job::Job;
use crate::measure::Usage;
use crate::proxy::Traffic;

/// One run of one tool.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// `S` or `L`.
    pub(crate) workload: &'static str,
    /// Which registry was at the other end.
    pub(crate) registry: &'static str,
    /// Which tool.
    pub(crate) tool: String,
    /// What it did.
    pub(crate) job: Job,
    /// What it took. `None` for a run that only counted requests.
    pub(crate) usage: Option<Usage>,
    /// What went through the proxies. `None` for a run without them.
    pub(crate) traffic: Option<Traffic>,
    /// The size of the archive that it wrote.
    pub(crate) tar_bytes: Option<u64>,
}

/// Some samples' values of one quantity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    /// The one in the middle; of an even number the mean of the two.
    pub(crate) median: f64,
    /// The smallest.
    pub(crate) min: f64,
    /// The largest.
    pub(crate) max: f64,
}

impl Spread {
    /// Of these values, if there are any.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (&min, &max) = (values.first()?, values.last()?);
        let middle = values.len() / 2;
        let upper = values.get(middle).copied().unwrap_or(max);
        let lower = if values.len().is_multiple_of(2) { values.get(middle - 1).copied() } else { None };
        let median = lower.map_or(upper, |lower| f64::midpoint(lower, upper));
        Some(Self { median, min, max })
    }
}

/// The samples of one workload, registry, job and tool.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Selection<'a> {
    /// All that has been measured.
    pub(crate) samples: &'a [Sample],
    /// See [`Sample::workload`].
    pub(crate) workload: &'static str,
    /// See [`Sample::registry`].
    pub(crate) registry: &'static str,
    /// See [`Sample::tool`].
    pub(crate) tool: &'a str,
    /// See [`Sample::job`].
    pub(crate) job: Job,
}

impl<'a> Selection<'a> {
    fn iter(self) -> impl Iterator<Item = &'a Sample> {
        self.samples.iter().filter(move |sample| {
            (sample.workload, sample.registry, sample.job) == (self.workload, self.registry, self.job)
                && sample.tool == self.tool
        })
    }

    fn usage(self) -> impl Iterator<Item = (&'a Sample, &'a Usage)> {
        self.iter().filter_map(|sample| sample.usage.as_ref().map(|usage| (sample, usage)))
    }

    /// Time on the clock, in seconds.
    pub(crate) fn seconds(self) -> Option<Spread> {
        Spread::of(self.usage().map(|(_, usage)| usage.seconds))
    }

    /// Processor time of the tool, in seconds.
    pub(crate) fn cpu(self) -> Option<Spread> {
        Spread::of(self.usage().filter_map(|(_, usage)| usage.cpu_seconds))
    }

    /// The largest resident set of the tool, in megabytes.
    pub(crate) fn peak(self) -> Option<Spread> {
        Spread::of(self.usage().filter_map(|(_, usage)| usage.peak_kib).map(|kib| kib as f64 * 1024.0 / 1e6))
    }

    /// Bytes that went to the disk, for each byte of the archive.
    pub(crate) fn written(self) -> Option<Spread> {
        Spread::of(self.usage().filter_map(|(sample, usage)| {
            Some(usage.written_bytes? as f64 / sample.tar_bytes.filter(|&bytes| bytes > 0)? as f64)
        }))
    }

    /// A number of the traffic, where it was counted.
    pub(crate) fn traffic(self, of: impl Fn(&Traffic) -> u64) -> Option<Spread> {
        Spread::of(self.iter().filter_map(|sample| sample.traffic.as_ref()).map(|traffic| of(traffic) as f64))
    }

    /// The traffic of the last run in which it was counted.
    pub(crate) fn last_traffic(self) -> Option<&'a Traffic> {
        self.iter().filter_map(|sample| sample.traffic.as_ref()).last()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_the_two_in_the_middle() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Some(Spread { median: 2.0, min: 1.0, max: 3.0 }));
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 3.0]), Some(Spread { median: 2.5, min: 1.0, max: 4.0 }));
        assert_eq!(Spread::of([7.0]), Some(Spread { median: 7.0, min: 7.0, max: 7.0 }));
        assert_eq!(Spread::of([]), None);
    }
}
