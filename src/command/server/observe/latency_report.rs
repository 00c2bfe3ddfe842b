//! LATENCY DOCTOR: what the recorded events say, and what can be done about them.

use crate::metrics::latency::{Series, event};

/// The slow log is of little help above this.
const SLOWLOG_US_ADVISED: i64 = 10_000;

/// The report on all events.
pub(super) fn write(
    events: &[(&'static str, Series)],
    threshold_ms: u64,
    slower_than_us: i64,
) -> String {
    if threshold_ms == 0 {
        return "The latency monitor is off. Set latency-monitor-threshold to the number of \
                milliseconds from which an event is worth a record: CONFIG SET \
                latency-monitor-threshold 100\n"
            .to_owned();
    }
    if events.is_empty() {
        return format!(
            "No event has taken {threshold_ms} milliseconds or more since the monitor was \
             switched on or reset.\n"
        );
    }
    let mut text = format!("Events of {threshold_ms} milliseconds or more:\n\n");
    for (nth, (name, series)) in events.iter().enumerate() {
        text.push_str(&format!("{}. {}\n", nth + 1, describe(name, series)));
    }
    text.push_str("\nWhat can be done:\n\n");
    for advice in advices(events, slower_than_us) {
        text.push_str(&format!("- {advice}\n"));
    }
    text
}

/// One event in numbers: how often, how long, how much that varies.
fn describe(name: &str, series: &Series) -> String {
    let count = series.samples.len();
    let millis = || series.samples.iter().map(|sample| sample.millis as f64);
    let mean = millis().sum::<f64>() / count.max(1) as f64;
    let deviation = millis().map(|ms| (ms - mean).abs()).sum::<f64>() / count.max(1) as f64;
    let first = series.samples.front().map_or(0, |sample| sample.unix_secs);
    let span_secs = series.last().unix_secs - first;
    let every = if count > 1 {
        let secs = span_secs as f64 / (count - 1) as f64;
        format!(", one about every {secs:.1} seconds")
    } else {
        String::new()
    };
    format!(
        "{name}: {count} spikes, mean {mean:.0} ms, mean deviation {deviation:.0} ms, worst \
         {} ms{every}.",
        series.max_ms
    )
}

fn advices(events: &[(&'static str, Series)], slower_than_us: i64) -> Vec<String> {
    let has = |name| events.iter().any(|(event, _)| *event == name);
    let mut advices = Vec::new();
    if has(event::COMMAND) {
        advices.push(
            "Slow commands run beside the others here and hold up only who sent them. SLOWLOG GET \
             names them; HOTKEYS BIG names the keys that make them slow."
                .to_owned(),
        );
        if !(0..=SLOWLOG_US_ADVISED).contains(&slower_than_us) {
            advices.push(format!(
                "The slow log sees little: CONFIG SET slowlog-log-slower-than {SLOWLOG_US_ADVISED}"
            ));
        }
    }
    if has(event::FAST_COMMAND) {
        advices.push(
            "Commands that should take microseconds took long: the machine is short of \
             processor time or memory. Look for other busy processes, for swapping (vmstat 1) \
             and for CPU limits of the service."
                .to_owned(),
        );
    }
    if has(event::EXPIRE_CYCLE) {
        advices.push(
            "Many keys expire at the same moment. Add some random seconds to their times to live."
                .to_owned(),
        );
    }
    let disk = |(name, _): &&(&'static str, Series)| name.contains("aof") || name.contains("rdb");
    if events.iter().any(|one| disk(&one)) {
        advices.push(
            "Writing to disk takes long. Look at the disk (iostat -x 1), give the log a disk of \
             its own, or choose 'appendfsync everysec'."
                .to_owned(),
        );
    }
    if events.iter().any(|(name, _)| name.contains("eviction")) {
        advices.push(
            "Memory is full and making room takes time. Raise maxmemory or keep less.".to_owned(),
        );
    }
    if advices.is_empty() {
        advices.push("Nothing that this report knows of.".to_owned());
    }
    advices
}
