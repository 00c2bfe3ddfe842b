//! The process: options in, exit code out.

fn main() {}
