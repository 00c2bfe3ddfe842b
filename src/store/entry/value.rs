#![allow(unsafe_code)]
//! What an entry can hold: strings in three forms, and collections behind an
//! owning pointer.
//!
//! A collection type enters the keyspace by one entry in [`collections!`], with what
//! sets it apart from the others; from this come the type's name, its kind in the
//! header, how an entry reads, copies, measures and drops it. Nothing else in the
//! entry knows what the types are.
//!
//! Must stay true: the pointer behind a kind is one that [`NewCollection::into_raw`]
//! gave for that very kind.

use bytes::Bytes;

use crate::base::clock::Millis;
use crate::base::num;
use crate::base::sys;
use crate::ds::hash::{Hash, NEVER};
use crate::ds::list::List;
use crate::ds::set::Set;
use crate::ds::stream::Stream;
use crate::ds::zset::ZSet;

use super::INLINE_MAX;

/// What an entry asks of a collection that it holds.
pub trait Collection: Sized {
    /// The type's name and kind.
    const KIND: Kind;
    /// Whether parts of it may expire by themselves.
    const PARTS_EXPIRE: bool = false;
    /// The name that OBJECT ENCODING answers with.
    fn encoding_name(&self) -> &'static str;
    /// A copy that shares what is large; cheap enough to take under a lock.
    fn image(&self) -> Self;
    /// Whether `image` was taken of this value, and nothing has changed since. May say
    /// no where a change was undone. Costs what taking the image did.
    fn is_as(&self, image: &Self) -> bool;
    /// A copy that can be changed on its own, for another key.
    fn copied(&self) -> Self {
        self.image()
    }
    /// Bytes allocated beside the value itself.
    fn mem_bytes(&self) -> usize;
    /// Roughly how many allocations dropping it frees.
    fn drop_effort(&self) -> usize;
    /// Whether it has no element; such a value is not kept.
    fn is_empty(&self) -> bool;
    /// No part of it expires before this time, [`NEVER`] if none does.
    fn earliest(&self) -> Millis {
        NEVER
    }
    /// Whether all of it has expired at `now`. May say no of a large one.
    fn is_spent(&self, _now: Millis) -> bool {
        false
    }
    /// Wraps a reference, for matching over all types.
    fn as_ref(&self) -> CollectionRef<'_>;
    /// Wraps an owned value, for storing it.
    fn into_new(self: Box<Self>) -> NewCollection;
}

/// Makes the kinds, types and wrappers of the collections listed.
macro_rules! collections {
    ($($(#[$doc:meta])* $name:ident = $text:literal { $($own:tt)* })+) => {
        /// What stands behind the key, as the header says it.
        #[repr(u8)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            Int,
            Inline,
            Shared,
            $($name),+
        }

        /// The type of a value, by Redis's names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Type {
            String,
            $($(#[$doc])* $name),+
        }

        impl Type {
            /// The name that TYPE answers with.
            pub fn name(self) -> &'static str {
                match self {
                    Type::String => "string",
                    $(Type::$name => $text),+
                }
            }
        }

        impl Kind {
            /// The type of values of this kind.
            #[inline]
            pub fn value_type(self) -> Type {
                match self {
                    Kind::Int | Kind::Inline | Kind::Shared => Type::String,
                    $(Kind::$name => Type::$name),+
                }
            }
        }

        impl Kind {
            /// Whether parts of such a value may expire by themselves.
            #[inline]
            pub(super) fn parts_expire(self) -> bool {
                match self {
                    Kind::Int | Kind::Inline | Kind::Shared => false,
                    $(Kind::$name => <$name as Collection>::PARTS_EXPIRE),+
                }
            }
        }

        $(impl Collection for $name {
            const KIND: Kind = Kind::$name;

            fn image(&self) -> $name {
                $name::image(self)
            }

            fn is_as(&self, image: &$name) -> bool {
                $name::is_as(self, image)
            }

            fn mem_bytes(&self) -> usize {
                $name::mem_bytes(self)
            }

            fn drop_effort(&self) -> usize {
                $name::drop_effort(self)
            }

            fn as_ref(&self) -> CollectionRef<'_> {
                CollectionRef::$name(self)
            }

            fn into_new(self: Box<Self>) -> NewCollection {
                NewCollection::$name(self)
            }

            $($own)*
        })+

        /// A collection as it is read.
        #[derive(Clone, Copy, Debug)]
        pub enum CollectionRef<'a> {
            $($name(&'a $name)),+
        }

        impl<'a> CollectionRef<'a> {
            /// The collection behind an entry's pointer.
            ///
            /// # Safety
            /// `raw` came from [`NewCollection::into_raw`] for this kind, and is
            /// not changed or freed during `'a`.
            pub(super) unsafe fn from_raw(kind: Kind, raw: *const ()) -> CollectionRef<'a> {
                match kind {
                    // SAFETY: by the caller's word, `raw` points to this type.
                    $(Kind::$name => CollectionRef::$name(unsafe { &*raw.cast::<$name>() }),)+
                    Kind::Int | Kind::Inline | Kind::Shared => unreachable!("not a collection"),
                }
            }

            /// Fetches the value's first cache line. A hint.
            pub(super) fn prefetch(self) {
                match self { $(CollectionRef::$name(value) => sys::prefetch_read(value)),+ }
            }

            /// Fetches what a small value keeps its elements in; the value itself
            /// should be near by now.
            pub(super) fn prefetch_elements(self) {
                let packed = match self {
                    CollectionRef::Hash(hash) => hash.packed(),
                    CollectionRef::ZSet(zset) => zset.listpack(),
                    _ => None,
                };
                if let Some(packed) = packed {
                    packed.prefetch();
                }
            }

            /// The name that OBJECT ENCODING answers with.
            pub fn encoding_name(self) -> &'static str {
                match self { $(CollectionRef::$name(value) => value.encoding_name()),+ }
            }

            /// A copy that shares what is large.
            pub fn image(self) -> NewCollection {
                match self {
                    $(CollectionRef::$name(value) => Box::new(Collection::image(value)).into_new()),+
                }
            }

            /// A copy that can be changed on its own.
            pub fn copied(self) -> NewCollection {
                match self {
                    $(CollectionRef::$name(value) => Box::new(Collection::copied(value)).into_new()),+
                }
            }

            /// Elements of it.
            pub fn len(self) -> usize {
                match self { $(CollectionRef::$name(value) => value.len()),+ }
            }

            /// Bytes allocated for it, the value itself included.
            pub fn mem_bytes(self) -> usize {
                match self {
                    $(CollectionRef::$name(value) => {
                        size_of::<$name>() + Collection::mem_bytes(value)
                    }),+
                }
            }

            /// Roughly how many allocations dropping it frees.
            pub fn drop_effort(self) -> usize {
                match self { $(CollectionRef::$name(value) => 1 + value.drop_effort()),+ }
            }

            /// No part of it expires before this time.
            #[inline]
            pub fn earliest(self) -> Millis {
                match self { $(CollectionRef::$name(value) => Collection::earliest(value)),+ }
            }

            /// Whether all of it has expired at `now`.
            pub fn is_spent(self, now: Millis) -> bool {
                match self { $(CollectionRef::$name(value) => Collection::is_spent(value, now)),+ }
            }

            /// Whether it has no element.
            pub fn is_empty(self) -> bool {
                match self { $(CollectionRef::$name(value) => Collection::is_empty(value)),+ }
            }
        }

        /// A collection on its way into an entry.
        #[derive(Debug)]
        pub enum NewCollection {
            $($name(Box<$name>)),+
        }

        impl NewCollection {
            /// What the header says of it.
            pub fn kind(&self) -> Kind {
                match self { $(NewCollection::$name(_) => Kind::$name),+ }
            }

            /// The collection for reading.
            pub fn view(&self) -> CollectionRef<'_> {
                match self { $(NewCollection::$name(value) => CollectionRef::$name(value)),+ }
            }

            /// Gives up ownership for a pointer.
            pub(super) fn into_raw(self) -> *mut () {
                match self { $(NewCollection::$name(value) => Box::into_raw(value).cast()),+ }
            }

            /// Takes ownership back.
            ///
            /// # Safety
            /// `raw` came from [`NewCollection::into_raw`] for this kind, and is
            /// not used again.
            pub(super) unsafe fn from_raw(kind: Kind, raw: *mut ()) -> NewCollection {
                match kind {
                    // SAFETY: by the caller's word, `raw` was a box of this type.
                    $(Kind::$name => NewCollection::$name(unsafe {
                        Box::from_raw(raw.cast::<$name>())
                    }),)+
                    Kind::Int | Kind::Inline | Kind::Shared => unreachable!("not a collection"),
                }
            }
        }
    };
}

collections! {
    List = "list" {
        fn encoding_name(&self) -> &'static str {
            self.encoding().name()
        }

        fn is_empty(&self) -> bool {
            self.is_empty()
        }
    }
    Hash = "hash" {
        const PARTS_EXPIRE: bool = true;

        fn encoding_name(&self) -> &'static str {
            self.encoding().name()
        }

        fn is_empty(&self) -> bool {
            self.is_empty()
        }

        #[inline]
        fn earliest(&self) -> Millis {
            self.earliest()
        }

        fn is_spent(&self, now: Millis) -> bool {
            self.is_spent(now)
        }
    }
    ZSet = "zset" {
        fn encoding_name(&self) -> &'static str {
            self.encoding().name()
        }

        fn is_empty(&self) -> bool {
            self.is_empty()
        }

        fn copied(&self) -> ZSet {
            self.copied()
        }
    }
    Set = "set" {
        fn encoding_name(&self) -> &'static str {
            self.encoding().name()
        }

        fn is_empty(&self) -> bool {
            self.is_empty()
        }
    }
    Stream = "stream" {
        fn encoding_name(&self) -> &'static str {
            "stream"
        }

        /// Never: a stream without entries is kept for its last id and its groups.
        fn is_empty(&self) -> bool {
            false
        }
    }
}

/// A value as it is read.
#[derive(Clone, Copy, Debug)]
pub enum ValueRef<'a> {
    Int(i64),
    Str(&'a [u8]),
    Shared(&'a Bytes),
    Collection(CollectionRef<'a>),
}

impl ValueRef<'_> {
    /// Elements of a collection; 0 for a string.
    pub fn elements(&self) -> usize {
        match self {
            ValueRef::Collection(value) => value.len(),
            ValueRef::Int(_) | ValueRef::Str(_) | ValueRef::Shared(_) => 0,
        }
    }
}

/// A value on its way into an entry.
#[derive(Debug)]
pub enum NewValue<'a> {
    /// A string that is stored as an integer where its text is canonical.
    Str(&'a [u8]),
    /// A string that stays text even where it reads as an integer.
    Text(&'a [u8]),
    /// A large string that is kept where it lies.
    Shared(Bytes),
    Int(i64),
    Collection(NewCollection),
}

impl NewValue<'_> {
    /// A collection to be stored.
    pub fn collection<T: Collection>(value: T) -> Self {
        NewValue::Collection(Box::new(value).into_new())
    }

    /// Chooses the tightest form: short strings as integers or inline, long ones
    /// shared.
    pub(super) fn settle(self) -> Self {
        let (text, plain) = match self {
            NewValue::Str(text) => (text, true),
            NewValue::Text(text) => (text, false),
            _ => return self,
        };
        if plain
            && text.len() <= num::I64_TEXT_MAX
            && let Some(int) = num::parse_i64(text)
        {
            return NewValue::Int(int);
        }
        if text.len() > INLINE_MAX {
            return NewValue::Shared(Bytes::copy_from_slice(text));
        }
        NewValue::Text(text)
    }

    /// Calls `with` with the text of a string value; nothing for other types.
    pub fn with_text(&self, with: impl FnOnce(&[u8])) {
        match self {
            NewValue::Str(text) | NewValue::Text(text) => with(text),
            NewValue::Shared(bytes) => with(bytes),
            NewValue::Int(int) => with(itoa::Buffer::new().format(*int).as_bytes()),
            NewValue::Collection(_) => {}
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            NewValue::Int(_) => Kind::Int,
            NewValue::Str(_) | NewValue::Text(_) => Kind::Inline,
            NewValue::Shared(_) => Kind::Shared,
            NewValue::Collection(value) => value.kind(),
        }
    }

    /// Bytes of the value inside the entry.
    pub(super) fn room(&self) -> usize {
        match self {
            NewValue::Str(text) | NewValue::Text(text) => text.len(),
            _ => 8,
        }
    }
}
