//! S2 cells: the sphere seen from the middle of a cube, each face of the cube
//! divided in four again and again along a Hilbert curve.
//!
//! In: places, and tokens of cells: a cell's 64 bits in hexadecimal, without
//! the zeros at the end. Out: tokens, and shapes as `GeoJSON`. The division is
//! that of the S2 library (<https://s2geometry.io>).

use super::sphere::{Place, Vector, plus, shape, times};
use crate::args::get;
use crate::{Value, convert, text};

rows! { ROWS: Function in cells {
    geo_point_to_s2cell "geo_point_to_s2cell", [(Number, Number; Number) -> String], "The S2 cell of a point.",
        "geo_point_to_s2cell(-80.195829, 25.802215, 8)" => "88d9b", "geo_point_to_s2cell(300, 1)" => "";
    geo_s2cell_to_central_point "geo_s2cell_to_central_point", [(Text) -> Bag], "The centre of an S2 cell.";
    geo_s2cell_to_polygon "geo_s2cell_to_polygon", [(Text) -> Bag], "The outline of an S2 cell.";
    geo_s2cell_neighbors "geo_s2cell_neighbors", [(Text) -> Array], "The cells around an S2 cell.",
        "geo_s2cell_neighbors('89c259')[0]" => "89c25d";
    none "geo_polygon_to_s2cells", [(Bag; Number, Number) -> Array], "The S2 cells that cover a polygon.";
    none "__geo_polygon_s2cell_covering_level", [(Bag) -> Int], "The level of S2 cells fit to cover a polygon, for the service's own use.";
    none "__geo_line_s2cell_covering_level", [(Bag) -> Int], "The level of S2 cells fit to cover a line, for the service's own use.";
    none "geo_line_to_s2cells", [(Bag; Number, Number) -> Array], "The S2 cells that cover a line.";
    none "__geo_length_to_s2cell_level", [(Number) -> Int], "The level of S2 cells of a length, for the service's own use.";
}}

/// The level of the smallest cells.
const DEEPEST: u32 = 30;
/// Cells of that level along an edge of a face.
const ACROSS: i64 = 1 << DEEPEST;
/// The level where the call says none.
const USUAL: i64 = 11;

/// The axes of each face: its own, and the two of its edges.
const FACES: [[Vector; 3]; 6] = [
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    [[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]],
    [[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]],
    [[-1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, -1.0, 0.0]],
    [[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]],
    [[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]],
];

/// The quarters of a cell in the order of the curve (twice the half along the
/// first axis, plus that along the second), by how the curve is turned there:
/// 1 for swapped axes, 2 for the opposite direction.
const CURVE: [[u64; 4]; 4] = [[0, 1, 3, 2], [0, 2, 3, 1], [3, 2, 0, 1], [3, 1, 0, 2]];
/// How each quarter turns the curve further.
const TURNS: [usize; 4] = [1, 0, 0, 3];

/// The face that a direction leaves the cube by.
fn face_of(at: Vector) -> usize {
    let size = at.map(f64::abs);
    let axis = if size[0] > size[1] {
        if size[0] > size[2] { 0 } else { 2 }
    } else if size[1] > size[2] {
        1
    } else {
        2
    };
    if at[axis] < 0.0 { axis + 3 } else { axis }
}

fn dot(a: Vector, b: Vector) -> f64 {
    super::sphere::dot(a, b)
}

/// From -1 to 1 on the face to 0 to 1, so that cells are of similar size.
fn evened(u: f64) -> f64 {
    if u >= 0.0 {
        0.5 * (1.0 + 3.0 * u).sqrt()
    } else {
        1.0 - 0.5 * (1.0 - 3.0 * u).sqrt()
    }
}

fn stretched(s: f64) -> f64 {
    if s >= 0.5 {
        (4.0 * s * s - 1.0) / 3.0
    } else {
        (1.0 - 4.0 * (1.0 - s) * (1.0 - s)) / 3.0
    }
}

/// The direction of a place of a face, each coordinate from 0 to 1.
fn direction(face: usize, s: f64, t: f64) -> Vector {
    let [normal, first, second] = FACES[face];
    plus(
        normal,
        plus(times(first, stretched(s)), times(second, stretched(t))),
    )
}

/// A cell: its face, the first of its smallest cells along both axes, and its
/// level.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Cell {
    face: usize,
    i: i64,
    j: i64,
    level: u32,
}

impl Cell {
    fn at(direction: Vector, level: u32) -> Self {
        let face = face_of(direction);
        let [normal, first, second] = FACES[face];
        let depth = dot(direction, normal);
        let along = |axis: Vector| {
            let place = (evened(dot(direction, axis) / depth) * ACROSS as f64).floor() as i64;
            place.clamp(0, ACROSS - 1)
        };
        Self::new(face, along(first), along(second), level)
    }

    fn new(face: usize, i: i64, j: i64, level: u32) -> Self {
        let inside = (1i64 << (DEEPEST - level)) - 1;
        Self {
            face,
            i: i & !inside,
            j: j & !inside,
            level,
        }
    }

    /// Its width in smallest cells.
    fn size(self) -> i64 {
        1 << (DEEPEST - self.level)
    }

    /// Its number on the curve: the face, two bits a level, a one.
    fn id(self) -> u64 {
        let mut id = self.face as u64;
        let mut turned = self.face & 1;
        for level in (DEEPEST - self.level..DEEPEST).rev() {
            let quarter = ((self.i >> level & 1) << 1 | self.j >> level & 1) as u64;
            let place = CURVE[turned]
                .iter()
                .position(|known| *known == quarter)
                .unwrap_or(0);
            id = id << 2 | place as u64;
            turned ^= TURNS[place];
        }
        (id << 1 | 1) << (2 * (DEEPEST - self.level))
    }

    fn from_id(id: u64) -> Option<Self> {
        let face = (id >> 61) as usize;
        let end = id.trailing_zeros();
        // The last one of all stands where a level ends.
        if face > 5 || id == 0 || end % 2 == 1 || end > 2 * DEEPEST {
            return None;
        }
        let level = DEEPEST - end / 2;
        let (mut i, mut j) = (0, 0);
        let mut turned = face & 1;
        for depth in 0..level {
            let place = (id >> (59 - 2 * depth) & 3) as usize;
            let quarter = CURVE[turned][place];
            i = i << 1 | (quarter >> 1) as i64;
            j = j << 1 | (quarter & 1) as i64;
            turned ^= TURNS[place];
        }
        let rest = DEEPEST - level;
        Some(Self {
            face,
            i: i << rest,
            j: j << rest,
            level,
        })
    }

    fn token(self) -> String {
        format!("{:016x}", self.id()).trim_end_matches('0').to_owned()
    }

    fn parse(token: &str) -> Option<Self> {
        let valid = (1..=16).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !valid {
            return None;
        }
        Self::from_id(u64::from_str_radix(&format!("{token:0<16}"), 16).ok()?)
    }

    fn centre(self) -> Place {
        let middle = |start: i64| (start as f64 + self.size() as f64 / 2.0) / ACROSS as f64;
        Place::towards(direction(self.face, middle(self.i), middle(self.j)))
    }

    /// Its corners against the clock.
    fn corners(self) -> [Place; 4] {
        let (i, j, size) = (self.i, self.j, self.size());
        [(i, j), (i + size, j), (i + size, j + size), (i, j + size)].map(|(i, j)| {
            let part = |place: i64| place as f64 / ACROSS as f64;
            Place::towards(direction(self.face, part(i), part(j)))
        })
    }

    /// The cell of the same level at a place of the face, which may be just
    /// beyond its edge.
    fn beside(self, i: i64, j: i64) -> Self {
        if (0..ACROSS).contains(&i) && (0..ACROSS).contains(&j) {
            return Self::new(self.face, i, j, self.level);
        }
        // Beyond the edge only the side matters, not how far; straight along
        // the face of the cube, as the other face is entered at the same place.
        let part = |place: i64| {
            let place = place.clamp(-1, ACROSS);
            let u = (2.0 * (place as f64 + 0.5) - ACROSS as f64) / ACROSS as f64;
            u.clamp(-1.0 - f64::EPSILON, 1.0 + f64::EPSILON)
        };
        let [normal, first, second] = FACES[self.face];
        let at = plus(normal, plus(times(first, part(i)), times(second, part(j))));
        // The coordinates are straight ones here, so they are not evened.
        let face = face_of(at);
        let [normal, first, second] = FACES[face];
        let depth = dot(at, normal);
        let along = |axis: Vector| {
            let place = (0.5 * (dot(at, axis) / depth + 1.0) * ACROSS as f64).floor() as i64;
            place.clamp(0, ACROSS - 1)
        };
        Self::new(face, along(first), along(second), self.level)
    }

    /// The cells around, in the order that the documentation shows. At the
    /// corners of the cube there are but seven.
    fn neighbours(self) -> Vec<Self> {
        let (i, j, size) = (self.i, self.j, self.size());
        let mut out: Vec<Self> = Vec::new();
        for (i, j) in [
            (i + size, j + size),
            (i - size, j - size),
            (i + size, j - size),
            (i, j - size),
            (i, j + size),
            (i + size, j),
            (i - size, j),
            (i - size, j + size),
        ] {
            let beside = self.beside(i, j);
            if beside != self && !out.contains(&beside) {
                out.push(beside);
            }
        }
        out
    }
}

/// The cell that a token names.
fn cell(args: &[Value]) -> Option<Cell> {
    Cell::parse(&text::of(args, 0))
}

/// `geo_point_to_s2cell`; the empty string for what is not on the globe.
pub fn geo_point_to_s2cell(args: &[Value]) -> Value {
    let token = || {
        let place = Place::new(convert::to_real(get(args, 0))?, convert::to_real(get(args, 1))?)?;
        let level = match args.get(2) {
            None => USUAL,
            Some(level) => convert::to_long(level)?,
        };
        let level = u32::try_from(level).ok().filter(|level| *level <= DEEPEST)?;
        Some(Cell::at(place.at, level).token())
    };
    Value::string(token().unwrap_or_default())
}

/// `geo_s2cell_to_central_point`.
pub fn geo_s2cell_to_central_point(args: &[Value]) -> Value {
    cell(args).map_or(Value::Null, |cell| cell.centre().point())
}

/// `geo_s2cell_to_polygon`.
pub fn geo_s2cell_to_polygon(args: &[Value]) -> Value {
    cell(args).map_or(Value::Null, |cell| {
        let mut ring: Vec<Value> = cell.corners().iter().map(Place::coordinates).collect();
        ring.extend(ring.first().cloned());
        shape("Polygon", Value::array(vec![Value::array(ring)]))
    })
}

/// `geo_s2cell_neighbors`.
pub fn geo_s2cell_neighbors(args: &[Value]) -> Value {
    cell(args).map_or(Value::Null, |cell| {
        let tokens = cell
            .neighbours()
            .into_iter()
            .map(|cell| Value::string(cell.token()));
        Value::Array(tokens.collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens() {
        for (longitude, latitude, level, expected) in [
            (-80.195_829, 25.802_215, 8, "88d9b"),
            (10.1234, 53.0, 8, "47b1d"),
            (10.6842, 53.0, 8, "47ae3"),
            (-73.956_683, 40.807_907, 10, "89c2f7"),
            (-73.989_148, 40.743_273, 10, "89c259"),
        ] {
            let args = [Value::Real(longitude), Value::Real(latitude), Value::Long(level)];
            assert_eq!(text::print(&geo_point_to_s2cell(&args)), expected);
        }
        for token in ["a", "", "x", "88d9b00000000000000", "0", "c1"] {
            assert!(Cell::parse(token).is_none(), "{token}");
        }
    }

    #[test]
    fn ids_and_back() {
        for face in 0..6 {
            for (i, j, level) in [
                (0, 0, 0),
                (ACROSS / 3, ACROSS / 7, 30),
                (ACROSS - 1, 5, 12),
                (77, ACROSS / 2, 5),
            ] {
                let cell = Cell::new(face, i, j, level);
                assert_eq!(Cell::from_id(cell.id()), Some(cell));
                assert_eq!(Cell::parse(&cell.token()), Some(cell));
                assert_eq!(Cell::at(cell.centre().at, level), cell);
                // What is beside a cell has it beside itself.
                for beside in cell.neighbours() {
                    assert!(beside.neighbours().contains(&cell), "{cell:?} {beside:?}");
                }
            }
        }
    }

    #[test]
    fn documented() {
        let token = |token: &str| [Value::string(token)];
        assert_eq!(
            text::print(&geo_s2cell_neighbors(&token("89c259"))),
            r#"["89c25d","89c2f9","89c251","89c257","89c25f","89c25b","89c2f7","89c2f5"]"#
        );
        let corners = Cell::parse("89c259").map_or_else(|| panic!("no cell"), Cell::corners);
        let expected = [
            (-74.030_012_249_838_48, 40.801_268_433_943_9),
            (-74.030_012_249_838_48, 40.722_226_291_835_8),
            (-73.935_982_114_337_42, 40.708_880_489_804_564),
            (-73.935_982_114_337_42, 40.787_917_134_506_84),
        ];
        for (corner, (longitude, latitude)) in corners.iter().zip(expected) {
            assert!(
                (corner.longitude - longitude).abs() < 1e-11 && (corner.latitude - latitude).abs() < 1e-11
            );
        }
        let centre = Cell::parse("1234567").map_or_else(|| panic!("no cell"), Cell::centre);
        assert!((centre.longitude - 9.868_307_318_504_08).abs() < 1e-11);
        assert!((centre.latitude - 27.468_392_925_827_605).abs() < 1e-11);
    }
}
