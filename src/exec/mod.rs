//! Running commands: batches, the gates every command passes, the function that
//! runs them on whatever thread, and the pool. Knows nothing of sockets: replies
//! leave through an [`Outlet`], the reactor is woken through a [`Wake`].

pub mod batch;
pub mod blocked;
mod evict;
pub mod gate;
pub mod hub;
pub mod listeners;
mod pause;
pub mod policy;
pub mod pool;
pub mod reaper;
pub mod replay;
pub mod run;
mod serve;
pub mod survey;
#[cfg(all(test, not(loom)))]
mod tests;
pub mod wake;

pub use batch::{Batch, ConnId, Halt, Outlet};
pub use blocked::Blocked;
pub use pool::Pool;
pub use run::{Executor, Lane};
pub use wake::{Wake, WakeFlag};

pub use crate::command::Services;
pub use crate::command::server::telemetry;
pub use crate::store::expire::StepReport;
