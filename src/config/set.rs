//! CONFIG SET of several directives, all or nothing, and CONFIG GET by patterns.
//!
//! A set has three steps, as in Redis:
//!
//! 1. every name is looked up and every permission checked, in the order given;
//! 2. every value is parsed and stored;
//! 3. the caller's `apply` is called for each directive whose value has changed.
//!
//! The first failure ends it. Values already stored are put back, and those already
//! applied are applied again with the old value. An error while going back is
//! dropped: the old value was in force a moment ago, and the first error is the one
//! that says what is wrong.

use std::fmt;

use super::Config;
use super::schema::{Change, Id, names};
use super::value::Value;

/// Whether the one who asks may change protected directives; the caller decides by
/// `enable-protected-configs` and where the client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protected {
    Allowed,
    Refused,
}

/// Why a CONFIG SET changed nothing; the Display is the reply, without the `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetError {
    /// No directive has this name.
    Unknown { name: String },
    /// This one was refused.
    Refused { name: String, reason: String },
}

impl fmt::Display for SetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SetError::Unknown { name } => {
                write!(
                    f,
                    "ERR Unknown option or number of arguments for CONFIG SET - '{name}'"
                )
            }
            SetError::Refused { name, reason } => write!(
                f,
                "ERR CONFIG SET failed (possibly related to argument '{name}') - {reason}"
            ),
        }
    }
}

impl std::error::Error for SetError {}

/// One directive of a set, before it is stored.
struct Request<'a> {
    id: Id,
    /// As the table spells the name that was used, which may be an alias.
    name: &'static str,
    text: &'a [u8],
}

impl Config {
    /// Sets all pairs of name and value or none, and returns what has changed.
    ///
    /// `apply` makes a changed value felt (it reads it from this configuration) and may
    /// refuse it. It must not change the configuration itself.
    ///
    /// # Errors
    /// The first pair that was refused, and why.
    pub fn set_many(
        &self,
        pairs: &[(&[u8], &[u8])],
        protected: Protected,
        apply: &mut dyn FnMut(Id) -> Result<(), String>,
    ) -> Result<Vec<Id>, SetError> {
        let _guard = self.lock();
        let requests = self.admitted(pairs, protected)?;
        let mut undo = Vec::with_capacity(requests.len());
        for request in &requests {
            match self.store_one(request) {
                Ok(old) => undo.push((request.id, request.name, old)),
                Err(reason) => {
                    self.put_back(&undo);
                    return Err(refused(request.name, reason));
                }
            }
        }
        undo.retain(|(id, _, old)| self.value(*id) != *old);
        self.apply_all(&undo, apply)?;
        Ok(undo.iter().map(|(id, ..)| *id).collect())
    }

    fn admitted<'a>(
        &self,
        pairs: &[(&[u8], &'a [u8])],
        protected: Protected,
    ) -> Result<Vec<Request<'a>>, SetError> {
        let mut requests: Vec<Request<'a>> = Vec::with_capacity(pairs.len());
        for (given, text) in pairs {
            let (name, id) = find(given).ok_or_else(|| SetError::Unknown { name: lossy(given) })?;
            self.may_change(id, text, protected)
                .map_err(|reason| refused(&lossy(given), reason.to_owned()))?;
            if requests.iter().any(|earlier| earlier.name == name) {
                return Err(refused(&lossy(given), "duplicate parameter".to_owned()));
            }
            requests.push(Request { id, name, text });
        }
        Ok(requests)
    }

    fn may_change(&self, id: Id, text: &[u8], access: Protected) -> Result<(), &'static str> {
        match id.row().change {
            Change::AnyTime => Ok(()),
            Change::Protected if access == Protected::Allowed => Ok(()),
            Change::Protected => Err("can't set protected config"),
            Change::Fixed if self.printed(id) == text => Ok(()),
            Change::Fixed | Change::Never => Err("can't set immutable config"),
        }
    }

    /// Parses and stores one value; returns the one before.
    fn store_one(&self, request: &Request<'_>) -> Result<Value, String> {
        let new = self.parse(request.id, request.text)?;
        let old = self.value(request.id);
        self.put(request.id, new);
        Ok(old)
    }

    fn apply_all(
        &self,
        undo: &[(Id, &'static str, Value)],
        apply: &mut dyn FnMut(Id) -> Result<(), String>,
    ) -> Result<(), SetError> {
        for (done, (id, name, _)) in undo.iter().enumerate() {
            if let Err(reason) = apply(*id) {
                self.put_back(undo);
                // The refused one too: it may have got half way.
                for (id, ..) in undo[..=done].iter().rev() {
                    let _ = apply(*id);
                }
                return Err(refused(name, reason));
            }
        }
        Ok(())
    }

    /// Last first: of two aliases of one directive the first holds the oldest value.
    fn put_back(&self, undo: &[(Id, &'static str, Value)]) {
        for (id, _, old) in undo.iter().rev() {
            self.put(*id, old.clone());
        }
    }

    /// Names and values that match any of the patterns, sorted by name, each name once.
    ///
    /// `matches(pattern, name)` is the glob matcher; both are lower case. A pattern that
    /// is itself a name is answered under the spelling that was used, as Redis does. What is
    /// hidden matches by its name only.
    pub fn get_matching(
        &self,
        patterns: &[&[u8]],
        matches: impl Fn(&[u8], &[u8]) -> bool,
    ) -> Vec<(String, Vec<u8>)> {
        let lower: Vec<_> = patterns
            .iter()
            .map(|pattern| pattern.to_ascii_lowercase())
            .collect();
        let mut found = Vec::new();
        for (name, id) in names() {
            let hit = lower.iter().position(|pattern| {
                let name = name.as_bytes();
                pattern == name || !id.row().hidden && matches(pattern, name)
            });
            let Some(hit) = hit else { continue };
            let exact = lower[hit] == name.as_bytes();
            let shown = if exact {
                lossy(patterns[hit])
            } else {
                (*name).to_owned()
            };
            found.push((shown, self.printed(*id)));
        }
        found
    }
}

/// The name as the table spells it, and its directive.
fn find(given: &[u8]) -> Option<(&'static str, Id)> {
    let id = Id::find(given)?;
    let row = id.row();
    let mut spellings = std::iter::once(&row.name).chain(row.aliases);
    let name = spellings.find(|name| name.as_bytes().eq_ignore_ascii_case(given))?;
    Some((name, id))
}

fn refused(name: &str, reason: String) -> SetError {
    SetError::Refused {
        name: name.to_owned(),
        reason,
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
