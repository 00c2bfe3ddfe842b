//! How a client tracks keys: what CLIENT TRACKING was asked for, where all can see it.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// A set of settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrackFlags(pub u8);

impl TrackFlags {
    pub const NONE: TrackFlags = TrackFlags(0);
    pub const ON: TrackFlags = TrackFlags(1);
    /// Is told of all changes, whatever it has read.
    pub const BCAST: TrackFlags = TrackFlags(1 << 1);
    /// Tracks what it reads right after CLIENT CACHING YES alone.
    pub const OPTIN: TrackFlags = TrackFlags(1 << 2);
    /// Tracks all but what it reads right after CLIENT CACHING NO.
    pub const OPTOUT: TrackFlags = TrackFlags(1 << 3);
    /// Is not told of its own changes.
    pub const NOLOOP: TrackFlags = TrackFlags(1 << 4);
    /// CLIENT CACHING was said, and holds for the next command.
    pub const CACHING: TrackFlags = TrackFlags(1 << 5);
    /// The client that it redirects to has gone.
    pub const BROKEN_REDIRECT: TrackFlags = TrackFlags(1 << 6);

    /// Whether any of `other`'s bits is set.
    #[inline]
    pub const fn has(self, other: TrackFlags) -> bool {
        self.0 & other.0 != 0
    }

    /// Both sets together.
    pub const fn with(self, other: TrackFlags) -> TrackFlags {
        TrackFlags(self.0 | other.0)
    }

    /// Whether the next reading command is noted.
    pub fn notes_reads(self) -> bool {
        let caching = self.has(TrackFlags::CACHING);
        self.has(TrackFlags::ON)
            && !self.has(TrackFlags::BCAST)
            && (caching || !self.has(TrackFlags::OPTIN))
            && !(caching && self.has(TrackFlags::OPTOUT))
    }
}

/// [`TrackFlags`] that others read, and some change.
#[derive(Debug, Default)]
pub struct SharedFlags(AtomicU8);

impl SharedFlags {
    /// The settings.
    #[inline]
    pub fn load(&self) -> TrackFlags {
        TrackFlags(self.0.load(Relaxed))
    }

    /// Replaces all settings.
    pub fn store(&self, flags: TrackFlags) {
        self.0.store(flags.0, Relaxed);
    }

    /// Adds settings.
    pub fn add(&self, flags: TrackFlags) {
        self.0.fetch_or(flags.0, Relaxed);
    }

    /// Takes settings away.
    pub fn take(&self, flags: TrackFlags) {
        self.0.fetch_and(!flags.0, Relaxed);
    }
}
