"""RQ with two workers and their scheduler: results, failures, retries, dependencies,
scheduled jobs, a job that is stopped by a command, one whose process dies.

Left out for want of scripts: `Queue.empty`, the one place where RQ has one.
"""

import sys
import time
from datetime import timedelta

import redis
from rq import Queue, Retry
from rq.command import send_shutdown_command, send_stop_job_command
from rq.job import Job, JobStatus
from rq.registry import FailedJobRegistry, FinishedJobRegistry, ScheduledJobRegistry
from rq.worker import Worker as RqWorker

from helpers import Worker, eventually
from rq_work import add, die, fail_twice, note, sleep

PORT, DIRECTORY = int(sys.argv[1]), sys.argv[2]
URL = f"redis://127.0.0.1:{PORT}"


def start_worker(name):
    command = ["-m", "rq.cli", "worker", "-u", URL, "--name", name, "--with-scheduler",
               "--path", ".", "high", "low"]
    return Worker(command, f"{DIRECTORY}/{name}.log")


def is_now(job, status):
    return lambda: job.get_status(refresh=True) == status


def results(high, low):
    jobs = [(high if n % 2 else low).enqueue(add, n, n) for n in range(30)]
    for n, job in enumerate(jobs):
        eventually(is_now(job, JobStatus.FINISHED), f"job {n}")
        assert job.return_value() == 2 * n
    assert len(high) == len(low) == 0
    assert set(job.id for job in jobs[1::2]) <= set(FinishedJobRegistry(queue=high).get_job_ids())


def failures(r, high):
    job = high.enqueue(add, 1, "no number")
    eventually(is_now(job, JobStatus.FAILED), "a failure")
    assert "TypeError" in job.latest_result().exc_string
    assert job.id in FailedJobRegistry(queue=high).get_job_ids()
    job = high.enqueue(fail_twice, PORT, "attempts", retry=Retry(max=3, interval=[0, 1]))
    eventually(is_now(job, JobStatus.FINISHED), "the third attempt")
    assert r.llen("attempts") == 3 and job.return_value() == "at last"
    job = high.enqueue(die)
    eventually(is_now(job, JobStatus.FAILED), "the end of a job that has killed itself")
    assert "terminated unexpectedly" in job.latest_result().exc_string


def dependencies(r, low):
    first = low.enqueue(sleep, 0.3)
    second = low.enqueue(note, PORT, "order", depends_on=first)
    third = low.enqueue(add, 1, 2, depends_on=[first, second])
    assert third.get_status() == JobStatus.DEFERRED
    eventually(is_now(third, JobStatus.FINISHED), "what depends on others")
    assert r.llen("order") == 1 and third.return_value() == 3


def scheduled(low):
    # RQ counts in whole seconds.
    asked = time.time()
    job = low.enqueue_in(timedelta(seconds=2), add, 20, 22)
    assert job.get_status() == JobStatus.SCHEDULED
    assert job.id in ScheduledJobRegistry(queue=low).get_job_ids()
    eventually(is_now(job, JobStatus.FINISHED), "a scheduled job")
    assert job.return_value() == 42 and time.time() >= asked + 1


def commands(r, high):
    job = high.enqueue(sleep, 600)
    eventually(is_now(job, JobStatus.STARTED), "a long job")
    send_stop_job_command(r, job.id)
    eventually(is_now(job, JobStatus.STOPPED), "its end")


def bulk(r, low):
    jobs = low.enqueue_many([Queue.prepare_data(add, (n, 1)) for n in range(100)])
    eventually(lambda: all(is_now(job, JobStatus.FINISHED)() for job in jobs), "many jobs")
    fetched = Job.fetch_many([job.id for job in jobs], connection=r)
    assert [job.return_value() for job in fetched] == list(range(1, 101))


def main():
    r = redis.Redis(port=PORT)
    high, low = Queue("high", connection=r), Queue("low", connection=r)
    with start_worker("one") as one, start_worker("two") as two:
        eventually(lambda: len(RqWorker.all(connection=r)) == 2, "two workers")
        for part, arguments in [(results, (high, low)), (failures, (r, high)),
                                (dependencies, (r, low)), (scheduled, (low,)),
                                (commands, (r, high)), (bulk, (r, low))]:
            print(part.__name__, flush=True)
            part(*arguments)
        print("shutdown", flush=True)
        send_shutdown_command(r, "one")
        assert one.process.wait(60) == 0 and two.stop() == 0
        eventually(lambda: not RqWorker.all(connection=r), "nobody is registered any more")


if __name__ == "__main__":
    main()
