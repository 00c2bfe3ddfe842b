//! The options that SET, MSETEX and GETEX share, and the times they name.
//!
//! Redis takes an option twice, the last one counts, but no two that contradict
//! each other; which do is decided here and nowhere else.

use super::compare::{Compare, Make};
use crate::base::clock::Millis;
use crate::base::num;
use crate::command::args::Args;
use crate::command::error::Error;
use crate::store;
use crate::store::Ttl;
use crate::store::string::SetIf;

/// How a time is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Seconds, else milliseconds.
    pub seconds: bool,
    /// Counted from now, else from the Unix epoch.
    pub relative: bool,
}

impl Unit {
    pub const EX: Unit = Unit::new(true, true);
    pub const PX: Unit = Unit::new(false, true);
    const EXAT: Unit = Unit::new(true, false);
    const PXAT: Unit = Unit::new(false, false);

    const fn new(seconds: bool, relative: bool) -> Unit {
        Unit { seconds, relative }
    }

    fn named(word: &[u8]) -> Option<Unit> {
        let units = [
            ("EX", Unit::EX),
            ("PX", Unit::PX),
            ("EXAT", Unit::EXAT),
            ("PXAT", Unit::PXAT),
        ];
        (units.into_iter())
            .find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, unit)| unit)
    }
}

/// An expiry as it was written, read only when the command gets that far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry<'a> {
    pub unit: Unit,
    pub text: &'a [u8],
}

impl Expiry<'_> {
    /// The time meant, in milliseconds since the Unix epoch; `command` is named
    /// in the error.
    pub fn at(self, now: Millis, command: &'static str) -> Result<Millis, Error> {
        let number = num::parse_i64(self.text).ok_or(Error::Store(store::Error::NotInteger))?;
        let scale = if self.unit.seconds { 1000 } else { 1 };
        let base = if self.unit.relative { now } else { 0 };
        (number > 0)
            .then_some(number)
            .and_then(|number| number.checked_mul(scale))
            .and_then(|millis| millis.checked_add(base))
            .ok_or(Error::InvalidExpire(command))
    }
}

/// Whose options are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Set,
    MSetEx,
    GetEx,
}

/// The options of SET, MSETEX or GETEX.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options<'a> {
    pub condition: SetIf,
    /// IFEQ and its kin, which exclude NX and XX.
    pub compare: Option<Compare<'a>>,
    pub get: bool,
    pub keep_ttl: bool,
    pub persist: bool,
    pub expiry: Option<Expiry<'a>>,
}

impl<'a> Options<'a> {
    /// Reads all that is left of the arguments.
    pub fn parse(mut args: Args<'a>, of: Of) -> Result<Options<'a>, Error> {
        let mut options = Options::default();
        while !args.is_done() {
            options.read(&mut args, of)?;
        }
        Ok(options)
    }

    fn read(&mut self, args: &mut Args<'a>, of: Of) -> Result<(), Error> {
        let word = args.bytes()?;
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        let set = of != Of::GetEx;
        if set && is("NX") && self.condition != SetIf::Present && self.compare.is_none() {
            self.condition = SetIf::Absent;
        } else if set && is("XX") && self.condition != SetIf::Absent && self.compare.is_none() {
            self.condition = SetIf::Present;
        } else if of == Of::Set && is("GET") {
            self.get = true;
        } else if set && is("KEEPTTL") && self.expiry.is_none() {
            self.keep_ttl = true;
        } else if of == Of::Set
            && let Some(compare) = Compare::named(word)
        {
            return self.read_compare(compare, args);
        } else if !set && is("PERSIST") && self.expiry.is_none() {
            self.persist = true;
        } else if let Some(unit) = Unit::named(word) {
            return self.read_expiry(unit, args);
        } else {
            return Err(Error::Syntax);
        }
        Ok(())
    }

    fn read_compare(&mut self, compare: Make<'a>, args: &mut Args<'a>) -> Result<(), Error> {
        if self.compare.is_some() || self.condition != SetIf::Always {
            return Err(Error::Syntax);
        }
        self.compare = Some(compare(args.bytes()?));
        Ok(())
    }

    /// What becomes of the expiry of what is set; `command` is named in the error.
    pub fn ttl(&self, now: Millis, command: &'static str) -> Result<Ttl, Error> {
        Ok(match self.expiry {
            Some(expiry) => Ttl::At(expiry.at(now, command)?),
            None if self.keep_ttl => Ttl::Keep,
            None => Ttl::Clear,
        })
    }

    fn read_expiry(&mut self, unit: Unit, args: &mut Args<'a>) -> Result<(), Error> {
        let other = self.expiry.is_some_and(|expiry| expiry.unit != unit);
        if other || self.keep_ttl || self.persist {
            return Err(Error::Syntax);
        }
        let text = args.bytes()?;
        self.expiry = Some(Expiry { unit, text });
        Ok(())
    }
}
