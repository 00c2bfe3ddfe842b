#!/usr/bin/env python3
"""What clients get who depend on one another, beside every peer that is installed.

  publish        messages delivered to 1, 100 and 1000 subscribers, the publisher with 1
                 or 16 commands in flight
  handoff        clients are blocked in BLPOP, each on a list of its own, and another
                 pushes: from sending the push to the blocked client's element
  transactions   MULTI, five SET and five GET, EXEC in one write, from 50 clients

The servers take turns within a round; the median of the rounds is shown, the spread of
their middle half, and how much of its time the generator (bench/load.rs, one thread)
was busy: near 100 % the figure is its own limit and no server's.

    bench/clients.py                        everything, five rounds
    bench/clients.py --only publish         some of it
    LOAD=path bench/clients.py              with a generator that is built already
"""

import argparse
import json
import os
import statistics
import subprocess
from pathlib import Path

from peers import ROOT, Server, find_servers, machine, table

SAMPLE_SECONDS = 0.7
RUN_SECONDS_MAX = 60
# Subscribers, commands of the publisher in flight.
PUBLISH_WORKS = [(1, 1), (1, 16), (100, 1), (100, 16), (1000, 1), (1000, 16)]
# Clients that are blocked, pushes in one write. More are blocked than are pushed to at
# once, so a client has long been blocked when its turn comes.
HANDOFF_WORKS = [(8, 1), (64, 16)]
# Clients, transactions in one write.
TRANSACTION_WORKS = [(50, 1), (50, 8)]


PARTS = {
    "publish": (PUBLISH_WORKS, "{} subscribers, P={}", "deliveries"),
    "handoff": (HANDOFF_WORKS, "{} blocked, {} pushes at once", "hand-offs"),
    "transactions": (TRANSACTION_WORKS, "{} clients, {} in a write", "transactions"),
}


def build_load():
    """The generator's program: Cargo says where it is."""
    done = subprocess.run(
        ["cargo", "bench", "--locked", "--bench", "load", "--no-run", "--message-format=json"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True,
    )
    messages = (json.loads(line) for line in done.stdout.splitlines())
    paths = [message["executable"] for message in messages if message.get("executable")]
    return next(path for path in paths if Path(path).name.startswith("load-"))


def sample(load, peer, part, work):
    """What one run gives, by unit."""
    with Server(peer) as server:
        used = server.cpu_seconds()
        command = [load, str(server.port), part, *map(str, work), str(SAMPLE_SECONDS)]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, check=True, timeout=RUN_SECONDS_MAX
        )
        used = server.cpu_seconds() - used
    count, seconds, own, p50, p99 = map(float, done.stdout.split())
    figures = {"rate": count / seconds, "cpu": used * 1e6 / count, "busy": own / seconds * 100}
    if p50 > 0:
        figures |= {"p50": p50, "p99": p99}
    return figures


def middle(values):
    """The median, and half of what the middle half spans, in percent of it."""
    median = statistics.median(values)
    low, _, high = statistics.quantiles(values, n=4) if len(values) > 1 else (median,) * 3
    return median, (high - low) / 2 / median * 100 if median else 0


def ratio(values, unit):
    """FlashKV's figure to the best of the others; above 1 is better."""
    others = [value for name, value in values.items() if name != "flashkv"]
    if "flashkv" not in values or not others:
        return "-"
    if unit == "rate":
        return f"{values['flashkv'] / max(others):.2f}x"
    return f"{min(others) / values['flashkv']:.2f}x"


def rows(peers, found, title, noun):
    """The rows of one work: `found` has the samples of each peer."""
    names = {"rate": f"{noun}/s", "p50": "p50 us", "p99": "p99 us", "cpu": "CPU us each"}
    for unit, name in names.items():
        if unit not in found[peers[0].name][0]:
            continue
        cells, values = [title, name], {}
        for peer in peers:
            median, spread = middle([figures[unit] for figures in found[peer.name]])
            values[peer.name] = median
            text = f"{median:,.0f}" if median >= 100 else f"{median:.2f}"
            if unit == "rate":
                busy = statistics.median(figures["busy"] for figures in found[peer.name])
                text = f"{text} +-{spread:.0f}% ({busy:.0f}%)"
            cells.append(text)
        yield [*cells, ratio(values, unit)]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--servers", default="", help="names, separated by commas")
    options = parser.parse_args()
    wanted = [name for name in options.servers.split(",") if name]
    load = os.environ.get("LOAD") or build_load()
    peers = [peer for peer in find_servers() if not wanted or peer.name in wanted]
    for peer in peers:
        print(f"{peer.name}: {peer.version()}")
    print(f"{machine()}; {options.rounds} rounds")
    works = [
        (part, work, pattern.format(*work), noun)
        for part, (each, pattern, noun) in PARTS.items()
        if not options.only or part in options.only
        for work in each
    ]
    found = {title: {peer.name: [] for peer in peers} for _, _, title, _ in works}
    for _ in range(options.rounds):
        for part, work, title, _ in works:
            for peer in peers:
                found[title][peer.name].append(sample(load, peer, part, work))
    lines = [row for _, _, title, noun in works for row in rows(peers, found[title], title, noun)]
    headers = ["work", "unit", *(f"{peer.name} (generator busy)" for peer in peers), "ratio"]
    print(table(headers, lines))


if __name__ == "__main__":
    main()
