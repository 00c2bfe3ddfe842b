//! Rows: the log and the process itself.

use super::{INT_MAX, choice, flag, int, list, network, rows, ruled, text};
use crate::config::{lists, value};

rows! {
    from network::END;

    "Log" {
        /// How much to log: `debug` (everything), `verbose`, `notice` (what an operator
        /// wants to know) or `warning` (only what needs attention).
        LOGLEVEL = choice("loglevel", &["debug", "verbose", "notice", "warning"], "notice");
        /// The log file. Empty: standard error, in the journal's form when that is what
        /// standard error is. SIGHUP reopens the file.
        LOGFILE = text("logfile", "").immutable();
        /// Send the log to syslog as well.
        SYSLOG_ENABLED = flag("syslog-enabled", "no").immutable().inert(JOURNAL);
        /// The name that syslog shows.
        SYSLOG_IDENT = text("syslog-ident", "redis").immutable().inert(JOURNAL);
        /// The facility of syslog.
        SYSLOG_FACILITY = choice("syslog-facility", &[
            "user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
        ], "local0").immutable().inert(JOURNAL);
        /// Tell port and process id by a banner at start, although the output is not a terminal.
        ALWAYS_SHOW_LOGO = flag("always-show-logo", "no").immutable();
        /// Names of warnings to keep quiet about.
        IGNORE_WARNINGS = text("ignore-warnings", "")
            .inert("none of the warnings that it names is ever given");
        /// Log registers and stack on a crash.
        CRASH_LOG_ENABLED = flag("crash-log-enabled", "yes")
            .inert("a panic always logs its place; core dumps belong to the system");
        /// Test the memory on a crash.
        CRASH_MEMCHECK_ENABLED = flag("crash-memcheck-enabled", "yes")
            .inert("use memtest86+ or the machine's own error counters");
    }

    "Process" {
        /// Show what the server is in the list of processes.
        SET_PROC_TITLE = flag("set-proc-title", "yes").immutable()
            .inert("the process keeps the name and arguments it was started with");
        /// The pattern of that title.
        PROC_TITLE_TEMPLATE = ruled("proc-title-template", value::title_template,
            "{title} {listen-addr} {server-mode}")
            .inert("the process keeps the name and arguments it was started with");
        /// Adjust how likely the kernel kills this process when memory runs out.
        OOM_SCORE_ADJ = choice("oom-score-adj", &["no", "yes", "relative", "absolute"], "no")
            .inert("use OOMScoreAdjust= of the systemd unit");
        /// The adjustments for a master, a replica and a child that saves.
        OOM_SCORE_ADJ_VALUES = list("oom-score-adj-values", lists::oom_values, "0 200 800")
            .inert("use OOMScoreAdjust= of the systemd unit");
        /// Turn transparent huge pages off for this process.
        DISABLE_THP = flag("disable-thp", "yes").immutable()
            .inert("nothing forks here, so huge pages are not copied");
        /// Processors for the main thread.
        SERVER_CPULIST = text("server_cpulist", "").immutable().inert(CPU_AFFINITY);
        /// Processors for background threads.
        BIO_CPULIST = text("bio_cpulist", "").immutable().inert(CPU_AFFINITY);
        /// Processors for a rewrite of the append-only file.
        AOF_REWRITE_CPULIST = text("aof_rewrite_cpulist", "").immutable().inert(CPU_AFFINITY);
        /// Processors for a snapshot.
        BGSAVE_CPULIST = text("bgsave_cpulist", "").immutable().inert(CPU_AFFINITY);
        /// Seconds that a shutdown waits for replicas that lag.
        SHUTDOWN_TIMEOUT = int("shutdown-timeout", 0, INT_MAX, "10")
            .inert("there is no replication");
        /// What SIGINT does: `default`, or any of `save`, `nosave`, `now`, `force`.
        SHUTDOWN_ON_SIGINT = list("shutdown-on-sigint", lists::shutdown, "default");
        /// What SIGTERM does: the same words.
        SHUTDOWN_ON_SIGTERM = list("shutdown-on-sigterm", lists::shutdown, "default");
        /// The locale that SORT ... ALPHA compares by.
        LOCALE_COLLATE = text("locale-collate", "").inert("strings compare byte by byte");
    }
}

const JOURNAL: &str = "log to standard error and let the journal forward it to syslog";
const CPU_AFFINITY: &str = "use CPUAffinity= of the systemd unit, or taskset";
