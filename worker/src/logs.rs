//! Logs go to stderr; above the bars, and only from warnings up, where bars are drawn.

use crate::view::View;
use clap::ValueEnum;
use std::io::{self, IsTerminal};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// Without `RUST_LOG`. The queue reports the deaths of apalis's workers itself.
const FILTER: &str = "info,apalis_core=off,apalis_redis=off";

/// The same where bars show the progress.
const FILTER_BESIDE_BARS: &str = "warn,apalis_core=off,apalis_redis=off";

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// Starts logging.
pub fn start(format: Format, view: Option<&View>) -> io::Result<()> {
    let beside = view.filter(|view| view.is_watched()).cloned();
    let filter = if beside.is_some() { FILTER_BESIDE_BARS } else { FILTER };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(filter));
    let writer = match beside {
        Some(view) => BoxMakeWriter::new(move || view.clone()),
        None => BoxMakeWriter::new(io::stderr),
    };
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    let started = match format {
        Format::Text => {
            let colours = io::stderr().is_terminal();
            lines.with_ansi(colours).with_target(false).finish().into()
        }
        Format::Json => lines.with_ansi(false).json().finish().into(),
    };
    tracing::dispatcher::set_global_default(started).map_err(io::Error::other)
}
