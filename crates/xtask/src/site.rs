//! The registries of a run, and the ways to them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use imgpkg_testkit::{BundleDirectory, Registry, Tool};
use tokio::runtime::Runtime;

use crate::error::Error;
use crate::proxy::{Proxy, Traffic};
use crate::tool::find;
use crate::workload::{Published, Workload};

/// Which program the registries of a run are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The one within the binary under test.
    Embedded,
    /// `docker-registry`.
    Docker,
}

impl Kind {
    /// How it is called in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Docker => "docker-registry",
        }
    }

    /// Is it there?
    pub(crate) fn is_installed(self) -> bool {
        self == Self::Embedded || find("docker-registry").is_some()
    }

    /// A registry of this kind with nothing in it.
    fn start(self, imgpkg: &Tool) -> Result<Registry, Error> {
        match self {
            Self::Embedded => Ok(Registry::embedded(imgpkg)),
            Self::Docker => {
                Registry::docker("the benchmark").ok_or(Error::Missing { program: "docker-registry" })
            }
        }
    }
}

/// A way to the registries: whom to ask, and for which bundle.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    /// Host and port of the source.
    pub(crate) source: String,
    /// The bundle; it and its references name that host.
    pub(crate) bundle: String,
    /// Is there a proxy in front of each side?
    pub(crate) counted: bool,
}

/// A registry with a workload in it, empty ones to copy it to, and proxies before both.
pub(crate) struct Site<'a> {
    kind: Kind,
    imgpkg: &'a Tool,
    source: Registry,
    near: Proxy,
    far: Proxy,
    /// What is in the source.
    pub(crate) published: Published,
    // The proxies' tasks run in it.
    _runtime: Runtime,
}

impl<'a> Site<'a> {
    /// Starts a registry of this kind and pushes the workload to it.
    pub(crate) fn open(kind: Kind, workload: &Workload, imgpkg: &'a Tool) -> Result<Self, Error> {
        let source = kind.start(imgpkg)?;
        let published = workload.publish(&source)?;
        let wrong = || Error::system("Starting the proxies");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(wrong())?;
        let delay = Duration::from_millis(workload.delay_millis);
        let upstream = address(&source)?;
        let near = runtime.block_on(Proxy::start(delay, upstream)).map_err(wrong())?;
        let far = runtime.block_on(Proxy::start(delay, upstream)).map_err(wrong())?;
        Ok(Self { kind, imgpkg, source, near, far, published, _runtime: runtime })
    }

    /// Pushes a bundle whose references name the source, or the proxy before it.
    pub(crate) fn way(&self, counted: bool) -> Result<Way, Error> {
        let source = if counted { self.near.address() } else { self.source.address().to_owned() };
        let references: Vec<_> =
            self.published.references.iter().map(|reference| format!("{source}/{reference}")).collect();
        let references: Vec<_> = references.iter().map(String::as_str).collect();
        let directory = BundleDirectory::of_images(&references);
        let bundle = format!("{source}/bundles/{}:v1", if counted { "counted" } else { "direct" });
        crate::measure::run([self.imgpkg.command(&["push", "-b", &bundle, "-f", directory.argument()])])?;
        self.take_traffic();
        Ok(Way { source, bundle, counted })
    }

    /// An empty registry to copy to.
    pub(crate) fn destination(&self) -> Result<Registry, Error> {
        self.kind.start(self.imgpkg)
    }

    /// Host and port of a destination on this way; `None` stands for the source itself.
    pub(crate) fn reach(&self, way: &Way, destination: Option<&Registry>) -> Result<String, Error> {
        let Some(destination) = destination else { return Ok(way.source.clone()) };
        if !way.counted {
            return Ok(destination.address().to_owned());
        }
        self.far.aim(address(destination)?);
        Ok(self.far.address())
    }

    /// Host and port of the source itself.
    pub(crate) fn source_address(&self) -> &str {
        self.source.address()
    }

    /// What has gone through both proxies since the last call.
    pub(crate) fn take_traffic(&self) -> Traffic {
        self.near.take_traffic().and(&self.far.take_traffic())
    }

    /// The time from a request to its answer through the proxy, in milliseconds; the least of some.
    pub(crate) fn round_trip_millis(&self) -> Result<f64, Error> {
        let mut least = f64::INFINITY;
        for _ in 0..5 {
            let time = round_trip(&self.near.address()).map_err(Error::system("Asking through the proxy"))?;
            least = least.min(time.as_secs_f64() * 1000.0);
        }
        self.take_traffic();
        Ok(least)
    }
}

fn round_trip(address: &str) -> std::io::Result<Duration> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let begun = Instant::now();
    stream
        .write_all(format!("GET /v2/ HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())?;
    stream.read_exact(&mut [0])?;
    Ok(begun.elapsed())
}

fn address(registry: &Registry) -> Result<SocketAddr, Error> {
    let parsed = registry.address().parse();
    parsed.map_err(|error| Error::System {
        what: format!("Reading the address {}", registry.address()),
        source: std::io::Error::other(error),
    })
}
