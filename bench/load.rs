//! The clients of bench/clients.py: one thread that sends prepared requests to a server
//! and counts the bytes of the replies, whose lengths are known.
//!
//! `load PORT publish SUBSCRIBERS DEPTH SECONDS`, `load PORT handoff BLOCKED DEPTH SECONDS`
//! or `load PORT transactions CLIENTS DEPTH SECONDS`; bench/clients.py says what each does.
//! Prints one line: what was done, seconds, processor seconds of its own, and where
//! there are latencies their median and 99th percentile in microseconds.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream as BlockingStream;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

const SILENCE_MAX: Duration = Duration::from_secs(30);
const VALUE: &[u8] = &[b'x'; 32];
const TRANSACTION_KEYS: usize = 10_000;
const SETS_AND_GETS: usize = 5;

/// Connections of many clients, each by its number.
struct Talk {
    port: u16,
    poll: Poll,
    events: Events,
    streams: Vec<TcpStream>,
    buffer: Vec<u8>,
}

/// What a run has done.
struct Done {
    count: usize,
    seconds: f64,
    latencies_us: Vec<f64>,
}

impl Talk {
    fn new(port: u16) -> Talk {
        Talk {
            port,
            poll: Poll::new().expect("a poller"),
            events: Events::with_capacity(1024),
            streams: Vec::new(),
            buffer: vec![0; 1 << 18],
        }
    }

    /// The number of a new connection.
    fn connect(&mut self) -> usize {
        let stream = BlockingStream::connect(("127.0.0.1", self.port)).expect("a server");
        stream.set_nodelay(true).expect("an option of TCP");
        stream.set_nonblocking(true).expect("a socket");
        let (mut stream, number) = (TcpStream::from_std(stream), self.streams.len());
        let registry = self.poll.registry();
        registry
            .register(&mut stream, Token(number), Interest::READABLE)
            .expect("a socket");
        self.streams.push(stream);
        number
    }

    fn send(&mut self, client: usize, mut data: &[u8]) {
        while !data.is_empty() {
            match self.streams[client].write(data) {
                Ok(sent) => data = &data[sent..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
                Err(error) => panic!("a server does not take requests: {error}"),
            }
        }
    }

    /// The number of bytes that have come, all of them.
    fn receive(&mut self, client: usize) -> usize {
        let mut count = 0;
        loop {
            match self.streams[client].read(&mut self.buffer) {
                Ok(0) => panic!("a server has closed a connection"),
                Ok(read) => {
                    count += read;
                    if read < self.buffer.len() {
                        return count;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return count,
                Err(error) => panic!("a connection has broken: {error}"),
            }
        }
    }

    /// Puts the clients into `ready` that have been sent something.
    fn wait(&mut self, ready: &mut Vec<usize>) {
        ready.clear();
        (self.poll.poll(&mut self.events, Some(SILENCE_MAX))).expect("a poller");
        assert!(!self.events.is_empty(), "a server has fallen silent");
        ready.extend(self.events.iter().map(|event| event.token().0));
    }

    /// Receives so many bytes of one client, while nothing comes for others.
    fn await_bytes(&mut self, client: usize, count: usize) {
        let (mut missing, mut ready) = (count, Vec::new());
        while missing > 0 {
            self.wait(&mut ready);
            missing -= self.receive(client);
        }
    }
}

fn encode(words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    words.iter().for_each(|word| bytes.extend(bulk(word)));
    bytes
}

fn bulk(word: &[u8]) -> Vec<u8> {
    [format!("${}\r\n", word.len()).as_bytes(), word, b"\r\n"].concat()
}

fn publish(talk: &mut Talk, (subscribers, depth): (usize, usize), length: Duration) -> Done {
    const CONFIRMATION: &[u8] = b"*3\r\n$9\r\nsubscribe\r\n$5\r\nbench\r\n:1\r\n";
    let batch = encode(&[b"PUBLISH", b"bench", VALUE]).repeat(depth);
    let reply_bytes = format!(":{subscribers}\r\n").len() * depth;
    let message_bytes = encode(&[b"message", b"bench", VALUE]).len();
    for _ in 0..subscribers {
        let client = talk.connect();
        talk.send(client, &encode(&[b"SUBSCRIBE", b"bench"]));
        talk.await_bytes(client, CONFIRMATION.len());
    }
    let publisher = talk.connect();
    let start = Instant::now();
    talk.send(publisher, &batch);
    let (mut published, mut replies, mut messages) = (depth, reply_bytes, 0);
    let mut ready = Vec::new();
    while messages < published * subscribers * message_bytes || replies > 0 {
        talk.wait(&mut ready);
        for &client in &ready {
            let received = talk.receive(client);
            if client != publisher {
                messages += received;
                continue;
            }
            replies -= received;
            if replies == 0 && received > 0 && start.elapsed() < length {
                talk.send(publisher, &batch);
                (published, replies) = (published + depth, reply_bytes);
            }
        }
    }
    Done {
        count: published * subscribers,
        seconds: start.elapsed().as_secs_f64(),
        latencies_us: Vec::new(),
    }
}

fn handoff(talk: &mut Talk, (blocked, depth): (usize, usize), length: Duration) -> Done {
    let lists: Vec<Vec<u8>> = (0..blocked)
        .map(|n| format!("list:{n:04}").into_bytes())
        .collect();
    let waits: Vec<Vec<u8>> = (lists.iter())
        .map(|list| encode(&[b"BLPOP", list, b"0"]))
        .collect();
    let pushes: Vec<Vec<u8>> = (lists.iter())
        .map(|list| encode(&[b"RPUSH", list, VALUE]))
        .collect();
    let element_bytes = encode(&[&lists[0], VALUE]).len();
    for wait in &waits {
        let client = talk.connect();
        talk.send(client, wait);
    }
    let pusher = talk.connect();
    let mut missing = vec![0; blocked + 1];
    let (mut latencies_us, mut first, mut ready) = (Vec::new(), 0, Vec::new());
    let start = Instant::now();
    while start.elapsed() < length {
        let turn = first..first + depth;
        missing[turn.clone()].fill(element_bytes);
        missing[pusher] = b":1\r\n".len() * depth;
        let mut left = depth + 1;
        let sent = Instant::now();
        talk.send(pusher, &pushes[turn.clone()].concat());
        while left > 0 {
            talk.wait(&mut ready);
            for &client in &ready {
                let received = talk.receive(client);
                missing[client] -= received;
                if received > 0 && missing[client] == 0 {
                    left -= 1;
                    if client != pusher {
                        latencies_us.push(sent.elapsed().as_secs_f64() * 1e6);
                    }
                }
            }
        }
        turn.for_each(|n| talk.send(n, &waits[n]));
        first = (first + depth) % blocked;
    }
    Done {
        count: latencies_us.len(),
        seconds: start.elapsed().as_secs_f64(),
        latencies_us,
    }
}

fn transactions(talk: &mut Talk, (clients, depth): (usize, usize), length: Duration) -> Done {
    let keys: Vec<Vec<u8>> = (0..TRANSACTION_KEYS)
        .map(|n| format!("key:{n:06}").into_bytes())
        .collect();
    let filler = talk.connect();
    for some in keys.chunks(100) {
        let sets: Vec<u8> = (some.iter())
            .flat_map(|key| encode(&[b"SET", key, VALUE]))
            .collect();
        talk.send(filler, &sets);
        talk.await_bytes(filler, b"+OK\r\n".len() * some.len());
    }
    let reply_bytes = depth
        * (b"+OK\r\n".len()
            + b"+QUEUED\r\n".len() * 2 * SETS_AND_GETS
            + b"*10\r\n".len()
            + (b"+OK\r\n".len() + bulk(VALUE).len()) * SETS_AND_GETS);
    let batches: Vec<Vec<u8>> = (0..clients)
        .map(|nth| {
            let numbers = nth * depth..(nth + 1) * depth;
            numbers.flat_map(|n| transaction(&keys, n)).collect()
        })
        .collect();
    (0..clients).for_each(|_| _ = talk.connect());
    let start = Instant::now();
    (0..clients).for_each(|n| talk.send(n + 1, &batches[n]));
    let mut missing = vec![reply_bytes; clients];
    let (mut count, mut left, mut ready) = (0, clients, Vec::new());
    while left > 0 {
        talk.wait(&mut ready);
        for &client in &ready {
            let (n, received) = (client - 1, talk.receive(client));
            missing[n] -= received;
            if received == 0 || missing[n] > 0 {
                continue;
            }
            count += depth;
            if start.elapsed() < length {
                talk.send(client, &batches[n]);
                missing[n] = reply_bytes;
            } else {
                left -= 1;
            }
        }
    }
    Done {
        count,
        seconds: start.elapsed().as_secs_f64(),
        latencies_us: Vec::new(),
    }
}

/// Sets of five keys, gets of five others.
fn transaction(keys: &[Vec<u8>], nth: usize) -> Vec<u8> {
    let key = |i: usize| &*keys[(nth * 7919 + i * 104_729) % keys.len()];
    let mut bytes = encode(&[b"MULTI"]);
    (0..SETS_AND_GETS).for_each(|i| bytes.extend(encode(&[b"SET", key(i), VALUE])));
    (0..SETS_AND_GETS).for_each(|i| bytes.extend(encode(&[b"GET", key(SETS_AND_GETS + i)])));
    bytes.extend(encode(&[b"EXEC"]));
    bytes
}

/// Processor seconds that this thread has used, as Linux counts them.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|word| word.parse().ok());
    nanos.map_or(0.0, |nanos: f64| nanos / 1e9)
}

fn percentile(sorted: &[f64], percent: usize) -> f64 {
    sorted
        .get(sorted.len() * percent / 100)
        .copied()
        .unwrap_or_default()
}

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let [port, part, clients, depth, seconds] = &args[..] else {
        println!("run by bench/clients.py");
        return;
    };
    let number = |text: &String| text.parse::<usize>().expect("a number");
    let length = Duration::from_secs_f64(seconds.parse().expect("seconds"));
    let run = match part.as_str() {
        "publish" => publish,
        "handoff" => handoff,
        "transactions" => transactions,
        _ => panic!("no such part: {part}"),
    };
    let mut talk = Talk::new(number(port) as u16);
    let before = processor_seconds();
    let mut done = run(&mut talk, (number(clients), number(depth)), length);
    let own = processor_seconds() - before;
    done.latencies_us.sort_unstable_by(f64::total_cmp);
    let (p50, p99) = (
        percentile(&done.latencies_us, 50),
        percentile(&done.latencies_us, 99),
    );
    println!(
        "{} {:.4} {own:.4} {p50:.1} {p99:.1}",
        done.count, done.seconds
    );
}
