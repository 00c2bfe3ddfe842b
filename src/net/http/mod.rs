//! A small HTTP/1.1 server for reading: GET and HEAD of a few fixed paths.
//!
//! ```text
//! bytes -> parse::head -> site::answer -> respond::write -> bytes
//! ```
//!
//! It cannot run commands: nothing here knows of them. What it tells is text that
//! `exec::telemetry` has written. Everything is bounded: the size of a request's
//! head, the time it may take, the number of connections, and, by keeping what was
//! told for a moment, the work that any number of requests can cause.

pub mod basic;
pub mod conn;
pub mod parse;
pub mod respond;
pub mod site;

#[cfg(test)]
mod tests;
