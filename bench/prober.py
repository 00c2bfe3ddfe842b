"""A client of its own process that sends one small command after another at a fixed pace
and notes how long each reply takes: what others feel while a server is at something
long. A stall of any length is met by a request that was sent at most one period after
it began.
"""

import multiprocessing
import os
import sys
import time

from peers import Connection

PROBES_PER_SECOND = 2000
SECONDS_MAX = 120
ANSWER_SECONDS_MAX = 30


def raise_priority():
    """The delay of a prober that waits for a processor is not the server's. A real-time
    one never does: others, whatever their priority, may use up a slice of 3 ms first."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except (AttributeError, PermissionError):
        print("  the prober runs at normal priority: its own delays count", file=sys.stderr)


class Prober:
    """Probes between `start` and `stop`, with the commands of `kinds` in turns: each a
    name and a function that makes an encoded command."""

    def __init__(self, port, kinds):
        self.ready, self.ended = multiprocessing.Event(), multiprocessing.Event()
        self.out = multiprocessing.Queue()
        self.process = multiprocessing.Process(target=self.run, args=(port, kinds))

    def start(self):
        self.process.start()
        if not self.ready.wait(ANSWER_SECONDS_MAX):
            raise SystemExit("the prober does not start")

    def stop(self):
        """The worst reply in milliseconds, by the names of the kinds."""
        self.ended.set()
        worst = self.out.get(timeout=ANSWER_SECONDS_MAX)
        self.process.join()
        return {name: seconds * 1000 for name, seconds in worst.items()}

    def run(self, port, kinds):
        worst = {name: 0.0 for name, _ in kinds}
        raise_priority()
        with Connection(port) as client:
            client.command("PING")
            self.ready.set()
            due = time.monotonic()
            end = due + SECONDS_MAX
            turn = 0
            while due < end and not self.ended.is_set():
                name, make = kinds[turn % len(kinds)]
                turn += 1
                time.sleep(max(0.0, due - time.monotonic()))
                request = make()
                sent = time.monotonic()
                client.send(request)
                client.reply()
                worst[name] = max(worst[name], time.monotonic() - sent)
                # What a stall has delayed is not made up for: a slow prober would
                # then measure its own backlog.
                due = max(due, sent) + 1 / PROBES_PER_SECOND
        self.out.put(worst)
