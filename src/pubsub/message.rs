//! A message on the wire, written once for each protocol version that somebody needs.

use bytes::Bytes;

use crate::clients::Letter;
use crate::resp::{Reply, Version};

/// The words that a message begins with.
type Words<'a> = &'a [&'a [u8]];

/// See the head of this file.
pub struct Message<'a> {
    /// By protocol version; none where the message does not exist in that one.
    words: [Option<Words<'a>>; 2],
    /// Writes what follows the words, one element.
    rest: Option<&'a dyn Fn(&mut Reply)>,
    written: [Option<Bytes>; 2],
}

impl<'a> Message<'a> {
    /// A message of these words.
    pub fn new(words: Words<'a>) -> Message<'a> {
        Message {
            words: [Some(words); 2],
            rest: None,
            written: [None, None],
        }
    }

    /// A message that begins otherwise in each version, or exists in RESP3 alone, and
    /// has one more element, which `rest` writes.
    pub fn by_version(
        resp2: Option<Words<'a>>,
        resp3: Words<'a>,
        rest: &'a dyn Fn(&mut Reply),
    ) -> Message<'a> {
        Message {
            words: [resp2, Some(resp3)],
            rest: Some(rest),
            written: [None, None],
        }
    }
}

fn write(words: Words<'_>, rest: Option<&dyn Fn(&mut Reply)>, version: Version) -> Bytes {
    let mut reply = Reply::default();
    reply.set_version(version);
    reply.push(words.len() + usize::from(rest.is_some()));
    words.iter().for_each(|word| reply.bulk(word));
    if let Some(rest) = rest {
        rest(&mut reply);
    }
    reply.into_bytes()
}

impl Letter for Message<'_> {
    fn bytes(&mut self, version: Version) -> Option<&Bytes> {
        let words = self.words[version as usize]?;
        let written = &mut self.written[version as usize];
        Some(written.get_or_insert_with(|| write(words, self.rest, version)))
    }
}
