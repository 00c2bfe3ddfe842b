//! When two replies agree: byte for byte, or by a named exception with its
//! reason. The table is the whole list of liberties this test takes.

use crate::support::{Answer, Reply};

use super::grammar::Op;

/// How far apart two clocks and two moments of execution may be.
const TOLERANCE_MS: i64 = 5000;

/// A liberty: which commands it is about, and what is still demanded of them.
struct Exception {
    #[allow(dead_code, reason = "the reason is for the reader of the table")]
    reason: &'static str,
    applies: fn(&Op) -> bool,
    agrees: fn(&Reply, &Reply) -> bool,
}

const EXCEPTIONS: &[Exception] = &[
    Exception {
        reason: "a cursor in the middle means something to the server that gave it alone",
        applies: |op| {
            matches!(op.name().as_str(), "SSCAN" | "HSCAN" | "ZSCAN") && op.word(2) != "0"
        },
        agrees: |ours, theirs| ours.items().len() == theirs.items().len(),
    },
    Exception {
        reason: "SORT makes a skiplist of every sorted set it reads in Redis, and changes nothing here",
        applies: |op| op.name() == "OBJECT" && op.word(1) == "ENCODING",
        agrees: |ours, theirs| ours.text() == "listpack" && theirs.text() == "skiplist",
    },
    Exception {
        reason: "a set that is not sorted comes in an order of the server's own, and a part of it \
            is any part",
        applies: |op| is_unsorted(op) && (0..op.args.len()).any(|at| op.word(at) == "LIMIT"),
        agrees: |ours, theirs| ours.items().len() == theirs.items().len(),
    },
    Exception {
        reason: "as above, and the whole",
        applies: |op| is_unsorted(op) && !(0..op.args.len()).any(|at| op.word(at) == "LIMIT"),
        agrees: |ours, theirs| sorted(ours) == sorted(theirs),
    },
    Exception {
        reason: "an expiry set by a relative time starts when each server runs it",
        applies: |op| matches!(op.name().as_str(), "TTL" | "EXPIRETIME"),
        agrees: |ours, theirs| near(ours, theirs, TOLERANCE_MS / 1000),
    },
    Exception {
        reason: "as above, in milliseconds",
        applies: |op| matches!(op.name().as_str(), "PTTL" | "PEXPIRETIME"),
        agrees: |ours, theirs| near(ours, theirs, TOLERANCE_MS),
    },
    Exception {
        reason: "by each server's own coarse clock; and a small integer in Redis has the time \
            of the object that all keys share, which may be long ago",
        applies: |op| op.name() == "OBJECT" && op.word(1) == "IDLETIME",
        agrees: |ours, theirs| match (ours.integer(), theirs.integer()) {
            (Some(ours), Some(theirs)) => ours <= theirs + TOLERANCE_MS / 1000,
            _ => false,
        },
    },
    Exception {
        reason: "the wall clock",
        applies: |op| op.name() == "TIME",
        agrees: |ours, theirs| ours.items().len() == 2 && theirs.items().len() == 2,
    },
    Exception {
        reason: "the order of a hash table with a random seed",
        applies: |op| op.name() == "KEYS",
        agrees: |ours, theirs| !ours.is_error() && sorted(ours) == sorted(theirs),
    },
    Exception {
        reason: "the order of a hash table with a random seed",
        applies: |op| op.name() == "HGETALL",
        agrees: |ours, theirs| !ours.is_error() && sorted_pairs(ours) == sorted_pairs(theirs),
    },
    Exception {
        reason: "as above",
        applies: |op| matches!(op.name().as_str(), "HKEYS" | "HVALS"),
        agrees: |ours, theirs| !ours.is_error() && sorted(ours) == sorted(theirs),
    },
    Exception {
        reason: "random by definition; both find as many",
        applies: |op| op.name() == "HRANDFIELD",
        agrees: |ours, theirs| match (ours.bytes(), theirs.bytes()) {
            (Some(_), Some(_)) => true,
            _ => !ours.is_error() && ours.items().len() == theirs.items().len(),
        },
    },
    Exception {
        reason: "a step through a hash table reports what each server's order has next",
        applies: |op| op.name() == "HSCAN",
        agrees: |ours, theirs| ours.items().len() == 2 && theirs.items().len() == 2,
    },
    Exception {
        reason: "cursors are each server's own; whole iterations are compared as sets",
        applies: |op| op.name() == "SCAN",
        agrees: |ours, theirs| ours.items().len() == 2 && theirs.items().len() == 2,
    },
    Exception {
        reason: "random by definition; both find a key or both find none",
        applies: |op| op.name() == "RANDOMKEY",
        agrees: |ours, theirs| ours.bytes().is_some() && theirs.bytes().is_some(),
    },
    Exception {
        reason: "7.2 prints the shortest digits of a double, 7.0 seventeen",
        applies: |op| op.name().starts_with('Z') || op.name() == "GEOSEARCHSTORE",
        agrees: same_numbers,
    },
    Exception {
        reason: "7.0 takes no WITHSCORE, and so refuses a fourth word for its number",
        applies: |op| matches!(op.name().as_str(), "ZRANK" | "ZREVRANK") && op.args.len() == 4,
        agrees: |ours, theirs| ours.is_error() && theirs.is_error(),
    },
    Exception {
        reason: "random by definition; both have as many elements",
        applies: |op| op.name() == "ZRANDMEMBER",
        agrees: |ours, theirs| ours.items().len() == theirs.items().len(),
    },
    Exception {
        reason: "a whole set in the order of a hash table with a random seed, its scores with \
            seventeen digits",
        applies: |op| op.name() == "ZSCAN",
        agrees: |ours, theirs| match (ours.items(), theirs.items()) {
            ([ours, our_items], [theirs, their_items]) => {
                let by_member = |items| Reply::Array(sorted_pairs(items).concat());
                ours == theirs && same_numbers(&by_member(our_items), &by_member(their_items))
            }
            _ => false,
        },
    },
    Exception {
        reason: "ids count what each server has seen",
        applies: |op| op.name() == "CLIENT" && op.word(1) == "ID",
        agrees: |ours, theirs| ours.integer().is_some() && theirs.integer().is_some(),
    },
    Exception {
        reason: "server, version and id differ; the fields and the protocol do not",
        applies: |op| op.name() == "HELLO",
        agrees: same_hello,
    },
    Exception {
        reason: "7.0 knows only quicklists, 7.2 has listpacks for small lists",
        applies: |op| op.name() == "OBJECT" && op.word(1) == "ENCODING",
        agrees: |ours, theirs| {
            theirs.bytes() == Some(b"quicklist") && ours.bytes() == Some(b"listpack")
        },
    },
    Exception {
        reason: "7.0 keeps small sets of texts in hash tables, 7.2 in listpacks",
        applies: |op| op.name() == "OBJECT" && op.word(1) == "ENCODING",
        agrees: |ours, theirs| {
            theirs.bytes() == Some(b"hashtable") && ours.bytes() == Some(b"listpack")
        },
    },
    Exception {
        reason: "sets have no order",
        applies: |op| {
            let name = op.name();
            matches!(
                name.as_str(),
                "SMEMBERS" | "SINTER" | "SUNION" | "SDIFF" | "SPOP"
            )
        },
        agrees: |ours, theirs| !ours.is_error() && sorted(ours) == sorted(theirs),
    },
    Exception {
        reason: "random by definition; as many members, and all where all are asked for",
        applies: |op| op.name() == "SRANDMEMBER",
        agrees: |ours, theirs| {
            !ours.is_error()
                && ours.items().len() == theirs.items().len()
                && ours.bytes().is_some() == theirs.bytes().is_some()
        },
    },
    Exception {
        reason: "sets have no order, and a scan that goes on has shown a part of its own choice",
        applies: |op| op.name() == "SSCAN",
        agrees: |ours, theirs| match (ours.items(), theirs.items()) {
            ([our_cursor, ours], [their_cursor, theirs]) => {
                let goes_on = our_cursor.text() != "0" || their_cursor.text() != "0";
                goes_on || sorted(ours) == sorted(theirs)
            }
            _ => false,
        },
    },
    Exception {
        reason: "idle times are each server's own, up to its pace",
        applies: |op| op.name() == "XPENDING",
        agrees: |ours, theirs| near_everywhere(ours, theirs),
    },
    Exception {
        reason: "7.2 makes a consumer when it asks, 7.0 when it is given something; and here a node \
            whose entries are all deleted is not kept, which shows in the size of Redis's tree",
        applies: |op| op.name() == "XINFO" && matches!(op.word(1).as_str(), "GROUPS" | "STREAM"),
        agrees: |ours, theirs| {
            near_everywhere(&without_differing(ours), &without_differing(theirs))
        },
    },
    Exception {
        reason: "as above, and 7.2 has two times of a consumer, 7.0 one",
        applies: |op| op.name() == "XINFO" && op.word(1) == "CONSUMERS",
        agrees: |ours, theirs| {
            let found = |one: &Reply| {
                let one = without_differing(one);
                let mut ours = ours.items().iter().map(without_differing);
                ours.any(|other| near_everywhere(&other, &one))
            };
            theirs.items().iter().all(found)
        },
    },
    Exception {
        reason: "as above: here there may be one already",
        applies: |op| op.name() == "XGROUP" && op.word(1) == "CREATECONSUMER",
        agrees: |ours, theirs| *ours == Reply::Integer(0) && *theirs == Reply::Integer(1),
    },
    Exception {
        reason: "7.2 names the command and the id that it expects",
        applies: |op| matches!(op.name().as_str(), "XREAD" | "XREADGROUP"),
        agrees: |ours, theirs| {
            let unbalanced = |reply: &Reply| reply.text().starts_with("ERR Unbalanced ");
            unbalanced(ours) && unbalanced(theirs)
        },
    },
    Exception {
        reason: "Redis shares the objects of small integers, save for those that COPY makes",
        applies: |op| op.name() == "OBJECT" && op.word(1) == "REFCOUNT",
        agrees: |ours, theirs| {
            ours == &Reply::Integer(i64::from(i32::MAX)) && theirs == &Reply::Integer(1)
        },
    },
];

/// Whether our reply to `op` is as good as theirs.
pub fn agree(op: &Op, ours: &Answer, theirs: &Answer) -> bool {
    if ours.raw == theirs.raw {
        return true;
    }
    if refused_since_7_2(op, &ours.reply, &theirs.reply)
        || compared_in_less_memory(op, theirs)
        || misread_by_redis(op, theirs)
    {
        return true;
    }
    // The kind on the wire has to be the same whatever the exception.
    if ours.raw.first() != theirs.raw.first() {
        return false;
    }
    let mut allowed = EXCEPTIONS
        .iter()
        .filter(|exception| (exception.applies)(op));
    allowed.any(|exception| (exception.agrees)(&ours.reply, &theirs.reply))
}

/// Whether SORT is told not to sort: by a pattern that names one key for all.
fn is_unsorted(op: &Op) -> bool {
    let by_one = |at| op.word(at) == "BY" && !op.word(at + 1).contains('*');
    op.name().starts_with("SORT") && (1..op.args.len()).any(by_one)
}

/// Redis takes a number for none where the C library was out of range before, in
/// another command: it does not reset `errno`.
fn misread_by_redis(op: &Op, theirs: &Answer) -> bool {
    op.name().starts_with("SORT") && theirs.raw.starts_with(b"-ERR One or more scores")
}

/// Since 7.2 BITCOUNT and BITPOS check their arguments before they look for the key;
/// 7.0 answers for a key that is not there, or of another type, whatever they say.
fn refused_since_7_2(op: &Op, ours: &Reply, theirs: &Reply) -> bool {
    matches!(op.name().as_str(), "BITCOUNT" | "BITPOS")
        && ours.is_error()
        && (theirs.is_error() || matches!(theirs, Reply::Integer(-1 | 0)))
}

/// A comparison takes 32 times less memory here, so longer strings are compared
/// before it is refused.
fn compared_in_less_memory(op: &Op, theirs: &Answer) -> bool {
    op.name() == "LCS" && theirs.raw.starts_with(b"-ERR Insufficient memory")
}

/// Whether two replies are the same but for how their doubles are written.
pub fn same_numbers(ours: &Reply, theirs: &Reply) -> bool {
    let number = |reply: &Reply| reply.text().parse::<f64>().ok();
    match (ours, theirs) {
        (Reply::Array(ours), Reply::Array(theirs)) => {
            let mut pairs = ours.iter().zip(theirs);
            ours.len() == theirs.len() && pairs.all(|(a, b)| same_numbers(a, b))
        }
        (Reply::Bulk(_), Reply::Bulk(_)) | (Reply::Double(_), Reply::Double(_)) => {
            ours == theirs || number(ours).is_some() && number(ours) == number(theirs)
        }
        _ => ours == theirs,
    }
}

/// Whether two remaining times are the same but for the servers' own pace.
pub fn near(ours: &Reply, theirs: &Reply, tolerance: i64) -> bool {
    match (ours, theirs) {
        (Reply::Integer(ours), Reply::Integer(theirs)) => {
            ours == theirs || (*ours >= 0 && *theirs >= 0 && (ours - theirs).abs() <= tolerance)
        }
        _ => false,
    }
}

/// Whether two PTTL replies say the same.
pub fn near_ms(ours: &Reply, theirs: &Reply) -> bool {
    near(ours, theirs, TOLERANCE_MS)
}

/// The elements of a reply in an order of their own.
pub fn sorted(reply: &Reply) -> Vec<Reply> {
    let mut items = reply.items().to_vec();
    items.sort();
    items
}

/// The pairs of a flat reply in an order of their own.
pub fn sorted_pairs(reply: &Reply) -> Vec<Vec<Reply>> {
    let pairs = reply.items().chunks(2);
    let mut pairs: Vec<Vec<Reply>> = pairs.map(<[Reply]>::to_vec).collect();
    pairs.sort();
    pairs
}

/// Whether two replies have the same form and texts, and numbers that are near.
fn near_everywhere(ours: &Reply, theirs: &Reply) -> bool {
    match (ours.items(), theirs.items()) {
        ([], []) => ours == theirs || near(ours, theirs, TOLERANCE_MS),
        (ours, theirs) => {
            let mut pairs = ours.iter().zip(theirs);
            ours.len() == theirs.len() && pairs.all(|(ours, theirs)| near_everywhere(ours, theirs))
        }
    }
}

/// What XINFO says, without what the servers are known to differ in.
fn without_differing(reply: &Reply) -> Reply {
    const DIFFER: &[&str] = &[
        "consumers",
        "inactive",
        "active-time",
        "radix-tree-keys",
        "radix-tree-nodes",
    ];
    let mut kept = Vec::new();
    let mut items = reply.items().iter();
    while let Some(item) = items.next() {
        let text = item.bytes().unwrap_or_default();
        if DIFFER.iter().any(|name| name.as_bytes() == text) {
            items.next();
        } else {
            kept.push(without_differing(item));
        }
    }
    match reply {
        Reply::Map(_) | Reply::Array(_) => Reply::Array(kept),
        other => other.clone(),
    }
}

fn same_hello(ours: &Reply, theirs: &Reply) -> bool {
    const DIFFER: &[&str] = &["server", "version", "id", "modules"];
    let pairs = |reply: &Reply| -> Vec<(String, Option<Reply>)> {
        let pairs = reply.items().chunks(2);
        pairs
            .map(|pair| {
                let name = pair[0].text();
                let value = (!DIFFER.contains(&name.as_str())).then(|| pair[1].clone());
                (name, value)
            })
            .collect()
    };
    !ours.items().is_empty() && pairs(ours) == pairs(theirs)
}
