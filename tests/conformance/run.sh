#!/bin/sh
# `make conformance`: Redis's own test suite against the binary in $FLASHKV.
exec python3 "$(dirname "$0")/run.py" "$@"
