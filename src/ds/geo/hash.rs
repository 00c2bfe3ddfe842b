//! The hash: coordinates to interleaved bits and back.

use super::{LATITUDE_MAX, LONGITUDE_MAX};

/// Bits for each coordinate of a score.
pub const STEP_MAX: u32 = 26;

/// A position in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub longitude: f64,
    pub latitude: f64,
}

impl Point {
    /// A position on the map; `None` outside of it.
    pub fn new(longitude: f64, latitude: f64) -> Option<Point> {
        let inside = longitude.abs() <= LONGITUDE_MAX && latitude.abs() <= LATITUDE_MAX;
        inside.then_some(Point {
            longitude,
            latitude,
        })
    }
}

/// A square of the map, or its complement when the bits run over: `step` bits for each
/// coordinate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    pub bits: u64,
    pub step: u32,
}

/// The sides of a square, in degrees.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub west: f64,
    pub east: f64,
    pub south: f64,
    pub north: f64,
}

const LONGITUDE_BITS: u64 = 0xaaaa_aaaa_aaaa_aaaa;
const LATITUDE_BITS: u64 = 0x5555_5555_5555_5555;

/// Spreads 32 bits to the even places.
fn spread(value: u32) -> u64 {
    let mut bits = u64::from(value);
    bits = (bits | bits << 16) & 0x0000_ffff_0000_ffff;
    bits = (bits | bits << 8) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | bits << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | bits << 2) & 0x3333_3333_3333_3333;
    (bits | bits << 1) & LATITUDE_BITS
}

/// Gathers the bits of the even places.
fn gather(bits: u64) -> u32 {
    let mut bits = bits & LATITUDE_BITS;
    bits = (bits | bits >> 1) & 0x3333_3333_3333_3333;
    bits = (bits | bits >> 2) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | bits >> 4) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | bits >> 8) & 0x0000_ffff_0000_ffff;
    (bits | bits >> 16) as u32
}

/// The square of this size that holds a position of a map with these greatest
/// coordinates.
fn cell_on(point: Point, step: u32, longitude_max: f64, latitude_max: f64) -> Cell {
    let squares = (1u64 << step) as f64;
    let across = (point.longitude + longitude_max) / (longitude_max + longitude_max) * squares;
    let up = (point.latitude + latitude_max) / (latitude_max + latitude_max) * squares;
    Cell {
        bits: spread(up as u32) | spread(across as u32) << 1,
        step,
    }
}

impl Cell {
    /// The square of this size that holds a position.
    pub fn around(point: Point, step: u32) -> Cell {
        cell_on(point, step, LONGITUDE_MAX, LATITUDE_MAX)
    }

    /// Its sides.
    pub fn bounds(self) -> Bounds {
        let squares = (1u64 << self.step) as f64;
        let (up, across) = (gather(self.bits), gather(self.bits >> 1));
        let width = LONGITUDE_MAX + LONGITUDE_MAX;
        let height = LATITUDE_MAX + LATITUDE_MAX;
        let longitude = |at: u32| -LONGITUDE_MAX + f64::from(at) / squares * width;
        let latitude = |at: u32| -LATITUDE_MAX + f64::from(at) / squares * height;
        Bounds {
            west: longitude(across),
            east: longitude(across.wrapping_add(1)),
            south: latitude(up),
            north: latitude(up.wrapping_add(1)),
        }
    }

    /// The square so many to the east and to the north, each -1, 0 or 1; beyond an edge
    /// of the map comes the other.
    pub fn neighbour(self, east: i32, north: i32) -> Cell {
        let used = u64::MAX >> (64 - 2 * self.step);
        let across = step_by(self.bits & LONGITUDE_BITS, LATITUDE_BITS & used, east);
        let up = step_by(self.bits & LATITUDE_BITS, LONGITUDE_BITS & used, north);
        Cell {
            bits: across & LONGITUDE_BITS & used | up & LATITUDE_BITS & used,
            step: self.step,
        }
    }

    /// The scores of positions in the square: from the first to before the second.
    pub fn scores(self) -> (f64, f64) {
        let shift = 2 * (STEP_MAX - self.step);
        (
            (self.bits << shift) as f64,
            (self.bits.wrapping_add(1) << shift) as f64,
        )
    }
}

/// Adds to a number whose bits stand at every second place; the places between carry.
fn step_by(bits: u64, between: u64, by: i32) -> u64 {
    match by {
        0 => bits,
        1.. => bits.wrapping_add(between + 1),
        _ => (bits | between).wrapping_sub(between + 1),
    }
}

/// The score of a position.
pub fn encode(point: Point) -> f64 {
    Cell::around(point, STEP_MAX).bits as f64
}

/// The position that a score stands for: the middle of its square.
pub fn decode(score: f64) -> Point {
    let bounds = Cell {
        bits: score as u64,
        step: STEP_MAX,
    }
    .bounds();
    let longitude = (bounds.west + bounds.east) / 2.0;
    let latitude = (bounds.south + bounds.north) / 2.0;
    Point {
        longitude: longitude.clamp(-LONGITUDE_MAX, LONGITUDE_MAX),
        latitude: latitude.clamp(-LATITUDE_MAX, LATITUDE_MAX),
    }
}

/// The standard geohash of a position, which maps latitudes up to 90 degrees: eleven
/// letters, the last of them always the first of the alphabet, for want of bits.
pub fn standard_text(point: Point) -> [u8; 11] {
    const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
    let bits = cell_on(point, STEP_MAX, 180.0, 90.0).bits;
    let mut text = [ALPHABET[0]; 11];
    for (at, letter) in text.iter_mut().take(10).enumerate() {
        let index = bits >> (52 - 5 * (at + 1)) & 0x1f;
        *letter = ALPHABET[index as usize];
    }
    text
}
