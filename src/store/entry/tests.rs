//! Tests of the entry.

use super::*;
