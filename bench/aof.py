#!/usr/bin/env python3
"""What the append-only file costs, beside every peer that is installed.

  everysec       SET with 50 clients and 16 commands in flight each, without a log and
                 with one: the ratio is what the log leaves of the throughput
  always         SET with 50 clients, one command and 16 commands in flight each: every
                 reply waits for the disk. Beside it the rate without a log, which
                 redis-benchmark, one thread, may be the limit of

The servers take turns within a round, and the median of the rounds is shown. How fast a
sync is depends on the disk below the temporary directory (TMPDIR).

    bench/aof.py                      everything, five rounds
    bench/aof.py --only always        some of it
"""

import argparse
import statistics
import subprocess

from peers import Server, find_servers, machine, table

KEYS = 100_000
OFF = ("--appendonly", "no")
ON = ("--appendonly", "yes", "--auto-aof-rewrite-percentage", "0", "--appendfsync")
PIPELINED, PIPELINED_REQUESTS = ("-c", "50", "-P", "16"), 2_000_000
SINGLE, SINGLE_REQUESTS = ("-c", "50", "-P", "1"), 60_000
RUN_SECONDS_MAX = 120


def rate(peer, options, load, requests):
    """Requests per second of SET with values of 32 bytes."""
    with Server(peer, *options) as server:
        command = ["redis-benchmark", "-p", str(server.port), "-n", str(requests), "-r", str(KEYS),
                   "--csv", *load, "SET", "key:__rand_int__", "x" * 32]
        done = subprocess.run(command, capture_output=True, text=True, check=True,
                              timeout=RUN_SECONDS_MAX)
        return float(done.stdout.strip().splitlines()[-1].split(",")[1].strip('"'))


def compare(peers, rounds, cases):
    """The median rate of each peer in each case."""
    found = {(peer.name, name): [] for peer in peers for name, *_ in cases}
    for _ in range(rounds):
        for name, options, load, requests in cases:
            for peer in peers:
                found[peer.name, name].append(rate(peer, options, load, requests))
    return {key: statistics.median(rates) for key, rates in found.items()}


def everysec(peers, rounds):
    cases = [("off", OFF, PIPELINED, PIPELINED_REQUESTS),
             ("on", (*ON, "everysec"), PIPELINED, PIPELINED_REQUESTS)]
    rates = compare(peers, rounds, cases)
    rows = []
    for peer in peers:
        off, on = rates[peer.name, "off"], rates[peer.name, "on"]
        rows.append((peer.name, f"{off:,.0f}", f"{on:,.0f}", f"{on / off:.2f}x"))
    print(table(("server", "no log, SET/s at P=16", "everysec", "ratio"), rows), end="\n\n")


def always(peers, rounds):
    loads = (("P=1", SINGLE, SINGLE_REQUESTS), ("P=16", PIPELINED, PIPELINED_REQUESTS // 2))
    cases = [(f"{log} {name}", options, load, requests) for name, load, requests in loads
             for log, options in (("off", OFF), ("on", (*ON, "always")))]
    rates = compare(peers, rounds, cases)
    rows = []
    for name, *_ in loads:
        others = [rates[peer.name, f"on {name}"] for peer in peers if peer.name != "flashkv"]
        best = max(others, default=0)
        for peer in peers:
            off, on = rates[peer.name, f"off {name}"], rates[peer.name, f"on {name}"]
            ratio = f"{on / best:.2f}x" if best else "-"
            rows.append((name, peer.name, f"{off:,.0f}", f"{on:,.0f}", ratio))
    print(table(("load", "server", "no log", "always", "to the best peer"), rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", default="flashkv,redis,valkey")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=["everysec", "always"])
    args = parser.parse_args()
    peers = [peer for peer in find_servers() if peer.name in args.servers.split(",")]
    print(f"{machine()}; median of {args.rounds} rounds\n")
    for part in (everysec, always):
        if args.only in (None, part.__name__):
            part(peers, args.rounds)


if __name__ == "__main__":
    main()
