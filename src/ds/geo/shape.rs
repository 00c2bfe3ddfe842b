//! Shapes, and whether a position lies within.

use super::hash::Point;

/// The radius of the sphere that distances are measured on, in metres.
pub const EARTH_RADIUS: f64 = 6_372_797.560_856;

/// Something to search in; lengths in metres.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    Circle {
        center: Point,
        radius: f64,
    },
    Rectangle {
        center: Point,
        width: f64,
        height: f64,
    },
    /// Its corners in order, three at least, and the middle of them.
    Polygon {
        center: Point,
        corners: Vec<Point>,
    },
}

pub fn radians(degrees: f64) -> f64 {
    degrees * (std::f64::consts::PI / 180.0)
}

pub fn degrees(radians: f64) -> f64 {
    radians / (std::f64::consts::PI / 180.0)
}

fn latitude_distance(from: f64, to: f64) -> f64 {
    EARTH_RADIUS * (radians(to) - radians(from)).abs()
}

/// The distance of two positions on the sphere in metres, by the haversine formula.
pub fn distance(from: Point, to: Point) -> f64 {
    let v = ((radians(to.longitude) - radians(from.longitude)) / 2.0).sin();
    if v == 0.0 {
        return latitude_distance(from.latitude, to.latitude);
    }
    let (from, to) = (radians(from.latitude), radians(to.latitude));
    let u = ((to - from) / 2.0).sin();
    let a = u * u + from.cos() * to.cos() * v * v;
    2.0 * EARTH_RADIUS * a.sqrt().asin()
}

impl Shape {
    /// A polygon by its corners. Its centre is where the mean of the corners, taken as
    /// points of space, shows on the sphere.
    pub fn polygon(corners: Vec<Point>) -> Shape {
        let (mut x, mut y, mut z) = (0.0, 0.0, 0.0);
        for corner in &corners {
            let (longitude, latitude) = (radians(corner.longitude), radians(corner.latitude));
            x += EARTH_RADIUS * latitude.cos() * longitude.cos();
            y += EARTH_RADIUS * latitude.cos() * longitude.sin();
            z += EARTH_RADIUS * latitude.sin();
        }
        let count = corners.len() as f64;
        let (x, y, z) = (x / count, y / count, z / count);
        let center = Point {
            longitude: degrees(y.atan2(x)),
            latitude: degrees(z.atan2((x * x + y * y).sqrt())),
        };
        Shape::Polygon { center, corners }
    }

    /// Where distances are measured from.
    pub fn center(&self) -> Point {
        match self {
            Shape::Circle { center, .. }
            | Shape::Rectangle { center, .. }
            | Shape::Polygon { center, .. } => *center,
        }
    }

    /// The distance of a position from the centre, if it lies within the shape.
    pub fn distance_within(&self, point: Point) -> Option<f64> {
        match self {
            Shape::Circle { center, radius } => {
                let distance = distance(*center, point);
                (distance <= *radius).then_some(distance)
            }
            Shape::Rectangle {
                center,
                width,
                height,
            } => {
                let up = latitude_distance(point.latitude, center.latitude);
                if up > height / 2.0 {
                    return None;
                }
                let beside = Point {
                    longitude: center.longitude,
                    latitude: point.latitude,
                };
                let inside = distance(point, beside) <= width / 2.0;
                inside.then(|| distance(*center, point))
            }
            Shape::Polygon { center, corners } => {
                is_inside(corners, point).then(|| distance(*center, point))
            }
        }
    }
}

/// Whether a ray from the position to the west crosses an odd number of sides.
fn is_inside(corners: &[Point], point: Point) -> bool {
    let Some(mut last) = corners.last() else {
        return false;
    };
    let mut inside = false;
    for corner in corners {
        let spans = (corner.latitude > point.latitude) != (last.latitude > point.latitude);
        let crosses = || {
            let slope = (last.longitude - corner.longitude) * (point.latitude - corner.latitude);
            let at = slope / (last.latitude - corner.latitude) + corner.longitude;
            point.longitude < at
        };
        inside ^= spans && crosses();
        last = corner;
    }
    inside
}
