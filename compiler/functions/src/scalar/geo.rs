//! Places on the globe: distances and directions on a sphere, and geohashes.
//! Shapes are in `shapes`, S2 cells in `cells`. H3 cells have rows but no
//! kernels.

use super::sphere::{RADIUS, shape};
use crate::args::get;
use crate::{Value, convert, text};

rows! { ROWS: Function in geo {
    geo_angle "geo_angle", [(Number, Number, Number, Number, Number, Number) -> Real], "The angle between three points on the globe.",
        "round(geo_angle(0, 10, 0, 5, 3, -10), 9)" => "2.944938434";
    geo_azimuth "geo_azimuth", [(Number, Number, Number, Number) -> Real], "The direction from one point to another.",
        "round(geo_azimuth(5, 10, 10, -40), 9)" => "3.054599398";
    geo_distance_2points "geo_distance_2points", [(Number, Number, Number, Number; NumberOrBool) -> Real], "The shortest distance between two points, in metres.",
        "round(geo_distance_2points(-122.407628, 47.578557, -118.275287, 34.019056), 3)" => "1546754.352",
        "round(geo_distance_2points(144.42486789, -37.951033417, 143.926495528, -37.652821139, true), 2)" => "54972.27";
    geo_point_in_circle "geo_point_in_circle", [(Number, Number, Number, Number, Number) -> Bool], "Whether a point lies in a circle on the globe.",
        "geo_point_in_circle(-122.143564, 47.535677, -122.100896, 47.527351, 3500)" => "true";
    none "geo_polygon_to_h3cells", [(Bag; Number, Number) -> Array], "The H3 cells that cover a polygon.";
    geo_point_to_geohash "geo_point_to_geohash", [(Number, Number; Number) -> String], "The geohash cell of a point.",
        "geo_point_to_geohash(-80.195829, 25.802215, 8)" => "dhwfz15h";
    geo_geohash_to_central_point "geo_geohash_to_central_point", [(Text) -> Bag], "The centre of a geohash cell.",
        "geo_geohash_to_central_point('sunny').coordinates[0]" => "42.47314453125";
    geo_geohash_to_polygon "geo_geohash_to_polygon", [(Text) -> Bag], "The outline of a geohash cell.",
        "geo_geohash_to_polygon('dr5ru').coordinates[0][1]" => "[-73.9599609375,40.7373046875]";
    geo_geohash_neighbors "geo_geohash_neighbors", [(Text) -> Array], "The cells around a geohash cell.",
        "geo_geohash_neighbors('sunny')" => "[\"sunnt\",\"sunpj\",\"sunnx\",\"sunpn\",\"sunnv\",\"sunpp\",\"sunnz\",\"sunnw\"]";
    none "geo_point_to_h3cell", [(Number, Number; Number) -> String], "The H3 cell of a point.";
    none "geo_h3cell_to_central_point", [(Text) -> Bag], "The centre of an H3 cell.";
    none "geo_h3cell_to_polygon", [(Text) -> Bag], "The outline of an H3 cell.";
    none "geo_h3cell_neighbors", [(Text) -> Array], "The cells around an H3 cell.";
    none "geo_h3cell_children", [(Text; Number) -> Array], "The smaller cells in an H3 cell.";
    none "geo_h3cell_parent", [(Text; Number) -> String], "The larger cell around an H3 cell.";
    none "geo_h3cell_rings", [(Text, Number) -> Array], "The rings of cells around an H3 cell.";
    none "geo_h3cell_level", [(Text) -> Int], "The level of an H3 cell.";
}}

/// A longitude and a latitude in radians, if they are on the globe.
fn point(args: &[Value], index: usize) -> Option<(f64, f64)> {
    let longitude = convert::to_real(get(args, index))?;
    let latitude = convert::to_real(get(args, index + 1))?;
    let valid = (-180.0..=180.0).contains(&longitude) && (-90.0..=90.0).contains(&latitude);
    valid.then(|| (longitude.to_radians(), latitude.to_radians()))
}

/// The angle between two points, seen from the centre: the haversine formula.
fn central_angle(from: (f64, f64), to: (f64, f64)) -> f64 {
    let half = |a: f64, b: f64| ((b - a) / 2.0).sin().powi(2);
    let h = half(from.1, to.1) + from.1.cos() * to.1.cos() * half(from.0, to.0);
    2.0 * h.min(1.0).sqrt().asin()
}

/// The direction from one point to another, clockwise from north.
fn bearing(from: (f64, f64), to: (f64, f64)) -> Option<f64> {
    let angle = central_angle(from, to);
    // Neither a point and itself nor opposite ones have a direction.
    if angle < 1e-15 || (std::f64::consts::PI - angle) < 1e-15 {
        return None;
    }
    let apart = to.0 - from.0;
    let east = apart.sin() * to.1.cos();
    let north = from.1.cos() * to.1.sin() - from.1.sin() * to.1.cos() * apart.cos();
    Some(east.atan2(north).rem_euclid(std::f64::consts::TAU))
}

fn real(value: Option<f64>) -> Value {
    value.map_or(Value::Null, Value::Real)
}

/// The axes of the spheroid of WGS 84, in metres, and its flattening.
const MAJOR: f64 = 6_378_137.0;
const FLATTENING: f64 = 1.0 / 298.257_223_563;
const MINOR: f64 = MAJOR * (1.0 - FLATTENING);

/// The distance of two points on the spheroid, by Vincenty's inverse formula;
/// none for nearly opposite ones, where it does not settle.
fn on_spheroid(from: (f64, f64), to: (f64, f64)) -> Option<f64> {
    let reduced = |latitude: f64| ((1.0 - FLATTENING) * latitude.tan()).atan().sin_cos();
    let ((sin1, cos1), (sin2, cos2)) = (reduced(from.1), reduced(to.1));
    let apart = to.0 - from.0;
    let mut lambda = apart;
    for _ in 0..200 {
        let (sin, cos) = lambda.sin_cos();
        let sin_sigma = (cos2 * sin).hypot(cos1 * sin2 - sin1 * cos2 * cos);
        if sin_sigma == 0.0 {
            return Some(0.0);
        }
        let cos_sigma = sin1 * sin2 + cos1 * cos2 * cos;
        let sigma = sin_sigma.atan2(cos_sigma);
        let sin_alpha = cos1 * cos2 * sin / sin_sigma;
        let square = 1.0 - sin_alpha * sin_alpha;
        let middle = if square > 0.0 {
            cos_sigma - 2.0 * sin1 * sin2 / square
        } else {
            0.0
        };
        let twice = 2.0 * middle * middle - 1.0;
        let c = FLATTENING / 16.0 * square * (4.0 + FLATTENING * (4.0 - 3.0 * square));
        let before = lambda;
        lambda = apart
            + (1.0 - c) * FLATTENING * sin_alpha * (sigma + c * sin_sigma * (middle + c * cos_sigma * twice));
        if (lambda - before).abs() < 1e-13 {
            let u = square * (MAJOR * MAJOR - MINOR * MINOR) / (MINOR * MINOR);
            let a = 1.0 + u / 16384.0 * (4096.0 + u * (-768.0 + u * (320.0 - 175.0 * u)));
            let b = u / 1024.0 * (256.0 + u * (-128.0 + u * (74.0 - 47.0 * u)));
            let last = b / 6.0 * middle * (4.0 * sin_sigma * sin_sigma - 3.0) * (4.0 * middle * middle - 3.0);
            let change = b * sin_sigma * (middle + b / 4.0 * (cos_sigma * twice - last));
            return Some(MINOR * a * (sigma - change));
        }
    }
    None
}

/// `geo_distance_2points`: on the sphere, or on the spheroid if asked.
pub fn geo_distance_2points(args: &[Value]) -> Value {
    let points = point(args, 0).zip(point(args, 2));
    if args.get(4).and_then(convert::to_bool) == Some(true) {
        return real(points.and_then(|(from, to)| on_spheroid(from, to)));
    }
    real(points.map(|(from, to)| RADIUS * central_angle(from, to)))
}

/// `geo_azimuth`.
pub fn geo_azimuth(args: &[Value]) -> Value {
    real(
        point(args, 0)
            .zip(point(args, 2))
            .and_then(|(from, to)| bearing(from, to)),
    )
}

/// `geo_angle`: clockwise from the line to the first point to the line to the third.
pub fn geo_angle(args: &[Value]) -> Value {
    let angle = || {
        let (first, middle, last) = (point(args, 0)?, point(args, 2)?, point(args, 4)?);
        Some((bearing(middle, last)? - bearing(middle, first)?).rem_euclid(std::f64::consts::TAU))
    };
    real(angle())
}

/// `geo_point_in_circle`.
pub fn geo_point_in_circle(args: &[Value]) -> Value {
    let within = || {
        let radius = convert::to_real(get(args, 4)).filter(|radius| *radius >= 0.0)?;
        Some(RADIUS * central_angle(point(args, 0)?, point(args, 2)?) <= radius)
    };
    within().map_or(Value::Null, Value::Bool)
}

/// The digits of geohashes.
const DIGITS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
/// The longest geohash.
const LONGEST: i64 = 18;

/// The geohash of a length of a place that is on the globe.
fn geohash(at: [f64; 2], length: usize) -> String {
    let mut ranges = WORLD;
    let mut hash = String::new();
    let mut axis = 0;
    for _ in 0..length {
        let mut digit = 0;
        for _ in 0..5 {
            let (low, high) = ranges[axis];
            let middle = f64::midpoint(low, high);
            let above = at[axis] >= middle;
            ranges[axis] = if above { (middle, high) } else { (low, middle) };
            digit = digit << 1 | usize::from(above);
            axis = 1 - axis;
        }
        hash.push(char::from(DIGITS[digit]));
    }
    hash
}

/// The longitudes and the latitudes there are.
const WORLD: [(f64, f64); 2] = [(-180.0, 180.0), (-90.0, 90.0)];

/// The longitudes and the latitudes of a geohash; none if it is none.
fn bounds(hash: &str) -> Option<[(f64, f64); 2]> {
    if hash.is_empty() || hash.len() > LONGEST as usize {
        return None;
    }
    let mut ranges = WORLD;
    let mut axis = 0;
    for byte in hash.bytes().map(|byte| byte.to_ascii_lowercase()) {
        let digit = DIGITS.iter().position(|known| *known == byte)?;
        for bit in (0..5).rev() {
            let (low, high) = ranges[axis];
            let middle = f64::midpoint(low, high);
            ranges[axis] = if digit >> bit & 1 == 1 {
                (middle, high)
            } else {
                (low, middle)
            };
            axis = 1 - axis;
        }
    }
    Some(ranges)
}

/// `geo_point_to_geohash`; the empty string for what is not on the globe.
pub fn geo_point_to_geohash(args: &[Value]) -> Value {
    let length = match args.get(2) {
        None => Some(5),
        Some(length) => convert::to_long(length).filter(|length| (1..=LONGEST).contains(length)),
    };
    let (Some(_), Some(length)) = (point(args, 0), length) else {
        return Value::string("");
    };
    let at = [get(args, 0), get(args, 1)].map(|value| convert::to_real(value).unwrap_or(0.0));
    Value::string(geohash(at, length as usize))
}

/// Coordinates as `GeoJSON` writes them.
fn coordinates(longitude: f64, latitude: f64) -> Value {
    Value::array(vec![Value::Real(longitude), Value::Real(latitude)])
}

/// `geo_geohash_to_central_point`, as a `GeoJSON` point; null for what is no geohash.
pub fn geo_geohash_to_central_point(args: &[Value]) -> Value {
    let Some(ranges) = bounds(&text::of(args, 0)) else {
        return Value::Null;
    };
    let [longitude, latitude] = ranges.map(|(low, high)| f64::midpoint(low, high));
    shape("Point", coordinates(longitude, latitude))
}

/// `geo_geohash_to_polygon`; null for what is no geohash.
pub fn geo_geohash_to_polygon(args: &[Value]) -> Value {
    let Some([(west, east), (south, north)]) = bounds(&text::of(args, 0)) else {
        return Value::Null;
    };
    let corners = [
        (west, south),
        (east, south),
        (east, north),
        (west, north),
        (west, south),
    ];
    let ring = corners.map(|(longitude, latitude)| coordinates(longitude, latitude));
    shape("Polygon", Value::array(vec![Value::array(ring.to_vec())]))
}

/// `geo_geohash_neighbors`, in the order that the documentation shows; null for
/// what is no geohash. There is nothing beyond the poles.
pub fn geo_geohash_neighbors(args: &[Value]) -> Value {
    let hash = text::of(args, 0);
    let Some([(west, east), (south, north)]) = bounds(&hash) else {
        return Value::Null;
    };
    let (width, height) = (east - west, north - south);
    let around = [
        (-1.0, -1.0),
        (-1.0, 1.0),
        (1.0, -1.0),
        (0.0, 1.0),
        (-1.0, 0.0),
        (1.0, 1.0),
        (1.0, 0.0),
        (0.0, -1.0),
    ];
    let cells = around.into_iter().filter_map(|(x, y)| {
        let latitude = f64::midpoint(south, north) + y * height;
        // East of the last meridian is the first.
        let longitude = (f64::midpoint(west, east) + x * width + 180.0).rem_euclid(360.0) - 180.0;
        (latitude.abs() <= 90.0).then(|| Value::string(geohash([longitude, latitude], hash.len())))
    });
    Value::Array(cells.collect())
}
