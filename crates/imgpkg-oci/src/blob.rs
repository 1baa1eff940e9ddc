//! Reading a blob: a stream of known size that fails at its end if the bytes were not the ones the digest stands for.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;

use crate::{Descriptor, Digest, Digester};

/// Why reading a blob failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlobError {
    /// The stream broke.
    #[error("reading blob {digest} after {offset} of {size} bytes")]
    Broken {
        /// The blob.
        digest: Digest,
        /// How many bytes had come.
        offset: u64,
        /// How many it has.
        size: u64,
        /// What happened.
        source: io::Error,
    },
    /// More or fewer bytes than its descriptor says.
    #[error("error verifying size of blob {digest}; got {got}, want {want}")]
    Size {
        /// The blob.
        digest: Digest,
        /// How many bytes came (or had come when there were too many).
        got: u64,
        /// How many the descriptor says.
        want: u64,
    },
    /// Other bytes than the digest stands for.
    #[error(
        "error verifying {algorithm} checksum after reading {size} bytes; got \"{got}\", want \"{want}\""
    )]
    Checksum {
        /// The algorithm's name.
        algorithm: &'static str,
        /// How many bytes were read.
        size: u64,
        /// The digest of what came.
        got: Digest,
        /// The digest asked for.
        want: Digest,
    },
}

impl BlobError {
    /// Did the connection break, as opposed to wrong bytes coming over it?
    pub fn is_broken_stream(&self) -> bool {
        matches!(self, Self::Broken { .. })
    }
}

/// How far a blob has been read: its length so far, and the hash of that. A later stream continues from here.
#[derive(Debug, Clone)]
pub struct BlobProgress {
    offset: u64,
    digester: Digester,
}

impl BlobProgress {
    /// Nothing read yet.
    pub fn start(blob: &Digest) -> Self {
        Self { offset: 0, digester: Digester::new(blob.algorithm()) }
    }

    /// How many bytes have been read.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Takes note of the next bytes.
    pub fn advance(&mut self, bytes: &[u8]) {
        self.digester.update(bytes);
        self.offset += bytes.len() as u64;
    }
}

/// Told how many more bytes have just been read.
pub type Observer = Arc<dyn Fn(u64) + Send + Sync>;

/// A blob being read, chunk by chunk. The last chunk is handed out only when size and digest are proven right, so a
/// reader that stores what it gets and stops at an error never holds a whole blob that is wrong.
pub struct BlobReader {
    descriptor: Descriptor,
    progress: BlobProgress,
    stream: BoxStream<'static, io::Result<Bytes>>,
    /// The chunk that is only handed out when another one, or the proven end, has been seen.
    held: Option<Bytes>,
    finished: bool,
    observer: Option<Observer>,
}

impl BlobReader {
    /// A reader of the whole blob.
    pub fn new(descriptor: Descriptor, stream: BoxStream<'static, io::Result<Bytes>>) -> Self {
        let progress = BlobProgress::start(&descriptor.digest);
        Self::resumed(descriptor, progress, stream)
    }

    /// A reader of what follows `progress`; the stream starts at its offset. Size and digest are checked of the whole.
    pub fn resumed(
        descriptor: Descriptor,
        progress: BlobProgress,
        stream: BoxStream<'static, io::Result<Bytes>>,
    ) -> Self {
        Self { descriptor, progress, stream, held: None, finished: false, observer: None }
    }

    /// A reader of what follows `progress` in a blob that is in memory.
    pub fn of_bytes(descriptor: Descriptor, bytes: &Bytes, progress: BlobProgress) -> Self {
        let offset = usize::try_from(progress.offset()).map_or(bytes.len(), |offset| offset.min(bytes.len()));
        let rest = bytes.slice(offset..);
        Self::resumed(descriptor, progress, futures_util::stream::once(async move { Ok(rest) }).boxed())
    }

    /// The same reader, which tells `observer` about every chunk that arrives.
    #[must_use]
    pub fn observed(mut self, observer: Observer) -> Self {
        self.observer = Some(observer);
        self
    }

    /// What is being read.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// How far the stream has come, including a chunk not yet handed out.
    pub fn progress(&self) -> &BlobProgress {
        &self.progress
    }

    /// The next chunk, never empty; `None` at the end, when size and digest have been proven.
    ///
    /// # Errors
    /// When the stream breaks, or when the blob turns out to have another size or digest. An error ends the reader.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BlobError> {
        while !self.finished {
            match self.stream.next().await {
                Some(Ok(chunk)) if chunk.is_empty() => {}
                Some(Ok(chunk)) => {
                    self.take(&chunk)?;
                    if let Some(earlier) = self.held.replace(chunk) {
                        return Ok(Some(earlier));
                    }
                }
                Some(Err(source)) => {
                    self.finished = true;
                    self.held = None;
                    let BlobProgress { offset, .. } = self.progress;
                    let Descriptor { ref digest, size, .. } = self.descriptor;
                    return Err(BlobError::Broken { digest: digest.clone(), offset, size, source });
                }
                None => self.end()?,
            }
        }
        Ok(self.held.take())
    }

    fn take(&mut self, chunk: &Bytes) -> Result<(), BlobError> {
        let got = self.progress.offset + chunk.len() as u64;
        if got > self.descriptor.size {
            return Err(self.wrong_size(got));
        }
        self.progress.advance(chunk);
        if let Some(observer) = &self.observer {
            observer(chunk.len() as u64);
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), BlobError> {
        self.finished = true;
        if self.progress.offset != self.descriptor.size {
            return Err(self.wrong_size(self.progress.offset));
        }
        let got = self.progress.digester.clone().finish();
        let want = &self.descriptor.digest;
        if got != *want {
            self.held = None;
            let algorithm = want.algorithm().name();
            return Err(BlobError::Checksum {
                algorithm,
                size: self.descriptor.size,
                got,
                want: want.clone(),
            });
        }
        Ok(())
    }

    fn wrong_size(&mut self, got: u64) -> BlobError {
        self.finished = true;
        self.held = None;
        BlobError::Size { digest: self.descriptor.digest.clone(), got, want: self.descriptor.size }
    }

    /// The chunks as a stream, for what wants one (an HTTP body).
    pub fn into_stream(self) -> BoxStream<'static, Result<Bytes, BlobError>> {
        futures_util::stream::unfold(Some(self), |state| async move {
            let mut reader = state?;
            match reader.next().await {
                Ok(Some(chunk)) => Some((Ok(chunk), Some(reader))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
        .boxed()
    }

    /// All of it, for documents that are small by nature.
    ///
    /// # Errors
    /// As [`BlobReader::next`], and when the descriptor announces more than `limit` bytes.
    pub async fn collect(mut self, limit: u64) -> Result<Bytes, BlobError> {
        if self.descriptor.size > limit {
            let got = self.descriptor.size;
            return Err(BlobError::Size { digest: self.descriptor.digest.clone(), got, want: limit });
        }
        let mut all = Vec::new();
        while let Some(chunk) = self.next().await? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.into())
    }
}

impl fmt::Debug for BlobReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlobReader")
            .field("descriptor", &self.descriptor)
            .field("progress", &self.progress)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MediaType;

    fn reader(content: &'static [u8], announced: &[u8], pieces: usize) -> BlobReader {
        let descriptor =
            Descriptor::new(MediaType::default(), Digest::sha256_of(announced), announced.len() as u64);
        let chunks: Vec<_> = content.chunks(pieces).map(|chunk| Ok(Bytes::from_static(chunk))).collect();
        BlobReader::new(descriptor, futures_util::stream::iter(chunks).boxed())
    }

    #[tokio::test]
    async fn right_bytes_arrive_whole() {
        let all = reader(b"hello world", b"hello world", 3).collect(100).await.unwrap();
        assert_eq!(&all[..], b"hello world");
    }

    #[tokio::test]
    async fn a_blob_in_memory_is_read_from_where_an_earlier_reader_stopped() {
        let bytes = Bytes::from_static(b"hello world");
        let descriptor = Descriptor::new(MediaType::default(), Digest::sha256_of(&bytes), 11);
        let mut progress = BlobProgress::start(&descriptor.digest);
        progress.advance(b"hello ");
        let rest = BlobReader::of_bytes(descriptor, &bytes, progress).collect(100).await.unwrap();
        assert_eq!(&rest[..], b"world");
    }

    #[tokio::test]
    async fn an_empty_blob_is_a_blob() {
        assert!(reader(b"", b"", 1).collect(0).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn the_last_chunk_of_a_wrong_blob_is_never_handed_out() {
        let mut reader = reader(b"hello wurld", b"hello world", 4);
        let mut got = Vec::new();
        let error = loop {
            match reader.next().await {
                Ok(chunk) => got.extend_from_slice(&chunk.expect("an error before the end")),
                Err(error) => break error,
            }
        };
        assert_eq!(got, b"hello wu");
        assert!(
            error.to_string().starts_with("error verifying sha256 checksum after reading 11 bytes"),
            "{error}"
        );
        assert!(reader.next().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn too_many_and_too_few_bytes_are_errors() {
        let error = reader(b"hello!", b"hello", 3).collect(9).await.unwrap_err();
        assert!(matches!(error, BlobError::Size { got: 6, want: 5, .. }), "{error}");
        let error = reader(b"hell", b"hello", 3).collect(9).await.unwrap_err();
        assert!(matches!(error, BlobError::Size { got: 4, want: 5, .. }), "{error}");
    }

    #[tokio::test]
    async fn a_blob_that_claims_more_than_the_limit_is_not_read() {
        let error = reader(b"hello", b"hello", 3).collect(4).await.unwrap_err();
        assert!(matches!(error, BlobError::Size { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_broken_stream_is_continued_from_where_it_stopped() {
        let mut first = reader(b"hello ", b"hello world", 6);
        first.stream =
            first.stream.chain(futures_util::stream::once(async { Err(io::Error::other("cut")) })).boxed();
        let error = first.next().await.unwrap_err();
        assert!(error.is_broken_stream());
        assert_eq!(first.progress().offset(), 6);
        let rest = futures_util::stream::once(async { Ok(Bytes::from_static(b"world")) }).boxed();
        let second = BlobReader::resumed(first.descriptor().clone(), first.progress().clone(), rest);
        assert_eq!(&second.collect(100).await.unwrap()[..], b"world");
    }

    #[tokio::test]
    async fn an_observer_hears_of_every_byte() {
        let heard = Arc::new(std::sync::atomic::AtomicU64::new(0));
        let counter = heard.clone();
        let observer: Observer = Arc::new(move |n| {
            counter.fetch_add(n, std::sync::atomic::Ordering::Relaxed);
        });
        reader(b"hello world", b"hello world", 2).observed(observer).collect(100).await.unwrap();
        assert_eq!(heard.load(std::sync::atomic::Ordering::Relaxed), 11);
    }
}
