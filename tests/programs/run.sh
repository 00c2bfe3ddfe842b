#!/bin/sh
# `make programs`: programs that people run on Redis, against the binary in $FLASHKV.
# They are installed, in the versions of requirements.txt, into an environment in
# Cargo's target directory, once. Where the package index cannot be reached they are
# skipped and that is said; with CI set it is a failure.
set -eu
cd "$(dirname "$0")"

target=${CARGO_TARGET_DIR:-../../target}
venv=$target/programs-venv
if ! cmp -s requirements.txt "$venv/installed.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    if ! "$venv/bin/pip" install -q --disable-pip-version-check -r requirements.txt; then
        echo "the package index cannot be reached: no programs to run" >&2
        [ -z "${CI:-}" ] || exit 1
        exit 0
    fi
    cp requirements.txt "$venv/installed.txt"
fi
exec "$venv/bin/python" run.py "$@"
