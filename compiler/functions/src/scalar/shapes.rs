//! Lines and polygons on the globe: what they measure and where they meet.
//!
//! In: `GeoJSON`. Out: metres, places, booleans; null for what is no valid
//! shape. What takes cutting shapes out of one another (unions, intersections,
//! buffers, simplification) has rows but no kernels.

use super::sphere::{
    Path, Place, Polygon, RADIUS, angle, lines, nearest, parts, plus, polygons, shape, times,
};
use crate::args::{get, maybe_bool, maybe_real};
use crate::{Bag, Value, convert, text};

rows! { ROWS: Function in shapes {
    geo_from_wkt "geo_from_wkt", [(TextOrArray) -> Bag], "The shape that well-known text describes, as GeoJSON.",
        "geo_from_wkt('LINESTRING (1 2, 3.5 4)')" => "{\"type\":\"LineString\",\"coordinates\":[[1,2],[3.5,4]]}";
    geo_closest_point_on_line "geo_closest_point_on_line", [(Number, Number, Bag) -> Bag], "The point of a line nearest to another.",
        "geo_closest_point_on_line(1, 5, dynamic({'type': 'LineString', 'coordinates': [[0, 0], [0, 3]]})).coordinates" => "[0.0,3.0]";
    geo_closest_point_on_polygon "geo_closest_point_on_polygon", [(Number, Number, Bag) -> Bag], "The point of a polygon nearest to another.",
        "geo_closest_point_on_polygon(1, 1, dynamic({'type': 'Polygon', 'coordinates': [[[0, 0], [9, 0], [0, 9], [0, 0]]]})).coordinates" => "[1.0,1.0]";
    geo_distance_point_to_line "geo_distance_point_to_line", [(Number, Number, Bag) -> Real], "The shortest distance from a point to a line, in metres.";
    geo_distance_point_to_polygon "geo_distance_point_to_polygon", [(Number, Number, Bag) -> Real], "The shortest distance from a point to a polygon, in metres.";
    geo_point_in_polygon "geo_point_in_polygon", [(Number, Number, Bag) -> Bool], "Whether a point lies in a polygon.",
        "geo_point_in_polygon(1, 1, dynamic({'type': 'Polygon', 'coordinates': [[[0, 0], [9, 0], [0, 9], [0, 0]]]}))" => "true";
    geo_intersects_2lines "geo_intersects_2lines", [(Bag, Bag) -> Bool], "Whether two lines meet.",
        "geo_intersects_2lines(dynamic({'type': 'LineString', 'coordinates': [[0, 0], [2, 2]]}), dynamic({'type': 'LineString', 'coordinates': [[0, 2], [2, 0]]}))" => "true";
    geo_intersects_line_with_polygon "geo_intersects_line_with_polygon", [(Bag, Bag) -> Bool], "Whether a line meets a polygon.";
    geo_intersects_2polygons "geo_intersects_2polygons", [(Bag, Bag) -> Bool], "Whether two polygons meet.";
    none "geo_intersection_2lines", [(Bag, Bag) -> Bag], "Where two lines meet.";
    none "geo_intersection_line_with_polygon", [(Bag, Bag) -> Bag], "Where a line meets a polygon.";
    none "geo_intersection_2polygons", [(Bag, Bag) -> Bag], "What two polygons share.";
    none "geo_union_polygons_array", [(Array) -> Bag], "The union of several polygons.";
    none "geo_simplify_polygons_array", [(Array; Number) -> Bag], "Several polygons with fewer points.";
    none "geo_union_lines_array", [(Array) -> Bag], "The union of several lines.";
    geo_polygon_densify "geo_polygon_densify", [(Bag; Number, NumberOrBool) -> Bag], "A polygon with more points on its edges.",
        "array_length(geo_polygon_densify(dynamic({'type': 'Polygon', 'coordinates': [[[0, 0], [1, 0], [1, 1], [0, 0]]]}), 1000).coordinates[0])" => "4";
    geo_polygon_area "geo_polygon_area", [(Bag) -> Real], "The area of a polygon, in square metres.";
    none "geo_polygon_buffer", [(Bag, Number; Number) -> Bag], "A polygon with a margin.";
    geo_polygon_centroid "geo_polygon_centroid", [(Bag) -> Bag], "The centre of mass of a polygon.";
    none "__geo_polygon_validate", [(Bag) -> String], "What is wrong with a polygon, for the service's own use.";
    geo_polygon_perimeter "geo_polygon_perimeter", [(Bag) -> Real], "The length of a polygon's boundary, in metres.";
    none "geo_polygon_simplify", [(Bag; Number) -> Bag], "A polygon with fewer points.";
    geo_line_length "geo_line_length", [(Bag) -> Real], "The length of a line, in metres.";
    none "geo_line_buffer", [(Bag, Number; Number) -> Bag], "The area within a distance of a line.";
    geo_line_centroid "geo_line_centroid", [(Bag) -> Bag], "The centre of mass of a line.";
    geo_line_densify "geo_line_densify", [(Bag; Number, NumberOrBool) -> Bag], "A line with more points.",
        "array_length(geo_line_densify(dynamic({'type': 'LineString', 'coordinates': [[50, 50], [51, 51]]})).coordinates)" => "9";
    none "geo_line_simplify", [(Bag; Number) -> Bag], "A line with fewer points.";
    geo_line_locate_point "geo_line_locate_point", [(Bag, Number, Number; NumberOrBool) -> Real], "How far along a line the point nearest to another is.";
    geo_line_interpolate_point "geo_line_interpolate_point", [(Bag, Number) -> Bag], "The point a fraction along a line.";
    none "__geo_line_validate", [(Bag) -> String], "What is wrong with a line, for the service's own use.";
    none "geo_point_buffer", [(Number, Number, Number; Number) -> Bag], "The area within a distance of a point.";
}}

fn place(args: &[Value], index: usize) -> Option<Place> {
    Place::new(
        convert::to_real(get(args, index))?,
        convert::to_real(get(args, index + 1))?,
    )
}

fn point(place: Option<Place>) -> Value {
    place.map_or(Value::Null, |place| place.point())
}

/// The place of some paths that is nearest to another.
fn nearest_of<'a>(paths: impl Iterator<Item = &'a Path>, to: &Place) -> Option<Place> {
    paths
        .flat_map(Path::arcs)
        .map(|arc| nearest(arc, to))
        .min_by(|a, b| angle(a.at, to.at).total_cmp(&angle(b.at, to.at)))
}

/// The place of a polygon that is nearest to another: itself, if it is within.
fn nearest_in(polygons: &[Polygon], to: &Place) -> Option<Place> {
    if polygons.iter().any(|polygon| polygon.contains(to)) {
        return Some(*to);
    }
    nearest_of(polygons.iter().flat_map(Polygon::rings), to)
}

fn distance(from: &Place, to: &Place) -> f64 {
    RADIUS * angle(from.at, to.at)
}

/// Polygons that can be added up, because none overlaps another.
fn apart(args: &[Value]) -> Option<Vec<Polygon>> {
    let polygons = polygons(get(args, 0))?;
    let overlap = polygons
        .iter()
        .enumerate()
        .any(|(i, one)| polygons[i + 1..].iter().any(|other| one.overlaps(other)));
    (!overlap).then_some(polygons)
}

/// `geo_closest_point_on_line`.
pub fn geo_closest_point_on_line(args: &[Value]) -> Value {
    point(
        place(args, 0)
            .zip(lines(get(args, 2)))
            .and_then(|(to, lines)| nearest_of(lines.iter(), &to)),
    )
}

/// `geo_closest_point_on_polygon`.
pub fn geo_closest_point_on_polygon(args: &[Value]) -> Value {
    point(
        place(args, 0)
            .zip(polygons(get(args, 2)))
            .and_then(|(to, polygons)| nearest_in(&polygons, &to)),
    )
}

/// `geo_distance_point_to_line`.
pub fn geo_distance_point_to_line(args: &[Value]) -> Value {
    let measured = || {
        let (to, lines) = (place(args, 0)?, lines(get(args, 2))?);
        Some(distance(&to, &nearest_of(lines.iter(), &to)?))
    };
    maybe_real(measured())
}

/// `geo_distance_point_to_polygon`: zero within.
pub fn geo_distance_point_to_polygon(args: &[Value]) -> Value {
    let measured = || {
        let (to, polygons) = (place(args, 0)?, polygons(get(args, 2))?);
        Some(distance(&to, &nearest_in(&polygons, &to)?))
    };
    maybe_real(measured())
}

/// `geo_point_in_polygon`.
pub fn geo_point_in_polygon(args: &[Value]) -> Value {
    let within = place(args, 0)
        .zip(polygons(get(args, 2)))
        .map(|(place, polygons)| polygons.iter().any(|polygon| polygon.contains(&place)));
    maybe_bool(within)
}

/// `geo_intersects_2lines`.
pub fn geo_intersects_2lines(args: &[Value]) -> Value {
    let meet = lines(get(args, 0))
        .zip(lines(get(args, 1)))
        .map(|(one, other)| one.iter().any(|a| other.iter().any(|b| a.meets(b))));
    maybe_bool(meet)
}

/// `geo_intersects_line_with_polygon`.
pub fn geo_intersects_line_with_polygon(args: &[Value]) -> Value {
    let meet = lines(get(args, 0))
        .zip(polygons(get(args, 1)))
        .map(|(lines, polygons)| {
            polygons
                .iter()
                .any(|polygon| lines.iter().any(|line| polygon.meets(line)))
        });
    maybe_bool(meet)
}

/// `geo_intersects_2polygons`.
pub fn geo_intersects_2polygons(args: &[Value]) -> Value {
    let meet = polygons(get(args, 0))
        .zip(polygons(get(args, 1)))
        .map(|(one, other)| one.iter().any(|a| other.iter().any(|b| a.overlaps(b))));
    maybe_bool(meet)
}

/// `geo_polygon_area`; null where polygons overlap.
pub fn geo_polygon_area(args: &[Value]) -> Value {
    maybe_real(apart(args).map(|polygons| RADIUS * RADIUS * polygons.iter().map(Polygon::area).sum::<f64>()))
}

/// `geo_polygon_perimeter`; null where polygons overlap.
pub fn geo_polygon_perimeter(args: &[Value]) -> Value {
    let perimeter = apart(args).map(|polygons| {
        let rings = polygons.iter().flat_map(Polygon::rings);
        RADIUS * rings.map(Path::length).sum::<f64>()
    });
    maybe_real(perimeter)
}

/// `geo_polygon_centroid`; null where polygons overlap.
pub fn geo_polygon_centroid(args: &[Value]) -> Value {
    point(apart(args).map(|polygons| {
        let centres = polygons.iter().map(Polygon::centre);
        Place::towards(centres.fold([0.0; 3], plus))
    }))
}

/// `geo_line_length`.
pub fn geo_line_length(args: &[Value]) -> Value {
    maybe_real(lines(get(args, 0)).map(|lines| RADIUS * lines.iter().map(Path::length).sum::<f64>()))
}

/// `geo_line_centroid`.
pub fn geo_line_centroid(args: &[Value]) -> Value {
    point(lines(get(args, 0)).map(|lines| {
        let centres = lines.iter().map(Path::centre);
        Place::towards(centres.fold([0.0; 3], plus))
    }))
}

/// The one line of a `LineString`.
fn one_line(value: &Value) -> Option<Path> {
    let mut lines = lines(value)?;
    (lines.len() == 1).then(|| lines.remove(0))
}

/// `geo_line_interpolate_point`.
pub fn geo_line_interpolate_point(args: &[Value]) -> Value {
    let found = || {
        let line = one_line(get(args, 0))?;
        let fraction = convert::to_real(get(args, 1)).filter(|f| (0.0..=1.0).contains(f))?;
        let mut left = fraction * line.length();
        for (a, b) in line.arcs() {
            let length = angle(a.at, b.at);
            if left <= length {
                return Some(match left / length {
                    0.0 => *a,
                    1.0 => *b,
                    _ => {
                        let (from, to) = ((length - left).sin(), left.sin());
                        Place::towards(plus(times(a.at, from), times(b.at, to)))
                    }
                });
            }
            left -= length;
        }
        line.0.last().copied()
    };
    point(found())
}

/// `geo_line_locate_point`, on the sphere; null where the call asks for the
/// spheroid.
pub fn geo_line_locate_point(args: &[Value]) -> Value {
    let located = || {
        let (line, to) = (one_line(get(args, 0))?, place(args, 1)?);
        if args.get(3).and_then(convert::to_bool) == Some(true) {
            return None;
        }
        let (mut before, mut best) = (0.0, (f64::INFINITY, 0.0));
        for (a, b) in line.arcs() {
            let foot = nearest((a, b), &to);
            let away = angle(foot.at, to.at);
            if away < best.0 {
                best = (away, before + angle(a.at, foot.at));
            }
            before += angle(a.at, b.at);
        }
        Some((best.1 / before).clamp(0.0, 1.0))
    };
    maybe_real(located())
}

/// The most that a straight edge of a map may be away from the arc that
/// stands for it, in metres, and the bounds of what a call may ask for.
const TOLERANCE: f64 = 10.0;
const TOLERANCES: std::ops::RangeInclusive<f64> = 0.1..=10_000.0;

/// Puts places on the straight edges of a map until the arcs between them are
/// near enough. What was given stays as it was written.
struct Densifier {
    tolerance: f64,
    /// Whether an edge over the last meridian goes the long way around.
    crossing: bool,
}

impl Densifier {
    fn new(args: &[Value]) -> Option<Self> {
        let tolerance = match args.get(1) {
            None => TOLERANCE,
            Some(tolerance) => convert::to_real(tolerance).filter(|t| TOLERANCES.contains(t))?,
        };
        Some(Self {
            tolerance,
            crossing: args.get(2).and_then(convert::to_bool) == Some(true),
        })
    }

    /// Lists of places within as many lists.
    fn nested(&self, value: &Value, levels: usize) -> Option<Value> {
        let Value::Array(items) = value else {
            return None;
        };
        if levels > 1 {
            let inner: Option<Vec<Value>> = items.iter().map(|item| self.nested(item, levels - 1)).collect();
            return inner.map(Value::array);
        }
        let path = Path::read(value)?;
        let mut out: Vec<Value> = items.first().cloned().into_iter().collect();
        for ((from, to), end) in path.arcs().zip(&items[1..]) {
            let mut to = (to.longitude, to.latitude);
            if !self.crossing && (to.0 - from.longitude).abs() > 180.0 {
                to.0 -= 360f64.copysign(to.0 - from.longitude);
            }
            self.between((from.longitude, from.latitude), to, 0, &mut out)?;
            out.push(end.clone());
        }
        Some(Value::array(out))
    }

    /// The places between two, which lie on the map.
    fn between(&self, from: (f64, f64), to: (f64, f64), depth: usize, out: &mut Vec<Value>) -> Option<()> {
        let place = |(longitude, latitude): (f64, f64)| {
            // Beyond the last meridian comes the first.
            let turns = ((longitude + 180.0) / 360.0).floor();
            let within = (-180.0..=180.0).contains(&longitude);
            Place::new(
                if within {
                    longitude
                } else {
                    longitude - 360.0 * turns
                },
                latitude,
            )
        };
        let middle = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
        let there = place(middle)?;
        let away = nearest((&place(from)?, &place(to)?), &there);
        if depth < MAX_DEPTH && distance(&there, &away) > self.tolerance {
            self.between(from, middle, depth + 1, out)?;
            out.push(there.coordinates());
            self.between(middle, to, depth + 1, out)?;
        }
        Some(())
    }

    fn shape(&self, value: &Value, kinds: [(&str, usize); 2]) -> Option<Value> {
        let (name, coordinates) = parts(value)?;
        let (_, levels) = kinds.into_iter().find(|(known, _)| *known == name)?;
        Some(shape(name, self.nested(coordinates, levels)?))
    }
}

/// `geo_line_densify`.
pub fn geo_line_densify(args: &[Value]) -> Value {
    let kinds = [("LineString", 1), ("MultiLineString", 2)];
    Densifier::new(args)
        .and_then(|densifier| densifier.shape(get(args, 0), kinds))
        .unwrap_or_default()
}

/// `geo_polygon_densify`.
pub fn geo_polygon_densify(args: &[Value]) -> Value {
    let kinds = [("Polygon", 2), ("MultiPolygon", 3)];
    Densifier::new(args)
        .and_then(|densifier| densifier.shape(get(args, 0), kinds))
        .unwrap_or_default()
}

/// `geo_from_wkt`.
pub fn geo_from_wkt(args: &[Value]) -> Value {
    let source = text::of(args, 0);
    let mut reader = Reader { rest: source.trim() };
    let shape = reader.shape(0);
    shape.filter(|_| reader.rest.is_empty()).unwrap_or_default()
}

/// Well-known text, read from its start.
struct Reader<'a> {
    rest: &'a str,
}

/// How deep collections may nest.
const MAX_DEPTH: usize = 32;

impl Reader<'_> {
    fn take(&mut self, token: char) -> bool {
        match self.rest.trim_start().strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn word(&mut self) -> String {
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(self.rest.len());
        let word = self.rest[..end].to_ascii_uppercase();
        self.rest = self.rest[end..].trim_start();
        word
    }

    fn shape(&mut self, depth: usize) -> Option<Value> {
        let (name, levels) = match &*self.word() {
            "POINT" => ("Point", 0),
            "LINESTRING" => ("LineString", 1),
            "POLYGON" => ("Polygon", 2),
            "MULTIPOINT" => ("MultiPoint", 1),
            "MULTILINESTRING" => ("MultiLineString", 2),
            "MULTIPOLYGON" => ("MultiPolygon", 3),
            "GEOMETRYCOLLECTION" if depth < MAX_DEPTH => {
                let shapes = self.list(|reader| reader.shape(depth + 1))?;
                let mut bag = Bag::new();
                bag.insert("type", Value::string("GeometryCollection"));
                bag.insert("geometries", shapes);
                return Some(Value::Bag(bag.into()));
            }
            _ => return None,
        };
        let coordinates = if levels == 0 {
            self.list(Self::pair).and_then(|pairs| match pairs {
                Value::Array(items) if items.len() == 1 => items.first().cloned(),
                _ => None,
            })?
        } else {
            self.nested(levels)?
        };
        Some(shape(name, coordinates))
    }

    /// Lists in lists, and pairs of numbers at the bottom.
    fn nested(&mut self, levels: usize) -> Option<Value> {
        self.list(|reader| {
            if levels > 1 {
                reader.nested(levels - 1)
            } else {
                reader.pair()
            }
        })
    }

    fn list(&mut self, mut item: impl FnMut(&mut Self) -> Option<Value>) -> Option<Value> {
        if !self.take('(') {
            return None;
        }
        let mut items = Vec::new();
        loop {
            items.push(item(self)?);
            if self.take(')') {
                return Some(Value::array(items));
            }
            if !self.take(',') {
                return None;
            }
        }
    }

    /// Two numbers; the points of a MULTIPOINT may be in parentheses.
    fn pair(&mut self) -> Option<Value> {
        let enclosed = self.take('(');
        let pair = Value::array(vec![self.number()?, self.number()?]);
        (!enclosed || self.take(')')).then_some(pair)
    }

    fn number(&mut self) -> Option<Value> {
        let end = self
            .rest
            .find(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')'))
            .unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        let real = text::parse_real(number).filter(|real| real.is_finite())?;
        Some(number.parse().map_or(Value::Real(real), Value::Long))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    /// The examples of the documentation, to a millionth.
    #[test]
    fn documented() {
        let park = json::parse_json(
            r#"{"type":"Polygon","coordinates":[[[-73.9495,40.7969],[-73.95807266235352,40.80068603561921],[-73.98201942443848,40.76825672305777],[-73.97317886352539,40.76455136505513],[-73.9495,40.7969]]]}"#,
        );
        let road = json::parse_json(
            r#"{"type":"LineString","coordinates":[[-115.115385,36.229195],[-115.136995,36.200366],[-115.140252,36.192470],[-115.143558,36.188523],[-115.144076,36.181954],[-115.154662,36.174483],[-115.166431,36.176388],[-115.183289,36.175007],[-115.192612,36.176736],[-115.202485,36.173439],[-115.225355,36.174365]]}"#,
        );
        let street = json::parse_json(
            r#"{"type":"LineString","coordinates":[[-73.95796,40.80042],[-73.97317,40.764486]]}"#,
        );
        let airport = [Value::Real(-115.199_625), Value::Real(36.210_419), road];
        let crossroads = [Value::Real(-73.9839), Value::Real(40.7705), park.clone()];
        let near = |value: &Value, expected: f64| {
            let found = convert::to_real(value).unwrap_or(f64::NAN);
            assert!((found / expected - 1.0).abs() < 1e-6, "{found} is not {expected}");
        };
        near(
            &geo_polygon_area(std::slice::from_ref(&park)),
            3_475_207.283_466_06,
        );
        near(&geo_distance_point_to_line(&airport), 3_797.888_872_533_34);
        near(&geo_distance_point_to_polygon(&crossroads), 259.940_756_070_596);
        near(
            &geo_line_locate_point(&[street.clone(), Value::Real(-73.965), Value::Real(40.792)]),
            0.255_601_351_003_075_5,
        );
        for (point, longitude, latitude) in [
            (
                geo_polygon_centroid(std::slice::from_ref(&park)),
                -73.965_735_689_907_62,
                40.782_550_538_057_81,
            ),
            (
                geo_line_centroid(std::slice::from_ref(&street)),
                -73.965_567_057_230_94,
                40.782_453_249_627_416,
            ),
            (
                geo_line_interpolate_point(&[street.clone(), Value::Real(0.25)]),
                -73.961_764_043_218_28,
                40.791_436_687_257_23,
            ),
            (geo_closest_point_on_line(&airport), -115.192_612, 36.176_736),
        ] {
            let Value::Bag(bag) = point else {
                panic!("no point");
            };
            let Some(Value::Array(coordinates)) = bag.get("coordinates") else {
                panic!("no coordinates");
            };
            near(&coordinates[0], longitude);
            near(&coordinates[1], latitude);
        }
        let inside = [Value::Real(-73.965), Value::Real(40.783), park];
        assert_eq!(text::print(&geo_point_in_polygon(&inside)), "true");
        assert_eq!(text::print(&geo_point_in_polygon(&crossroads)), "false");
        assert_eq!(text::print(&geo_distance_point_to_polygon(&inside)), "0");
        let touching =
            json::parse_json(r#"{"type":"Polygon","coordinates":[[[0,0],[10,10],[10,10],[0,0]]]}"#);
        assert!(geo_polygon_area(&[touching]).is_null());
    }

    #[test]
    fn holes_and_halves() {
        let holed = |outline: &str, hole: &str| {
            json::parse_json(&format!(
                r#"{{"type":"Polygon","coordinates":[{outline},{hole}]}}"#
            ))
        };
        let outline = "[[0,0],[9,0],[9,9],[0,9],[0,0]]";
        // Written either way around, a ring encloses the smaller part.
        for hole in [
            "[[3,3],[3,6],[6,6],[6,3],[3,3]]",
            "[[3,3],[6,3],[6,6],[3,6],[3,3]]",
        ] {
            let polygon = holed(outline, hole);
            let at = |x: f64| geo_point_in_polygon(&[Value::Real(x), Value::Real(x), polygon.clone()]);
            assert_eq!(text::print(&at(2.0)), "true");
            assert_eq!(text::print(&at(4.5)), "false");
            assert_eq!(text::print(&at(20.0)), "false");
        }
        let octant = json::parse_json(r#"{"type":"Polygon","coordinates":[[[0,0],[90,0],[0,90],[0,0]]]}"#);
        let Value::Real(area) = geo_polygon_area(&[octant]) else {
            panic!("no area");
        };
        let sphere = 4.0 * std::f64::consts::PI * RADIUS * RADIUS;
        assert!((area / sphere - 0.125).abs() < 1e-12);
        let crossing =
            json::parse_json(r#"{"type":"Polygon","coordinates":[[[0,0],[9,9],[9,0],[0,9],[0,0]]]}"#);
        assert!(geo_polygon_area(&[crossing]).is_null());
    }

    #[test]
    fn densified() {
        let line = json::parse_json(r#"{"type":"LineString","coordinates":[[50,50],[51,51]]}"#);
        assert_eq!(
            text::print(&geo_line_densify(std::slice::from_ref(&line))),
            r#"{"type":"LineString","coordinates":[[50,50],[50.125,50.125],[50.25,50.25],[50.375,50.375],[50.5,50.5],[50.625,50.625],[50.75,50.75],[50.875,50.875],[51,51]]}"#
        );
        assert!(geo_line_densify(&[line, Value::Long(0)]).is_null());
        // Over the last meridian, the shorter way unless told otherwise.
        let over = json::parse_json(r#"{"type":"LineString","coordinates":[[179,10],[-179,10]]}"#);
        let count = |crossing: bool| {
            let args = [over.clone(), Value::Long(10_000), Value::Bool(crossing)];
            match geo_line_densify(&args) {
                Value::Bag(bag) => bag
                    .get("coordinates")
                    .map_or(0, |c| text::print(c).matches('[').count() - 1),
                _ => 0,
            }
        };
        assert_eq!(count(false), 2);
        assert!(count(true) > 2);
    }

    #[test]
    fn well_known_text() {
        let read = |text: &str| crate::text::print(&geo_from_wkt(&[Value::string(text)]));
        for (text, expected) in [
            ("POINT (1 2)", r#"{"type":"Point","coordinates":[1,2]}"#),
            (
                "multipoint ((1 1), (2 2))",
                r#"{"type":"MultiPoint","coordinates":[[1,1],[2,2]]}"#,
            ),
            (
                "POLYGON ((0 0, 2 0, 2 2, 0 0))",
                r#"{"type":"Polygon","coordinates":[[[0,0],[2,0],[2,2],[0,0]]]}"#,
            ),
            (
                "GEOMETRYCOLLECTION (POINT (1 1),LINESTRING (2 2, 3 3))",
                r#"{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,1]},{"type":"LineString","coordinates":[[2,2],[3,3]]}]}"#,
            ),
            ("LINESTRING", ""),
            ("POINT (1 2) x", ""),
            ("POINT (1 2, 3 4)", ""),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
