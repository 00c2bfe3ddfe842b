//! What the operator asks about the past: logs of notable commands, the latency
//! monitor, hot and big keys. The server notices all this by itself
//! (`crate::metrics::observed`); here it is told.

mod commandlog;
mod commandlog_rows;
mod hotkeys;
mod latency;
mod latency_graph;
mod latency_report;
mod monitor;
mod rows;

pub use commandlog_rows::SPECS as COMMANDLOG_SPECS;
pub use rows::SPECS;

#[cfg(test)]
mod tests;
