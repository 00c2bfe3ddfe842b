#!/usr/bin/env bash
# Instructions per command, counted by callgrind in bench/batch.rs: pipelines of 16
# over 10,000 keys, or elements of one key. The same program gives the same number up
# to the seed of the hash, on a busy machine too.
#   bench/callgrind.sh [commands]
#   PROFILE=fast bench/callgrind.sh     another build profile than bench, which is release's
set -euo pipefail
cd "$(dirname "$0")/.."
commands=${1:-200000}

command -v valgrind >/dev/null || { echo "valgrind is not installed" >&2; exit 1; }
# Its own build: the same code with symbols, found by what Cargo prints.
bench=$(cargo bench --locked ${PROFILE:+--profile "$PROFILE"} --bench batch --no-run --message-format=json 2>/dev/null |
    sed -n 's/.*"executable":"\([^"]*batch[^"]*\)".*/\1/p' | tail -1)
[ -x "$bench" ] || { echo "bench/batch.rs does not build" >&2; exit 1; }

instructions() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null \
        --toggle-collect='*counted_turn*' "$bench" --count "$1" "$commands" 2>&1 |
        awk '/Collected/ { print $4 }'
}

for command in GET SET INCR LPUSH+LPOP SADD HSET SPOP ZADD ZPOPMIN; do
    echo "$command: $(($(instructions "$command") / commands)) instructions per command"
done
