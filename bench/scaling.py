#!/usr/bin/env python3
"""A model of the threads: what limits FlashKV at 2 to 64 cores, in figures.

A discrete-event simulation of one reactor, its workers and the 64 locks, in the shape
of the code: turns of at most 256 batches, groups of 32 commands that lock all their
shards at once, light work spread as exec/policy.rs says, workers that spin and then
park, replies written by whoever ran the batch. Clients are on other machines and
answer at once. The costs are the constants below, each with its source. It is
deterministic: the same seed prints the same tables. docs/SCALING.md shows them and
says what follows.

    bench/scaling.py             all tables, some minutes
    bench/scaling.py --fit       only the costs against the measurements
    bench/scaling.py --write docs/SCALING.md   put the tables into the document
"""

import argparse
import heapq
import random
from collections import deque
from math import comb
from typing import NamedTuple

from peers import table

# From the code.
SHARDS = 64                # store/keyspace.rs
GROUP_MAX = 32             # exec/run.rs
BATCHES_MAX = 256          # net/reactor.rs
SPREAD_COMMANDS = 1024     # exec/policy.rs
SPREAD_CORES = 4           # exec/policy.rs
WORKERS_DEFAULT_MAX = 8    # boot.rs
SPIN_US = 50               # the default of spin-us
WORKER_SPIN_US = 10        # exec/pool.rs: SPINS, "some ten microseconds"

# From exec/policy.rs, measured: what a hand-over costs the reactor, and how long a
# parked thread takes to run.
HANDOVER_US = 1.0
WAKE_US = (15.0, 36.0)

# Not measured, chosen: taking a finished batch back; a lock word whose cache line
# another core had last, taken and given back; a waiter of a lock that is let in; the
# way to a client and back.
COMPLETE_US = 0.5
LOCK_LINE_US = 0.1
LOCK_PASS_US = 2.0
NETWORK_US = 50.0

# A turn of 256 pipelines of 64 takes 6 ms, so that the ends of the window matter little.
WARM_US, END_US = 10_000, 90_000


class Machine(NamedTuple):
    """Costs of system calls in microseconds: an event with its share of the poll, a
    read, and a write, which includes waking the client."""
    name: str
    event: float
    read: float
    write: float

    def calls(self):
        return self.event + self.read + self.write


class Work(NamedTuple):
    """Costs of a command in microseconds, and whether it takes locks for writing."""
    name: str
    parse: float
    run: float
    writes: bool


# RESULTS.md: 13.9 us per GET at P=1 and 0.347 at P=64 are two equations for the calls
# of a batch and the rest of a command. How the calls divide is from a loop of
# epoll_wait, recv and send over loopback on the same machine: 2.4, 2.3 and 10.2 us,
# where the poll is shared by the events of a turn.
VIRTUAL = Machine("this virtual machine", 0.8, 2.4, 10.5)
# Chosen: the same at the prices of a machine without a hypervisor.
METAL = Machine("bare metal, assumed", 0.2, 0.7, 2.7)

GET = Work("GET", 0.03, 0.10, False)
SET = Work("SET", 0.03, 0.33, True)

# RESULTS.md, "CPU us/req".
MEASURED = {
    "GET": {1: 13.920, 16: 1.033, 64: 0.347},
    "SET": {1: 12.660, 16: 1.157, 64: 0.560},
}


class Case(NamedTuple):
    """What is simulated."""
    cores: int
    workers: int
    pipeline: int
    work: Work
    machine: Machine
    clients: int
    dispatch: str = "adaptive"


class Process:
    """A thread: a generator that yields how long it goes on, or None to be resumed
    by another."""

    def __init__(self, body):
        self.busy = 0.0
        self.steps = body(self)

    def works(self, us):
        self.busy += us
        return us


class Clock:
    """Simulated time, and who goes on when."""

    def __init__(self):
        self.now, self.count, self.heap = 0.0, 0, []

    def after(self, us, process):
        self.call(us, self.step, process)

    def call(self, us, action, argument):
        self.count += 1
        heapq.heappush(self.heap, (self.now + us, self.count, action, argument))

    def step(self, process):
        us = next(process.steps)
        if us is not None:
            self.after(us, process)

    def run(self, until):
        while self.heap and self.heap[0][0] <= until:
            self.now, _, action, argument = heapq.heappop(self.heap)
            action(argument)


class Locks:
    """The shards' locks as writers see them; readers share and never wait."""

    def __init__(self, clock):
        self.clock = clock
        self.held = [False] * SHARDS
        self.waiting = [deque() for _ in range(SHARDS)]

    def acquire(self, process, shards):
        """Waits for each in ascending order, holding those before it."""
        for shard in sorted(shards):
            if self.held[shard]:
                self.waiting[shard].append(process)
                yield None
            self.held[shard] = True

    def release(self, shards):
        for shard in shards:
            if self.waiting[shard]:
                self.clock.after(LOCK_PASS_US, self.waiting[shard].popleft())
            else:
                self.held[shard] = False


class Connection:
    def __init__(self):
        self.left = 0
        self.away = False
        self.waits = False


class Simulation:
    def __init__(self, case, seed=1):
        self.case, self.random = case, random.Random(seed)
        self.clock = Clock()
        self.locks = Locks(self.clock)
        self.ready, self.finished, self.queue = deque(), [], deque()
        self.asleep_since = None
        self.parked, self.notifiable = 0, []
        self.answered = self.handed_over = self.refused = 0
        self.reactor = Process(self.run_reactor)
        threads = min(case.workers + 1, max(1, case.cores - 1))
        self.workers = [Process(self.run_worker) for _ in range(threads)]
        for process in [self.reactor, *self.workers]:
            self.clock.after(0, process)
        for _ in range(case.clients):
            self.clock.call(self.random.uniform(0, NETWORK_US), self.arrive, Connection())

    # Clients.

    def arrive(self, conn):
        """A pipeline has come; while the batch is away it waits in the kernel."""
        conn.left = self.case.pipeline
        if conn.away:
            conn.waits = True
        else:
            self.ready.append(conn)
            self.wake_reactor()

    def answer(self, conn):
        if self.clock.now > WARM_US:
            self.answered += self.case.pipeline
        self.clock.call(NETWORK_US, self.arrive, conn)

    # The reactor.

    def wake_reactor(self):
        """Whether it was asleep; one that spins is there at once."""
        if self.asleep_since is None:
            return False
        slept = self.clock.now - self.asleep_since > SPIN_US
        self.asleep_since = None
        self.clock.after(self.random.uniform(*WAKE_US) if slept else 0, self.reactor)
        return slept

    def run_reactor(self, me):
        machine, work, pipeline = self.case.machine, self.case.work, self.case.pipeline
        while True:
            if not self.ready and not self.finished:
                self.asleep_since = self.clock.now
                yield None
            finished, self.finished = self.finished, []
            for conn in finished:
                yield me.works(COMPLETE_US)
                conn.away = False
                if conn.waits:
                    conn.waits = False
                    self.ready.append(conn)
            commands, turn = 0, []
            for _ in range(min(len(self.ready), BATCHES_MAX)):
                conn = self.ready.popleft()
                yield me.works(machine.event + machine.read + pipeline * work.parse)
                commands += pipeline
                if self.spreads(commands):
                    yield from self.hand_over(me, conn)
                else:
                    turn.append(conn)
            yield from self.run_light(me, turn)
            for conn in turn:
                if conn.left:
                    self.refused += 1
                    yield from self.hand_over(me, conn)
                else:
                    yield me.works(machine.write)
                    self.answer(conn)

    def spreads(self, commands):
        """exec/policy.rs."""
        if self.case.dispatch == "pool":
            return True
        return (self.case.dispatch == "adaptive" and self.case.cores >= SPREAD_CORES
                and commands >= SPREAD_COMMANDS and self.parked > 0)

    def run_light(self, me, turn):
        """Groups over all batches of the turn; a held shard ends its batch here."""
        refused = set()
        commands = [conn for conn in turn for _ in range(conn.left)]
        for first in range(0, len(commands), GROUP_MAX):
            group = commands[first:first + GROUP_MAX]
            planned = [(conn, self.random.randrange(SHARDS)) for conn in group]
            held = self.locks.held if self.case.work.writes else [False] * SHARDS
            free = {shard for _, shard in planned if not held[shard]}
            self.hold(free)
            done = 0
            for conn, shard in planned:
                if shard not in free:
                    refused.add(conn)
                elif conn not in refused:
                    conn.left -= 1
                    done += 1
            yield me.works(done * self.case.work.run)
            self.let_go(free)

    def hold(self, shards):
        if self.case.work.writes:
            for shard in shards:
                self.locks.held[shard] = True

    def let_go(self, shards):
        if self.case.work.writes:
            self.locks.release(shards)

    # The pool.

    def hand_over(self, me, conn):
        yield me.works(HANDOVER_US)
        conn.away = True
        self.handed_over += 1
        self.queue.append(conn)
        if self.notifiable:
            self.clock.after(self.random.uniform(*WAKE_US), self.notifiable.pop())

    def run_worker(self, me):
        while True:
            for _ in range(WORKER_SPIN_US):
                if self.queue:
                    break
                yield 1.0
            if not self.queue:
                self.parked += 1
                self.notifiable.append(me)
                yield None
                self.parked -= 1
                continue
            conn = self.queue.popleft()
            yield from self.run_pooled(me, conn)
            yield me.works(self.case.machine.write)
            self.answer(conn)
            self.finished.append(conn)
            if self.wake_reactor():
                yield me.works(HANDOVER_US)

    def run_pooled(self, me, conn):
        work = self.case.work
        while conn.left:
            count = min(conn.left, GROUP_MAX)
            shards = {self.random.randrange(SHARDS) for _ in range(count)}
            if work.writes:
                yield from self.locks.acquire(me, shards)
            yield me.works(count * work.run + len(shards) * LOCK_LINE_US)
            self.let_go(shards)
            conn.left -= count

    def run(self):
        """Requests per microsecond, and how busy reactor and workers were."""
        self.clock.run(END_US)
        workers = sum(process.busy for process in self.workers)
        return Outcome(self.answered / (END_US - WARM_US), self.reactor.busy / END_US,
                       workers / END_US, self.handed_over, self.refused)


class Outcome(NamedTuple):
    per_us: float
    reactor: float
    workers: float
    handed_over: int
    refused: int

    def cell(self):
        """Throughput, the reactor's share of time at work, and busy workers."""
        return f"{millions(self.per_us)} ({100 * self.reactor:.0f} %, {self.workers:.1f})"


def millions(per_us):
    """Requests per microsecond, three digits of it."""
    return f"{per_us:.3f}" if per_us < 1 else f"{per_us:.2f}"


def inline_us(machine, work, pipeline):
    """What a request costs a reactor that does everything."""
    return machine.calls() / pipeline + work.parse + work.run


def reading_us(machine, work, pipeline):
    """What is left to a reactor that hands everything over."""
    batch = machine.event + machine.read + HANDOVER_US + COMPLETE_US
    return batch / pipeline + work.parse


def fit_table():
    rows = []
    for work in (GET, SET):
        for pipeline, measured in MEASURED[work.name].items():
            model = inline_us(VIRTUAL, work, pipeline)
            rows.append([f"{work.name} P={pipeline}", f"{measured:.3f}", f"{model:.3f}",
                         f"{100 * (model / measured - 1):+.0f} %"])
    return table(["work", "measured us", "model us", "off by"], rows)


def limits_table():
    rows = []
    for machine in (VIRTUAL, METAL):
        for work in (GET, SET):
            for pipeline in (1, 16, 64):
                rows.append([f"{work.name} P={pipeline}, {machine.name}",
                             millions(1 / inline_us(machine, work, pipeline)),
                             millions(1 / reading_us(machine, work, pipeline))])
    return table(["work", "runs all itself", "hands all over"], rows)


def threads():
    """Cores and workers: the default ones, and all that 64 cores allow."""
    for cores in (2, 4, 8, 16, 64):
        yield cores, min(max(1, cores - 1), WORKERS_DEFAULT_MAX)
    yield 64, 63


def scaling_table(work, machine, clients, dispatch="adaptive"):
    rows = []
    for cores, workers in threads():
        cells = [Simulation(Case(cores, workers, pipeline, work, machine, clients,
                                 dispatch)).run().cell() for pipeline in (1, 16, 64)]
        rows.append([cores, workers, *cells])
    return table(["cores", "workers", "P=1", "P=16", "P=64"], rows)


def shards_of(commands):
    """How many different shards so many random keys have, on average."""
    return SHARDS * (1 - (1 - 1 / SHARDS) ** commands)


def collides(commands):
    """Probability that two groups of so many random keys share a shard."""
    count = round(shards_of(commands))
    return 1 - comb(SHARDS - count, count) / comb(SHARDS, count)


def collision_table():
    rows = []
    for commands in (1, 2, 4, 8, 16, 32):
        one = collides(commands)
        of = [f"{100 * (1 - (1 - one) ** (threads - 1)):.0f} %" for threads in (2, 8, 16, 64)]
        speed = [f"{speed_up(threads, commands):.1f}" for threads in (8, 16, 63)]
        rows.append([commands, f"{shards_of(commands):.1f}", *of, *speed])
    return table(["group", "shards", "2 threads", "8", "16", "64", "speed of 8", "of 16",
                  "of 63"], rows)


def speed_up(threads, commands):
    """SETs per second of so many workers that do nothing but run groups, to one's."""
    return groups_done(threads, commands) / groups_done(1, commands)


def groups_done(threads, commands):
    clock, chance, done = Clock(), random.Random(1), [0]
    locks = Locks(clock)

    def body(me):
        while True:
            shards = {chance.randrange(SHARDS) for _ in range(commands)}
            yield from locks.acquire(me, shards)
            yield commands * SET.run + len(shards) * LOCK_LINE_US
            locks.release(shards)
            done[0] += 1

    for _ in range(threads):
        clock.after(chance.random(), Process(body))
    clock.run(3000 + 300 * commands)
    return done[0] * 1000 / (3000 + 300 * commands)


def tables():
    """Every table of the document, by its name."""
    yield "fit", fit_table()
    yield "limits", limits_table()
    for work in (GET, SET):
        for clients in (50, 500):
            yield (f"{work.name.lower()}-{clients}",
                   scaling_table(work, VIRTUAL, clients))
    yield "get-metal", scaling_table(GET, METAL, 500)
    yield "get-pool", scaling_table(GET, VIRTUAL, 500, "pool")
    yield "collisions", collision_table()


def write_tables(path, found):
    """Puts each table between its markers in the document."""
    with open(path, encoding="ascii") as document:
        text = document.read()
    for name, rows in found:
        begin, end = f"<!-- {name} begin -->", f"<!-- {name} end -->"
        before, _, rest = text.partition(begin)
        _, found_end, after = rest.partition(end)
        if not found_end:
            raise SystemExit(f"{path} has no place for {name}")
        text = f"{before}{begin}\n{rows}\n{end}{after}"
    with open(path, "w", encoding="ascii") as document:
        document.write(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fit", action="store_true", help="only the costs")
    parser.add_argument("--write", metavar="FILE", help="put the tables into this document")
    options = parser.parse_args()
    if options.fit:
        print(fit_table())
    elif options.write:
        write_tables(options.write, tables())
    else:
        for name, rows in tables():
            print(f"{name}\n\n{rows}\n", flush=True)


if __name__ == "__main__":
    main()
