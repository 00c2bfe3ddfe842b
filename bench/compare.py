#!/usr/bin/env python3
"""Compares FlashKV with its peers: throughput, latency, CPU and memory.

Every workload runs in rounds, and within a round the servers take turns, so that a
noisy neighbour hits all of them alike; the median of the rounds is shown, with the
ratio to the best peer. Absolute figures depend on the machine, ratios of one run
much less.

Server CPU per request is the user and system time of all the server's threads
around the run. FlashKV spins briefly when it runs out of work, which buys latency
with time that nobody else wanted, so its CPU column is taken with --spin-us 0, in
rounds of their own.

"Client busy" is the part of the run that redis-benchmark, one thread, was computing.
Near 100 % the client is the limit, and no server would have been faster.

    bench/compare.py                     everything, five rounds
    bench/compare.py --quick             fewer requests, two rounds
    bench/compare.py --only GET,memory   some of it
    bench/compare.py --write bench/RESULTS.md
"""

import argparse
import csv
import datetime
import io
import resource
import shutil
import statistics
import subprocess
import sys
import time

from peers import Connection, Server, encode, find_servers, machine, table

ROUNDS = 5
QUICK_DIVISOR = 10
RUN_SECONDS_MAX = 600
MEMORY_KEYS = 1_000_000
IDLE_CONNECTIONS = 1000
# A server that gives back what a quiet connection held has done so by then.
QUIET_SECS = 6
SMALL, LARGE = 100_000, 4_000_000
LOAD_CHUNK = 100


class Work:
    """One workload: options of redis-benchmark and what to load before. `load`
    yields encoded commands, given how many requests will be made."""

    def __init__(self, name, options, requests, keys=0, load=None):
        self.name, self.options, self.requests = name, options, requests
        self.keys, self.load = keys, load

    def command(self, port, requests):
        random = ["-r", str(self.keys)] if self.keys else []
        return ["redis-benchmark", "-p", str(port), "-n", str(requests), "--csv", *random,
                *self.options]


def strings(keys):
    """Every key that redis-benchmark will ask for, with its 3-byte value."""
    def load(_):
        for first in range(0, keys, LOAD_CHUNK):
            chunk = range(first, min(first + LOAD_CHUNK, keys))
            yield encode("MSET", *(part for n in chunk for part in (b"key:%012d" % n, b"VXK")))
    return load


def one_value(size):
    return lambda _: iter([encode("SET", "big", b"x" * size)])


def elements(count=None):
    """A list of `count` elements, or of one for each request."""
    def load(requests):
        total = count or requests
        for first in range(0, total, LOAD_CHUNK):
            chunk = range(first, min(first + LOAD_CHUNK, total))
            yield encode("RPUSH", "mylist", *(b"element:%d" % n for n in chunk))
    return load


GET, SET = ["GET", "key:__rand_int__"], ["SET", "key:__rand_int__", "VXK"]
INCR, LPUSH, LPOP = ["INCR", "counter:__rand_int__"], ["LPUSH", "mylist", "VXK"], ["LPOP", "mylist"]
MSET = ["MSET"] + ["key:__rand_int__", "VXK"] * 10

def scored(count=None, keys=("zset",)):
    """Sorted sets of `count` elements, or of one for each request."""
    def load(requests):
        total = count or requests
        for name in keys:
            for first in range(0, total, LOAD_CHUNK):
                chunk = range(first, min(first + LOAD_CHUNK, total))
                pairs = ((n * 7919 % total, b"element:%s%d" % (name.encode(), n)) for n in chunk)
                yield encode("ZADD", name, *(part for pair in pairs for part in pair))
    return load


def members(count=None, names=("set",), shift=0):
    """Plain sets of `count` members, or of one for each request; each begins `shift`
    members behind the one before."""
    def load(requests):
        total = count or requests
        for nth, name in enumerate(names):
            for first in range(0, total, LOAD_CHUNK):
                chunk = range(first, min(first + LOAD_CHUNK, total))
                yield encode("SADD", name, *(b"element:%d" % (n + nth * shift) for n in chunk))
    return load


def entries(count):
    """A stream of `count` entries with one field each."""
    def load(_):
        for n in range(1, count + 1):
            yield encode("XADD", "stream", "%d-1" % n, "field", "value:%d" % n)
    return load


SADD, SPOP = ["SADD", "set", "element:__rand_int__"], ["SPOP", "set"]
HSET = ["HSET", "hash", "field:__rand_int__", "VXK"]
SINTER = ["SINTER", "one", "two"]
XADD, XRANGE = ["XADD", "stream", "*", "field", "VXK"], ["XRANGE", "stream", "-", "+", "COUNT", "100"]
ZADD = ["ZADD", "zset", "__rand_int__", "element:__rand_int__"]
ZPOPMIN = ["ZPOPMIN", "zset"]
ZRANGEBYSCORE = ["ZRANGEBYSCORE", "zset", "5000", "5099"]
ZUNIONSTORE = ["ZUNIONSTORE", "sum", "2", "one", "two"]

WORKS = [
    Work("GET P=1", ["-c", "50", *GET], 500_000, SMALL, strings(SMALL)),
    Work("SET P=1", ["-c", "50", *SET], 500_000, SMALL),
    Work("GET one client", ["-c", "1", *GET], 100_000, SMALL, strings(SMALL)),
    Work("GET P=16", ["-c", "50", "-P", "16", *GET], 3_000_000, SMALL, strings(SMALL)),
    Work("SET P=16", ["-c", "50", "-P", "16", *SET], 3_000_000, SMALL),
    Work("INCR P=16", ["-c", "50", "-P", "16", *INCR], 3_000_000, SMALL),
    Work("LPUSH P=16", ["-c", "50", "-P", "16", *LPUSH], 3_000_000),
    Work("LPOP P=16", ["-c", "50", "-P", "16", *LPOP], 3_000_000, 0, elements()),
    Work("GET P=64", ["-c", "50", "-P", "64", *GET], 6_000_000, SMALL, strings(SMALL)),
    Work("SET P=64", ["-c", "50", "-P", "64", *SET], 6_000_000, SMALL),
    Work("GET P=64 4M keys", ["-c", "50", "-P", "64", *GET], 6_000_000, LARGE, strings(LARGE)),
    Work("SET P=64 4M keys", ["-c", "50", "-P", "64", *SET], 6_000_000, LARGE, strings(LARGE)),
    Work("MSET of 10", ["-c", "50", "-P", "16", *MSET], 500_000, SMALL),
    Work("LRANGE_100", ["-c", "50", "-P", "16", "LRANGE", "mylist", "0", "99"], 200_000, 0,
         elements(600)),
    Work("LRANGE_600", ["-c", "50", "-P", "16", "LRANGE", "mylist", "0", "599"], 50_000, 0,
         elements(600)),
    Work("SADD P=16", ["-c", "50", "-P", "16", *SADD], 2_000_000, SMALL),
    Work("HSET P=16", ["-c", "50", "-P", "16", *HSET], 2_000_000, SMALL),
    Work("SPOP P=16", ["-c", "50", "-P", "16", *SPOP], 1_000_000, 0, members()),
    Work("SINTER of 2 x 100k", ["-c", "1", *SINTER], 200, 0,
         members(SMALL, ("one", "two"), SMALL // 2)),
    Work("XADD P=16", ["-c", "50", "-P", "16", *XADD], 1_000_000),
    Work("XRANGE of 100", ["-c", "50", "-P", "16", *XRANGE], 200_000, 0, entries(10_000)),
    Work("ZADD P=16", ["-c", "50", "-P", "16", *ZADD], 2_000_000, SMALL),
    Work("ZPOPMIN P=16", ["-c", "50", "-P", "16", *ZPOPMIN], 1_000_000, 0, scored()),
    Work("ZRANGEBYSCORE of 100", ["-c", "50", "-P", "16", *ZRANGEBYSCORE], 200_000, 0,
         scored(SMALL)),
    Work("ZUNIONSTORE of 2 x 100k", ["-c", "1", *ZUNIONSTORE], 50, 0,
         scored(SMALL, ("one", "two"))),
    Work("GET of 100 KB", ["-c", "50", "GET", "big"], 50_000, 0, one_value(100_000)),
]


def key16(number):
    return b"key:%012d" % number


MEMORY = [
    ("16 B key + 32 B value", lambda n: encode("SET", key16(n), b"%032d" % n)),
    ("16 B key + 7-digit integer", lambda n: encode("SET", key16(n), 1_000_000 + n)),
    ("16 B key + 32 B value + TTL",
     lambda n: encode("SET", key16(n), b"x%031d" % n, "EX", 1_000_000 + n % 1000)),
    ("16 B key + 128 B value", lambda n: encode("SET", key16(n), b"x%0127d" % n)),
    ("list of 10 short elements",
     lambda n: encode("RPUSH", key16(n), *(b"e%03d" % ((n + i) % 1000) for i in range(10)))),
]


class Sample:
    """What one run of one workload on one server has shown."""

    def __init__(self, throughput, p50, p99, cpu_us, client_busy):
        self.throughput, self.p50, self.p99, self.cpu_us = throughput, p50, p99, cpu_us
        self.client_busy = client_busy


def run_once(server, work, requests):
    """Loads what the workload needs, then measures one run."""
    with Connection(server.port) as client:
        client.command("FLUSHALL", "SYNC")
        if work.load and client.pipeline(work.load(requests), depth=16):
            raise SystemExit(f"{server.peer.name}: errors while loading {work.name}")
    before, client_before = server.cpu_seconds(), children_cpu_seconds()
    done = subprocess.run(work.command(server.port, requests), capture_output=True, text=True,
                          timeout=RUN_SECONDS_MAX, check=True)
    cpu, client_cpu = server.cpu_seconds() - before, children_cpu_seconds() - client_before
    row = list(csv.DictReader(io.StringIO(done.stdout)))[-1]
    rate = float(row["rps"])
    return Sample(rate, float(row["p50_latency_ms"]), float(row["p99_latency_ms"]),
                  1e6 * cpu / requests, 100 * client_cpu * rate / requests)


def children_cpu_seconds():
    """User and system time of the processes that have ended: redis-benchmark's."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(works, servers, rounds, divisor):
    """Samples by (workload, server): every server once per round, in turns."""
    samples = {}
    for work in works:
        requests = max(min(1000, work.requests), work.requests // divisor)
        for number in range(rounds):
            turn = servers[number % len(servers):] + servers[:number % len(servers)]
            for peer in turn:
                with Server(peer) as server:
                    sample = run_once(server, work, requests)
                samples.setdefault((work.name, peer.name), []).append(sample)
                if peer.name == "flashkv":
                    with Server(peer, "--spin-us", "0") as server:
                        sample.cpu_us = run_once(server, work, requests).cpu_us
        print(f"  {work.name}: done", file=sys.stderr, flush=True)
    return samples


def median(samples, field):
    return statistics.median(getattr(sample, field) for sample in samples)


def spread(samples):
    """Half the distance between the extremes of throughput, in percent."""
    values = [sample.throughput for sample in samples]
    return 50 * (max(values) - min(values)) / statistics.median(values)


def ratio(ours, theirs, best):
    """Ours against the best peer's; empty when there is nobody to compare with."""
    if ours is None or not theirs or not best(theirs):
        return "-"
    return f"{ours / best(theirs):.2f}"


def speed_rows(works, servers, samples):
    for work in works:
        of = {peer.name: samples[(work.name, peer.name)] for peer in servers}
        for field, unit, best in (("throughput", "req/s", max), ("p50", "p50 ms", min),
                                  ("p99", "p99 ms", min), ("cpu_us", "CPU us/req", min),
                                  ("client_busy", "client busy %", None)):
            values = {name: median(runs, field) for name, runs in of.items()}
            theirs = [value for name, value in values.items() if name != "flashkv"]
            shown = [show(values[peer.name], field) for peer in servers]
            if field == "throughput":
                shown = [f"{text} +-{spread(of[peer.name]):.0f}%"
                         for text, peer in zip(shown, servers)]
            compared = ratio(values.get("flashkv"), theirs, best) if best else ""
            yield [work.name, unit, *shown, compared]


def show(value, field):
    return f"{value:,.0f}" if field in ("throughput", "client_busy") else f"{value:.3f}"


def bytes_per_key(peer, make, keys):
    """Growth of resident memory by loading `keys` keys, divided by them."""
    with Server(peer) as server, Connection(server.port) as client:
        client.command("PING")
        before = server.resident_bytes()
        if client.pipeline(make(number) for number in range(keys)):
            raise SystemExit(f"{peer.name}: errors while loading")
        if client.command("DBSIZE") != keys:
            raise SystemExit(f"{peer.name}: not all keys were loaded")
        return (server.resident_bytes() - before) / keys


def bytes_per_connection(peer, measure):
    """Growth of memory by connections that have spoken once and then gone quiet."""
    with Server(peer) as server, Connection(server.port) as probe:
        probe.command("PING")
        before = measure(server, probe)
        idle = [Connection(server.port) for _ in range(IDLE_CONNECTIONS)]
        for client in idle:
            client.command("PING")
        time.sleep(QUIET_SECS)
        grown = measure(server, probe) - before
        for client in idle:
            client.__exit__()
        return grown / IDLE_CONNECTIONS


def memory_rows(servers, keys):
    rows = [(name, lambda peer, make=make: bytes_per_key(peer, make, keys))
            for name, make in MEMORY]
    measures = (("resident", lambda server, _probe: server.resident_bytes()),
                ("allocated", lambda _server, probe: probe.info("used_memory")))
    rows.extend((f"an idle connection, {name}",
                 lambda peer, measure=measure: bytes_per_connection(peer, measure))
                for name, measure in measures)
    for name, measure_one in rows:
        values = {peer.name: measure_one(peer) for peer in servers}
        theirs = [value for peer, value in values.items() if peer != "flashkv"]
        yield [name, *(f"{values[peer.name]:.0f}" for peer in servers),
               ratio(values.get("flashkv"), theirs, min)]
        print(f"  {name}: done", file=sys.stderr, flush=True)


def report(options, servers, works, keys):
    names = [peer.name for peer in servers]
    today = datetime.date.today().isoformat()
    parts = [f"Measured {today} on {machine()}; median of {options.rounds} rounds, the servers in "
             "turns; the last column is FlashKV against the best peer.", ""]
    parts += [f"- {peer.name}: {peer.version()}" for peer in servers] + [""]
    if works:
        samples = measure(works, servers, options.rounds, QUICK_DIVISOR if options.quick else 1)
        rows = speed_rows(works, servers, samples)
        parts += [table(["work", "unit", *names, "ratio"], rows), ""]
    if wanted(options, "memory"):
        rows = memory_rows(servers, keys)
        parts += [f"Resident bytes per key, {keys:,} keys:", "",
                  table(["what", *names, "ratio"], rows), ""]
    return "\n".join(parts)


def wanted(options, name):
    return not options.only or any(part.lower() in name.lower() for part in options.only)


def write_section(path, text):
    """Replaces what stands between the markers of the file, or appends it."""
    begin, end = "<!-- compare.py begin -->", "<!-- compare.py end -->"
    try:
        old = open(path, encoding="ascii").read()
    except FileNotFoundError:
        old = "# Results\n\n"
    section = f"{begin}\n{text}\n{end}"
    if begin in old and end in old:
        new = old[:old.index(begin)] + section + old[old.index(end) + len(end):]
    else:
        new = old.rstrip("\n") + "\n\n" + section + "\n"
    with open(path, "w", encoding="ascii") as out:
        out.write(new)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, help=f"rounds per workload (default {ROUNDS})")
    parser.add_argument("--quick", action="store_true", help="a tenth of the requests, two rounds")
    parser.add_argument("--only", type=lambda text: text.split(","),
                        help="workloads whose name contains one of these, separated by commas")
    parser.add_argument("--servers", type=lambda text: text.split(","),
                        help="only these servers, by name")
    parser.add_argument("--write", metavar="FILE", help="put the tables into this Markdown file")
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else ROUNDS)
    return options


def main():
    options = parse_options()
    if not shutil.which("redis-benchmark"):
        raise SystemExit("redis-benchmark not installed (Debian: redis-tools)")
    servers = [peer for peer in find_servers()
               if not options.servers or peer.name in options.servers]
    if not servers:
        raise SystemExit("no server found: build FlashKV first (cargo build --release)")
    works = [work for work in WORKS if wanted(options, work.name)]
    keys = MEMORY_KEYS // QUICK_DIVISOR if options.quick else MEMORY_KEYS
    text = report(options, servers, works, keys)
    print(text)
    if options.write:
        write_section(options.write, text)


if __name__ == "__main__":
    main()
