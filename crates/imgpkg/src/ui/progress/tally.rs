//! What has been done of what is to be done: counts, bytes, the rate, and the time that is left. Time is given from
//! outside, as what has passed since the command began.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use imgpkg_copy::Event;
use imgpkg_oci::{BlobPut, Digest};

/// How far back the rate looks: far enough to be steady, near enough to follow the network.
const WINDOW: Duration = Duration::from_secs(30);

/// How long there has to be something to look at before a rate means anything.
const LEAST_WINDOW: Duration = Duration::from_secs(1);

/// A part of a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Share {
    /// What has been done.
    pub(crate) done: u64,
    /// What there is to do, as far as is known.
    pub(crate) all: u64,
}

/// Where things stand at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Blobs in their place.
    pub(crate) blobs: Share,
    /// Bytes on the disk that are being verified, before it is known what else there is to do.
    pub(crate) verifying: Option<u64>,
    /// Bytes, those of blobs on their way included.
    pub(crate) bytes: Share,
    /// Manifests in their place.
    pub(crate) manifests: Share,
    /// How many bytes are moved in a second at present.
    pub(crate) rate: Option<u64>,
    /// How long the rest takes at that rate.
    pub(crate) left: Option<Duration>,
    /// The registry that is being waited for.
    pub(crate) waiting_for: Option<String>,
}

/// How blobs came to their place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ways {
    /// How many were moved.
    pub(crate) moved: u64,
    /// How many a registry took over from another of its repositories.
    pub(crate) mounted: u64,
    /// How many had been there before.
    pub(crate) skipped: u64,
}

/// A count of everything that happens.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    blobs: Share,
    /// The bytes of blobs that are in their place, of all.
    settled: Share,
    manifests: Share,
    ways: Ways,
    /// Without a plan, as when pulling, there is as much to do as has been begun.
    planned: bool,
    verifying: Option<u64>,
    done: HashSet<Digest>,
    under_way: HashMap<Digest, Share>,
    /// All bytes that have come, whatever became of them.
    traffic: u64,
    /// How much of that there was at earlier moments.
    samples: VecDeque<(Duration, u64)>,
    waits: Waits,
}

/// The time that was spent waiting for registries. What several wait at the same time counts once.
#[derive(Debug, Default)]
struct Waits {
    total: Duration,
    until: Duration,
    host: String,
}

impl Tally {
    /// Takes note of an event.
    pub(crate) fn note(&mut self, event: &Event, now: Duration) {
        match event {
            Event::Verifying { bytes, .. } => self.verifying = Some(*bytes),
            Event::Planned { blobs, bytes, manifests, .. } => {
                self.planned = true;
                self.blobs.all = *blobs as u64;
                self.settled.all = *bytes;
                self.manifests.all = *manifests as u64;
                self.sample(now);
            }
            Event::BlobStarted { digest, size } => self.started(digest, *size, now),
            Event::BlobAdvanced { digest, bytes } => {
                self.traffic += bytes;
                if let Some(share) = self.under_way.get_mut(digest) {
                    share.done += bytes;
                }
            }
            Event::BlobDone { digest, size, put, .. } => self.finished(digest, *size, *put),
            Event::ManifestDone { .. } => self.manifests.done += 1,
            _ => {}
        }
    }

    fn started(&mut self, digest: &Digest, size: u64, now: Duration) {
        if self.done.contains(digest) {
            return;
        }
        let is_new = self.under_way.insert(digest.clone(), Share { done: 0, all: size }).is_none();
        if !self.planned && is_new {
            self.blobs.all += 1;
            self.settled.all += size;
        }
        if self.samples.is_empty() {
            self.sample(now);
        }
    }

    fn finished(&mut self, digest: &Digest, size: u64, put: BlobPut) {
        self.under_way.remove(digest);
        if !self.done.insert(digest.clone()) {
            return;
        }
        self.blobs.done += 1;
        self.settled.done += size;
        match put {
            BlobPut::Present => self.ways.skipped += 1,
            BlobPut::Mounted => self.ways.mounted += 1,
            _ => self.ways.moved += 1,
        }
    }

    /// Takes note that a registry is left alone for so long from now on.
    pub(crate) fn waiting(&mut self, host: &str, time: Duration, now: Duration) {
        let until = now.saturating_add(time);
        if until > self.waits.until {
            self.waits.total += until - self.waits.until.max(now);
            self.waits.until = until;
            self.waits.host = host.to_owned();
        }
    }

    /// How long registries have been waited for.
    pub(crate) fn waited(&self, now: Duration) -> Duration {
        self.waits.total.saturating_sub(self.waits.until.saturating_sub(now))
    }

    /// How the blobs came to their place.
    pub(crate) fn ways(&self) -> Ways {
        self.ways
    }

    /// All bytes that have come, those that came twice included.
    pub(crate) fn traffic(&self) -> u64 {
        self.traffic
    }

    /// Where things stand. Asked at regular intervals, it knows the rate.
    pub(crate) fn standing(&mut self, now: Duration) -> Standing {
        self.sample(now);
        let under_way: u64 = self.under_way.values().map(|share| share.done.min(share.all)).sum();
        let bytes = Share { done: self.settled.done + under_way, all: self.settled.all };
        let rate = self.rate(now);
        let left = rate.map(|rate| Duration::from_secs(bytes.all.saturating_sub(bytes.done).div_ceil(rate)));
        Standing {
            blobs: self.blobs,
            verifying: self.verifying,
            bytes,
            manifests: self.manifests,
            rate,
            left: left.filter(|left| !left.is_zero()),
            waiting_for: (self.waits.until > now).then(|| self.waits.host.clone()),
        }
    }

    fn sample(&mut self, now: Duration) {
        let is_due = self.samples.back().is_none_or(|(at, _)| now.saturating_sub(*at) >= LEAST_WINDOW);
        if is_due {
            self.samples.push_back((now, self.traffic));
        }
        // The one before the window's beginning stays, so that the window is always full.
        while self.samples.get(1).is_some_and(|(at, _)| now.saturating_sub(*at) >= WINDOW) {
            self.samples.pop_front();
        }
    }

    fn rate(&self, now: Duration) -> Option<u64> {
        let (at, traffic) = self.samples.front()?;
        let window = now.saturating_sub(*at);
        if window < LEAST_WINDOW {
            return None;
        }
        let rate = (self.traffic - traffic) as f64 / window.as_secs_f64();
        // Less than a byte in a second is standing still.
        (rate >= 1.0).then_some(rate as u64)
    }
}

#[cfg(test)]
mod tests;
