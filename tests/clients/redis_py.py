"""redis-py against a running server: the port and the protocol are arguments."""

import sys

import redis


def strings(r):
    assert r.ping() is True
    assert r.set("k", "v", ex=1000) is True
    assert r.get("k") == b"v"
    assert 990 <= r.ttl("k") <= 1000
    assert r.set("k", "w", nx=True) is None
    assert r.set("k", "w", get=True) == b"v"
    assert r.incrby("n", 41) == 41 and r.incr("n") == 42
    assert float(r.incrbyfloat("f", 0.5)) == 0.5
    assert r.mset({"a": 1, "b": b"\x00\r\n"}) is True
    assert r.mget("a", "b", "missing") == [b"1", b"\x00\r\n", None]
    assert r.append("k", "x") == 2 and r.strlen("k") == 2
    assert r.delete("a", "b", "missing") == 2


def lists(r):
    assert r.rpush("l", *range(10)) == 10
    assert r.lrange("l", 0, -1) == [b"%d" % n for n in range(10)]
    assert r.lpop("l") == b"0" and r.rpop("l", 2) == [b"9", b"8"]
    assert r.linsert("l", "BEFORE", "5", "four and a half") == 8
    assert r.lpos("l", "5") == 5
    assert r.lmove("l", "m", "LEFT", "RIGHT") == b"1"
    try:
        r.get("l")
    except redis.ResponseError as error:
        assert str(error).startswith("WRONGTYPE")
    else:
        raise AssertionError("GET of a list is an error")


def keys_and_server(r):
    with r.pipeline(transaction=False) as pipe:
        for number in range(1000):
            pipe.set(f"many:{number}", number)
        assert all(pipe.execute())
    assert sorted(r.scan_iter(match="many:*", count=50)) == sorted(
        b"many:%d" % n for n in range(1000))
    assert r.type("l") == b"list" and r.exists("k", "l", "none") == 2
    assert r.expire("l", 100) and r.persist("l")
    assert r.rename("m", "renamed") is True
    assert r.dbsize() > 1000
    info = r.info()
    assert info["redis_version"].count(".") == 2 and info["db0"]["keys"] == r.dbsize()
    assert r.config_get("maxmemory") == {"maxmemory": "0"}
    assert r.client_setname("py") and r.client_getname() in (b"py", "py")
    assert any(client["name"] == "py" for client in r.client_list())
    assert isinstance(r.time(), tuple)
    assert r.command_count() > 40
    assert r.flushall() is True and r.dbsize() == 0


def main():
    port, protocol = int(sys.argv[1]), int(sys.argv[2])
    r = redis.Redis(port=port, protocol=protocol)
    for part in (strings, lists, keys_and_server):
        part(r)
    print(f"redis-py {redis.__version__}, RESP{protocol}: ok")


if __name__ == "__main__":
    main()
