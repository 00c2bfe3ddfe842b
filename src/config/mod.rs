//! The configuration: one schema table and everything derived from it.
