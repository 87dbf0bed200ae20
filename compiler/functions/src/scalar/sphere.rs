//! The sphere that the service measures on, and shapes on it.
//!
//! In: `GeoJSON`. Out: lines and polygons of unit vectors, and what can be
//! measured of them. Edges are the shorter great-circle arcs. A shape that is
//! not valid is none, which the kernels give as null.

use crate::{Bag, Value, convert};

/// The radius, in metres; documented distances come out to the last digit with
/// it.
pub(super) const RADIUS: f64 = 6_371_010.0;

pub(super) type Vector = [f64; 3];

/// A place: its coordinates as they were given, in degrees, and its direction
/// from the centre.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) longitude: f64,
    pub(super) latitude: f64,
    pub(super) at: Vector,
}

impl Place {
    /// A place, if it is on the globe.
    pub(super) fn new(longitude: f64, latitude: f64) -> Option<Self> {
        let valid = (-180.0..=180.0).contains(&longitude) && (-90.0..=90.0).contains(&latitude);
        let (sin_x, cos_x) = longitude.to_radians().sin_cos();
        let (sin_y, cos_y) = latitude.to_radians().sin_cos();
        valid.then_some(Self {
            longitude,
            latitude,
            at: [cos_y * cos_x, cos_y * sin_x, sin_y],
        })
    }

    /// The place in a direction.
    pub(super) fn towards(at: Vector) -> Self {
        Self {
            longitude: at[1].atan2(at[0]).to_degrees(),
            latitude: at[2].atan2(at[0].hypot(at[1])).to_degrees(),
            at: unit(at),
        }
    }

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Array(pair) if pair.len() >= 2 => {
                Self::new(convert::to_real(&pair[0])?, convert::to_real(&pair[1])?)
            }
            _ => None,
        }
    }

    fn is(&self, other: &Self) -> bool {
        self.longitude == other.longitude && self.latitude == other.latitude
    }

    /// Its coordinates, as `GeoJSON` writes them.
    pub(super) fn coordinates(&self) -> Value {
        Value::array(vec![Value::Real(self.longitude), Value::Real(self.latitude)])
    }

    /// As a `GeoJSON` point.
    pub(super) fn point(&self) -> Value {
        shape("Point", self.coordinates())
    }
}

/// A `GeoJSON` shape.
pub(super) fn shape(name: &str, coordinates: Value) -> Value {
    let mut bag = Bag::new();
    bag.insert("type", Value::string(name));
    bag.insert("coordinates", coordinates);
    Value::Bag(bag.into())
}

pub(super) fn cross(a: Vector, b: Vector) -> Vector {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

pub(super) fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(super) fn plus(a: Vector, b: Vector) -> Vector {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

fn minus(a: Vector, b: Vector) -> Vector {
    plus(a, times(b, -1.0))
}

pub(super) fn times(a: Vector, by: f64) -> Vector {
    a.map(|x| x * by)
}

pub(super) fn unit(a: Vector) -> Vector {
    let length = dot(a, a).sqrt();
    if length > 0.0 { times(a, 1.0 / length) } else { a }
}

/// The angle between two directions.
pub(super) fn angle(a: Vector, b: Vector) -> f64 {
    let across = cross(a, b);
    dot(across, across).sqrt().atan2(dot(a, b))
}

/// The place of an arc that is nearest to another.
pub(super) fn nearest(arc: (&Place, &Place), to: &Place) -> Place {
    let (a, b) = (arc.0.at, arc.1.at);
    let normal = unit(cross(a, b));
    let foot = minus(to.at, times(normal, dot(to.at, normal)));
    let within = dot(cross(a, foot), normal) >= 0.0 && dot(cross(foot, b), normal) >= 0.0;
    if within && dot(foot, foot) > 0.0 {
        Place::towards(foot)
    } else if angle(to.at, a) <= angle(to.at, b) {
        *arc.0
    } else {
        *arc.1
    }
}

/// Whether two arcs cross, or have an end in common.
fn meet(one: (&Place, &Place), other: (&Place, &Place)) -> bool {
    one.0.is(other.0) || one.0.is(other.1) || one.1.is(other.0) || one.1.is(other.1) || crosses(one, other)
}

/// Whether two arcs cross within.
fn crosses(one: (&Place, &Place), other: (&Place, &Place)) -> bool {
    let (a, b, c, d) = (one.0.at, one.1.at, other.0.at, other.1.at);
    let (ab, cd) = (cross(a, b), cross(c, d));
    let (acb, bda) = (-dot(ab, c), dot(ab, d));
    let (cbd, dac) = (-dot(cd, b), dot(cd, a));
    acb * bda > 0.0 && acb * cbd > 0.0 && acb * dac > 0.0
}

/// Several places, one after the other.
pub(super) struct Path(pub(super) Vec<Place>);

impl Path {
    pub(super) fn read(value: &Value) -> Option<Self> {
        let Value::Array(items) = value else {
            return None;
        };
        let places: Vec<Place> = items.iter().map(Place::read).collect::<Option<_>>()?;
        // Opposite places have no shorter arc between them.
        let opposite = |pair: &[Place]| angle(pair[0].at, pair[1].at) > std::f64::consts::PI - 1e-14;
        (places.len() >= 2 && !places.windows(2).any(opposite)).then_some(Self(places))
    }

    pub(super) fn arcs(&self) -> impl Iterator<Item = (&Place, &Place)> {
        self.0.windows(2).map(|pair| (&pair[0], &pair[1]))
    }

    /// Its length as an angle.
    pub(super) fn length(&self) -> f64 {
        self.arcs().map(|(a, b)| angle(a.at, b.at)).sum()
    }

    /// The sum of where it is, weighted by length.
    pub(super) fn centre(&self) -> Vector {
        self.arcs().fold([0.0; 3], |sum, (a, b)| {
            let (middle, apart) = (plus(a.at, b.at), minus(a.at, b.at));
            let weight = (dot(apart, apart) / dot(middle, middle)).sqrt();
            plus(sum, times(middle, weight))
        })
    }

    pub(super) fn meets(&self, other: &Self) -> bool {
        self.arcs()
            .any(|arc| other.arcs().any(|another| meet(arc, another)))
    }
}

/// The lines of a `LineString` or `MultiLineString`.
pub(super) fn lines(value: &Value) -> Option<Vec<Path>> {
    let (name, coordinates) = parts(value)?;
    match (name, coordinates) {
        ("LineString", line) => Some(vec![Path::read(line)?]),
        ("MultiLineString", Value::Array(all)) if !all.is_empty() => all.iter().map(Path::read).collect(),
        _ => None,
    }
}

/// The type and the coordinates of a shape.
pub(super) fn parts(value: &Value) -> Option<(&str, &Value)> {
    match value {
        Value::Bag(bag) => Some((bag.get("type")?.as_str()?, bag.get("coordinates")?)),
        _ => None,
    }
}

/// A polygon: its outline, then its holes, each against the clock.
pub(super) struct Polygon(Vec<Path>);

impl Polygon {
    fn read(value: &Value) -> Option<Self> {
        let Value::Array(rings) = value else {
            return None;
        };
        let rings: Vec<Path> = rings.iter().map(ring).collect::<Option<_>>()?;
        let crossing = rings
            .iter()
            .enumerate()
            .any(|(i, one)| rings[i + 1..].iter().any(|other| paths_cross(one, other)));
        (!rings.is_empty() && !crossing).then_some(Self(rings))
    }

    pub(super) fn rings(&self) -> &[Path] {
        &self.0
    }

    /// As a solid angle.
    pub(super) fn area(&self) -> f64 {
        let mut areas = self.0.iter().map(signed_area);
        areas.next().unwrap_or(0.0) - areas.sum::<f64>()
    }

    /// The sum of where it is, weighted by area.
    pub(super) fn centre(&self) -> Vector {
        let mut centres = self.0.iter().map(ring_centre);
        let outline = centres.next().unwrap_or_default();
        centres.fold(outline, minus)
    }

    pub(super) fn contains(&self, place: &Place) -> bool {
        let mut inside = self.0.iter().map(|ring| winds_around(ring, place));
        inside.next() == Some(true) && !inside.any(|in_hole| in_hole)
    }

    /// Whether a path meets the outline or a hole, or lies within.
    pub(super) fn meets(&self, path: &Path) -> bool {
        self.0.iter().any(|ring| ring.meets(path)) || path.0.first().is_some_and(|place| self.contains(place))
    }

    /// Whether the two share a place.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let outline = |polygon: &Self| polygon.0.first().and_then(|ring| ring.0.first()).copied();
        self.0
            .iter()
            .any(|ring| other.0.iter().any(|another| ring.meets(another)))
            || outline(self).is_some_and(|place| other.contains(&place))
            || outline(other).is_some_and(|place| self.contains(&place))
    }
}

/// The polygons of a `Polygon` or `MultiPolygon`.
pub(super) fn polygons(value: &Value) -> Option<Vec<Polygon>> {
    let (name, coordinates) = parts(value)?;
    match (name, coordinates) {
        ("Polygon", polygon) => Some(vec![Polygon::read(polygon)?]),
        ("MultiPolygon", Value::Array(all)) if !all.is_empty() => all.iter().map(Polygon::read).collect(),
        _ => None,
    }
}

/// A ring: closed, without a place twice, not crossing itself, against the
/// clock around the smaller of the two parts that it divides the sphere into.
fn ring(value: &Value) -> Option<Path> {
    let mut path = Path::read(value)?;
    let count = path.0.len();
    if count < 4 || !path.0[0].is(&path.0[count - 1]) {
        return None;
    }
    let distinct = &path.0[1..];
    let twice = distinct
        .iter()
        .enumerate()
        .any(|(i, one)| distinct[i + 1..].iter().any(|other| one.is(other)));
    if twice || paths_cross(&path, &path) {
        return None;
    }
    if signed_area(&path) < 0.0 {
        path.0.reverse();
    }
    Some(path)
}

fn paths_cross(one: &Path, other: &Path) -> bool {
    one.arcs()
        .any(|arc| other.arcs().any(|another| crosses(arc, another)))
}

/// The area of a ring as a solid angle, negative if it runs with the clock; of
/// the two parts of the sphere, the smaller one counts.
fn signed_area(ring: &Path) -> f64 {
    let full = 4.0 * std::f64::consts::PI;
    let sum: f64 = triangles(ring)
        .map(|[a, b, c]| {
            let volume = dot(a, cross(b, c));
            2.0 * volume.atan2(1.0 + dot(a, b) + dot(b, c) + dot(c, a))
        })
        .sum();
    let area = sum.rem_euclid(full);
    if area > full / 2.0 { area - full } else { area }
}

/// The triangles between the first place of a ring and each arc.
fn triangles(ring: &Path) -> impl Iterator<Item = [Vector; 3]> {
    let first = ring.0.first().map_or([0.0; 3], |place| place.at);
    ring.arcs().map(move |(b, c)| [first, b.at, c.at])
}

fn ring_centre(ring: &Path) -> Vector {
    triangles(ring).fold([0.0; 3], |sum, [a, b, c]| {
        let ratio = |a: Vector, b: Vector| {
            let across = cross(a, b);
            let sine = dot(across, across).sqrt();
            if sine == 0.0 { 1.0 } else { angle(a, b) / sine }
        };
        let (ra, rb, rc) = (ratio(b, c), ratio(c, a), ratio(a, b));
        let row = |i: usize| [a[i], b[i] - a[i], c[i] - a[i]];
        let (x, y, z) = (row(0), row(1), row(2));
        let r = [ra, rb - ra, rc - ra];
        let centre = [dot(cross(y, z), r), dot(cross(z, x), r), dot(cross(x, y), r)];
        plus(sum, times(centre, 0.5))
    })
}

/// Whether a ring that runs against the clock goes around a place: the turns
/// that its arcs make, as seen from there, add up to one whole.
fn winds_around(ring: &Path, place: &Place) -> bool {
    let turns: f64 = ring
        .arcs()
        .map(|(a, b)| {
            let (to_a, to_b) = (cross(place.at, a.at), cross(place.at, b.at));
            dot(place.at, cross(to_a, to_b)).atan2(dot(to_a, to_b))
        })
        .sum();
    turns > std::f64::consts::PI
}
