//! How far a group has come: entries read, and entries still to read.
//!
//! Nobody can count the entries between two ids quickly, so Redis counts what was
//! ever added and what a group has read, and the difference is the lag. Deleted
//! entries spoil the sum: they were added but are never read. Where a deletion may
//! lie ahead of the group, the lag is unknown rather than wrong, unless the group's
//! place is one whose distance from the beginning is known anyway. The rules are
//! those of Redis 7.2.
//!
//! What a group has read is never negative here. Sums past `i64::MAX` are negative in Redis,
//! where -1 means that nothing is known; the others no command takes, so that a log can't tell
//! them. Here all of them mean that nothing is known.

use super::Stream;
use super::group::Group;
use super::id::StreamId;

impl Stream {
    /// Whether an entry above `id`, or it itself, may have been deleted. O(1).
    fn has_gap_from(&self, id: StreamId) -> bool {
        let gap = self.max_deleted_id;
        self.len > 0 && gap != StreamId::MIN && self.first_id <= gap && id <= gap
    }

    /// How many entries were ever added up to `id`, if that can be known. O(1).
    pub fn distance_to(&self, id: StreamId) -> Option<i64> {
        self.raw_distance_to(id).filter(|&distance| distance >= 0)
    }

    /// The same, negative where Redis's sum is.
    fn raw_distance_to(&self, id: StreamId) -> Option<i64> {
        let (added, len) = (self.entries_added as i64, self.len as i64);
        if added == 0 {
            return Some(0);
        }
        if id == self.last_id || self.len == 0 && id < self.last_id {
            return Some(added);
        }
        if id > self.last_id {
            return None;
        }
        let gap = self.max_deleted_id;
        if gap != StreamId::MIN && gap >= self.first_id {
            return None;
        }
        if id < self.first_id {
            Some(added.wrapping_sub(len))
        } else if id == self.first_id {
            Some(added.wrapping_sub(len).wrapping_add(1))
        } else {
            None
        }
    }

    /// How many entries a group has still to read, if that can be known. O(1).
    pub fn lag(&self, group: &Group) -> Option<i64> {
        let added = self.entries_added as i64;
        if added == 0 {
            return Some(0);
        }
        let read = match group.entries_read {
            Some(read) if !self.has_gap_from(group.last_id) => Some(read),
            _ => self.raw_distance_to(group.last_id),
        };
        read.map(|read| added.wrapping_sub(read))
    }

    /// What a group has read once the entry `id`, the next one for it, is
    /// delivered; `read` is what it has read before. O(1).
    pub fn read_after(&self, read: Option<i64>, id: StreamId) -> Option<i64> {
        match read {
            Some(read) if !self.has_gap_from(id) => read.checked_add(1),
            _ if self.entries_added > 0 => self.distance_to(id),
            read => read,
        }
    }
}
