//! A large set: a hash table of members, each one allocation.

use crate::base::hash::KeyHasher;
use crate::base::rng::Rng;
use crate::ds::member::Member;
use crate::ds::packed::Elem;
use crate::ds::table::{self, Entry, Ref, Slot, Table};

/// Steps of a scan for each member asked for, before it comes back with fewer: in a
/// table that was emptied most steps find nothing.
const SCAN_STEPS_PER_MEMBER: usize = 10;

/// A hollow table of more segments is left as it is: to free it takes longer than
/// anybody should wait, 2 ms.
const RENEW_SEGMENTS_MAX: usize = 1 << 14;

/// See the head of the file.
pub(super) struct Large {
    table: Table<Member>,
    hasher: KeyHasher,
    /// Bytes allocated for the members.
    member_bytes: usize,
}

impl std::fmt::Debug for Large {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set()
            .entries(self.iter().map(|m| m.bytes().to_vec()))
            .finish()
    }
}

impl Large {
    /// Of no members.
    pub(super) fn new(hasher: &KeyHasher) -> Large {
        Large {
            table: Table::new(0),
            hasher: hasher.clone(),
            member_bytes: 0,
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn mem_bytes(&self) -> usize {
        self.table.mem_bytes() + self.member_bytes
    }

    /// See [`Table::image`].
    pub(super) fn image(&self) -> Large {
        Large {
            table: self.table.image(),
            hasher: self.hasher.clone(),
            member_bytes: self.member_bytes,
        }
    }

    /// See [`Table::is_as`].
    pub(super) fn is_as(&self, image: &Large) -> bool {
        self.table.is_as(&image.table)
    }

    #[inline]
    pub(super) fn contains(&self, text: &[u8]) -> bool {
        let hash = self.hasher.hash(text);
        self.table
            .find(hash, |member| member.bytes() == text)
            .is_some()
    }

    /// Adds a member; whether it is new.
    #[inline]
    pub(super) fn insert(&mut self, text: &[u8]) -> bool {
        let (hash, hasher) = (self.hasher.hash(text), &self.hasher);
        match self.table.entry(hash, |member| member.bytes() == text) {
            Entry::Occupied(_) => false,
            Entry::Vacant(place) => {
                place.insert(Member::new(text), |member| hasher.hash(member.bytes()));
                self.member_bytes += Member::mem_bytes(text.len());
                true
            }
        }
    }

    /// Removes a member; whether there was one.
    #[inline]
    pub(super) fn remove(&mut self, text: &[u8]) -> bool {
        let hash = self.hasher.hash(text);
        let slot = self.table.find_mut(hash, |member| member.bytes() == text);
        let Some(member) = slot.map(Slot::remove) else {
            return false;
        };
        self.removed(&member);
        true
    }

    /// Takes out a random member.
    #[inline]
    pub(super) fn take_random(&mut self, rng: &mut Rng) -> Option<Member> {
        let member = self.table.take_sample(|| rng.next_u64())?;
        self.removed(&member);
        Some(member)
    }

    /// A random member.
    pub(super) fn random(&self, rng: &mut Rng) -> Option<Ref<'_, Member>> {
        self.table.sample(|| rng.next_u64())
    }

    pub(super) fn iter(&self) -> table::Iter<'_, Member> {
        self.table.iter()
    }

    /// Hands about `count` members to `each`; where to go on, 0 at the end.
    pub(super) fn scan(&self, cursor: u64, count: usize, mut each: impl FnMut(Elem<'_>)) -> u64 {
        let (mut cursor, mut seen) = (cursor, 0);
        for _ in 0..count.saturating_mul(SCAN_STEPS_PER_MEMBER) {
            cursor = self.table.scan(cursor, |member| {
                seen += 1;
                each(Elem::Str(member.bytes()));
            });
            if cursor == 0 || seen >= count {
                break;
            }
        }
        cursor
    }

    #[inline]
    fn removed(&mut self, member: &Member) {
        self.member_bytes -= Member::mem_bytes(member.bytes().len());
        if self.table.is_hollow() && self.table.segments() <= RENEW_SEGMENTS_MAX {
            self.renew();
        }
    }

    /// Moves what deletion has left to a table of fitting size.
    #[cold]
    fn renew(&mut self) {
        let mut old = std::mem::replace(&mut self.table, Table::new(0));
        let (table, hasher) = (&mut self.table, &self.hasher);
        old.drain_some(0, usize::MAX, |member| {
            let hash = hasher.hash(member.bytes());
            table.insert_new(hash, member, |member| hasher.hash(member.bytes()));
        });
    }
}
