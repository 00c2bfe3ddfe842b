//! Rows: threads and timing; mostly our own.

use super::{Change, choice, flag, int, observe, row, rows};
use crate::config::schema::Kind;

rows! {
    from observe::END;

    "Threads and timing" {
        /// Worker threads beside the one that owns the sockets; they run what would hold up
        /// the others. 0: one less than the processors, at least 1 and at most 8.
        WORKERS = int("workers", 0, 64, "0").change(Change::Fixed);
        /// Where commands run. `adaptive`: quick ones where their bytes arrive, slow ones on
        /// the workers. `pool`: all on the workers. `inline`: none but the slow ones.
        DISPATCH = choice("dispatch", &["adaptive", "pool", "inline"], "adaptive")
            .change(Change::Fixed);
        /// Microseconds of looking for more input before sleeping. More answers a lone client
        /// sooner and costs processor time; an idle server always sleeps.
        SPIN_US = int("spin-us", 0, 1000, "50");
        /// Steps of niceness of the thread that owns the sockets. Below zero it comes before
        /// threads that compute, where the user may have that (LimitNICE of systemd).
        LOOP_NICE = int("loop-nice", -20, 19, "-10").change(Change::Fixed);
        /// Background steps a second: statistics, idle clients, resizing. 1 to 500; a value
        /// outside is moved to the nearer end.
        HZ = row("hz", Kind::Clamped { min: 1, max: 500 }, "10");
        /// Take more background steps when there are many clients.
        DYNAMIC_HZ = flag("dynamic-hz", "yes")
            .inert("each background step is bounded, whatever the number of clients");
        /// Threads that read and write sockets.
        IO_THREADS = int("io-threads", 1, 128, "1").immutable()
            .inert("use workers and dispatch");
        /// Whether these threads read as well.
        IO_THREADS_DO_READS = flag("io-threads-do-reads", "no").immutable()
            .inert("use workers and dispatch");
    }
}
