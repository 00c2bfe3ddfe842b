"""Runs the programs one after the other, each against a server of its own.

    FLASHKV=path tests/programs/run.py [name ...]

FLASHKV may be a redis-server, which has to pass, too. What a program and its workers
print is shown when it fails.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAMS = ["redis_client", "redis_async", "rq_jobs", "celery_tasks"]
PROGRAM_SECONDS_MAX = 150
START_SECONDS_MAX = 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(directory):
    """A server that accepts connections, and its port."""
    port = free_port()
    with open(Path(directory) / "server.log", "w") as log:
        server = subprocess.Popen(
            [os.environ["FLASHKV"], "--port", str(port), "--save", ""],
            cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return server, port
        except OSError:
            time.sleep(0.02)
    server.kill()
    raise SystemExit("the server does not start:\n" + (Path(directory) / "server.log").read_text())


def end_session(leader):
    """Ends what a program has left running, in whatever process groups."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # Behind the name in brackets: state, parent, group, session.
            session = int(stat.read_text().rpartition(")")[2].split()[3])
            if session == leader:
                os.kill(int(stat.parent.name), signal.SIGKILL)
        except OSError:
            pass


def run(name):
    """Whether one program has ended well."""
    directory = tempfile.mkdtemp(prefix="flashkv-programs-")
    server, port = start(directory)
    began = time.monotonic()
    try:
        # A session of its own, so that what it has left running can be ended.
        with open(Path(directory) / "output.log", "w") as output:
            program = subprocess.Popen(
                [sys.executable, str(HERE / f"{name}.py"), str(port), directory],
                cwd=HERE, stdout=output, stderr=output, start_new_session=True,
            )
        try:
            status = program.wait(PROGRAM_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            status = f"no end after {PROGRAM_SECONDS_MAX} s"
        end_session(program.pid)
        program.wait()
        well = status == 0 and server.poll() is None
        print(f"{name}: {'ok' if well else status}, {time.monotonic() - began:.1f} s", flush=True)
        if not well:
            for log in sorted(Path(directory).glob("*.log")):
                print(f"--- {log.name}\n{log.read_text(errors='replace')[-8000:]}")
        return well
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(directory, ignore_errors=True)


def main():
    if not os.access(os.environ.get("FLASHKV", ""), os.X_OK):
        raise SystemExit("FLASHKV has to name the server's binary")
    failed = [name for name in sys.argv[1:] or PROGRAMS if not run(name)]
    if failed:
        raise SystemExit(f"failed: {' '.join(failed)}")


if __name__ == "__main__":
    main()
