//! LOLWUT: a flash, and the versions.
//!
//! Each bolt is drawn by a random walk from the cloud to the ground, so no two are
//! alike; VERSION is accepted and means nothing.

use crate::base::num;
use crate::base::rng::Rng;
use crate::command::ctx::{Ctx, Outcome};
use crate::config::cli::REDIS_COMPAT;
use crate::resp::Argv;
use crate::store;

const WIDTH: usize = 40;
const HEIGHT: usize = 9;

pub(super) fn lolwut(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    if argv.len() > 2 && argv.get(1).eq_ignore_ascii_case(b"version") {
        num::parse_i64(argv.get(2)).ok_or(store::Error::NotInteger)?;
    }
    let mut text = storm(ctx.rng);
    text.push_str(&format!(
        "\nFlashKV ver. {} (Redis ver. {REDIS_COMPAT})\n",
        env!("CARGO_PKG_VERSION")
    ));
    ctx.reply.verbatim("txt", text.as_bytes());
    Ok(())
}

fn storm(rng: &mut Rng) -> String {
    let mut rows = [[b' '; WIDTH]; HEIGHT];
    rows[0] = [b'~'; WIDTH];
    for bolt in 1..4 {
        strike(&mut rows, bolt * WIDTH / 4, rng);
    }
    let lines = rows
        .iter()
        .map(|row| String::from_utf8_lossy(row.trim_ascii_end()) + "\n");
    lines.collect()
}

fn strike(rows: &mut [[u8; WIDTH]; HEIGHT], from: usize, rng: &mut Rng) {
    let mut at = from;
    for row in &mut rows[1..] {
        let (step, mark) = [(0, b'\\'), (1, b'|'), (2, b'/')][rng.below(3) as usize];
        row[at] = mark;
        at = match step {
            0 => (at + 1).min(WIDTH - 1),
            1 => at,
            _ => at.saturating_sub(1),
        };
    }
}
