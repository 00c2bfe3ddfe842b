//! Which keys are used most, and which are largest: two bounded tables that are
//! always on.
//!
//! ```text
//! every ~64th command --> HotKeys: a Space-Saving sketch of calls by key
//! a slow walk over all entries --> BigKeys: the largest of the last round
//! ```
//!
//! Both know a fixed number of keys whatever the number of keys in the data, so an
//! adversary who makes up keys costs nothing but the places of keys that nobody
//! uses.

mod big;
mod hot;

pub use big::{BIG_KEYS_MAX, Big, BigKeys, Round, Seen, Sizes};
pub use hot::{HOT_KEYS_MAX, Hot, HotKeys, SAMPLE_EVERY};

/// Bytes of a key's name that a table keeps; longer names are cut there.
pub const NAME_BYTES_MAX: usize = 256;

/// The part of a name that is kept.
fn kept(name: &[u8]) -> &[u8] {
    &name[..name.len().min(NAME_BYTES_MAX)]
}
