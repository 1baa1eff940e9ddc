//! The transfer: the only place where bytes move. Blobs go first, a manifest as soon as everything below it is there.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::{BoxFuture, FutureExt as _};
use imgpkg_oci::{
    BlobOpener, BlobProgress, BlobReader, Destination, ErrorKind, Repository, StoreError, StoreResult,
};
use tokio::task::JoinSet;

use crate::Error;
use crate::budget::Budget;
use crate::event::{Event, Listener};
use crate::plan::{BlobOrigin, BlobStep, ManifestStep, Plan};

/// Carries out a plan.
///
/// # Errors
/// The first step that fails for good. What had been written by then stays: it is content that the next run finds.
pub async fn transfer(
    plan: Plan,
    destination: Arc<dyn Destination>,
    budget: Budget,
    listener: Listener,
) -> Result<(), Error> {
    let mut schedule = Schedule::new(plan, budget);
    let mut running = JoinSet::new();
    loop {
        while let Some(step) = schedule.next() {
            let (destination, listener) = (destination.clone(), listener.clone());
            running.spawn(async move {
                match step {
                    Step::Blob(position, blob) => {
                        put_blob(&blob, &*destination, &listener).await.map(|()| Done::Blob(position))
                    }
                    Step::Manifest(position, manifest) => put_manifest(&manifest, &*destination, &listener)
                        .await
                        .map(|()| Done::Manifest(position)),
                }
            });
        }
        match running.join_next().await {
            None => return Ok(()),
            Some(Ok(done)) => schedule.finished(done?),
            Some(Err(failure)) => return Err(Error::Task(failure)),
        }
    }
}

/// Something to do now.
enum Step {
    Blob(usize, BlobStep),
    Manifest(usize, ManifestStep),
}

/// Something that has been done.
enum Done {
    Blob(usize),
    Manifest(usize),
}

/// Which steps may start, and which are waiting for others.
struct Schedule {
    plan: Plan,
    budget: Budget,
    /// Blobs not yet started: large ones from the front of one queue, small ones from the front of the other.
    large: VecDeque<usize>,
    small: VecDeque<usize>,
    /// Manifests whose blobs and children are all there.
    ready: VecDeque<usize>,
    /// For each manifest, how many steps it still waits for.
    waiting: Vec<usize>,
    /// For each blob, and for each manifest, the manifests that wait for it.
    above_blob: Vec<Vec<usize>>,
    above_manifest: Vec<Vec<usize>>,
}

impl Schedule {
    fn new(plan: Plan, budget: Budget) -> Self {
        let mut above_blob = vec![Vec::new(); plan.blobs.len()];
        let mut above_manifest = vec![Vec::new(); plan.manifests.len()];
        let mut waiting = Vec::with_capacity(plan.manifests.len());
        let mut ready = VecDeque::new();
        for (position, step) in plan.manifests.iter().enumerate() {
            step.blobs.iter().for_each(|&blob| above_blob[blob].push(position));
            step.children.iter().for_each(|&child| above_manifest[child].push(position));
            waiting.push(step.blobs.len() + step.children.len());
            if waiting[position] == 0 {
                ready.push_back(position);
            }
        }
        let size = |&position: &usize| plan.blobs[position].descriptor.size;
        let (mut large, small): (Vec<_>, Vec<_>) =
            (0..plan.blobs.len()).partition(|position| Budget::is_large(size(position)));
        large.sort_by_key(|position| std::cmp::Reverse(size(position)));
        let (large, small) = (large.into(), small.into());
        Self { plan, budget, large, small, ready, waiting, above_blob, above_manifest }
    }

    /// A step that may start now, if there is one. Manifests first: they are small, and free others.
    fn next(&mut self) -> Option<Step> {
        if let Some(&position) = self.ready.front()
            && self.budget.start_small()
        {
            self.ready.pop_front();
            return Some(Step::Manifest(position, self.plan.manifests[position].clone()));
        }
        if let Some(&position) = self.large.front()
            && self.budget.start_large()
        {
            self.large.pop_front();
            return Some(Step::Blob(position, self.plan.blobs[position].clone()));
        }
        if let Some(&position) = self.small.front()
            && self.budget.start_small()
        {
            self.small.pop_front();
            return Some(Step::Blob(position, self.plan.blobs[position].clone()));
        }
        None
    }

    fn finished(&mut self, done: Done) {
        let above = match done {
            Done::Blob(position) => {
                self.budget.finish(self.plan.blobs[position].descriptor.size);
                std::mem::take(&mut self.above_blob[position])
            }
            Done::Manifest(position) => {
                self.budget.finish(0);
                std::mem::take(&mut self.above_manifest[position])
            }
        };
        for manifest in above {
            self.waiting[manifest] -= 1;
            if self.waiting[manifest] == 0 {
                self.ready.push_back(manifest);
            }
        }
    }
}

async fn put_blob(step: &BlobStep, destination: &dyn Destination, listener: &Listener) -> Result<(), Error> {
    let started = Instant::now();
    let content = Content { step, listener: listener.clone() };
    let put = destination.put_blob(&step.descriptor, &content).await.map_err(|source| Error::Blob {
        digest: step.descriptor.digest.clone(),
        name: step.needed_by.clone(),
        source,
    })?;
    let (digest, size) = (step.descriptor.digest.clone(), step.descriptor.size);
    listener(Event::BlobDone { digest, size, put, elapsed: started.elapsed() });
    Ok(())
}

async fn put_manifest(
    step: &ManifestStep,
    destination: &dyn Destination,
    listener: &Listener,
) -> Result<(), Error> {
    for target in &step.targets {
        destination.put_manifest(&step.manifest, target).await.map_err(|source| Error::Manifest {
            target: target.as_str().to_owned(),
            name: step.needed_by.clone(),
            source,
        })?;
    }
    listener(Event::ManifestDone { digest: step.manifest.digest().clone() });
    Ok(())
}

/// A blob's content, as a destination opens it: whatever source answers first.
struct Content<'a> {
    step: &'a BlobStep,
    listener: Listener,
}

impl Content<'_> {
    async fn read(&self, from: BlobProgress) -> StoreResult<BlobReader> {
        let sources = match &self.step.origin {
            BlobOrigin::Memory(bytes) => {
                return Ok(BlobReader::of_bytes(self.step.descriptor.clone(), bytes, from));
            }
            BlobOrigin::Sources(sources) => sources,
        };
        let mut failure = None;
        for source in sources {
            match source.blob(&self.step.descriptor, from.clone()).await {
                Ok(reader) => return Ok(reader),
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(|| StoreError::new(ErrorKind::NotFound, "no source has this blob")))
    }
}

impl BlobOpener for Content<'_> {
    fn open(&self, from: BlobProgress) -> BoxFuture<'_, StoreResult<BlobReader>> {
        async move {
            let (listener, digest) = (self.listener.clone(), self.step.descriptor.digest.clone());
            let observer =
                Arc::new(move |bytes| listener(Event::BlobAdvanced { digest: digest.clone(), bytes }));
            Ok(self.read(from).await?.observed(observer))
        }
        .boxed()
    }

    fn mount_from(&self) -> Option<&Repository> {
        self.step.mount_from.as_ref()
    }
}

#[cfg(test)]
mod tests;
