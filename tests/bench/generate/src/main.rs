//! `bench-generate KIND --rows N --seed S --out FILE`: events as NDJSON, or rules as documents.
//!
//! The same arguments give the same bytes on every machine: rows are made in
//! pieces, each from a seed of its own, by as many threads as there are cores,
//! and written in order.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
    process::ExitCode,
    thread,
};

use fastrand::Rng;

use bench_generate::{events, rules};
use bench_generate::{events::Event, world::World};

/// Rows made from one seed.
const PIECE: u64 = 4096;

const USAGE: &str = "usage: bench-generate DeviceProcessEvents|DeviceEvents|FileProfile|Relate|Rules [--rows N] [--seed S] [--names kql|sigma] [--out PATH]";

struct Arguments {
    kind: String,
    /// Whether fields have the names of Sigma.
    sigma: bool,
    rows: u64,
    seed: u64,
    out: Option<String>,
}

fn main() -> ExitCode {
    match arguments().and_then(|a| run(&a).map_err(|e| e.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(3)
        }
    }
}

fn arguments() -> Result<Arguments, String> {
    let mut words = std::env::args().skip(1);
    let kind = words.next().ok_or(USAGE)?;
    let mut arguments = Arguments {
        kind,
        sigma: false,
        rows: 1_000_000,
        seed: 1,
        out: None,
    };
    while let Some(option) = words.next() {
        let value = words.next().ok_or(USAGE)?;
        let number = || {
            value
                .replace('_', "")
                .parse::<u64>()
                .map_err(|e| format!("{option}: {e}"))
        };
        match option.as_str() {
            "--rows" => arguments.rows = number()?,
            "--seed" => arguments.seed = number()?,
            "--names" => arguments.sigma = value == "sigma",
            "--out" => arguments.out = Some(value),
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(arguments)
}

fn run(arguments: &Arguments) -> io::Result<()> {
    if arguments.kind == "Rules" {
        let folder = arguments.out.as_deref().unwrap_or("rules");
        return rules::write(Path::new(folder), arguments.rows);
    }
    let mut out: Box<dyn Write> = match &arguments.out {
        Some(path) => Box::new(BufWriter::new(File::create(path)?)),
        None => Box::new(io::stdout().lock()),
    };
    let world = World::new();
    match arguments.kind.as_str() {
        "DeviceProcessEvents" => pieces(arguments, &world, events::process, &mut out)?,
        "DeviceEvents" => pieces(arguments, &world, events::device, &mut out)?,
        "FileProfile" => out.write_all(&events::profiles(&world))?,
        "Relate" => pieces(arguments, &world, events::relate, &mut out)?,
        _ => return Err(io::Error::other(USAGE)),
    }
    out.flush()
}

type Make = fn(&mut Event<'_>, &mut Vec<u8>);

fn pieces(arguments: &Arguments, world: &World, make: Make, out: &mut dyn Write) -> io::Result<()> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let count = arguments.rows.div_ceil(PIECE);
    let mut next = 0;
    while next < count {
        let round: Vec<u64> = (next..count).take(threads).collect();
        next += round.len() as u64;
        let made: Vec<Vec<u8>> = thread::scope(|scope| {
            let handles: Vec<_> = round
                .into_iter()
                .map(|number| scope.spawn(move || piece(arguments, world, make, number)))
                .collect();
            handles
                .into_iter()
                .filter_map(|handle| handle.join().ok())
                .collect()
        });
        for bytes in made {
            out.write_all(&bytes)?;
        }
    }
    Ok(())
}

fn piece(arguments: &Arguments, world: &World, make: Make, number: u64) -> Vec<u8> {
    let mut rng = Rng::with_seed(arguments.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ number);
    let mut out = Vec::with_capacity(PIECE as usize * 4096);
    for at in number * PIECE..((number + 1) * PIECE).min(arguments.rows) {
        let mut event = Event {
            world,
            rng: &mut rng,
            at,
            rows: arguments.rows,
            sigma: arguments.sigma,
        };
        make(&mut event, &mut out);
    }
    out
}
