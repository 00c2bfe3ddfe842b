#!/usr/bin/env python3
"""Publishing to 1, 100 and 1000 subscribers, beside every peer that is installed.

One process publishes in pipelines, another holds all subscribers and counts what
arrives. The figure is messages delivered per second, from the first PUBLISH to the
last byte of the last subscriber, and the server's processor time per delivery. Rounds
are interleaved and the median is shown, so that a change of the machine's pace meets
all servers alike.
"""

import argparse
import multiprocessing
import select
import socket
import statistics
import time

from peers import Connection, Server, encode, find_servers, machine, table

# Subscribers, messages of one round, commands in flight.
WORKS = [
    (1, 20_000, 1),
    (1, 200_000, 16),
    (100, 4_000, 1),
    (100, 20_000, 16),
    (1000, 400, 1),
    (1000, 2_000, 16),
]
CHANNEL = "bench"
TEXT = "x" * 32
MESSAGE_BYTES = len(encode("message", CHANNEL, TEXT))
SECONDS_MAX = 120


def subscribe(port, count):
    """Sockets that have been told that they are subscribed."""
    confirmation = len(b"*3\r\n$9\r\nsubscribe\r\n$5\r\nbench\r\n:1\r\n")
    sockets = []
    for _ in range(count):
        one = socket.create_connection(("127.0.0.1", port), 10)
        one.sendall(encode("SUBSCRIBE", CHANNEL))
        got = 0
        while got < confirmation:
            got += len(one.recv(confirmation - got))
        one.setblocking(False)
        sockets.append(one)
    return sockets


def receive(port, count, messages, ready, out):
    """Counts bytes until every subscriber has all messages; the time of the last."""
    sockets = {one.fileno(): one for one in subscribe(port, count)}
    poll = select.epoll()
    for number in sockets:
        poll.register(number, select.EPOLLIN)
    left = count * messages * MESSAGE_BYTES
    ready.set()
    while left > 0:
        for number, _ in poll.poll(SECONDS_MAX):
            left -= len(sockets[number].recv(1 << 20))
    out.put(time.monotonic())


def publish(port, messages, depth):
    """Publishes in pipelines of `depth`; the time of the first."""
    batch = encode("PUBLISH", CHANNEL, TEXT) * depth
    with Connection(port) as client:
        start = time.monotonic()
        for _ in range(messages // depth):
            client.send(batch)
            for _ in range(depth):
                client.reply()
    return start


def run_once(server, work):
    """Deliveries per second, and microseconds of processor time for each."""
    count, messages, depth = work
    ready, out = multiprocessing.Event(), multiprocessing.Queue()
    receiver = multiprocessing.Process(
        target=receive, args=(server.port, count, messages, ready, out)
    )
    receiver.start()
    ready.wait(SECONDS_MAX)
    before = server.cpu_seconds()
    start = publish(server.port, messages, depth)
    end = out.get(timeout=SECONDS_MAX)
    receiver.join()
    deliveries = count * messages
    cpu = (server.cpu_seconds() - before) * 1e6 / deliveries
    return deliveries / (end - start), cpu


def measure(servers, rounds, divisor):
    """Median speed and cost by work and server."""
    samples = {}
    for _ in range(rounds):
        for work in WORKS:
            count, messages, depth = work
            work = (count, max(depth, messages // divisor // depth * depth), depth)
            for peer in servers:
                with Server(peer) as server:
                    samples.setdefault((count, depth, peer.name), []).append(run_once(server, work))
    return {
        key: tuple(statistics.median(column) for column in zip(*values))
        for key, values in samples.items()
    }


def rows(servers, figures):
    for count, _, depth in WORKS:
        cells = [f"{count} subscribers, P={depth}"]
        speeds = {}
        for peer in servers:
            speed, cpu = figures[count, depth, peer.name]
            speeds[peer.name] = speed
            cells.append(f"{speed / 1000:.0f}k; {cpu:.2f} us")
        others = [speed for name, speed in speeds.items() if name != "flashkv"]
        ratio = speeds.get("flashkv", 0) / max(others) if others else 0
        yield [*cells, f"{ratio:.2f}x"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--divisor", type=int, default=1, help="fewer messages by this factor")
    options = parser.parse_args()
    servers = find_servers()
    for peer in servers:
        print(f"{peer.name}: {peer.version()}")
    print(machine())
    figures = measure(servers, options.rounds, options.divisor)
    headers = ["deliveries per second; CPU each", *(peer.name for peer in servers), "ratio"]
    print(table(headers, rows(servers, figures)))


if __name__ == "__main__":
    main()
