#!/usr/bin/env python3
"""Saving and loading beside the peers: how long each takes, and what a save in the
background does to others.

  files          SAVE and start of the same data: a million strings; 100,000 hashes,
                 lists, sets and sorted sets of ten elements. The best of the rounds, the
                 servers in turns
  disturbance    BGSAVE and BGREWRITEAOF under 100,000 writes a second: the worst GET and
                 SET of another client before and meanwhile, and the memory it took
  throughput     the same under as many writes as redis-benchmark gets done: requests a
                 second before and meanwhile

    bench/snapshots.py                          everything
    bench/snapshots.py --only files --rounds 3
"""

import argparse
import multiprocessing
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import time

from peers import Connection, Server, encode, find_servers, machine, table
from prober import Prober

ELEMENTS = 10
FILES = [("strings", 1_000_000), ("hashes", 100_000), ("lists", 100_000), ("sets", 100_000),
         ("sorted sets", 100_000)]
WRITES_PER_SECOND = 100_000
WRITE_BATCH = 100
# Different batches that the paced writer sends in turn.
BATCHES = 2000
BEFORE_SECONDS = 2
SAVE_SECONDS_MAX = 120
WORKS = [("BGSAVE", (), "rdb_bgsave_in_progress"),
         ("BGREWRITEAOF", ("--appendonly", "yes", "--auto-aof-rewrite-percentage", "0"),
          "aof_rewrite_in_progress")]


def key(number):
    return b"key:%012d" % number


def filling(kind, count):
    """The encoded commands that make `count` keys of a kind."""
    for n in range(count):
        if kind == "strings":
            yield encode("SET", key(n), b"value:%026d" % (n * 7919))
        elif kind == "hashes":
            yield encode("HSET", b"hash:%d" % n,
                         *(part for i in range(ELEMENTS)
                           for part in (b"field:%d" % i, b"value:%d:%d" % (n, i))))
        elif kind == "lists":
            yield encode("RPUSH", b"list:%d" % n, *(b"e:%d:%d" % (n, i) for i in range(ELEMENTS)))
        elif kind == "sets":
            yield encode("SADD", b"set:%d" % n, *(b"m:%d:%d" % (n, i) for i in range(ELEMENTS)))
        else:
            yield encode("ZADD", b"zset:%d" % n,
                         *(part for i in range(ELEMENTS) for part in (i * 1.5, b"m:%d:%d" % (n, i))))


def times_of_files(peers, kind, count, rounds):
    """The best seconds of SAVE and of a start with the file, by server."""
    saves, loads = {}, {}
    folders = {peer.name: tempfile.mkdtemp(prefix="flashkv-bench-") for peer in peers}
    for peer in peers:
        with Server(peer, directory=folders[peer.name]) as server, Connection(server.port) as client:
            client.pipeline(filling(kind, count))
            for _ in range(rounds):
                start = time.monotonic()
                client.command("SAVE")
                saves.setdefault(peer.name, []).append(time.monotonic() - start)
    for _ in range(rounds):
        for peer in peers:
            with Server(peer, directory=folders[peer.name]) as server:
                loads.setdefault(peer.name, []).append(server.start_seconds)
                with Connection(server.port) as client:
                    if client.command("DBSIZE") != count:
                        raise SystemExit(f"{peer.name} has not loaded all keys")
    for folder in folders.values():
        shutil.rmtree(folder)
    return {name: (min(saves[name]), min(loads[name])) for name in saves}


def best_peer(values):
    """The best of the others to ours: above 1 where we are faster."""
    theirs = [value for name, value in values.items() if name != "flashkv"]
    return f"{min(theirs) / values['flashkv']:.2f}x" if theirs and "flashkv" in values else "-"


def files(peers, options):
    rows = []
    for kind, count in FILES:
        count = int(count * options.scale)
        found = times_of_files(peers, kind, count, options.rounds)
        for nth, what in enumerate(("save", "load")):
            values = {name: times[nth] for name, times in found.items()}
            rows.append([f"{what} {count:,} {kind}", *(f"{values[peer.name]:.3f}" for peer in peers),
                         best_peer(values)])
    print(table(["seconds", *(peer.name for peer in peers), "faster"], rows), end="\n\n")


def write_paced(port, keys, stop):
    """SETs in batches at WRITES_PER_SECOND until told to stop."""
    period = WRITE_BATCH / WRITES_PER_SECOND
    batches = [b"".join(encode("SET", key(random.randrange(keys)), b"%032d" % n)
                        for _ in range(WRITE_BATCH)) for n in range(BATCHES)]
    with Connection(port) as client:
        due, turn = time.monotonic(), 0
        while not stop.is_set():
            time.sleep(max(0.0, due - time.monotonic()))
            client.send(batches[turn % BATCHES])
            client.input.read(len(b"+OK\r\n") * WRITE_BATCH)
            due, turn = due + period, turn + 1


class Writes:
    """Writes beside the save: paced, or as many as redis-benchmark gets done."""

    def __init__(self, port, keys, paced):
        self.stop = multiprocessing.Event()
        if paced:
            self.process = multiprocessing.Process(target=write_paced, args=(port, keys, self.stop))
            self.process.start()
        else:
            self.process = subprocess.Popen(
                ["redis-benchmark", "-p", str(port), "-c", "10", "-P", "16", "-n", "1000000000",
                 "-r", str(keys), "-q", "SET", "key:__rand_int__", "x" * 32],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def end(self):
        self.stop.set()
        if isinstance(self.process, subprocess.Popen):
            self.process.kill()
            self.process.wait()
        else:
            self.process.join()


class Span:
    """Commands a second from its making to `rate`."""

    def __init__(self, client):
        self.client = client
        self.commands, self.began = client.info("total_commands_processed"), time.monotonic()

    def rate(self):
        commands = self.client.info("total_commands_processed") - self.commands
        return commands / (time.monotonic() - self.began)


def run_save(server, client, command, field):
    """Runs it to its end: the seconds, and the resident memory at its highest."""
    began, peak = time.monotonic(), 0
    client.command(command)
    while client.info(field):
        peak = max(peak, server.resident_bytes() + children_bytes(server.process.pid))
        if time.monotonic() - began > SAVE_SECONDS_MAX:
            raise SystemExit(f"{command} does not end")
        time.sleep(0.01)
    return time.monotonic() - began, peak


def children_bytes(pid):
    """What a forked child has of its own: pages that either side has written since."""
    try:
        children = open(f"/proc/{pid}/task/{pid}/children", encoding="ascii").read().split()
        total = 0
        for child in children:
            with open(f"/proc/{child}/smaps_rollup", encoding="ascii") as lines:
                total += sum(int(line.split()[1]) * 1024 for line in lines
                             if line.startswith("Private_"))
        return total
    except OSError:
        return 0


def disturb(peer, work, keys):
    """One save under paced writes: worst replies before and meanwhile, seconds, memory."""
    command, options, field = work
    kinds = [("GET", lambda: encode("GET", key(random.randrange(keys)))),
             ("SET", lambda: encode("SET", key(random.randrange(keys)), b"x" * 32))]
    with Server(peer, *options) as server, Connection(server.port) as client:
        client.pipeline(filling("strings", keys))
        writes = Writes(server.port, keys, paced=True)
        time.sleep(1)
        probe = Prober(server.port, kinds)
        probe.start()
        time.sleep(BEFORE_SECONDS)
        before = probe.stop()
        resident = server.resident_bytes()
        probe = Prober(server.port, kinds)
        probe.start()
        span = Span(client)
        seconds, peak = run_save(server, client, command, field)
        rate = span.rate()
        worst = probe.stop()
        writes.end()
        return {"GET before": before["GET"], "SET before": before["SET"], "GET": worst["GET"],
                "SET": worst["SET"], "seconds": seconds, "commands/s": rate,
                "memory %": max(0, 100 * (peak / resident - 1))}


def slow_down(peer, work, keys):
    """One save under all the writes there can be: commands a second before and meanwhile."""
    command, options, field = work
    with Server(peer, *options) as server, Connection(server.port) as client:
        client.pipeline(filling("strings", keys))
        writes = Writes(server.port, keys, paced=False)
        time.sleep(1)
        span = Span(client)
        time.sleep(BEFORE_SECONDS)
        before = span.rate()
        span = Span(client)
        seconds, _ = run_save(server, client, command, field)
        during = span.rate()
        writes.end()
        return {"commands/s before": before, "meanwhile": during, "ratio": during / before,
                "seconds": seconds}


def show(peers, options, run):
    rows = []
    for work in WORKS:
        for peer in peers:
            runs = [run(peer, work, options.keys) for _ in range(options.rounds)]
            medians = {name: statistics.median(one[name] for one in runs) for name in runs[0]}
            rows.append([work[0], peer.name, *(f"{value:,.2f}" for value in medians.values())])
    print(table(["while", "server", *medians], rows), end="\n\n")


def disturbance(peers, options):
    print(f"Worst replies in ms, {options.keys:,} keys of 32 bytes, {WRITES_PER_SECOND:,} writes a second\n")
    show(peers, options, disturb)


def throughput(peers, options):
    show(peers, options, slow_down)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", default="flashkv,redis,valkey")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="of the files' number of keys")
    parser.add_argument("--only", choices=["files", "disturbance", "throughput"])
    parser.add_argument("--keys", type=int, default=2_000_000, help="beside which is saved")
    options = parser.parse_args()
    peers = [peer for peer in find_servers() if peer.name in options.servers.split(",")]
    print(f"{machine()}, {os.cpu_count()} processors; {options.rounds} rounds\n")
    for part in (files, disturbance, throughput):
        if options.only in (None, part.__name__):
            part(peers, options)


if __name__ == "__main__":
    main()
