//! Positions as scores, and what lies within a shape.
//!
//! A position is a geohash of 52 bits, 26 for each coordinate, interleaved: near
//! positions have near numbers, a square of the map is a range of them, and a double
//! holds each exactly. So a sorted set by that score is a spatial index: a
//! [`Shape`] is covered with at most nine squares (area.rs), whose ranges are read and
//! tested one by one.
//!
//! Everything here follows Redis to the last bit of its doubles, since clients see
//! positions and distances with all digits; the order of operations is part of that.

mod area;
mod hash;
mod shape;
#[cfg(test)]
mod tests;

pub use hash::{Point, decode, encode, standard_text};
pub use shape::{Shape, distance};

/// Greatest longitude that can be encoded; the least is its negative.
pub const LONGITUDE_MAX: f64 = 180.0;
/// Greatest latitude that can be encoded: that of a square map by Mercator.
pub const LATITUDE_MAX: f64 = 85.051_128_78;
