//! Bringing an entry near before it is read: by steps, since each lies where the one
//! before says.

use super::{Entry, ValueRef};
use crate::base::sys;

impl Entry {
    /// Fetches the first two cache lines. A hint.
    #[inline]
    pub(in crate::store) fn prefetch(&self) {
        sys::prefetch_read(self.0.as_ptr());
        sys::prefetch_read(self.0.as_ptr().cast::<u8>().wrapping_add(64));
    }

    /// Fetches what a value apart begins with; the entry itself should be near by now.
    pub(in crate::store) fn prefetch_value(&self) {
        match self.value() {
            ValueRef::Int(_) | ValueRef::Str(_) => {}
            ValueRef::Shared(bytes) => sys::prefetch_read(bytes),
            ValueRef::Collection(value) => value.prefetch(),
        }
    }

    /// Fetches the elements of a small collection; the value should be near by now.
    pub(in crate::store) fn prefetch_elements(&self) {
        if let ValueRef::Collection(value) = self.value() {
            value.prefetch_elements();
        }
    }
}
