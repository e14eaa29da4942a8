//! Log lines: ours at the level asked for, other people's only when they warn.

use imapmcp_bootstrap::{LogFormat, Settings};
use std::io::IsTerminal as _;
use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer, filter::filter_fn, layer::SubscriberExt, registry::Registry, util::SubscriberInitExt,
};

/// Third-party crates log commands and frames at debug and trace: passwords, tokens and mail among them. They are
/// heard from warnings up, whatever level is asked for.
fn is_ours_or_serious(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("imapmcp") || *metadata.level() <= Level::WARN
}

pub(crate) fn start(settings: &Settings) {
    let filter = EnvFilter::try_new(&settings.log).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match settings.log_format {
        // colours are for a person's terminal, not for a file or a journal
        LogFormat::Text => tracing_subscriber::fmt::layer()
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(std::io::stderr)
            .boxed(),
        LogFormat::Json => tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr).boxed(),
    };
    let lines = lines.with_filter(filter).with_filter(filter_fn(is_ours_or_serious));
    // a second start in one process (a test) keeps the first
    let _ = tracing_subscriber::registry().with(lines).try_init();
}
