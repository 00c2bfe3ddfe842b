# FlashKV: what there is to do. `make help` lists the targets.

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
HOST       ?= 127.0.0.1
PORT       ?= 6379
CARGO      ?= cargo
# The directory that Cargo builds in, and the program to install.
TARGET_DIR  = $(or $(CARGO_TARGET_DIR),target)
BINARY     ?= $(TARGET_DIR)/release/flashkv

BIN_DIR  = $(DESTDIR)$(PREFIX)/bin
UNIT_DIR = $(DESTDIR)$(PREFIX)/lib/systemd/system
DOC_DIR  = $(DESTDIR)$(PREFIX)/share/doc/flashkv
CONF_DIR = $(DESTDIR)$(SYSCONFDIR)/flashkv

.PHONY: help run build test check conformance programs crash fuzz loom tsan asan miri memcheck compare bench instructions \
	install uninstall clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: build ## build the release binary and serve on 127.0.0.1:6379 (HOST=, PORT=)
	exec $(TARGET_DIR)/release/flashkv --host $(HOST) --port $(PORT)

build: ## build the release binary
	$(CARGO) build --release --locked

test: ## run all tests
	$(CARGO) test --locked

check: ## formatting, lints and the rules about the source tree
	$(CARGO) fmt --check
	$(CARGO) fmt --check --manifest-path tests/fuzz/Cargo.toml
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) test --locked --test tidy

conformance: build ## run the Redis test suite against the server
	FLASHKV=$(abspath $(TARGET_DIR))/release/flashkv tests/conformance/run.sh

programs: build ## run Celery, RQ and redis-py against the server (from the package index)
	FLASHKV=$(abspath $(TARGET_DIR))/release/flashkv CARGO_TARGET_DIR=$(abspath $(TARGET_DIR)) \
		tests/programs/run.sh

crash: ## kill the server a thousand times, and a simulated disk twenty thousand times
	FLASHKV_SIM_RUNS=20000 $(CARGO) test --locked --lib persist::aof::service
	FLASHKV_CRASH_ROUNDS=1000 $(CARGO) test --locked --test aof survive_kills

# Each instrumented build has a directory of its own, or it would throw the others
# out of theirs.
loom: ## check the protocols of waking and waiting in all interleavings
	RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=$(TARGET_DIR)/loom \
		$(CARGO) test --locked --lib ::model::

# The sanitizers need a nightly compiler. Given the target by name, Cargo leaves
# build scripts and macros as they are.
SANITIZED = -p flashkv --lib --target $(HOST_TRIPLE)
HOST_TRIPLE = $(shell rustc -vV | sed -n 's/^host: //p')
# Without its source the standard library is not instrumented; docs/TESTING.md says
# what that means.
BUILD_STD = $(if $(wildcard $(shell rustc +nightly --print sysroot)/lib/rustlib/src),-Zbuild-std)

tsan: ## look for data races between executors (nightly)
	RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer" \
	TSAN_OPTIONS="suppressions=$(CURDIR)/tests/tsan.supp" CARGO_TARGET_DIR=$(TARGET_DIR)/tsan \
		$(CARGO) +nightly test --locked $(BUILD_STD) $(SANITIZED) exec::tests -- --nocapture --test-threads=1

asan: ## look for wrong memory accesses where unsafe code is (nightly)
	@# One test leaks on purpose: a forgotten borrow must do nothing worse.
	ASAN_OPTIONS=detect_leaks=0 \
	RUSTFLAGS="-Zsanitizer=address" CARGO_TARGET_DIR=$(TARGET_DIR)/asan \
		$(CARGO) +nightly test --locked $(SANITIZED) -- ds:: store:: exec::tests

# Each reader of bytes from outside for FUZZ_SECONDS, with AddressSanitizer. What is found on
# the way stays in the corpus, what breaks a reader in artifacts.
FUZZ_SECONDS ?= 300
FUZZ_TARGETS ?= rdb aof restore request
FUZZ_DIR = $(abspath $(TARGET_DIR))/fuzz
# An input of 16 KiB may be compressed, and justifies some MiB; it is read in milliseconds.
FUZZ_LIMITS = -max_len=16384 -malloc_limit_mb=64 -rss_limit_mb=2048 -timeout=20
# What cargo-fuzz would set.
FUZZ_FLAGS = --cfg fuzzing -Zsanitizer=address -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
	-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
	-Cllvm-args=-sanitizer-coverage-trace-compares

fuzz: ## have libFuzzer break the loaders (nightly; FUZZ_SECONDS= for each, FUZZ_TARGETS=)
	FLASHKV_FUZZ_SEEDS=$(FUZZ_DIR)/seeds $(CARGO) test --locked --test damage seeds
	RUSTFLAGS="$(FUZZ_FLAGS)" CARGO_TARGET_DIR=$(FUZZ_DIR) $(CARGO) +nightly build --locked --release \
		--manifest-path tests/fuzz/Cargo.toml --target $(HOST_TRIPLE)
	for target in $(FUZZ_TARGETS); do \
		mkdir -p $(FUZZ_DIR)/corpus/$$target $(FUZZ_DIR)/artifacts/$$target && \
		ASAN_OPTIONS=detect_leaks=0 $(FUZZ_DIR)/$(HOST_TRIPLE)/release/$$target $(FUZZ_LIMITS) \
			-max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$(FUZZ_DIR)/artifacts/$$target/ \
			$(FUZZ_DIR)/corpus/$$target $(FUZZ_DIR)/seeds/$$target || exit 1; \
	done

# What stands behind raw pointers, by tests that an interpreter gets through in minutes.
UNSAFE_TESTS = ds::member ds::hash::field ds::zset::member ds::table::tests::a_ \
	ds::table::tests::share::an_ store::entry

miri: ## interpret the unit tests of the files with unsafe code (nightly, its miri)
	MIRIFLAGS="-Zmiri-permissive-provenance -Zmiri-disable-isolation" \
	CARGO_TARGET_DIR=$(TARGET_DIR)/miri \
		$(CARGO) +nightly miri test --locked -p flashkv --lib -- $(UNSAFE_TESTS) ds::table::tests::any::agrees

memcheck: ## run them and the executors' under valgrind
	CARGO_TARGET_$(shell echo $(HOST_TRIPLE) | tr a-z- A-Z_)_RUNNER="valgrind -q --error-exitcode=1" \
		$(CARGO) test --locked --lib -- --test-threads=1 $(UNSAFE_TESTS) base::heap exec::tests::

compare: build ## measure against every peer that is installed
	FLASHKV=$(abspath $(TARGET_DIR))/release/flashkv bench/compare.py

bench: ## measure the parts, in process
	$(CARGO) bench --locked

instructions: ## count the instructions of GET, SET, INCR, LPUSH and LPOP (valgrind)
	bench/callgrind.sh

# A program that is there already is installed as it is, so that a user who
# builds need not be the one who installs.
$(BINARY):
	$(CARGO) build --release --locked

install: $(BINARY) ## install program, units and configuration (DESTDIR=, PREFIX=/usr/local)
	install -d $(BIN_DIR) $(UNIT_DIR) $(DOC_DIR) $(CONF_DIR)
	install -m 0755 $(BINARY) $(BIN_DIR)/flashkv
	sed 's|/usr/local/bin/|$(PREFIX)/bin/|; s|/etc/flashkv|$(SYSCONFDIR)/flashkv|' \
		dist/flashkv.service > $(UNIT_DIR)/flashkv.service
	chmod 0644 $(UNIT_DIR)/flashkv.service
	install -m 0644 dist/flashkv.socket $(UNIT_DIR)/flashkv.socket
	install -m 0644 LICENSE README.md $(DOC_DIR)/
	@# A configuration that is there already is the administrator's.
	test -e $(CONF_DIR)/flashkv.conf || install -m 0644 dist/flashkv.conf $(CONF_DIR)/flashkv.conf

uninstall: ## remove what install put there, except the configuration
	rm -f $(BIN_DIR)/flashkv $(UNIT_DIR)/flashkv.service $(UNIT_DIR)/flashkv.socket
	rm -rf $(DOC_DIR)

clean: ## remove what was built
	$(CARGO) clean
