//! Commands kept for later: copies that outlive the input they arrived in.

use bytes::Bytes;

use super::{APART, Arg, Argv, Command, Requests};

/// Commands in the order in which they were kept, their bytes in one buffer; large
/// arguments that arrived apart are shared.
#[derive(Debug, Default)]
pub struct Saved {
    bytes: Vec<u8>,
    args: Vec<Arg>,
    apart: Vec<Bytes>,
    commands: Vec<Command>,
}

/// Arguments of most commands, and their bytes together.
const USUAL_ARGS: usize = 3;
const USUAL_BYTES: usize = 40;

/// Bytes that the buffer of [`Saved`] may hold: offsets keep one bit free.
const BYTES_MAX: usize = APART as usize - 1;

impl Saved {
    /// Keeps a command. `false`, and nothing is kept, when there is no room left.
    pub fn push(&mut self, argv: Argv<'_>) -> bool {
        let plain: usize = (argv.args.iter())
            .filter(|arg| arg.at & APART == 0)
            .map(|arg| arg.len as usize)
            .sum();
        if self.bytes.len() + plain > BYTES_MAX {
            return false;
        }
        let first = self.args.len() as u32;
        for (at, arg) in argv.args.iter().enumerate() {
            let at = match argv.shared(at) {
                Some(bytes) => {
                    self.apart.push(bytes);
                    APART | (self.apart.len() - 1) as u32
                }
                None => {
                    let start = self.bytes.len() as u32;
                    self.bytes.extend_from_slice(argv.get(at));
                    start
                }
            };
            self.args.push(Arg { at, len: arg.len });
        }
        self.commands.push(Command {
            first,
            count: argv.args.len() as u32,
        });
        true
    }

    /// Makes room for so many commands of usual size.
    pub fn reserve(&mut self, commands: usize) {
        self.bytes.reserve(commands * USUAL_BYTES);
        self.args.reserve(commands * USUAL_ARGS);
        self.commands.reserve(commands);
    }

    /// Keeps a command of these words.
    pub fn push_words<'w>(&mut self, words: impl Iterator<Item = &'w [u8]>) -> bool {
        let mut requests = Requests::default();
        let mut count = 0;
        for word in words {
            requests.push_apart(Bytes::copy_from_slice(word));
            count += 1;
        }
        requests.commands.push(Command { first: 0, count });
        requests.peek(0).is_some_and(|argv| self.push(argv))
    }

    /// How many commands are kept.
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Command `index`.
    pub fn get(&self, index: usize) -> Option<Argv<'_>> {
        let command = self.commands.get(index)?;
        Some(Argv {
            input: &self.bytes,
            apart: &self.apart,
            args: &self.args[command.first as usize..][..command.count as usize],
        })
    }

    /// Bytes of memory held.
    pub fn mem_bytes(&self) -> usize {
        self.bytes.capacity()
            + self.args.capacity() * size_of::<Arg>()
            + self.commands.capacity() * size_of::<Command>()
            + self.apart.iter().map(Bytes::len).sum::<usize>()
    }

    /// Forgets all commands, keeping the room.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.args.clear();
        self.apart.clear();
        self.commands.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_outlives_the_input() {
        let mut saved = Saved::default();
        {
            let mut requests = Requests::default();
            requests.feed(b"*2\r\n$3\r\nGET\r\n$1\r\na\r\nPING \"quoted word\"\r\n");
            let limits = super::super::Limits {
                bulk_max: 1024,
                authenticated: true,
            };
            requests.parse(limits).unwrap();
            assert!(saved.push(requests.peek(0).unwrap()));
            assert!(saved.push(requests.peek(1).unwrap()));
        }
        assert!(saved.push_words([b"SET".as_slice(), b"", b"x"].into_iter()));
        let shown: Vec<String> = (0..saved.len())
            .map(|at| format!("{:?}", saved.get(at).unwrap()))
            .collect();
        assert_eq!(
            shown,
            [
                r#"["GET", "a"]"#,
                r#"["PING", "quoted word"]"#,
                r#"["SET", "", "x"]"#
            ]
        );
        assert!(saved.mem_bytes() >= 16);
        saved.clear();
        assert!(saved.is_empty() && saved.get(0).is_none());
    }
}
