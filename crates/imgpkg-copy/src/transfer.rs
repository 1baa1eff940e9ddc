//! The transfer: the only place where bytes move. Blobs go first, a manifest as soon as everything below it is there.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::{BoxFuture, FutureExt as _};
use imgpkg_oci::{
    BlobOpener, BlobProgress, BlobReader, Destination, ErrorKind, Repository, StoreError, StoreResult,
    TagOrDigest,
};
use tokio::task::JoinSet;

use crate::Error;
use crate::budget::Budget;
use crate::event::{Event, Listener};
use crate::plan::{BlobOrigin, BlobStep, ManifestStep, Plan};
use crate::schedule::{Schedule, Step};

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
    let mut schedule = Schedule::new(&plan, budget);
    let transfer = Arc::new(Transfer { plan, destination, listener });
    let mut running = JoinSet::new();
    loop {
        while let Some(step) = schedule.next() {
            let transfer = transfer.clone();
            running.spawn(async move { transfer.take(step).await.map(|()| step) });
        }
        match running.join_next().await {
            None => return Ok(()),
            Some(Ok(done)) => schedule.finished(&transfer.plan, done?),
            Some(Err(failure)) => return Err(Error::Task(failure)),
        }
    }
}

/// A plan being carried out.
struct Transfer {
    plan: Plan,
    destination: Arc<dyn Destination>,
    listener: Listener,
}

impl Transfer {
    async fn take(&self, step: Step) -> Result<(), Error> {
        match step {
            Step::Blob(position) => self.put_blob(&self.plan.blobs[position]).await,
            Step::Manifest(position) => {
                let step = &self.plan.manifests[position];
                self.put_manifest(step).await?;
                (self.listener)(Event::ManifestDone { digest: step.manifest.digest().clone() });
                Ok(())
            }
        }
    }

    async fn put_blob(&self, step: &BlobStep) -> Result<(), Error> {
        let started = Instant::now();
        let (digest, size) = (step.descriptor.digest.clone(), step.descriptor.size);
        (self.listener)(Event::BlobStarted { digest: digest.clone(), size });
        let content = Content { step, listener: self.listener.clone() };
        let put = self.destination.put_blob(&step.descriptor, &content).await.map_err(|source| {
            Error::Blob { digest: digest.clone(), name: step.needed_by.clone(), route: None, source }
        })?;
        (self.listener)(Event::BlobDone { digest, size, put, elapsed: started.elapsed() });
        Ok(())
    }

    /// Writes a manifest under all its names. A destination that has lost something below it since it was put there (a
    /// registry that cleans up, for instance) gets that again, once.
    async fn put_manifest(&self, step: &ManifestStep) -> Result<(), Error> {
        for target in &step.targets {
            let Err(error) = self.put_under(step, target).await else { continue };
            let Error::Manifest { source, .. } = &error else { return Err(error) };
            if source.kind() != ErrorKind::MissingContent {
                return Err(error);
            }
            self.put_below(step).await?;
            self.put_under(step, target).await?;
        }
        Ok(())
    }

    async fn put_under(&self, step: &ManifestStep, target: &TagOrDigest) -> Result<(), Error> {
        self.destination.put_manifest(&step.manifest, target).await.map_err(|source| Error::Manifest {
            target: target.as_str().to_owned(),
            name: step.needed_by.clone(),
            source,
        })
    }

    fn put_below<'a>(&'a self, step: &'a ManifestStep) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            for &blob in &step.blobs {
                self.put_blob(&self.plan.blobs[blob]).await?;
            }
            for &child in &step.children {
                self.put_manifest(&self.plan.manifests[child]).await?;
            }
            Ok(())
        }
        .boxed()
    }
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
