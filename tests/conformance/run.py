#!/usr/bin/env python3
"""Runs Redis's own test suite against FlashKV.

Most units run in external mode, each against a fresh server, because units change
settings and external mode does not put all of them back. Those that are about files start
our binary themselves, as redis-server. suite.py says where the suite is from and what is
changed in it; what is left out stands in skip.txt, with reasons.

Three settings are ours: --ignore-encoding, because 7.2 calls a small list
"listpack" where 7.0 says "quicklist"; --durable, so that an unexpected error
fails its test instead of ending the unit; and enable-debug-command on the
server, because many tests use DEBUG SLEEP and SET-ACTIVE-EXPIRE.

The exit code is 1 when a test fails, a unit breaks off or runs out of time, and
2 when the suite cannot be had.
"""

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from suite import CACHE, TARGET, Unavailable, prepare

HERE = Path(__file__).resolve().parent

UNITS = [
    "unit/type/string",
    "unit/type/incr",
    "unit/type/list",
    "unit/type/list-2",
    "unit/type/list-3",
    "unit/bitops",
    "unit/bitfield",
    "unit/hyperloglog",
    "unit/type/zset",
    "unit/type/hash",
    "unit/type/set",
    "unit/type/stream",
    "unit/type/stream-cgroups",
    "unit/keyspace",
    "unit/expire",
    "unit/scan",
    "unit/sort",
    "unit/dump",
    "unit/protocol",
    "unit/info",
    "unit/limits",
    "unit/introspection",
    "unit/introspection-2",
    "unit/slowlog",
    "unit/latency-monitor",
    "unit/pause",
    "unit/quit",
    "unit/querybuf",
    "unit/geo",
    "unit/other",
    "unit/multi",
    "unit/pubsub",
    "unit/pubsubshard",
    "unit/tracking",
    "unit/maxmemory",
    "unit/client-eviction",
    "unit/obuf-limits",
    "unit/lazyfree",
]

# Units that start servers themselves, again and again, over files that they prepare.
OWN_SERVERS = [
    "unit/aofrw",
    "integration/aof",
    "integration/aof-multi-part",
    "integration/rdb",
    "integration/convert-zipmap-hash-on-load",
    "integration/convert-ziplist-hash-on-load",
    "integration/convert-ziplist-zset-on-load",
]
# Checksums are lines in the log; these units compare its lines with what they expect.
OWN_CONFIG = ["--config", "aof-checksum", "no"]

# Seconds that one unit may take; the longest needs about 60 on a slow machine.
UNIT_SECONDS_MAX = 300
# Seconds that the server may take to answer its first PING.
START_SECONDS_MAX = 20
# What is shown of a server's log.
LOG_BYTES_MAX = 4000

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
OUTCOME = re.compile(r"^\[(ok|err|skip|ignore|exception|timeout)\]: (.*)$")
TOOK = re.compile(r" \(\d+ ms\)$")


def read_skips(path):
    """The skip list as (patterns, tags); a line without a reason is an error."""
    patterns, tags, reasoned = [], [], False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.strip()
        if line.startswith("#"):
            reasoned = True
        elif not line:
            reasoned = False
        elif not reasoned:
            raise SystemExit(f"{path}:{number}: no reason given for: {line}")
        elif line.startswith("tags "):
            tags.append(line.removeprefix("tags "))
        else:
            patterns.append(line)
    return patterns, tags


class Server:
    """A fresh server for one unit, ended by its pid."""

    def __init__(self, binary):
        self.dir = tempfile.mkdtemp(prefix="flashkv-conformance-")
        self.log_path = Path(self.dir) / "server.log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [binary, "--port", str(self.port), "--enable-debug-command", "yes"]
        command += ["--save", ""]
        with self.log_path.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def __enter__(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as client:
                    client.settimeout(5)
                    client.sendall(b"PING\r\n")
                    if client.recv(64).startswith(b"+PONG"):
                        return self
            except OSError:
                pass
            time.sleep(0.02)
        log = self.log()
        self.__exit__()
        raise SystemExit(f"the server does not start:\n{log}")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def log(self):
        return self.log_path.read_text(errors="replace")[-LOG_BYTES_MAX:]


def run_unit(suite, unit, options, skipfile, tags):
    """The suite's output for one unit and whether it came to its end."""
    command = ["./runtest", "--single", unit, *options]
    command += ["--skipfile", str(skipfile), "--ignore-encoding", "--durable"]
    if tags:
        command += ["--tags", " ".join(tags)]
    # A group of its own, so that a unit that hangs goes with its children.
    process = subprocess.Popen(
        command, cwd=suite, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=UNIT_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        output, _ = process.communicate()
    output = COLOUR.sub("", output)
    return output, "[1/1 done]" in output


def run_external(suite, unit, binary, skipfile, tags):
    """As `run_unit`, against a server of ours; and the end of that server's log."""
    with Server(binary) as server:
        options = ["--host", "127.0.0.1", "--port", str(server.port)]
        return *run_unit(suite, unit, options, skipfile, tags), server.log()


def run_own(suite, unit, skipfile, tags):
    """As `run_unit`, of a unit that starts its servers; and the end of the last one's log."""
    options = ["--clients", "1", "--dont-clean", *OWN_CONFIG]
    outcome = run_unit(suite, unit, options, skipfile, tags)
    folder = suite / "tests" / "tmp"
    logs = sorted(folder.glob("*/stdout"), key=lambda path: path.stat().st_mtime)
    log = logs[-1].read_text(errors="replace")[-LOG_BYTES_MAX:] if logs else ""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return *outcome, log


def outcomes(output):
    """Pairs of outcome and test name."""
    for line in output.splitlines():
        found = OUTCOME.match(line)
        if found:
            yield found[1], TOOK.sub("", found[2])


def matches(pattern, name):
    if pattern.startswith("/"):
        return re.search(pattern[1:], name) is not None
    return pattern == name


def context(output, lines=25):
    return "\n".join("    " + line for line in output.splitlines()[-lines:])


class Totals:
    """What all units together have shown."""

    def __init__(self):
        self.passed, self.failed, self.skipped, self.ignored = 0, [], [], 0

    def add(self, unit, output, whole, log):
        counts = {"ok": 0, "err": 0, "skip": 0, "ignore": 0}
        for outcome, name in outcomes(output):
            if outcome == "skip":
                self.skipped.append(name)
            elif outcome in ("err", "exception", "timeout"):
                self.failed.append(f"{unit}: {name}")
                outcome = "err"
            counts[outcome] += 1
        self.passed += counts["ok"]
        self.ignored += counts["ignore"]
        if not whole:
            self.failed.append(f"{unit}: broke off or ran out of time")
            print(f"  the end of its output:\n{context(output)}")
            print(f"  the end of the server's log:\n{context(log)}")
        elif counts["err"]:
            print(failures(output))
        return counts

    def stale(self, patterns):
        return [p for p in patterns if not any(matches(p, name) for name in self.skipped)]


def failures(output):
    """The lines of each failed test."""
    lines = output.splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith(("[err]", "[exception]"))]
    return "\n".join("    " + line for start in starts for line in lines[start : start + 4])


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", default=os.environ.get("FLASHKV_TEST_SERVER") or os.environ.get("FLASHKV"),
                        help="the server's binary (default: the release build)")
    parser.add_argument("--unit", action="append", help="only this unit; repeatable")
    parser.add_argument("--no-skips", action="store_true", help="run what skip.txt names, too")
    parser.add_argument("--verbose", action="store_true", help="show the suite's own output")
    return parser.parse_args()


def default_server():
    for profile in ("release", "fast", "debug"):
        binary = TARGET / profile / "flashkv"
        if binary.exists():
            return str(binary)
    raise SystemExit("no flashkv binary: run `cargo build --release` first")


def main():
    options = parse_options()
    binary = options.server or default_server()
    try:
        suite = prepare(binary, OWN_SERVERS)
    except Unavailable as reason:
        print(f"skipped: {reason}")
        return 2 if os.environ.get("CI") else 0
    patterns, tags = ([], []) if options.no_skips else read_skips(HERE / "skip.txt")
    skipfile = CACHE / "skip-names.txt"
    skipfile.write_text("".join(pattern + "\n" for pattern in patterns))
    totals = Totals()
    for unit in options.unit or UNITS + OWN_SERVERS:
        started = time.monotonic()
        if unit in OWN_SERVERS:
            output, whole, log = run_own(suite, unit, skipfile, tags)
        else:
            output, whole, log = run_external(suite, unit, binary, skipfile, tags)
        if options.verbose:
            print(output)
        counts = totals.add(unit, output, whole, log)
        took = time.monotonic() - started
        print(f"{unit}: {counts['ok']} passed, {counts['err']} failed, "
              f"{counts['skip']} skipped ({took:.0f} s)", flush=True)
    if not options.unit:
        for pattern in totals.stale(patterns):
            print(f"note: no test matches this line of skip.txt: {pattern}")
    for failure in totals.failed:
        print(f"FAILED {failure}")
    print(f"conformance: {totals.passed} passed, {len(totals.failed)} failed, "
          f"{len(totals.skipped)} skipped, {totals.ignored} not for an external server")
    return 1 if totals.failed else 0


if __name__ == "__main__":
    sys.exit(main())
