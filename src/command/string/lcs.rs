//! LCS: the longest common subsequence of two strings.
//!
//! Its work grows with the product of the lengths, so all but short strings are
//! compared in the pool, from images, without the locks.

use super::*;
use crate::ds::lcs::{self, Common};

/// Cells of the comparison that take the time of one element.
const CELLS_PER_COST: usize = 1024;

/// What is asked for.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    len: bool,
    pieces: bool,
    piece_lens: bool,
    /// Shorter pieces are left out.
    piece_min: usize,
}

impl Asked {
    fn parse(mut args: Args<'_>) -> Result<Asked, Error> {
        const BOTH: Error =
            Error::text("ERR If you want both the length and indexes, please just use IDX.");
        let mut asked = Asked::default();
        while !args.is_done() {
            if args.word("LEN") {
                asked.len = true;
            } else if args.word("IDX") {
                asked.pieces = true;
            } else if args.word("WITHMATCHLEN") {
                asked.piece_lens = true;
            } else if args.left() > 1 && args.word("MINMATCHLEN") {
                asked.piece_min = usize::try_from(args.int()?).unwrap_or(0);
            } else {
                return Err(Error::Syntax);
            }
        }
        if asked.len && asked.pieces {
            return Err(BOTH);
        }
        Ok(asked)
    }
}

pub fn lcs(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    const TYPES: Error = Error::text("ERR The specified keys must contain string values");
    const MEMORY: Error =
        Error::text("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
    let mut image = |nth| match ctx.db.string(ctx.nth_key(argv, nth, nth + 1)) {
        Ok(string) => Ok(string.map(|string| string.to_bytes()).unwrap_or_default()),
        Err(_) => Err(TYPES),
    };
    let (a, b) = (image(0)?, image(1)?);
    let asked = Asked::parse(Args::from(argv, 3))?;
    if lcs::bytes_needed(a.len(), b.len()) > ctx.string_max() {
        return Err(MEMORY.into());
    }
    ctx.afford(a.len().saturating_mul(b.len()) / CELLS_PER_COST)?;
    if ctx.alone {
        ctx.db.release();
    }
    if asked.len {
        ctx.reply.len(lcs::length(&a, &b));
        return Ok(());
    }
    let common = lcs::common(&a, &b);
    if asked.pieces {
        write_pieces(ctx.reply, &common, asked);
    } else {
        ctx.reply.bulk(&common.text);
    }
    Ok(())
}

fn write_pieces(reply: &mut Reply, common: &Common, asked: Asked) {
    let pieces = (common.pieces.iter()).filter(|piece| piece.len >= asked.piece_min);
    reply.map(2);
    reply.bulk(b"matches");
    reply.array(pieces.clone().count());
    for piece in pieces {
        reply.array(if asked.piece_lens { 3 } else { 2 });
        for start in [piece.a, piece.b] {
            reply.array(2);
            reply.len(start);
            reply.len(start + piece.len - 1);
        }
        if asked.piece_lens {
            reply.len(piece.len);
        }
    }
    reply.bulk(b"len");
    reply.len(common.text.len());
}
