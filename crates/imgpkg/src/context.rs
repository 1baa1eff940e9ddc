//! What commands work with besides their own arguments.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::SystemTime;

use imgpkg_registry::{Client, Environment};

use crate::args::registry::RegistryArgs;
use crate::commands::CommandError;
use crate::debug_log;
use crate::ui::Ui;

/// The variable that switched all cloud keychains on before they could be named.
const OLD_KEYCHAIN_VARIABLE: &str = "IMGPKG_ENABLE_IAAS_AUTH";

/// What commands work with besides their own arguments.
pub(crate) struct Context {
    /// The program's voice.
    pub(crate) ui: Arc<Ui>,
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
        if std::env::var_os(OLD_KEYCHAIN_VARIABLE).is_some() {
            self.ui.alert(&format!(
                "{OLD_KEYCHAIN_VARIABLE} environment variable will be deprecated, \
                 please use the flag --activate-keychain to activate the needed keychains"
            ));
        }
        let mut options = registry.options(Environment::of_process());
        options.max_requests_per_host = concurrency.map(NonZeroUsize::get);
        if self.debug {
            let ui = Arc::clone(&self.ui);
            options.trace = Some(Arc::new(move |event: &str| {
                ui.alert(&debug_log::entry(SystemTime::now(), event));
            }));
        }
        Ok(Client::new(options)?)
    }
}
