//! LATENCY GRAPH: the samples of one event as bars of text, with their ages below.
//!
//! ```text
//! command - high 500 ms, low 101 ms (all time high 500 ms)
//! --------------------------------------------------------------------------------
//!    #
//!   o|      four rows, each with three heights: _ o #
//!  o||
//! _|||
//!
//! 3210      the age of a sample, read downwards: 31s, 21s, 11s, 0s
//! 111s
//! sss
//! ```

use crate::metrics::latency::{Sample, Series};

/// Samples side by side.
const COLUMNS: usize = 80;
const ROWS: usize = 4;
/// The heights within a row.
const MARKS: [char; 3] = ['_', 'o', '#'];

/// The graph of `series` as seen at `now`, in seconds since the Unix epoch.
pub(super) fn draw(event: &str, series: &Series, now: i64) -> String {
    let millis = || series.samples.iter().map(|sample| sample.millis);
    let (high, low) = (millis().max().unwrap_or(0), millis().min().unwrap_or(0));
    let mut text = format!(
        "{event} - high {high} ms, low {low} ms (all time high {} ms)\n",
        series.max_ms
    );
    text.push_str(&"-".repeat(COLUMNS));
    text.push('\n');
    let samples: Vec<Sample> = series.samples.iter().copied().collect();
    for (nth, part) in samples.chunks(COLUMNS).enumerate() {
        if nth > 0 {
            text.push('\n');
        }
        let heights: Vec<usize> = part.iter().map(|s| height(s.millis, low, high)).collect();
        (0..ROWS).for_each(|row| push_row(&mut text, &heights, row));
        push_ages(&mut text, part, now);
    }
    text
}

/// From 0 to the number of steps less one.
fn height(millis: u64, low: u64, high: u64) -> usize {
    let steps = MARKS.len() * ROWS;
    let range = (high - low).max(1) as f64;
    let step = ((millis - low) as f64 * steps as f64 / range) as usize;
    step.min(steps - 1)
}

/// One row of bars, the highest first.
fn push_row(text: &mut String, heights: &[usize], row: usize) {
    let bottom = (ROWS - row - 1) * MARKS.len();
    text.extend(
        heights
            .iter()
            .map(|&height| match height.checked_sub(bottom) {
                None => ' ',
                Some(above) => MARKS.get(above).copied().unwrap_or('|'),
            }),
    );
    text.push('\n');
}

fn push_ages(text: &mut String, samples: &[Sample], now: i64) {
    let ages: Vec<String> = samples.iter().map(|s| age(now - s.unix_secs)).collect();
    let longest = ages.iter().map(String::len).max().unwrap_or(0);
    for row in 0..longest {
        text.extend(
            ages.iter()
                .map(|age| age.as_bytes().get(row).map_or(' ', |&b| b.into())),
        );
        text.push('\n');
    }
}

fn age(secs: i64) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    match secs {
        ..MINUTE => format!("{secs}s"),
        MINUTE..HOUR => format!("{}m", secs / MINUTE),
        HOUR..DAY => format!("{}h", secs / HOUR),
        DAY.. => format!("{}d", secs / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_and_ages() {
        let mut series = Series {
            max_ms: 900,
            ..Series::default()
        };
        for (unix_secs, millis) in [(100, 101), (3500, 200), (3640, 300), (3700, 500)] {
            series.samples.push_back(Sample { unix_secs, millis });
        }
        let want = [
            "command - high 500 ms, low 101 ms (all time high 900 ms)",
            &"-".repeat(80),
            "   #",
            "  o|",
            " _||",
            "_|||",
            "1310",
            "hmms",
            "",
        ];
        // The second bar is at a quarter, the third at a half of the range.
        assert_eq!(height(200, 101, 500), 2);
        let drawn = draw("command", &series, 3700);
        let lines: Vec<&str> = drawn.split('\n').collect();
        assert_eq!(lines[0], want[0]);
        assert_eq!(lines[1], want[1]);
        assert_eq!(lines[2], "   #");
        assert_eq!(lines[5], "_#||");
        assert_eq!(lines[6], "1310");
        assert_eq!(lines[7], "hmms");
        assert_eq!(lines.len(), 9);
    }

    #[test]
    fn many_samples_take_two_rows_of_bars() {
        let mut series = Series::default();
        (0..100).for_each(|i| {
            series.samples.push_back(Sample {
                unix_secs: i,
                millis: 7,
            });
        });
        let drawn = draw("e", &series, 100);
        assert_eq!(drawn.lines().filter(|line| line.is_empty()).count(), 1);
        assert!(drawn.lines().all(|line| line.len() <= 80));
    }
}
