"""Redis's own test suite, as it is run against FlashKV.

The suite is Debian's source package of redis 7.0.15. It is fetched once, at test time,
through apt, with a sources list of its own so that the machine's settings stay as they
are, and kept under target/conformance. Each run gets a copy with the changes of `adapt`.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
CACHE = TARGET / "conformance"
VERSION = "7.0.15"
MIRRORS = ["http://deb.debian.org/debian", "http://deb.debian.org/debian-security"]
SUITES = ["bookworm", "bookworm-security"]
# Seconds that a fetch may take.
FETCH_SECONDS_MAX = 240


class Unavailable(Exception):
    """The suite or a tool it needs cannot be had."""


def prepare(binary, own_servers):
    """The folder of a suite that tests `binary`; `own_servers` are units that start it."""
    source = fetch()
    suite = CACHE / "suite"
    shutil.rmtree(suite, ignore_errors=True)
    shutil.copytree(source / "tests", suite / "tests")
    shutil.copy2(source / "runtest", suite)
    adapt(suite / "tests", own_servers)
    link_tools(suite / "src", binary)
    return suite


def fetch():
    """The folder of the source package, fetched unless it is there."""
    source = CACHE / f"source-{VERSION}"
    if source.exists():
        return source
    for tool in ("apt-get", "dpkg-source"):
        if not shutil.which(tool):
            raise Unavailable(f"{tool} not installed")
    CACHE.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="fetch-", dir=CACHE))
    try:
        # Renamed when whole, so that an interrupted fetch leaves nothing that
        # looks like a suite.
        download(work).rename(source)
    except subprocess.TimeoutExpired as reason:
        raise Unavailable(str(reason)) from reason
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return source


def download(work):
    """Has apt unpack the source package into `work`; the folder that it unpacks."""
    for folder in ("lists/partial", "cache/archives/partial"):
        (work / folder).mkdir(parents=True)
    sources = work / "sources.list"
    sources.write_text(
        "".join(f"deb-src {url} {suite} main\n" for url, suite in zip(MIRRORS, SUITES))
    )
    apt = [
        "apt-get",
        "-o", f"Dir::Etc::sourcelist={sources}",
        "-o", "Dir::Etc::sourceparts=-",
        "-o", f"Dir::State::lists={work / 'lists'}",
        "-o", f"Dir::Cache={work / 'cache'}",
        "-o", "APT::Sandbox::User=",
    ]
    quiet = {"cwd": work, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    for step in (["update"], ["source", "redis"]):
        done = subprocess.run(apt + step, timeout=FETCH_SECONDS_MAX, check=False, **quiet)
        if done.returncode != 0:
            raise Unavailable(f"apt-get {' '.join(step)} failed:\n{done.stdout[-2000:]}")
    unpacked = work / f"redis-{VERSION}"
    if not unpacked.is_dir():
        raise Unavailable(f"the package is not redis {VERSION} any more")
    return unpacked


def link_tools(folder, binary):
    """The suite calls programs of its own build: the installed ones do, and for the
    server the binary that is tested."""
    folder.mkdir()
    (folder / "redis-server").symlink_to(Path(binary).resolve())
    for name in ("redis-cli", "redis-benchmark", "redis-check-aof", "redis-check-rdb"):
        installed = shutil.which(name)
        if not installed:
            raise Unavailable(f"{name} not installed")
        (folder / name).symlink_to(installed)


def adapt(tests, own_servers):
    """Changes to the suite, each with its reason."""
    # It empties the function library before each unit, which no unit that runs here needs
    # and which would end the unit on a server without functions.
    edit(tests / "support/server.tcl", "    r function flush\n", "    catch {r function flush}\n")
    for unit in own_servers:
        without_children(tests / f"{unit}.tcl")
    # These keep away from external servers only because they count what others may have
    # done there, or fill their memory: ours is fresh. One has Redis keep its reply buffers
    # as they are; ours are lent for a turn.
    for unit in ("info", "limits", "maxmemory", "obuf-limits", "client-eviction"):
        path = tests / f"unit/{unit}.tcl"
        text = path.read_text().replace('"external:skip"', "").replace("external:skip", "")
        path.write_text(re.sub(r"r debug replybuffer resizing \d", "", text))
    # Its parts each want a server of their own: they get its limits anew.
    parts = "start_server {} {\n"
    anew = """    r config set maxmemory-clients 0 client-output-buffer-limit "normal 0 0 0"\n"""
    edit(tests / "unit/client-eviction.tcl", parts, parts + anew)
    # This one counts the evictions of a server that nothing has been evicted from.
    loop = "test {client tracking don't cause eviction feedback loop} {\n"
    fresh = "        r flushall\n        r config resetstat\n"
    edit(tests / "unit/maxmemory.tcl", loop, loop + fresh)
    # It keeps away because its last part needs a replica, which is left out.
    first = 'start_server {tags {"pubsubshard%s"}} {\n    test "SPUBLISH/SSUBSCRIBE basics"'
    edit(tests / "unit/pubsubshard.tcl", first % " external:skip", first % "")


def without_children(path):
    """Redis forks children that write its files, and these units kill them; here the
    saver is told to fail. Children are counted, too: the files that they begin."""
    text = path.read_text()
    text = re.sub(r"exec kill -9 (\$pid\d|\[get_child_pid 0\])", "r debug fail-save", text)
    text = text.replace("[get_child_pid 0]", "[s process_id]")
    text = text.replace("[s total_forks]", "[expr {[s rdb_saves] + [s aof_rewrites]}]")
    path.write_text(text)


def edit(path, old, new):
    """Replaces `old` throughout; where it is missing the suite is another one."""
    text = path.read_text()
    if old not in text:
        raise Unavailable(f"{path.name} is not the one that this harness knows")
    path.write_text(text.replace(old, new))
