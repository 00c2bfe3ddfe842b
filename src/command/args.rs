//! A cursor over a command's arguments: typed values leave it, and nothing below
//! checks them again.

use super::error::Error;
use crate::base::{float, num};
use crate::resp::Argv;
use crate::store;
use crate::store::entry::{INLINE_MAX, NewValue};

/// Argument `at` as a value to store: a large one that was received into its own
/// buffer is kept there.
#[inline]
pub fn value<'a>(argv: Argv<'a>, at: usize) -> NewValue<'a> {
    let text = argv.get(at);
    if text.len() > INLINE_MAX
        && let Some(shared) = argv.shared(at)
    {
        return NewValue::Shared(shared);
    }
    NewValue::Str(text)
}

/// Reads the arguments of a command from left to right.
#[derive(Clone, Copy, Debug)]
pub struct Args<'a> {
    argv: Argv<'a>,
    at: usize,
}

impl<'a> Args<'a> {
    /// A cursor that stands at argument `at`; 1 is the first behind the name.
    pub fn from(argv: Argv<'a>, at: usize) -> Args<'a> {
        Args { argv, at }
    }

    /// The position of the next argument.
    pub fn position(&self) -> usize {
        self.at
    }

    /// How many arguments are left.
    pub fn left(&self) -> usize {
        self.argv.len().saturating_sub(self.at)
    }

    /// Whether all arguments are read.
    pub fn is_done(&self) -> bool {
        self.left() == 0
    }

    /// The next argument, or a syntax error at the end.
    pub fn bytes(&mut self) -> Result<&'a [u8], Error> {
        if self.is_done() {
            return Err(Error::Syntax);
        }
        self.at += 1;
        Ok(self.argv.get(self.at - 1))
    }

    /// The next argument without reading it.
    pub fn peek(&self) -> Option<&'a [u8]> {
        (!self.is_done()).then(|| self.argv.get(self.at))
    }

    /// The next argument as an integer.
    pub fn int(&mut self) -> Result<i64, Error> {
        self.int_or(Error::Store(store::Error::NotInteger))
    }

    /// The next argument as an integer, or this error.
    pub fn int_or(&mut self, error: Error) -> Result<i64, Error> {
        num::parse_i64(self.bytes()?).ok_or(error)
    }

    /// The next argument as a length or count, or this error if it is not an
    /// integer or negative.
    pub fn size_or(&mut self, error: Error) -> Result<usize, Error> {
        let number = num::parse_i64(self.bytes()?);
        (number.and_then(|number| usize::try_from(number).ok())).ok_or(error)
    }

    /// The next argument as a double.
    pub fn float(&mut self) -> Result<f64, Error> {
        self.float_or(Error::Store(store::Error::NotFloat))
    }

    /// The next argument as a double, or this error.
    pub fn float_or(&mut self, error: Error) -> Result<f64, Error> {
        float::parse_f64(self.bytes()?).ok_or(error)
    }

    /// The next argument as the index of one of `databases` databases.
    pub fn database(&mut self, databases: usize) -> Result<usize, Error> {
        const INT_RANGE: Error =
            Error::text("ERR value is out of range, value must between -2147483648 and 2147483647");
        const NO_SUCH: Error = Error::text("ERR DB index is out of range");
        let index = i32::try_from(self.int()?).map_err(|_| INT_RANGE)?;
        let index = usize::try_from(index).map_err(|_| NO_SUCH)?;
        if index < databases {
            Ok(index)
        } else {
            Err(NO_SUCH)
        }
    }

    /// Reads the next argument if it is this word, in any case.
    pub fn word(&mut self, word: &str) -> bool {
        let hit = (self.peek()).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
        self.at += usize::from(hit);
        hit
    }

    /// A syntax error unless all arguments are read.
    pub fn end(&self) -> Result<(), Error> {
        if self.is_done() {
            Ok(())
        } else {
            Err(Error::Syntax)
        }
    }
}
