#!/usr/bin/env python3
"""Shows that commands cost what Redis documents, at collections of any size.

For each command that is documented as O(1) or O(log N): the server's processor time
per command on a collection of a thousand, a hundred thousand and ten million
elements, and how much the largest takes more than the smallest. What is O(N) by
mistake would show as a ratio of thousands.

Two things remain that no structure is free of: log2 of ten million is 2.3 times that
of a thousand, and a small collection is in the processor's caches while a random
element of a large one is two to five lines of memory away, a tenth of a microsecond
each. So ratios up to about ten are what O(log N) looks like.

Commands go in pipelines of CHUNK; each chunk's changes are undone before the next
one, outside of what is measured. Chunks of all sizes take turns, and medians over the
rounds are shown. Time is the scheduler's own count for all threads of the server.

    bench/complexity.py                          FlashKV, all types
    bench/complexity.py --largest 1000000        for small machines
    bench/complexity.py --only hash,stream --server redis
"""

import argparse
import random
import statistics
import sys
import time
from pathlib import Path

from peers import Connection, Server, encode, find_servers, machine, table

SIZES = (1_000, 100_000)
LARGEST = 10_000_000
# Commands in one pipeline, and at most a quarter of the smallest collection.
CHUNK = 250
ROUNDS = 9
CHUNKS_PER_ROUND = 8
LOAD_CHUNK = 200
# For the server to go to sleep after its last reply, so that its time is accounted.
SETTLE_SECONDS = 0.001
VALUE = b"0123456789abcdef"


def name(number):
    return b"element:%08d" % number


def score(number):
    """Scores in another order than the names."""
    return number * 7919 % 10_000_019


class Case:
    """A command: its documented complexity, how to make one for a number, how to
    undo it given the number and the reply, and where the numbers come from."""

    def __init__(self, title, order, make, undo=None, draw=None):
        self.title, self.order, self.make, self.undo = title, order, make, undo
        self.draw = draw or existing


def existing(_, __, size, rng):
    return rng.sample(range(size), CHUNK)


def fresh(_, __, size, rng):
    first = size + rng.randrange(size)
    return range(first, first + CHUNK)


def cursors(command):
    """Cursors that the server has given on the way through the collection."""
    known = {}

    def draw(client, key, size, rng):
        if key not in known:
            cursor, known[key] = b"0", []
            for _ in range(CHUNK):
                cursor = client.command(command, key, cursor)[0]
                known[key].append(cursor)
        return rng.choices(known[key], k=CHUNK)
    return draw


def chunked(size, make):
    """Encoded commands of `make(range)` for all numbers below `size`."""
    for first in range(0, size, LOAD_CHUNK):
        yield make(range(first, min(first + LOAD_CHUNK, size)))


def load_hash(key, size):
    return chunked(size, lambda part: encode("HSET", key, *(
        word for n in part for word in (name(n), VALUE))))


def load_set(key, size):
    return chunked(size, lambda part: encode("SADD", key, *map(name, part)))


def load_zset(key, size):
    return chunked(size, lambda part: encode("ZADD", key, *(
        word for n in part for word in (score(n), name(n)))))


def load_list(key, size):
    return chunked(size, lambda part: encode("RPUSH", key, *map(name, part)))


def load_stream(key, size):
    return (encode("XADD", key, b"1-%d" % (n + 1), b"f", VALUE) for n in range(size))


def load_bitmap(key, size):
    yield encode("SETBIT", key, size * 8 - 1, 1)


def encoding(key, _):
    return "OBJECT", "ENCODING", key


HASH = [
    Case("HGET", "O(1)", lambda k, n: ("HGET", k, name(n))),
    Case("HSET, field exists", "O(1)", lambda k, n: ("HSET", k, name(n), VALUE)),
    Case("HSET, new field", "O(1)", lambda k, n: ("HSET", k, name(n), VALUE),
         lambda k, n, _: ("HDEL", k, name(n)), fresh),
    Case("HDEL", "O(1)", lambda k, n: ("HDEL", k, name(n)),
         lambda k, n, _: ("HSET", k, name(n), VALUE)),
    Case("HLEN", "O(1)", lambda k, _: ("HLEN", k)),
    Case("HSCAN, one step", "O(1)", lambda k, c: ("HSCAN", k, c), None, cursors("HSCAN")),
    Case("OBJECT ENCODING (hash)", "O(1)", encoding),
]
SET = [
    Case("SADD", "O(1)", lambda k, n: ("SADD", k, name(n)),
         lambda k, n, _: ("SREM", k, name(n)), fresh),
    Case("SISMEMBER", "O(1)", lambda k, n: ("SISMEMBER", k, name(n))),
    Case("SREM", "O(1)", lambda k, n: ("SREM", k, name(n)),
         lambda k, n, _: ("SADD", k, name(n))),
    Case("SPOP", "O(1)", lambda k, _: ("SPOP", k), lambda k, _, got: ("SADD", k, got)),
    Case("SRANDMEMBER", "O(1)", lambda k, _: ("SRANDMEMBER", k)),
    Case("SCARD", "O(1)", lambda k, _: ("SCARD", k)),
    Case("SSCAN, one step", "O(1)", lambda k, c: ("SSCAN", k, c), None, cursors("SSCAN")),
    Case("OBJECT ENCODING (set)", "O(1)", encoding),
]
ZSET = [
    Case("ZADD, new member", "O(log N)", lambda k, n: ("ZADD", k, score(n), name(n)),
         lambda k, n, _: ("ZREM", k, name(n)), fresh),
    Case("ZADD, new score", "O(log N)", lambda k, n: ("ZADD", k, score(n + 77), name(n)),
         lambda k, n, _: ("ZADD", k, score(n), name(n))),
    Case("ZSCORE", "O(1)", lambda k, n: ("ZSCORE", k, name(n))),
    Case("ZRANK", "O(log N)", lambda k, n: ("ZRANK", k, name(n))),
    Case("ZRANGE of 10", "O(log N + 10)", lambda k, n: ("ZRANGE", k, n, n + 9)),
    Case("ZPOPMIN", "O(log N)", lambda k, _: ("ZPOPMIN", k),
         lambda k, _, got: ("ZADD", k, got[1], got[0])),
    Case("ZCARD", "O(1)", lambda k, _: ("ZCARD", k)),
    Case("ZSCAN, one step", "O(1)", lambda k, c: ("ZSCAN", k, c), None, cursors("ZSCAN")),
    Case("OBJECT ENCODING (sorted set)", "O(1)", encoding),
]
LIST = [
    Case("LPUSH", "O(1)", lambda k, n: ("LPUSH", k, name(n)), lambda k, *_: ("LPOP", k)),
    Case("LINDEX 0", "O(1)", lambda k, _: ("LINDEX", k, 0)),
    Case("LINDEX -1", "O(1)", lambda k, _: ("LINDEX", k, -1)),
]
STREAM = [
    Case("XADD", "O(1)", lambda k, _: ("XADD", k, "*", "f", VALUE),
         lambda k, _, got: ("XDEL", k, got)),
    Case("XRANGE of 10", "O(log N + 10)",
         lambda k, n: ("XRANGE", k, b"1-%d" % (n + 1), "+", "COUNT", 10)),
]
BITMAP = [
    Case("GETBIT", "O(1)", lambda k, n: ("GETBIT", k, n * 8 + 3)),
    Case("SETBIT", "O(1)", lambda k, n: ("SETBIT", k, n * 8 + 3, n & 1)),
]

FAMILIES = {
    "hash": (load_hash, HASH),
    "set": (load_set, SET),
    "zset": (load_zset, ZSET),
    "list": (load_list, LIST),
    "stream": (load_stream, STREAM),
    "bitmap": (load_bitmap, BITMAP),
}


def cpu_ns(server):
    """Time on a processor so far, of all threads of the server."""
    tasks = Path(f"/proc/{server.process.pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


def ask(client, commands):
    """Sends one pipeline; its replies."""
    client.send(b"".join(commands))
    replies = [client.reply() for _ in commands]
    wrong = next((reply for reply in replies if isinstance(reply, Exception)), None)
    if wrong:
        raise SystemExit(f"{commands[0]!r}: {wrong}")
    return replies


def run_chunk(server, client, case, key, size, rng):
    """Nanoseconds of the server for one pipeline of the case."""
    numbers = list(case.draw(client, key, size, rng))
    commands = [encode(*case.make(key, n)) for n in numbers]
    time.sleep(SETTLE_SECONDS)
    before = cpu_ns(server)
    replies = ask(client, commands)
    time.sleep(SETTLE_SECONDS)
    spent = cpu_ns(server) - before
    if case.undo:
        ask(client, [encode(*case.undo(key, *pair)) for pair in zip(numbers, replies)])
    return spent


def measure(server, client, case, keys, rng):
    """Median nanoseconds per command, by size."""
    rounds = {size: [] for size in keys}
    for number in range(ROUNDS + 1):
        for size, key in keys.items():
            spent = sum(run_chunk(server, client, case, key, size, rng)
                        for _ in range(CHUNKS_PER_ROUND))
            # The first round is for the caches.
            if number:
                rounds[size].append(spent / (CHUNKS_PER_ROUND * CHUNK))
    return {size: statistics.median(times) for size, times in rounds.items()}


def run_family(peer, family, sizes):
    load, cases = FAMILIES[family]
    options = ["--spin-us", "0"] if peer.name == "flashkv" else []
    rng = random.Random(1)
    with Server(peer, *options) as server, Connection(server.port) as client:
        keys = {size: f"{family}:{size}" for size in sizes}
        for size, key in keys.items():
            if client.pipeline(load(key, size), depth=64):
                raise SystemExit(f"errors while loading {key}")
        for case in cases:
            times = measure(server, client, case, keys, rng)
            row = [times[size] for size in sizes]
            yield [case.title, case.order, *(f"{ns:,.0f}" for ns in row),
                   f"{row[-1] / row[0]:.1f}"]
            print(f"  {case.title}: done", file=sys.stderr, flush=True)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--largest", type=int, default=LARGEST,
                        help=f"elements of the largest collection (default {LARGEST})")
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(FAMILIES),
                        help=f"some of {','.join(FAMILIES)}")
    parser.add_argument("--server", default="flashkv", help="which server, by name")
    return parser.parse_args()


def main():
    options = parse_options()
    peer = next((peer for peer in find_servers() if peer.name == options.server), None)
    if not peer:
        raise SystemExit(f"{options.server} not found: build FlashKV first (cargo build --release)")
    sizes = [*SIZES, options.largest]
    rows = [row for family in options.only for row in run_family(peer, family, sizes)]
    print(f"{peer.version()}; {machine()}\n\nNanoseconds of the server's processor time per "
          f"command, pipelines of {CHUNK}, median of {ROUNDS} rounds:\n")
    print(table(["command", "documented", *(f"{size:,}" for size in sizes), "ratio"], rows))


if __name__ == "__main__":
    main()
