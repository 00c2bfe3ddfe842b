//! Fields that expire: setting, clearing and telling their times, and the commands
//! that read, set or remove fields together with them.
//!
//! Redis 7.4 brought most of these, 8.0 the last three, which read their arguments
//! in a way of their own; the texts of the errors differ likewise.

use super::{afford_names, pairs, write_nullable};
use crate::base::clock::Millis;
use crate::base::num;
use crate::command::args::Args;
use crate::command::ctx::{Ctx, Outcome, afford};
use crate::command::error::Error;
use crate::ds::hash::{NEVER, Until};
use crate::resp::Argv;
use crate::resp::write::error_text;
use crate::store;
use crate::store::entry::Type;
use crate::store::expire::ExpireIf;
use crate::store::hash::{FieldTtl, FieldVerdict};
use crate::store::string::SetIf;

/// The latest time that a field may expire at, in milliseconds; Redis's limit.
const DEADLINE_MAX: Millis = (1 << 46) - 1;

/// A time as a client writes it.
#[derive(Clone, Copy, Debug)]
struct Unit {
    /// Milliseconds.
    scale: i64,
    /// Counted from now, else from the Unix epoch.
    relative: bool,
}

const EX: Unit = Unit::new(1000, true);
const PX: Unit = Unit::new(1, true);
const EXAT: Unit = Unit::new(1000, false);
const PXAT: Unit = Unit::new(1, false);

impl Unit {
    const fn new(scale: i64, relative: bool) -> Unit {
        Unit { scale, relative }
    }

    fn read(args: &mut Args<'_>) -> Option<Unit> {
        [("EX", EX), ("PX", PX), ("EXAT", EXAT), ("PXAT", PXAT)]
            .into_iter()
            .find(|(word, _)| args.word(word))
            .map(|(_, unit)| unit)
    }

    /// The time meant by `text`; `command` is named in the error.
    fn deadline(self, text: &[u8], now: Millis, command: &'static str) -> Result<Millis, Error> {
        const NEGATIVE: Error = Error::text("ERR invalid expire time, must be >= 0");
        let number = num::parse_i64(text).ok_or(Error::Store(store::Error::NotInteger))?;
        if number < 0 {
            return Err(NEGATIVE);
        }
        let base = if self.relative { now } else { 0 };
        (number.checked_mul(self.scale))
            .and_then(|millis| millis.checked_add(base))
            .filter(|at| *at <= DEADLINE_MAX)
            .ok_or(Error::InvalidExpire(command))
    }
}

/// The names behind `FIELDS numfields`, which stand at argument `at` and are all
/// that is left.
fn names(argv: Argv<'_>, at: usize, not_positive: Error) -> Result<Argv<'_>, Error> {
    const MISSING: Error =
        Error::text("ERR Mandatory argument FIELDS is missing or not at the right position");
    const MISMATCH: Error =
        Error::text("ERR The `numfields` parameter must match the number of arguments");
    let mut args = Args::from(argv, at);
    if !args.word("FIELDS") {
        return Err(MISSING);
    }
    let count = args.size_or(not_positive.clone())?;
    if count == 0 {
        return Err(not_positive);
    }
    if count != args.left() {
        return Err(MISMATCH);
    }
    Ok(argv.from(args.position()))
}

const COUNT_NOT_POSITIVE: Error = Error::text("ERR Number of fields must be a positive integer");

// HEXPIRE and its kin.

fn set_deadline(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, unit: Unit) -> Outcome {
    const COUNT: Error = Error::text("ERR Parameter `numFields` should be greater than 0");
    let key = ctx.key(argv);
    ctx.db.expect_type(key, Type::Hash)?;
    let at = unit.deadline(argv.get(2), ctx.db.now, &ctx.command.full_name)?;
    let (only, at_word) = read_condition(argv);
    let names = names(argv, at_word, COUNT)?;
    afford_names(ctx, key, names.len())?;
    let reply = &mut *ctx.reply;
    reply.array(names.len());
    ctx.db.hash_expire(key, at, only, names.iter(), |verdict| {
        reply.int(match verdict {
            FieldVerdict::Absent => -2,
            FieldVerdict::Refused | FieldVerdict::Lasting => 0,
            FieldVerdict::Done => 1,
            FieldVerdict::Deleted => 2,
        });
    })?;
    Ok(())
}

/// The condition that may stand at argument 3, and where the next one stands.
fn read_condition(argv: Argv<'_>) -> (ExpireIf, usize) {
    let mut args = Args::from(argv, 3);
    let mut only = ExpireIf::default();
    // One of them only; a second one is taken for the word FIELDS and refused.
    if args.word("NX") {
        only.absent = true;
    } else if args.word("XX") {
        only.present = true;
    } else if args.word("GT") {
        only.greater = true;
    } else if args.word("LT") {
        only.less = true;
    }
    (only, args.position())
}

pub(super) fn hexpire(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    set_deadline(ctx, argv, EX)
}

pub(super) fn hpexpire(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    set_deadline(ctx, argv, PX)
}

pub(super) fn hexpireat(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    set_deadline(ctx, argv, EXAT)
}

pub(super) fn hpexpireat(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    set_deadline(ctx, argv, PXAT)
}

pub(super) fn hpersist(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    ctx.db.expect_type(key, Type::Hash)?;
    let names = names(argv, 2, COUNT_NOT_POSITIVE)?;
    afford_names(ctx, key, names.len())?;
    let reply = &mut *ctx.reply;
    reply.array(names.len());
    ctx.db.hash_persist(key, names.iter(), |verdict| {
        reply.int(match verdict {
            FieldVerdict::Absent => -2,
            FieldVerdict::Lasting => -1,
            _ => 1,
        });
    })?;
    Ok(())
}

// HTTL and its kin.

/// Tells of each field -2 without it, -1 if it lives for ever, else what `tell`
/// makes of its time.
fn tell_deadline(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, tell: impl Fn(Millis) -> i64) -> Outcome {
    let (key, alone, now) = (ctx.key(argv), ctx.alone, ctx.db.now);
    ctx.db.expect_type(key, Type::Hash)?;
    let names = names(argv, 2, COUNT_NOT_POSITIVE)?;
    let reply = &mut *ctx.reply;
    let hash = ctx.db.hash(key)?;
    let effort = hash.as_ref().map_or(1, |hash| hash.find_effort());
    afford(
        alone,
        names
            .len()
            .saturating_mul(1 + effort / super::PASSED_PER_COST),
    )?;
    reply.array(names.len());
    for name in names.iter() {
        let found = (hash.as_ref()).and_then(|hash| hash.find(name, now, |item| item.deadline));
        reply.int(match found {
            None => -2,
            Some(NEVER) => -1,
            Some(at) => tell(at),
        });
    }
    Ok(())
}

/// Milliseconds as seconds, rounded up: a field with a time has at least one.
fn seconds(millis: Millis) -> i64 {
    millis.saturating_add(999) / 1000
}

pub(super) fn httl(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let now = ctx.db.now;
    tell_deadline(ctx, argv, |at| seconds(at - now))
}

pub(super) fn hpttl(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let now = ctx.db.now;
    tell_deadline(ctx, argv, |at| at - now)
}

pub(super) fn hexpiretime(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    tell_deadline(ctx, argv, seconds)
}

pub(super) fn hpexpiretime(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    tell_deadline(ctx, argv, |at| at)
}

// HGETDEL, HGETEX, HSETEX.

pub(super) fn hgetdel(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    ctx.db.expect_type(key, Type::Hash)?;
    let names = names(argv, 2, COUNT_NOT_POSITIVE)?;
    afford_names(ctx, key, names.len())?;
    let reply = &mut *ctx.reply;
    reply.array(names.len());
    (ctx.db).hash_get_delete(key, names.iter(), |text| write_nullable(reply, text))?;
    Ok(())
}

/// Which of the two commands with options before FIELDS is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    GetEx,
    SetEx,
}

/// The options of HGETEX and HSETEX.
struct Options<'a> {
    /// What is said of the deadline, at most one thing.
    ttl: Option<FieldTtl>,
    condition: SetIf,
    /// The names, with their values for HSETEX.
    fields: Argv<'a>,
}

impl<'a> Options<'a> {
    fn parse(ctx: &Ctx<'_, '_>, argv: Argv<'a>, of: Of) -> Result<Options<'a>, Error> {
        let mut args = Args::from(argv, 2);
        let mut options = Options {
            ttl: None,
            condition: SetIf::Always,
            fields: argv,
        };
        while !args.word("FIELDS") {
            if args.is_done() {
                return Err(Error::Arity(ctx.command.full_name.clone()));
            }
            options.read(ctx, &mut args, of)?;
        }
        options.fields = fields_at_end(ctx, argv, args, of)?;
        Ok(options)
    }

    fn read(&mut self, ctx: &Ctx<'_, '_>, args: &mut Args<'a>, of: Of) -> Result<(), Error> {
        if let Some(unit) = Unit::read(args) {
            self.no_ttl_yet(of)?;
            let Ok(text) = args.bytes() else {
                return Err(Error::text("ERR missing expire time"));
            };
            let at = unit.deadline(text, ctx.db.now, &ctx.command.full_name)?;
            self.ttl = Some(FieldTtl::At(at));
        } else if of == Of::SetEx && args.word("KEEPTTL") {
            self.no_ttl_yet(of)?;
            self.ttl = Some(FieldTtl::Keep);
        } else if of == Of::GetEx && args.word("PERSIST") {
            self.no_ttl_yet(of)?;
            self.ttl = Some(FieldTtl::Clear);
        } else if of == Of::SetEx && args.word("FNX") {
            self.set_condition(SetIf::Absent)?;
        } else if of == Of::SetEx && args.word("FXX") {
            self.set_condition(SetIf::Present)?;
        } else {
            let text = error_text(&[b"ERR unknown argument: ", args.bytes()?]);
            return Err(Error::Bytes(text));
        }
        Ok(())
    }

    fn no_ttl_yet(&self, of: Of) -> Result<(), Error> {
        match (self.ttl, of) {
            (None, _) => Ok(()),
            (Some(_), Of::GetEx) => Err(Error::text(
                "ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified",
            )),
            (Some(_), Of::SetEx) => Err(Error::text(
                "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified",
            )),
        }
    }

    fn set_condition(&mut self, condition: SetIf) -> Result<(), Error> {
        if self.condition != SetIf::Always {
            return Err(Error::text(
                "ERR Only one of FXX or FNX arguments can be specified",
            ));
        }
        self.condition = condition;
        Ok(())
    }
}

/// The fields behind the word FIELDS and their number, which must be right.
fn fields_at_end<'a>(
    ctx: &Ctx<'_, '_>,
    argv: Argv<'a>,
    mut args: Args<'a>,
    of: Of,
) -> Result<Argv<'a>, Error> {
    const COUNT: Error = Error::text("ERR invalid number of fields");
    let each = if of == Of::SetEx { 2 } else { 1 };
    let arity = || Error::Arity(ctx.command.full_name.clone());
    if args.left() < 1 + each {
        return Err(arity());
    }
    let count = args.size_or(COUNT)?;
    if count == 0 || i32::try_from(count).is_err() {
        return Err(COUNT);
    }
    if args.left() != count * each {
        return Err(arity());
    }
    Ok(argv.from(args.position()))
}

pub(super) fn hgetex(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    ctx.db.expect_type(key, Type::Hash)?;
    let Options { ttl, fields, .. } = Options::parse(ctx, argv, Of::GetEx)?;
    afford_names(ctx, key, fields.len())?;
    let ttl = ttl.unwrap_or(FieldTtl::Keep);
    let reply = &mut *ctx.reply;
    reply.array(fields.len());
    (ctx.db).hash_get_ex(key, ttl, fields.iter(), |text| write_nullable(reply, text))?;
    Ok(())
}

pub(super) fn hsetex(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let options = Options::parse(ctx, argv, Of::SetEx)?;
    let until = match options.ttl {
        Some(FieldTtl::At(at)) => Until::At(at),
        Some(FieldTtl::Keep) => Until::Keep,
        Some(FieldTtl::Clear) | None => Until::At(NEVER),
    };
    let (key, limit) = (ctx.key(argv), ctx.hash_limit());
    afford_names(ctx, key, options.fields.len())?;
    let fields = pairs(options.fields);
    let done = (ctx.db).hash_set_ex(key, fields, options.condition, until, limit)?;
    ctx.reply.int(i64::from(done));
    Ok(())
}
