//! What commands work with besides their own arguments.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use imgpkg_registry::{Client, ClientOptions, Environment, Wait};

use crate::args::registry::RegistryArgs;
use crate::commands::CommandError;
use crate::debug_log;
use crate::keychains;
use crate::ui::Ui;
use crate::ui::progress::Progress;

/// What commands work with besides their own arguments.
pub(crate) struct Context {
    /// The program's voice.
    pub(crate) ui: Arc<Ui>,
    /// What shows how far the command has come.
    pub(crate) progress: Arc<Progress>,
    /// Is traffic with registries shown?
    pub(crate) debug: bool,
}

impl Context {
    /// A client for registries that behaves as these flags say, sending at most so many requests at a time to each host.
    ///
    /// # Errors
    /// When certificates or keychains that the user named cannot be used.
    pub(crate) fn client(
        &self,
        registry: &RegistryArgs,
        concurrency: Option<NonZeroUsize>,
    ) -> Result<Client, CommandError> {
        Ok(Client::new(self.client_options(registry, concurrency)?)?)
    }

    /// The same client, with a count of the requests that it has sent.
    ///
    /// # Errors
    /// As [`Context::client`].
    pub(crate) fn counting_client(
        &self,
        registry: &RegistryArgs,
        concurrency: Option<NonZeroUsize>,
    ) -> Result<(Client, Arc<AtomicUsize>), CommandError> {
        let mut options = self.client_options(registry, concurrency)?;
        let (requests, trace) = (Arc::<AtomicUsize>::default(), options.trace.take());
        let count = Arc::clone(&requests);
        options.trace = Some(Arc::new(move |event: &str| {
            count.fetch_add(usize::from(event.starts_with("--> ")), Ordering::Relaxed);
            if let Some(trace) = &trace {
                trace(event);
            }
        }));
        Ok((Client::new(options)?, requests))
    }

    fn client_options(
        &self,
        registry: &RegistryArgs,
        concurrency: Option<NonZeroUsize>,
    ) -> Result<ClientOptions, CommandError> {
        self.say_about_keychains()?;
        let mut options = registry.options(Environment::of_process());
        options.max_requests_per_host = concurrency.map(NonZeroUsize::get);
        let progress = Arc::clone(&self.progress);
        options.on_wait = Some(Arc::new(move |wait: &Wait| progress.waiting(wait)));
        if self.debug {
            let ui = Arc::clone(&self.ui);
            options.trace = Some(Arc::new(move |event: &str| {
                ui.alert(&debug_log::entry(SystemTime::now(), event));
            }));
        }
        Ok(options)
    }

    /// The reference says the first on stdout, where it would spoil what other programs read.
    fn say_about_keychains(&self) -> Result<(), CommandError> {
        let variable = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        let notices = keychains::notices(variable)?;
        notices.deprecation.iter().for_each(|line| self.ui.alert(line));
        notices.absence.iter().for_each(|line| self.ui.note(line));
        Ok(())
    }
}
