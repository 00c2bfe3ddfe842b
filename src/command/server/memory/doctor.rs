//! MEMORY DOCTOR: the overview read by somebody who has seen many. What it looks for
//! and the limits are Redis's; replicas and scripts, which do not exist here, can do no
//! harm.

use super::Overview;
use super::overview::Excess;
use crate::command::ctx::{Ctx, Outcome};
use crate::resp::Argv;

/// Below this everything is noise.
const EMPTY_MAX: u64 = 5 << 20;
/// The peak against the present.
const PEAK_RATIO: f64 = 1.5;
/// Resident memory against memory in use.
const FRAGMENTATION_RATIO: f64 = 1.4;
/// One layer of the allocator against the next.
const LAYER_RATIO: f64 = 1.1;
/// An excess of fewer bytes is no problem, whatever the ratio.
const EXCESS_MIN: i64 = 10 << 20;
/// Buffers of a client on average.
const CLIENT_BYTES_MAX: usize = 200 << 10;

/// Something that may be wrong: when it is, and what to say then.
struct Complaint {
    holds: fn(&Overview) -> bool,
    text: &'static str,
}

pub(super) fn doctor(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    ctx.afford(ctx.services.clients.count())?;
    let overview = Overview::take(ctx)?;
    ctx.reply.verbatim("txt", report(&overview).as_bytes());
    Ok(())
}

pub(super) fn report(overview: &Overview) -> String {
    if overview.memory.used < EMPTY_MAX {
        return NEARLY_EMPTY.to_owned();
    }
    let found: Vec<&str> = (COMPLAINTS.iter())
        .filter(|complaint| (complaint.holds)(overview))
        .map(|complaint| complaint.text)
        .collect();
    if found.is_empty() {
        return HEALTHY.to_owned();
    }
    let mut text = FOUND.to_owned();
    for line in found {
        text.push_str(" * ");
        text.push_str(line);
        text.push_str("\n\n");
    }
    text
}

fn exceeds(excess: Excess, ratio: f64) -> bool {
    excess.ratio > ratio && excess.bytes > EXCESS_MIN
}

const NEARLY_EMPTY: &str = "The server holds next to nothing, too little to tell anything. Ask again when there is data.\n";
const HEALTHY: &str = "No problem with memory was found.\n";
const FOUND: &str = "Something about the memory of this server deserves a look:\n\n";

const COMPLAINTS: [Complaint; 6] = [
    Complaint {
        holds: |seen| seen.peak_percent() < 100.0 / PEAK_RATIO,
        text: "Peak memory: more than 150% of what is in use now has been in use before. A large \
               deletion leaves holes, so resident memory may stay above what the data needs; new \
               data fills them first. MEMORY PURGE returns what is entirely free.",
    },
    Complaint {
        holds: |seen| exceeds(seen.fragmentation(), FRAGMENTATION_RATIO),
        text: "High total fragmentation: resident memory is more than 1.4 times what is in use. \
               After a peak this is to be expected; else one of the causes below applies.",
    },
    Complaint {
        holds: |seen| exceeds(seen.allocator_fragmentation(), LAYER_RATIO),
        text: "High allocator fragmentation: pages of the allocator are partly empty, more than \
               10% in all. It happens when many values of one size were deleted and values of \
               other sizes take their place; restarting from a copy of the data packs them anew.",
    },
    Complaint {
        holds: |seen| exceeds(seen.allocator_resident(), LAYER_RATIO),
        text: "High allocator RSS overhead: the allocator keeps more than 10% in free pages. They \
               go back to the system within some seconds by themselves, and at once by MEMORY \
               PURGE.",
    },
    Complaint {
        holds: |seen| exceeds(seen.process_resident(), LAYER_RATIO),
        text: "High process RSS overhead: more than 10% of the resident memory is none of the \
               allocator's. It is code, stacks, or memory of a library.",
    },
    Complaint {
        holds: |seen| seen.client_bytes > seen.clients * CLIENT_BYTES_MAX,
        text: "Big client buffers: more than 200 KB per client on average. Look for clients that \
               send large commands or read slowly: CLIENT LIST shows qbuf, oll and omem, and \
               client-output-buffer-limit ends those that do not read.",
    },
];
