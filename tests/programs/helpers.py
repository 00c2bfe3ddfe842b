"""What the programs share: waiting with a deadline, workers, a lock without scripts."""

import os
import signal
import subprocess
import sys
import time

from redis.exceptions import LockNotOwnedError, WatchError
from redis.lock import Lock

WAIT_SECONDS_MAX = 60


def eventually(found, what, seconds=WAIT_SECONDS_MAX):
    """What `found` returns as soon as that is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = found()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError(f"in vain for {seconds} s: {what}")


class Worker:
    """A worker's process and its children, in a group of their own."""

    def __init__(self, arguments, log, **environment):
        with open(log, "a") as output:
            self.process = subprocess.Popen(
                [sys.executable, *arguments], stdout=output, stderr=output,
                env=os.environ | environment, process_group=0,
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        """Ends all of it without a warning."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def stop(self):
        """Asks it to finish; how it has ended."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(WAIT_SECONDS_MAX)


class WatchLock(Lock):
    """redis-py's lock with WATCH where it has scripts, which this server has none of yet:
    who gives a lock back or prolongs it makes sure that way that it is its own."""

    def register_scripts(self):
        pass

    def do_release(self, expected_token):
        self.if_own(expected_token, lambda pipe, _ttl_ms: pipe.delete(self.name))

    def do_extend(self, additional_time, replace_ttl):
        more_ms = int(additional_time * 1000)
        self.if_own(
            self.local.token,
            lambda pipe, ttl_ms: pipe.pexpire(self.name, more_ms + (0 if replace_ttl else ttl_ms)),
        )
        return True

    def do_reacquire(self):
        own_ms = int(self.timeout * 1000)
        self.if_own(self.local.token, lambda pipe, _ttl_ms: pipe.pexpire(self.name, own_ms))
        return True

    def if_own(self, token, change):
        with self.redis.pipeline() as pipe:
            try:
                pipe.watch(self.name)
                if pipe.get(self.name) != token:
                    raise LockNotOwnedError("the lock is somebody else's by now")
                ttl_ms = pipe.pttl(self.name)
                pipe.multi()
                change(pipe, ttl_ms)
                pipe.execute()
            except WatchError:
                raise LockNotOwnedError("the lock has just been lost") from None
