//! Which batches the reactor runs itself: the lanes.
//!
//! Handing a command to a worker costs about a microsecond of system time and 15
//! to 36 us until a parked worker runs; a GET takes a tenth of a microsecond. So
//! light work is run where it was read. It is spread only when one turn has more
//! of it than a worker could be woken for ([`SPREAD_COMMANDS`]) and there are
//! cores that nobody uses: on two cores the client and the reactor have both.

use crate::command::{Command, Flags};

/// Commands of one turn from which on spreading them pays: at 0.15 us each this
/// many take 150 us, several times the cost of waking a worker.
pub const SPREAD_COMMANDS: usize = 1024;
/// Cores below which the reactor keeps all light work.
pub const SPREAD_CORES: usize = 4;
/// Arguments of a keyed command from which on it is large.
pub const ARGS_MAX: usize = 2048;

/// `--dispatch`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dispatch {
    /// Light work on the reactor, heavy work in the pool.
    #[default]
    Adaptive,
    /// Everything in the pool.
    Pool,
    /// Nothing in the pool but the slow commands.
    Inline,
}

impl Dispatch {
    /// The mode with this name in the configuration.
    pub fn from_name(name: &str) -> Dispatch {
        match name {
            "pool" => Dispatch::Pool,
            "inline" => Dispatch::Inline,
            _ => Dispatch::Adaptive,
        }
    }

    /// Whether a whole batch goes to the pool although it looks light.
    /// `turn_commands` were found in this turn before it, `idle` workers have
    /// nothing to do.
    pub fn spreads(self, turn_commands: usize, cores: usize, idle: impl FnOnce() -> usize) -> bool {
        match self {
            Dispatch::Pool => true,
            Dispatch::Inline => false,
            Dispatch::Adaptive => {
                cores >= SPREAD_CORES && turn_commands >= SPREAD_COMMANDS && idle() > 0
            }
        }
    }
}

/// Whether a command goes to the pool before it is even tried.
pub fn is_slow(command: &Command, args: usize) -> bool {
    command.spec.flags.has(Flags::SLOW) || args > ARGS_MAX
}

/// Whether a command runs without others beside it.
pub fn is_alone(command: &Command, args: usize) -> bool {
    command.spec.flags.has(Flags::ALONE | Flags::SLOW) || args > ARGS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn light_work_is_spread_only_where_cores_are_free() {
        let much = SPREAD_COMMANDS;
        assert!(!Dispatch::Adaptive.spreads(much, 2, || 1));
        assert!(Dispatch::Adaptive.spreads(much, 8, || 1));
        assert!(!Dispatch::Adaptive.spreads(much, 8, || 0));
        assert!(!Dispatch::Adaptive.spreads(much - 1, 8, || 1));
        assert!(Dispatch::Pool.spreads(0, 1, || 0));
        assert!(!Dispatch::Inline.spreads(much, 64, || 8));
    }
}
