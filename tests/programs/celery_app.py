"""The application of `celery_tasks`, for its workers and for who asks them."""

import os
import time

import redis
import redis.client
from celery import Celery

from helpers import WatchLock

# The lock under which kombu gives lost messages back is redis-py's, with scripts.
redis.client.Lock = WatchLock

URL = f"redis://127.0.0.1:{os.environ['BROKER_PORT']}"
# After so many seconds a message that was not acknowledged is somebody else's.
VISIBILITY_SECONDS = 3

app = Celery("celery_app", broker=f"{URL}/0", backend=f"{URL}/1")
app.conf.update(
    broker_transport_options={"visibility_timeout": VISIBILITY_SECONDS, "priority_steps": [0, 5]},
    result_backend_transport_options={"visibility_timeout": VISIBILITY_SECONDS},
    broker_connection_retry_on_startup=True,
    task_track_started=True,
    worker_prefetch_multiplier=1,
)


def store():
    return redis.Redis.from_url(f"{URL}/2")


@app.task
def add(a, b):
    return a + b


@app.task
def total(numbers):
    return sum(numbers)


@app.task
def fail():
    raise ValueError("on purpose")


@app.task(bind=True, autoretry_for=(KeyError,), max_retries=5, default_retry_delay=0.2)
def fail_twice(self, key):
    if store().incr(key) < 3:
        raise KeyError("not yet")
    return self.request.retries


@app.task
def now():
    return time.time()


@app.task(acks_late=True)
def wait_for(key, started):
    """Ends when the key is there."""
    own = store()
    own.rpush(started, os.getpid())
    while not own.exists(key):
        time.sleep(0.05)
    return "done"
