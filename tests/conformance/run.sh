#!/bin/sh
# `make conformance`: Redis's own test suite against the binary in $FLASHKV.
exec python3 -B "$(dirname "$0")/run.py" "$@"
