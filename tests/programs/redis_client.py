"""redis-py as its documentation shows it: publish/subscribe, locks, pipelines with
WATCH, blocking pops, iteration, RESP3, client-side caching, lost connections."""

import logging
import sys
import threading
import time

import redis
from redis.backoff import ExponentialBackoff
from redis.cache import CacheConfig
from redis.connection import CacheProxyConnection
from redis.retry import Retry

from helpers import WatchLock, eventually

PORT = int(sys.argv[1])
PROTOCOLS = (2, 3)


def connect(**options):
    return redis.Redis(port=PORT, **options)


def messages(pubsub, count):
    """The next so many messages of a subscriber."""
    found = []

    def look():
        message = pubsub.get_message(timeout=1)
        found.extend([message] if message else [])
        return len(found) >= count

    eventually(look, f"{count} messages, there are {found}")
    return [(m["type"], m["pattern"], m["channel"], m["data"]) for m in found]


def publish_and_subscribe(protocol):
    r = connect(protocol=protocol)
    with r.pubsub() as p:
        p.subscribe("my-first-channel", "my-second-channel")
        p.psubscribe("my-*", "*[ab]?")
        assert messages(p, 4) == [
            ("subscribe", None, b"my-first-channel", 1),
            ("subscribe", None, b"my-second-channel", 2),
            ("psubscribe", None, b"my-*", 3),
            ("psubscribe", None, b"*[ab]?", 4),
        ]
        assert r.publish("my-first-channel", "some data") == 2
        assert sorted(messages(p, 2), key=str) == [
            ("message", None, b"my-first-channel", b"some data"),
            ("pmessage", b"my-*", b"my-first-channel", b"some data"),
        ]
        assert r.publish("xbx", b"\x00\r\n") == 1
        assert messages(p, 1) == [("pmessage", b"*[ab]?", b"xbx", b"\x00\r\n")]
        assert r.pubsub_channels("my-*") and r.pubsub_numpat() == 2
        assert dict(r.pubsub_numsub("my-first-channel", "none")) == {
            b"my-first-channel": 1, b"none": 0}
        p.ping("still there")
        assert messages(p, 1)[0][3] == b"still there"
        p.unsubscribe()
        p.punsubscribe()
        assert [m[3] for m in messages(p, 4)] == [3, 2, 1, 0]
        assert r.publish("my-first-channel", "nobody") == 0
    r.close()


def subscriber_threads(protocol):
    r, heard = connect(protocol=protocol), []
    p = r.pubsub(ignore_subscribe_messages=True)
    p.subscribe(**{"work": heard.append})
    thread = p.run_in_thread(sleep_time=0.01)
    eventually(lambda: r.pubsub_numsub("work")[0][1] == 1, "a subscriber")
    for n in range(500):
        r.publish("work", n)
    eventually(lambda: len(heard) == 500, "all messages")
    assert [int(m["data"]) for m in heard] == list(range(500))
    thread.stop()
    thread.join()


def lost_subscriber(protocol):
    """A connection that is killed is made again, with its subscriptions."""
    again = Retry(ExponentialBackoff(cap=0.1), 5)
    r = connect(protocol=protocol, retry=again, retry_on_error=[redis.ConnectionError])
    p = r.pubsub(ignore_subscribe_messages=True)
    p.subscribe("news")
    p.psubscribe("ne?s")
    eventually(lambda: r.pubsub_numpat() == 1, "a subscriber")
    assert r.client_kill_filter(_type="pubsub") == 1
    eventually(lambda: r.pubsub_numpat() == 0, "the end of the connection")
    # Reading meets the end, connects and subscribes again.
    eventually(lambda: (p.get_message(timeout=0.1), r.pubsub_numpat())[1] == 1, "another")
    assert r.publish("news", "x") == 2
    assert {m[0] for m in messages(p, 2)} == {"message", "pmessage"}
    p.close()


def key_events(protocol):
    r = connect(protocol=protocol)
    r.config_set("notify-keyspace-events", "KEA")
    p = r.pubsub(ignore_subscribe_messages=True)
    p.psubscribe("__key*@0__:*")
    eventually(lambda: r.pubsub_numpat() == 1, "a subscriber")
    r.set("foo", "bar", px=50)
    found = messages(p, 4)
    assert (found[0][2], found[0][3]) == (b"__keyspace@0__:foo", b"set"), found
    assert (found[3][2], found[3][3]) == (b"__keyevent@0__:expire", b"foo"), found
    assert messages(p, 2)[1][2:] == (b"__keyevent@0__:expired", b"foo")
    r.config_set("notify-keyspace-events", "")
    p.close()


def optimistic_locking(protocol):
    """The increment of redis-py's documentation, from many threads at once."""
    r, retries = connect(protocol=protocol), []
    r.set("our-sequence", 0)

    def client_side_incr(pipe):
        value = int(pipe.get("our-sequence"))
        pipe.multi()
        pipe.set("our-sequence", value + 1)

    def by_hand():
        with r.pipeline() as pipe:
            while True:
                try:
                    pipe.watch("our-sequence")
                    value = int(pipe.get("our-sequence"))
                    pipe.multi()
                    pipe.set("our-sequence", value + 1)
                    return pipe.execute()
                except redis.WatchError:
                    retries.append(1)

    def work():
        for _ in range(25):
            by_hand()
            r.transaction(client_side_incr, "our-sequence")

    run_all([work] * 8)
    assert int(r.get("our-sequence")) == 8 * 50
    # One conflict for certain.
    with r.pipeline() as pipe:
        pipe.watch("our-sequence")
        connect().incr("our-sequence")
        pipe.multi()
        pipe.set("our-sequence", 0)
        try:
            pipe.execute()
        except redis.WatchError:
            pass
        else:
            raise AssertionError("a change that WATCH has not seen")


def run_all(jobs):
    failures = []

    def guarded(job):
        try:
            job()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def pipelines(protocol):
    r = connect(protocol=protocol)
    pipe = r.pipeline()
    pipe.set("a", 1).incr("a").lpush("l", "x", "y").hset("h", mapping={"f": "1", "g": "2"})
    pipe.zadd("z", {"one": 1, "two": 2}).zrange("z", 0, -1, withscores=True).hgetall("h").get("none")
    found = pipe.execute()
    pairs = [(b"one", 1.0), (b"two", 2.0)]
    assert found[:5] == [True, 2, 2, 2, 2], found
    assert [tuple(pair) for pair in found[5]] == pairs, found
    assert found[6:] == [{b"f": b"1", b"g": b"2"}, None], found
    # An error of one stops none, is raised, and can be had as a value.
    pipe.set("a", "text").incr("a").get("a")
    found = pipe.execute(raise_on_error=False)
    assert found[0] is True and isinstance(found[1], redis.ResponseError) and found[2] == b"text"
    pipe.incr("a")
    try:
        pipe.execute()
    except redis.ResponseError as error:
        assert "value is not an integer" in str(error)
    # What is refused while it is queued discards all.
    pipe.set("a", "other")
    pipe.execute_command("NO-SUCH-COMMAND")
    try:
        pipe.execute()
    except redis.ResponseError as error:
        assert "unknown command" in str(error)
    assert r.get("a") == b"text"
    with r.pipeline(transaction=False) as pipe:
        for n in range(5000):
            pipe.rpush("long", n)
        assert pipe.execute()[-1] == 5000


def locks(protocol):
    """redis-py's own class, its scripts but (`WatchLock`)."""
    r, counted = connect(protocol=protocol), []

    def lock(**options):
        return r.lock("a-lock", lock_class=WatchLock, **options)

    def work():
        for _ in range(10):
            with lock(timeout=30, sleep=0.001, blocking_timeout=30):
                before = len(counted)
                time.sleep(0)
                counted.append(1)
                assert len(counted) == before + 1

    run_all([work] * 6)
    assert len(counted) == 60 and not lock().locked()
    one, other = lock(timeout=0.2), lock(timeout=30)
    assert one.acquire() and not other.acquire(blocking=False)
    assert one.extend(10) and r.pttl("a-lock") > 9000
    assert one.reacquire() and r.pttl("a-lock") <= 200
    eventually(lambda: other.acquire(blocking=False), "the first lock's end")
    try:
        one.release()
    except redis.exceptions.LockNotOwnedError:
        pass
    else:
        raise AssertionError("somebody else's lock was given back")
    assert other.owned()
    other.release()


def blocking_pops(protocol):
    r, got = connect(protocol=protocol), []
    began = time.monotonic()
    assert r.blpop(["none", "neither"], timeout=0.2) is None
    assert r.bzpopmin("none", timeout=0.1) is None
    assert r.brpoplpush("none", "neither", timeout=1) is None
    assert r.blmove("none", "neither", 0.1) is None
    assert time.monotonic() - began >= 1.3

    def take():
        key, value = connect(protocol=protocol).blpop(["q1", "q2"], timeout=30)
        got.append((key, value))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    eventually(lambda: r.info("clients")["blocked_clients"] == 4, "four blocked clients")
    r.rpush("q2", "a", "b")
    r.pipeline().rpush("q1", "c").rpush("q2", "d").execute()
    for thread in threads:
        thread.join()
    assert sorted(got) == [(b"q1", b"c"), (b"q2", b"a"), (b"q2", b"b"), (b"q2", b"d")], got
    r.xgroup_create("jobs", "workers", mkstream=True)
    r.xadd("jobs", {"n": 1})
    found = r.xreadgroup("workers", "w1", {"jobs": ">"}, block=1000, count=1)
    entries = found[b"jobs"][0] if protocol == 3 else found[0][1]
    assert entries[0][1] == {b"n": b"1"}, found
    assert r.xreadgroup("workers", "w1", {"jobs": ">"}, block=50) in ([], {})
    assert r.xack("jobs", "workers", entries[0][0]) == 1


def iteration(protocol):
    r = connect(protocol=protocol, decode_responses=True)
    names = {f"user:{n}" for n in range(1500)}
    r.mset({name: 1 for name in names})
    assert sorted(r.scan_iter("user:*", count=70)) == sorted(names)
    assert sorted(r.scan_iter("user:1?", _type="string")) == [f"user:1{n}" for n in range(10)]
    r.hset("big", mapping={name: 1 for name in names})
    r.sadd("bigset", *names)
    r.zadd("bigz", {name: n for n, name in enumerate(names)})
    assert dict(r.hscan_iter("big")).keys() == names
    assert set(r.sscan_iter("bigset")) == names
    assert {name for name, _ in r.zscan_iter("bigz")} == names
    assert r.delete(*names) == len(names)


def resp3():
    r = connect(protocol=3, decode_responses=True)
    assert r.execute_command("HELLO")["proto"] == 3
    r.sadd("s", "a")
    r.zadd("z3", {"a": 1.5})
    r.hset("h3", mapping={"f": "1"})
    assert r.smembers("s") == {"a"} and r.zscore("z3", "a") == 1.5 and r.hgetall("h3") == {"f": "1"}
    assert r.zrange("z3", 0, -1, withscores=True) == [["a", 1.5]]
    assert isinstance(r.config_get("max*"), dict) and isinstance(r.memory_stats(), dict)
    r.set("counter", 10)
    assert r.incrbyfloat("counter", 0.5) == 10.5 and r.object("encoding", "counter")


def client_side_caching():
    """redis-py keeps what it has read until it is told that it has changed. It asks for
    Redis 7.4 for that, although Redis can do all of it since 6.0; we say that we are 7.2."""
    CacheProxyConnection.MIN_ALLOWED_VERSION = "6.0.0"
    cached = connect(protocol=3, decode_responses=True, cache_config=CacheConfig())
    other = connect(decode_responses=True)
    other.set("city", "New York")
    assert cached.get("city") == "New York"
    calls = commands(other, "get")
    assert cached.get("city") == "New York" and commands(other, "get") == calls
    other.set("city", "Athens")
    eventually(lambda: cached.get("city") == "Athens", "the new value")
    other.hset("map", mapping={"a": "1"})
    assert cached.hget("map", "a") == "1" and cached.mget("city", "none") == ["Athens", None]
    other.set("city", "Rome", px=100)
    other.set("none", "some")
    eventually(lambda: cached.mget("city", "none") == ["Rome", "some"], "both changes")
    eventually(lambda: cached.get("city") is None, "its end, too")
    for n in range(300):
        other.set("spinning", n)
        cached.get("spinning")
    eventually(lambda: cached.get("spinning") == "299", "the last value")
    other.flushall()
    eventually(lambda: cached.hget("map", "a") is None, "FLUSHALL")


def commands(r, name):
    return r.info("commandstats").get(f"cmdstat_{name}", {"calls": 0})["calls"]


def main():
    # redis-py logs every push otherwise.
    logging.getLogger("push_response").setLevel(logging.WARNING)
    for protocol in PROTOCOLS:
        parts = [publish_and_subscribe, subscriber_threads, lost_subscriber, key_events,
                 optimistic_locking, pipelines, locks, blocking_pops, iteration]
        for part in parts:
            print(part.__name__, protocol, flush=True)
            part(protocol)
            connect().flushall()
    for part in (resp3, client_side_caching):
        print(part.__name__, flush=True)
        part()


if __name__ == "__main__":
    main()
