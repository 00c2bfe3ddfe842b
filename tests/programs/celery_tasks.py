"""A Celery worker with Redis as its broker and for its results, as people run it: groups,
chains and chords, retries, a countdown, priorities, remote control, a worker that is
killed while it works on a task, and its successor that is given the task again.

Without scripts: the lock in which kombu gives lost messages back is replaced
(celery_app); all else is Celery's own.
"""

import os
import sys
import time

PORT, DIRECTORY = int(sys.argv[1]), sys.argv[2]
os.environ["BROKER_PORT"] = str(PORT)

import redis
from celery import chain, chord, group

from celery_app import VISIBILITY_SECONDS, add, app, fail, fail_twice, now, store, total, wait_for
from helpers import Worker, eventually

RESULT_SECONDS_MAX = 60


def start_worker(name):
    command = ["-m", "celery", "-A", "celery_app", "worker", "-c", "2", "-n", name, "-l", "INFO"]
    worker = Worker(command, f"{DIRECTORY}/{name}.log", BROKER_PORT=str(PORT))
    eventually(lambda: app.control.ping(timeout=0.5), f"{name} answers")
    return worker


def result(asked):
    return asked.get(timeout=RESULT_SECONDS_MAX)


def results():
    assert result(add.delay(2, 3)) == 5
    asked = [add.delay(n, n) for n in range(50)]
    assert [result(one) for one in asked] == [2 * n for n in range(50)]
    failed = fail.delay()
    try:
        result(failed)
    except ValueError as error:
        assert str(error) == "on purpose"
    assert failed.state == "FAILURE" and "ValueError" in failed.traceback
    ignored = add.apply_async((1, 2), ignore_result=True)
    assert ignored.state == "PENDING"


def workflows():
    assert result(group(add.s(n, 1) for n in range(20))()) == list(range(1, 21))
    assert result(chain(add.s(1, 1), add.s(10), add.s(100))()) == 112
    assert result(chord((add.s(n, n) for n in range(20)), total.s())()) == 380


def retries_and_times():
    asked = fail_twice.delay("attempts")
    assert result(asked) == 2 and int(store().get("attempts")) == 3
    began = time.time()
    assert result(now.apply_async(countdown=1)) >= began + 1
    assert result(add.apply_async((1, 1), expires=60, priority=5)) == 2


def control():
    names = list(app.control.inspect(timeout=5).registered())
    assert names == ["celery@first"], names
    queues = app.control.inspect(timeout=5).active_queues()
    assert queues[names[0]][0]["name"] == "celery"
    asked = wait_for.delay("never", "revoked-started")
    eventually(lambda: store().llen("revoked-started"), "the task")
    asked.revoke(terminate=True)
    eventually(lambda: asked.state == "REVOKED", "its end")


def killed(broker, worker):
    """A task that was not acknowledged is given to the next worker."""
    asked = wait_for.delay("go", "started")
    eventually(lambda: store().llen("started") == 1, "the task")
    assert broker.hlen("unacked") == broker.zcard("unacked_index") == 1
    worker.kill()
    assert asked.state == "STARTED"
    lost_at = broker.zrange("unacked_index", 0, -1, withscores=True)[0][1]
    eventually(lambda: time.time() > lost_at + VISIBILITY_SECONDS, "the message counts as lost")
    with start_worker("second") as second:
        eventually(lambda: store().llen("started") == 2, "the task once more")
        store().set("go", 1)
        assert result(asked) == "done"
        eventually(lambda: broker.hlen("unacked") == 0, "an acknowledgement")
        assert second.stop() == 0


def main():
    broker = redis.Redis(port=PORT)
    with start_worker("first") as first:
        for part in (results, workflows, retries_and_times, control):
            print(part.__name__, flush=True)
            part()
        print("killed", flush=True)
        killed(broker, first)
    assert broker.llen("celery") == 0


if __name__ == "__main__":
    main()
