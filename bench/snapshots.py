#!/usr/bin/env python3
"""Saving and loading beside redis-server: how long each takes, and what a save in the
background does to others.

  save, load     the same keys in both servers, the same work, interleaved rounds
  disturbance    a stream of writes, a probe of one GET and one SET at a time beside it,
                 and a BGSAVE: the probe's worst times and the writers' throughput before
                 and during the save, and the memory that the save took
"""

import argparse
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from peers import find_servers

READY_SECONDS_MAX = 120


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.input = self.socket.makefile("rb")

    def send(self, *commands):
        out = bytearray()
        for words in commands:
            out += b"*%d\r\n" % len(words)
            for word in words:
                word = word if isinstance(word, bytes) else str(word).encode()
                out += b"$%d\r\n%s\r\n" % (len(word), word)
        self.socket.sendall(out)

    def read(self):
        line = self.input.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"$":
            size = int(rest)
            return None if size < 0 else self.input.read(size + 2)[:-2]
        if kind == b"*":
            return [self.read() for _ in range(int(rest))]
        return line[:-2]

    def call(self, *words):
        self.send(words)
        return self.read()

    def info(self, name):
        for line in self.call("INFO", "everything").split(b"\r\n"):
            if line.startswith(name.encode() + b":"):
                return line.partition(b":")[2].decode()
        return ""


class Server:
    def __init__(self, peer, directory, extra=()):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [peer.path, "--port", str(self.port), *peer.options, "--dir", directory, *extra]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=directory)
        self.started = time.monotonic()

    def ready(self):
        """Waits until it answers; how long that took since the start."""
        while time.monotonic() - self.started < READY_SECONDS_MAX:
            try:
                if Client(self.port).call("PING") == b"+PONG":
                    return time.monotonic() - self.started
            except OSError:
                pass
            time.sleep(0.005)
        raise SystemExit("a server does not start")

    def resident(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            line = next(line for line in status if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024

    def end(self):
        self.process.kill()
        self.process.wait()


def pipelined(client, commands, depth=500):
    pending = []
    for words in commands:
        pending.append(words)
        if len(pending) == depth:
            client.send(*pending)
            for _ in pending:
                client.read()
            pending = []
    client.send(*pending)
    for _ in pending:
        client.read()


def fill(client, kind, count):
    if kind == "strings":
        pipelined(client, (("SET", f"key:{n:012}", f"value:{n * 7919:026}") for n in range(count)))
    elif kind == "hashes":
        pipelined(client, (
            ("HSET", f"hash:{n}", *sum(((f"field:{i}", f"value:{n}:{i}") for i in range(10)), ()))
            for n in range(count)))
    elif kind == "lists":
        pipelined(client, (("RPUSH", f"list:{n}", *(f"e:{n}:{i}" for i in range(10))) for n in range(count)))
    elif kind == "sets":
        pipelined(client, (("SADD", f"set:{n}", *(f"m:{n}:{i}" for i in range(10))) for n in range(count)))
    elif kind == "zsets":
        pipelined(client, (
            ("ZADD", f"zset:{n}", *sum(((i * 1.5, f"m:{n}:{i}") for i in range(10)), ()))
            for n in range(count)))


def save_and_load(peers, kind, count, rounds):
    times = {peer.name: {"save": [], "load": []} for peer in peers}
    folders = {}
    for peer in peers:
        folders[peer.name] = tempfile.mkdtemp(prefix="bench-snapshots-")
        server = Server(peer, folders[peer.name])
        server.ready()
        client = Client(server.port)
        fill(client, kind, count)
        for _ in range(rounds):
            start = time.monotonic()
            client.call("SAVE")
            times[peer.name]["save"].append(time.monotonic() - start)
        server.end()
    for _ in range(rounds):
        for peer in peers:
            server = Server(peer, folders[peer.name])
            times[peer.name]["load"].append(server.ready())
            server.end()
    for peer in peers:
        size = os.path.getsize(os.path.join(folders[peer.name], "dump.rdb"))
        best = {what: min(found) for what, found in times[peer.name].items()}
        print(f"{kind:8} {count:8}  {peer.name:8} save {best['save']:6.3f} s  load {best['load']:6.3f} s"
              f"  file {size / 1e6:6.1f} MB", flush=True)
        shutil.rmtree(folders[peer.name])


def disturbance(peer, keys, seconds):
    folder = tempfile.mkdtemp(prefix="bench-snapshots-")
    server = Server(peer, folder)
    server.ready()
    client = Client(server.port)
    fill(client, "strings", keys)
    stop = threading.Event()
    written, worst = [0], {"GET": [], "SET": []}

    def probe():
        mine = Client(server.port)
        n = 0
        while not stop.is_set():
            n = (n + 7919) % keys
            for words in (("GET", f"key:{n:012}"), ("SET", f"key:{n:012}", "probe")):
                start = time.monotonic()
                mine.call(*words)
                worst[words[0]].append((time.monotonic() - start, start))

    load = subprocess.Popen(
        ["redis-benchmark", "-p", str(server.port), "-c", "10", "-P", "4", "-n", "1000000000",
         "-r", str(keys), "-q", "SET", "key:__rand_int__", "x" * 32],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    thread = threading.Thread(target=probe)
    thread.start()

    def rate(duration):
        before, start = int(client.info("total_commands_processed")), time.monotonic()
        time.sleep(duration)
        return (int(client.info("total_commands_processed")) - before) / (time.monotonic() - start)

    time.sleep(1)
    quiet = rate(seconds)
    resident = peak = server.resident()
    begun = time.monotonic()
    before = int(client.info("total_commands_processed"))
    client.call("BGSAVE")
    while client.info("rdb_bgsave_in_progress") == "1":
        peak = max(peak, server.resident())
        time.sleep(0.01)
    ended = time.monotonic()
    during = (int(client.info("total_commands_processed")) - before) / (ended - begun)
    stop.set()
    thread.join()
    load.kill()
    load.wait()

    def figures(found, low, high):
        times = sorted(took for took, at in found if low <= at < high) or [0]
        return f"p99 {times[int(len(times) * 0.99)] * 1e3:5.2f} max {times[-1] * 1e3:6.2f} ms"

    print(f"BGSAVE of {keys} under writes, {peer.name}: {ended - begun:.2f} s,"
          f" commands/s {quiet:.0f} before, {during:.0f} during ({during / quiet:.2f}x),"
          f" resident +{(peak / resident - 1) * 100:.0f} %")
    for what in ("GET", "SET"):
        print(f"  {what}: before {figures(worst[what], 0, begun)};"
              f" during {figures(worst[what], begun, ended)}", flush=True)
    server.end()
    shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", default="flashkv,redis")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--only", choices=["files", "disturbance"])
    parser.add_argument("--keys", type=int, default=1_000_000, help="for the disturbance")
    args = parser.parse_args()
    peers = [peer for peer in find_servers() if peer.name in args.servers.split(",")]
    if args.only != "disturbance":
        for kind, count in (("strings", 1_000_000), ("hashes", 100_000), ("lists", 100_000),
                            ("sets", 100_000), ("zsets", 100_000)):
            save_and_load(peers, kind, int(count * args.scale), args.rounds)
    if args.only != "files":
        for peer in peers:
            disturbance(peer, args.keys, 2)


if __name__ == "__main__":
    main()
