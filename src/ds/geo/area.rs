//! Which squares of the map to look at for a shape: the one that holds its centre and
//! those around it, of a size that together they cover it.

use super::Point;
use super::hash::{Bounds, Cell, STEP_MAX};
use super::shape::{EARTH_RADIUS, Shape, degrees, distance, radians};

/// Half the circumference of the map, in metres.
const MERCATOR_MAX: f64 = 20_037_726.37;

/// Neighbours in the order in which they are searched, by their steps to the east and
/// to the north.
const AROUND: [(i32, i32); 8] = [
    (0, 1),
    (0, -1),
    (1, 0),
    (-1, 0),
    (1, 1),
    (-1, 1),
    (1, -1),
    (-1, -1),
];

/// The bits for each coordinate of squares that cover a circle of this radius with
/// their neighbours.
fn steps_for(mut radius: f64, latitude: f64) -> u32 {
    if radius == 0.0 {
        return STEP_MAX;
    }
    let mut steps: u32 = 1;
    while radius < MERCATOR_MAX {
        radius *= 2.0;
        steps += 1;
    }
    // One less for what lies across an edge, and less still towards the poles, where
    // squares are narrow.
    let less = match latitude.abs() {
        polar if polar > 80.0 => 4,
        far if far > 66.0 => 3,
        _ => 2,
    };
    steps.saturating_sub(less).clamp(1, STEP_MAX)
}

impl Shape {
    /// The sides of a box around the shape. The longer of its northern and southern
    /// side counts on the northern half, as Redis has it.
    fn bounds(&self) -> Bounds {
        let (center, width, height) = match self {
            Shape::Circle { center, radius } => (center, *radius, *radius),
            Shape::Rectangle {
                center,
                width,
                height,
            } => (center, width / 2.0, height / 2.0),
            Shape::Polygon { corners, .. } => return around(corners),
        };
        let up = degrees(height / EARTH_RADIUS);
        let edge = if center.latitude < 0.0 {
            center.latitude - up
        } else {
            center.latitude + up
        };
        let across = degrees(width / EARTH_RADIUS / radians(edge).cos());
        Bounds {
            west: center.longitude - across,
            east: center.longitude + across,
            south: center.latitude - up,
            north: center.latitude + up,
        }
    }

    /// The radius of a circle around the shape.
    fn reach(&self, bounds: Bounds) -> f64 {
        match self {
            Shape::Circle { radius, .. } => *radius,
            Shape::Rectangle { width, height, .. } => {
                ((width / 2.0) * (width / 2.0) + (height / 2.0) * (height / 2.0)).sqrt()
            }
            Shape::Polygon { center, .. } => {
                let corner = |longitude, latitude| {
                    let corner = Point {
                        longitude,
                        latitude,
                    };
                    distance(*center, corner)
                };
                corner(bounds.west, bounds.north)
                    .max(corner(bounds.east, bounds.north))
                    .max(corner(bounds.west, bounds.south))
                    .max(corner(bounds.east, bounds.south))
            }
        }
    }

    /// The ranges of scores, each from the first to before the second, in which
    /// everything within the shape lies; in the order in which Redis searches them.
    pub fn score_ranges(&self) -> Vec<(f64, f64)> {
        let (center, bounds) = (self.center(), self.bounds());
        let mut steps = steps_for(self.reach(bounds), center.latitude);
        if steps > 1 && !covers(Cell::around(center, steps), bounds) {
            steps -= 1;
        }
        let middle = Cell::around(center, steps);
        let mut cells = vec![middle];
        let mut last = None;
        for (east, north) in AROUND {
            let cell = middle.neighbour(east, north);
            // Around a large part of the map, neighbours are the same square.
            if is_useful(middle, bounds, east, north) && last != Some(cell) {
                cells.push(cell);
                last = Some(cell);
            }
        }
        cells.into_iter().map(Cell::scores).collect()
    }
}

fn around(corners: &[Point]) -> Bounds {
    let start = Bounds {
        west: super::LONGITUDE_MAX,
        east: -super::LONGITUDE_MAX,
        south: super::LATITUDE_MAX,
        north: -super::LATITUDE_MAX,
    };
    corners.iter().fold(start, |bounds, corner| Bounds {
        west: bounds.west.min(corner.longitude),
        east: bounds.east.max(corner.longitude),
        south: bounds.south.min(corner.latitude),
        north: bounds.north.max(corner.latitude),
    })
}

/// Whether a square reaches far enough on all sides with its neighbours.
fn covers(middle: Cell, bounds: Bounds) -> bool {
    let side = |east, north| middle.neighbour(east, north).bounds();
    side(0, 1).north >= bounds.north
        && side(0, -1).south <= bounds.south
        && side(1, 0).east >= bounds.east
        && side(-1, 0).west <= bounds.west
}

/// Whether a neighbour can hold anything: not if the shape ends within the square.
fn is_useful(middle: Cell, bounds: Bounds, east: i32, north: i32) -> bool {
    if middle.step < 2 {
        return true;
    }
    let cell = middle.bounds();
    !(north < 0 && cell.south < bounds.south
        || north > 0 && cell.north > bounds.north
        || east < 0 && cell.west < bounds.west
        || east > 0 && cell.east > bounds.east)
}
