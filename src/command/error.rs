//! What a command can answer instead of a reply. A closed enum; its text goes over
//! the wire as it is.

use std::borrow::Cow;

use crate::store;

/// A user's error: the command has no effect and the connection goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    Store(store::Error),
    Syntax,
    /// A number of arguments that the command, named here, does not take.
    Arity(String),
    InvalidExpire(&'static str),
    /// A text of this one command.
    Text(Cow<'static, str>),
    /// A text that quotes a client's bytes.
    Bytes(Vec<u8>),
}

impl Error {
    /// An error with a fixed text.
    pub const fn text(text: &'static str) -> Error {
        Error::Text(Cow::Borrowed(text))
    }

    /// The whole error line with its code word, without the leading `-`.
    pub fn line(&self) -> Cow<'_, [u8]> {
        match self {
            Error::Store(error) => error.text().as_bytes().into(),
            Error::Syntax => b"ERR syntax error".as_slice().into(),
            Error::Arity(name) => {
                let text = format!("ERR wrong number of arguments for '{name}' command");
                text.into_bytes().into()
            }
            Error::InvalidExpire(name) => {
                let text = format!("ERR invalid expire time in '{name}' command");
                text.into_bytes().into()
            }
            Error::Text(text) => text.as_bytes().into(),
            Error::Bytes(bytes) => bytes.as_slice().into(),
        }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Error {
        Error::Store(error)
    }
}
