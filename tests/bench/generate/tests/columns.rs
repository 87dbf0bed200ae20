//! Events have the columns of the shipped schemas, and follow from the seed.

use bench_generate::{
    events::{self, Event},
    world::World,
};

fn line(make: fn(&mut Event<'_>, &mut Vec<u8>), seed: u64) -> String {
    let world = World::new();
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut out = Vec::new();
    let mut event = Event {
        world: &world,
        rng: &mut rng,
        at: 100,
        rows: 1000,
        sigma: false,
    };
    make(&mut event, &mut out);
    String::from_utf8(out).unwrap()
}

/// The keys of a line: what stands between `{"` or `,"` and `":`, outside of texts.
fn keys(line: &str) -> Vec<String> {
    let (mut keys, mut last, mut text) = (Vec::new(), String::new(), None::<String>);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match (&mut text, c) {
            (Some(_), '\\') => drop(chars.next()),
            (Some(own), '"') => {
                last = std::mem::take(own);
                text = None;
                if chars.peek() == Some(&':') {
                    keys.push(last.clone());
                }
            }
            (Some(own), c) => own.push(c),
            (None, '"') => text = Some(String::new()),
            (None, _) => {}
        }
    }
    assert!(!last.is_empty() || !keys.is_empty());
    keys
}

fn shipped(table: &str) -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../schema/tables/m365.txt");
    let text = std::fs::read_to_string(path).unwrap();
    let line = text
        .lines()
        .find(|l| l.starts_with(&format!("{table} ")))
        .unwrap();
    line.split(' ')
        .skip(1)
        .filter_map(|column| column.split(':').next())
        // See events.rs.
        .filter(|column| *column != "LogonID")
        .map(str::to_owned)
        .collect()
}

#[test]
fn columns_are_those_of_the_schema() {
    assert_eq!(keys(&line(events::process, 1)), shipped("DeviceProcessEvents"));
    assert_eq!(keys(&line(events::device, 1)), shipped("DeviceEvents"));
}

#[test]
fn the_same_seed_gives_the_same_line() {
    assert_eq!(line(events::device, 5), line(events::device, 5));
    assert_ne!(line(events::device, 5), line(events::device, 6));
}
