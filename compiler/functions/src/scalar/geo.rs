//! Places on the globe: distances and directions on a sphere, and geohashes.
//! The other rows parse and type.
//!
//! Deliberately absent: shapes, S2 and H3 cells.

use crate::args::get;
use crate::{Bag, Value, convert, text};

rows! { ROWS: Function in geo {
    none "geo_from_wkt", [(TextOrArray) -> Bag], "The shape that well-known text describes, as GeoJSON.";
    geo_angle "geo_angle", [(Number, Number, Number, Number, Number, Number) -> Real], "The angle between three points on the globe.",
        "round(geo_angle(0, 10, 0, 5, 3, -10), 9)" => "2.944938434";
    geo_azimuth "geo_azimuth", [(Number, Number, Number, Number) -> Real], "The direction from one point to another.",
        "round(geo_azimuth(5, 10, 10, -40), 9)" => "3.054599398";
    none "geo_closest_point_on_line", [(Number, Number, Bag) -> Bag], "The point of a line nearest to another.";
    none "geo_closest_point_on_polygon", [(Number, Number, Bag) -> Bag], "The point of a polygon nearest to another.";
    geo_distance_2points "geo_distance_2points", [(Number, Number, Number, Number; NumberOrBool) -> Real], "The shortest distance between two points, in metres.",
        "round(geo_distance_2points(-122.407628, 47.578557, -118.275287, 34.019056), 3)" => "1546754.352";
    none "geo_distance_point_to_line", [(Number, Number, Bag) -> Real], "The shortest distance from a point to a line, in metres.";
    none "geo_distance_point_to_polygon", [(Number, Number, Bag) -> Real], "The shortest distance from a point to a polygon, in metres.";
    geo_point_in_circle "geo_point_in_circle", [(Number, Number, Number, Number, Number) -> Bool], "Whether a point lies in a circle on the globe.",
        "geo_point_in_circle(-122.143564, 47.535677, -122.100896, 47.527351, 3500)" => "true";
    none "geo_point_in_polygon", [(Number, Number, Bag) -> Bool], "Whether a point lies in a polygon.";
    none "geo_intersects_2lines", [(Bag, Bag) -> Bool], "Whether two lines meet.";
    none "geo_intersects_line_with_polygon", [(Bag, Bag) -> Bool], "Whether a line meets a polygon.";
    none "geo_intersects_2polygons", [(Bag, Bag) -> Bool], "Whether two polygons meet.";
    none "geo_intersection_2lines", [(Bag, Bag) -> Bag], "Where two lines meet.";
    none "geo_intersection_line_with_polygon", [(Bag, Bag) -> Bag], "Where a line meets a polygon.";
    none "geo_intersection_2polygons", [(Bag, Bag) -> Bag], "What two polygons share.";
    none "geo_union_polygons_array", [(Array) -> Bag], "The union of several polygons.";
    none "geo_simplify_polygons_array", [(Array; Number) -> Bag], "Several polygons with fewer points.";
    none "geo_union_lines_array", [(Array) -> Bag], "The union of several lines.";
    none "geo_polygon_to_h3cells", [(Bag; Number, Number) -> Array], "The H3 cells that cover a polygon.";
    none "geo_polygon_to_s2cells", [(Bag; Number, Number) -> Array], "The S2 cells that cover a polygon.";
    none "__geo_polygon_s2cell_covering_level", [(Bag) -> Int], "The level of S2 cells fit to cover a polygon, for the service's own use.";
    none "geo_polygon_densify", [(Bag; Number, NumberOrBool) -> Bag], "A polygon with more points on its edges.";
    none "geo_polygon_area", [(Bag) -> Real], "The area of a polygon, in square metres.";
    none "geo_polygon_buffer", [(Bag, Number; Number) -> Bag], "A polygon with a margin.";
    none "geo_polygon_centroid", [(Bag) -> Bag], "The centre of mass of a polygon.";
    none "__geo_polygon_validate", [(Bag) -> String], "What is wrong with a polygon, for the service's own use.";
    none "geo_polygon_perimeter", [(Bag) -> Real], "The length of a polygon's boundary, in metres.";
    none "geo_polygon_simplify", [(Bag; Number) -> Bag], "A polygon with fewer points.";
    none "__geo_line_s2cell_covering_level", [(Bag) -> Int], "The level of S2 cells fit to cover a line, for the service's own use.";
    none "geo_line_length", [(Bag) -> Real], "The length of a line, in metres.";
    none "geo_line_buffer", [(Bag, Number; Number) -> Bag], "The area within a distance of a line.";
    none "geo_line_centroid", [(Bag) -> Bag], "The centre of mass of a line.";
    none "geo_line_densify", [(Bag; Number, NumberOrBool) -> Bag], "A line with more points.";
    none "geo_line_simplify", [(Bag; Number) -> Bag], "A line with fewer points.";
    none "geo_line_locate_point", [(Bag, Number, Number; NumberOrBool) -> Real], "How far along a line the point nearest to another is.";
    none "geo_line_interpolate_point", [(Bag, Number) -> Bag], "The point a fraction along a line.";
    none "__geo_line_validate", [(Bag) -> String], "What is wrong with a line, for the service's own use.";
    none "geo_line_to_s2cells", [(Bag; Number, Number) -> Array], "The S2 cells that cover a line.";
    none "__geo_length_to_s2cell_level", [(Number) -> Int], "The level of S2 cells of a length, for the service's own use.";
    geo_point_to_geohash "geo_point_to_geohash", [(Number, Number; Number) -> String], "The geohash cell of a point.",
        "geo_point_to_geohash(-80.195829, 25.802215, 8)" => "dhwfz15h";
    geo_geohash_to_central_point "geo_geohash_to_central_point", [(Text) -> Bag], "The centre of a geohash cell.",
        "geo_geohash_to_central_point('sunny').coordinates[0]" => "42.47314453125";
    none "geo_geohash_to_polygon", [(Text) -> Bag], "The outline of a geohash cell.";
    none "geo_geohash_neighbors", [(Text) -> Array], "The cells around a geohash cell.";
    none "geo_point_buffer", [(Number, Number, Number; Number) -> Bag], "The area within a distance of a point.";
    none "geo_point_to_s2cell", [(Number, Number; Number) -> String], "The S2 cell of a point.";
    none "geo_s2cell_to_central_point", [(Text) -> Bag], "The centre of an S2 cell.";
    none "geo_s2cell_to_polygon", [(Text) -> Bag], "The outline of an S2 cell.";
    none "geo_s2cell_neighbors", [(Text) -> Array], "The cells around an S2 cell.";
    none "geo_point_to_h3cell", [(Number, Number; Number) -> String], "The H3 cell of a point.";
    none "geo_h3cell_to_central_point", [(Text) -> Bag], "The centre of an H3 cell.";
    none "geo_h3cell_to_polygon", [(Text) -> Bag], "The outline of an H3 cell.";
    none "geo_h3cell_neighbors", [(Text) -> Array], "The cells around an H3 cell.";
    none "geo_h3cell_children", [(Text; Number) -> Array], "The smaller cells in an H3 cell.";
    none "geo_h3cell_parent", [(Text; Number) -> String], "The larger cell around an H3 cell.";
    none "geo_h3cell_rings", [(Text, Number) -> Array], "The rings of cells around an H3 cell.";
    none "geo_h3cell_level", [(Text) -> Int], "The level of an H3 cell.";
}}

/// The radius of the sphere that the service measures on, in metres; its
/// documented distances come out to the last digit with it.
const RADIUS: f64 = 6_371_010.0;

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

/// `geo_distance_2points`.
pub fn geo_distance_2points(args: &[Value]) -> Value {
    let points = point(args, 0).zip(point(args, 2));
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
    let mut ranges = [(-180.0, 180.0), (-90.0, 90.0)];
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
    Value::string(hash)
}

/// `geo_geohash_to_central_point`, as a `GeoJSON` point; null for what is no geohash.
pub fn geo_geohash_to_central_point(args: &[Value]) -> Value {
    let hash = text::of(args, 0);
    if hash.is_empty() || hash.len() > LONGEST as usize {
        return Value::Null;
    }
    let mut ranges = [(-180.0, 180.0), (-90.0, 90.0)];
    let mut axis = 0;
    for byte in hash.bytes().map(|byte| byte.to_ascii_lowercase()) {
        let Some(digit) = DIGITS.iter().position(|known| *known == byte) else {
            return Value::Null;
        };
        for bit in (0..5).rev() {
            let (low, high): (f64, f64) = ranges[axis];
            let middle = f64::midpoint(low, high);
            ranges[axis] = if digit >> bit & 1 == 1 {
                (middle, high)
            } else {
                (low, middle)
            };
            axis = 1 - axis;
        }
    }
    let centre = ranges.map(|(low, high)| Value::Real(f64::midpoint(low, high)));
    let mut bag = Bag::new();
    bag.insert("type", Value::string("Point"));
    bag.insert("coordinates", Value::array(centre.to_vec()));
    Value::Bag(bag.into())
}
