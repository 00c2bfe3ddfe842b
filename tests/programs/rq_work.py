"""What RQ's workers are given to do (`rq_jobs`)."""

import os
import signal
import time


def add(a, b):
    return a + b


def note(connection_port, key):
    """Writes that it has run, through a connection of its own."""
    import redis

    redis.Redis(port=connection_port).rpush(key, os.getpid())


def fail_twice(connection_port, key):
    note(connection_port, key)
    import redis

    if redis.Redis(port=connection_port).llen(key) < 3:
        raise ValueError("not yet")
    return "at last"


def sleep(seconds):
    time.sleep(seconds)


def die():
    os.kill(os.getpid(), signal.SIGKILL)
