"""redis-py's asyncio client: many tasks over one pool, subscribers, blocking pops."""

import asyncio
import sys

import redis.asyncio as redis

PORT = int(sys.argv[1])
TASKS = 50


async def commands(r):
    assert await r.ping()
    await r.set("counter", 0)
    await asyncio.gather(*(r.incr("counter") for _ in range(TASKS)))
    assert int(await r.get("counter")) == TASKS
    async with r.pipeline(transaction=True) as pipe:
        found = await pipe.set("key1", "value1").get("key1").incr("counter").execute()
    assert found == [True, b"value1", TASKS + 1], found
    await r.mset({f"name:{n}": n for n in range(200)})
    names = [name async for name in r.scan_iter("name:*", count=20)]
    assert len(names) == len(set(names)) == 200


async def watched_increments(r):
    async def increment(pipe):
        value = int(await pipe.get("watched"))
        pipe.multi()
        pipe.set("watched", value + 1)

    await r.set("watched", 0)
    await asyncio.gather(*(r.transaction(increment, "watched") for _ in range(TASKS)))
    assert int(await r.get("watched")) == TASKS


async def subscribers(r):
    """The reader of redis-py's documentation, several of them."""

    async def reader(channel, ready):
        found = []
        await channel.subscribe("channel:1")
        await channel.psubscribe("channel:[23]")
        async for message in channel.listen():
            if message["type"] == "psubscribe":
                ready.set_result(True)
            elif message["type"] in ("message", "pmessage"):
                found.append((message["channel"], message["data"]))
                if message["data"] == b"STOP":
                    return found

    loop, pubsubs, waits, readers = asyncio.get_running_loop(), [], [], []
    for _ in range(5):
        pubsubs.append(r.pubsub())
        waits.append(loop.create_future())
        readers.append(asyncio.create_task(reader(pubsubs[-1], waits[-1])))
    await asyncio.gather(*waits)
    for n in range(100):
        assert await r.publish(f"channel:{n % 4}", n) == (0 if n % 4 == 0 else 5)
    await r.publish("channel:1", "STOP")
    expected = [(b"channel:%d" % (n % 4), b"%d" % n) for n in range(100) if n % 4]
    for found in await asyncio.gather(*readers):
        assert found[:-1] == expected, found
    for pubsub in pubsubs:
        await pubsub.aclose()


async def queues(r):
    """Workers that wait for jobs, one of them called off while it waits."""

    async def worker(done):
        while True:
            _, job = await r.blpop("jobs", timeout=20)
            if job == b"end":
                return
            done.append(int(job))

    done = []
    workers = [asyncio.create_task(worker(done)) for _ in range(8)]
    leaver = asyncio.create_task(r.blpop("other-jobs", timeout=20))
    await asyncio.sleep(0.05)
    leaver.cancel()
    await asyncio.gather(leaver, return_exceptions=True)
    await asyncio.gather(*(r.rpush("jobs", n) for n in range(200)))
    await r.rpush("jobs", *["end"] * 8)
    await asyncio.gather(*workers)
    assert sorted(done) == list(range(200))
    # Nobody waits there any more: what is pushed stays.
    await r.rpush("other-jobs", "kept")
    assert await r.llen("other-jobs") == 1
    assert await r.blpop("nothing", timeout=0.1) is None


async def run():
    for protocol in (2, 3):
        r = redis.Redis(port=PORT, protocol=protocol)
        for part in (commands, watched_increments, subscribers, queues):
            print(part.__name__, protocol, flush=True)
            await part(r)
            await r.flushall()
        await r.aclose()


if __name__ == "__main__":
    asyncio.run(run())
