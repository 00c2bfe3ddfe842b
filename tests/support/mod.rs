//! What every integration test stands on: a real server process, a raw
//! protocol client, seeded randomness, and the rule for missing tools.
//!
//! Tests speak bytes over sockets to the binary that ships, never to the
//! library, so that what passes here is what a user gets. Two environment
//! variables steer them:
//!
//! - `FLASHKV_TEST_SERVER`: path of the server under test instead of the binary
//!   just built. Pointed at redis-server it proves the tests themselves: a test
//!   that fails against Redis is wrong about Redis.
//! - `FLASHKV_SEED`: the seed of everything random, printed by each test that
//!   draws from it.
//!
//! And `CI`: when it is set, a missing tool is a failure instead of a skip.

// Each test crate compiles this module for itself and uses a part of it.
#![allow(dead_code, unused_imports)]

mod client;
mod dir;
mod poll;
mod reply;
mod rng;
mod server;
mod tools;

pub use client::{Client, encode};
pub use dir::TempDir;
pub use poll::{eventually, poll_until};
pub use reply::{Answer, Reply, escape};
pub use rng::Rng;
pub use server::{Product, Server, free_port};
pub use tools::{find_tool, require_tool, run_bounded, skip_or_fail};
