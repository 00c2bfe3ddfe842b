#!/usr/bin/env python3
"""The worst GET of one client while another runs something long.

A probing client reads random keys, uniformly over a million, 2000 times a second,
and notes how long each reply takes; a stall of any length is met by a request that
was sent at most half a millisecond after it began. Meanwhile another client runs the
long work. Shown is the median over the runs of the worst reply.

    bench/stall.py                      every work, five runs, every server found
    bench/stall.py --only KEYS,FLUSHALL --runs 3
"""

import argparse
import random
import statistics
import sys
import time

from peers import Connection, Server, encode, find_servers, machine, table
from prober import PROBES_PER_SECOND, Prober

KEYS = 1_000_000
# Before and after the work, so that its first and last moments are seen.
MARGIN_SECONDS = 0.2
# Time to load a million keys before the first of them ends.
EXPIRY_SECONDS_AHEAD = 30
EXPIRY_WATCHED_SECONDS_MAX = 10
RUNS = 5


def key(number):
    return b"key:%012d" % number


def random_get():
    return encode("GET", key(random.randrange(KEYS)))


def load_keys(client):
    errors = client.pipeline(encode("SET", key(n), b"%032d" % n) for n in range(KEYS))
    if errors:
        raise SystemExit(f"{errors} errors while loading")


def load_list(client):
    chunk = 1000
    client.command("DEL", "biglist")
    client.pipeline(
        (encode("RPUSH", "biglist", *range(first, first + chunk))
         for first in range(0, KEYS, chunk)), depth=10)


def load_zset(client):
    chunk = 1000
    client.command("DEL", "bigzset")
    client.pipeline(
        (encode("ZADD", "bigzset", *(part for n in range(first, first + chunk)
                                     for part in (n, b"element:%d" % n)))
         for first in range(0, KEYS, chunk)), depth=10)


def load_set(client, name="bigset", first=0):
    chunk = 1000
    client.command("DEL", name)
    client.pipeline(
        (encode("SADD", name, *(b"member:%d" % n for n in range(start, start + chunk)))
         for start in range(first, first + KEYS, chunk)), depth=10)


def load_two_sets(client):
    load_set(client)
    load_set(client, "otherset", KEYS // 2)


def load_hash(client):
    chunk = 1000
    client.command("DEL", "bighash")
    client.pipeline(
        (encode("HSET", "bighash", *(part for n in range(first, first + chunk)
                                     for part in (b"field:%d" % n, n)))
         for first in range(0, KEYS, chunk)), depth=10)


def load_unsorted(client):
    """A list of a million different numbers in no order."""
    chunk = 1000
    client.command("DEL", "numbers")
    client.pipeline(
        (encode("RPUSH", "numbers", *(n * 7919 % KEYS for n in range(first, first + chunk)))
         for first in range(0, KEYS, chunk)), depth=10)


def load_stream(client):
    client.command("DEL", "bigstream")
    client.pipeline((encode("XADD", "bigstream", "%d-1" % n, "field", n)
                     for n in range(1, KEYS + 1)), depth=1000)


def nothing(_):
    pass


def scan_loop(client):
    cursor = b"0"
    while True:
        cursor, _ = client.command("SCAN", cursor, "COUNT", 1000)
        if cursor == b"0":
            return


def busy(_):
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        sum(range(1000))


def prepare_mget(client):
    client.request = encode("MGET", *(key(n) for n in random.sample(range(KEYS), 100_000)))


def mget(client):
    client.send(client.request)
    client.reply()


def expire_setup(client):
    """A million more keys that all end within one second, a while after loading."""
    client.kept = client.command("DBSIZE")
    at = int(time.time() * 1000) + 1000 * EXPIRY_SECONDS_AHEAD
    client.pipeline(encode("SET", b"gone:%d" % n, "x", "PXAT", at + n % 1000) for n in range(KEYS))
    client.expires_at = at / 1000
    time.sleep(max(0, client.expires_at - time.time() - 0.5))


def expire_wait(client):
    """Until all are reclaimed; notes how long that took after the last had ended."""
    last = client.expires_at + 1
    while client.command("DBSIZE") > client.kept and time.time() < last + EXPIRY_WATCHED_SECONDS_MAX:
        time.sleep(0.02)
    reclaimed = time.time() - last
    print(f"  all expired keys reclaimed {reclaimed:.2f} s after the last had ended",
          file=sys.stderr)


# Name, what prepares it (not measured), what is measured.
WORKS = [
    ("nothing", nothing, lambda client: time.sleep(1)),
    # What a client that computes costs the prober, whatever the server does.
    ("a busy client alone", nothing, busy),
    ("KEYS *", nothing, lambda client: client.command("KEYS", "*")),
    ("SCAN loop", nothing, scan_loop),
    ("LRANGE of 1M", load_list, lambda client: client.command("LRANGE", "biglist", 0, -1)),
    ("DEL of a 1M list", load_list, lambda client: client.command("DEL", "biglist")),
    ("ZRANGE of 1M", load_zset, lambda client: client.command("ZRANGE", "bigzset", 0, -1)),
    ("ZUNIONSTORE of 1M", load_zset,
     lambda client: client.command("ZUNIONSTORE", "sum", 2, "bigzset", "bigzset")),
    ("DEL of a 1M zset", load_zset, lambda client: client.command("DEL", "bigzset")),
    ("SMEMBERS of 1M", load_set, lambda client: client.command("SMEMBERS", "bigset")),
    ("SUNIONSTORE of two 1M", load_two_sets,
     lambda client: client.command("SUNIONSTORE", "union", "bigset", "otherset")),
    ("DEL of a 1M set", load_set, lambda client: client.command("DEL", "bigset")),
    ("HGETALL of 1M", load_hash, lambda client: client.command("HGETALL", "bighash")),
    ("DEL of a 1M hash", load_hash, lambda client: client.command("DEL", "bighash")),
    ("SORT of 1M", load_unsorted, lambda client: client.command("SORT", "numbers")),
    ("COPY of a 1M zset", load_zset,
     lambda client: client.command("COPY", "bigzset", "copied", "REPLACE")),
    ("ZPOPMIN of 50k", load_zset, lambda client: client.command("ZPOPMIN", "bigzset", 50_000)),
    ("SPOP of 100k", load_set, lambda client: client.command("SPOP", "bigset", 100_000)),
    ("LTRIM to 100", load_list, lambda client: client.command("LTRIM", "biglist", 0, 99)),
    ("XTRIM to 10", load_stream,
     lambda client: client.command("XTRIM", "bigstream", "MAXLEN", 10)),
    ("MGET of 100k", prepare_mget, mget),
    ("DEBUG SLEEP 0.5", nothing, lambda client: client.command("DEBUG", "SLEEP", "0.5")),
    ("1M expiring in 1 s", expire_setup, expire_wait),
    # Last: it leaves nothing to read.
    ("FLUSHALL", nothing, lambda client: client.command("FLUSHALL")),
]


def longest_turn(client):
    """Milliseconds of the server's longest turn since RESETSTAT, by its own clock, or
    None if it does not tell: what is its own share of a long wait."""
    for line in client.command("INFO", "stats").split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"reactor_turn_us_max":
            return int(value) / 1000
    return None


def run_once(server, prepare, work):
    """The worst probe and the longest turn in milliseconds while `work` runs."""
    with Connection(server.port) as client:
        prepare(client)
        client.command("CONFIG", "RESETSTAT")
        prober = Prober(server.port, [("GET", random_get)])
        prober.start()
        time.sleep(MARGIN_SECONDS)
        reply = work(client)
        time.sleep(MARGIN_SECONDS)
        worst = prober.stop()["GET"]
        if isinstance(reply, RuntimeError):
            raise SystemExit(f"{server.peer.name}: {reply}")
        return worst, longest_turn(client)


def run_server(peer, works, runs):
    """The runs' worst probes and longest turns by work, on one server."""
    worst, turns = {}, {}
    with Server(peer, "--enable-debug-command", "yes") as server:
        with Connection(server.port) as client:
            for name, prepare, work in works:
                for _ in range(runs):
                    if client.command("DBSIZE") < KEYS:
                        load_keys(client)
                    probe_ms, turn_ms = run_once(server, prepare, work)
                    worst.setdefault(name, []).append(probe_ms)
                    turns.setdefault(name, []).append(turn_ms)
                print(f"  {peer.name}: {name}: {worst[name]}, turns {turns[name]}",
                      file=sys.stderr, flush=True)
    return worst, turns


def figure(runs):
    """Median and worst of several runs."""
    return f"{statistics.median(runs):.2f} ({max(runs):.2f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--only", type=lambda text: text.split(","))
    parser.add_argument("--servers", type=lambda text: text.split(","))
    options = parser.parse_args()
    works = [row for row in WORKS
             if not options.only or any(part.lower() in row[0].lower() for part in options.only)]
    servers = [peer for peer in find_servers()
               if not options.servers or peer.name in options.servers]
    seen = {peer.name: run_server(peer, works, options.runs) for peer in servers}
    telling = [peer.name for peer in servers if None not in seen[peer.name][1][works[0][0]]]
    print(f"Worst GET in ms of another client, median (worst) of {options.runs} runs, "
          f"{PROBES_PER_SECOND} probes a second over {KEYS:,} keys; {machine()}\n")
    rows = []
    for name, _, _ in works:
        row = [name, *(figure(seen[peer.name][0][name]) for peer in servers)]
        rows.append(row + [figure(seen[peer][1][name]) for peer in telling])
    turns = [f"{name}: its longest turn" for name in telling]
    print(table(["while one runs", *(peer.name for peer in servers), *turns], rows))


if __name__ == "__main__":
    main()
