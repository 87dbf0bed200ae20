//! Who and what the events are about: devices, people, files. The same for
//! every seed, so that two runs differ in what happens, not in where.

use fastrand::Rng;

use crate::programs::{PARENTS, PROGRAMS};
use crate::row::{guid, hex, pick};
use crate::words::{DISCOVERY, NAMES, SYSTEM, WORDS};

/// A device.
pub struct Device {
    pub id: String,
    pub name: String,
    /// The person it belongs to, by place.
    pub owner: usize,
}

/// A person or an account of the system.
pub struct Account {
    pub name: String,
    pub domain: &'static str,
    pub sid: String,
    pub upn: String,
    pub object: String,
}

/// One version of one program.
pub struct File {
    pub name: &'static str,
    pub folder: &'static str,
    pub version: [&'static str; 3],
    pub number: String,
    pub sha1: String,
    pub sha256: String,
    pub md5: String,
    pub size: u64,
}

/// All of them.
pub struct World {
    pub devices: Vec<Device>,
    pub people: Vec<Account>,
    pub system: Account,
    /// `VERSIONS` of each program, one after the other.
    pub files: Vec<File>,
    /// Places in `PROGRAMS`, each as often as its weight says.
    pub programs: Vec<usize>,
    /// Places in `PROGRAMS` of what starts others, likewise.
    pub parents: Vec<usize>,
    /// Programs that few have; some of them reach into other processes.
    pub rare: Vec<File>,
}

/// How many versions of a program are about.
pub const VERSIONS: usize = 4;
/// How many devices there are.
pub const DEVICES: usize = 4000;

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// The one world there is.
    #[must_use]
    pub fn new() -> Self {
        let mut rng = Rng::with_seed(0x5EED);
        let people: Vec<Account> = (0..DEVICES * 3 / 4)
            .map(|i| {
                let name = format!("{}.{}{}", pick(WORDS, &mut rng), pick(NAMES, &mut rng), i % 97);
                let mut object = String::new();
                guid(&mut object, i as u64);
                Account {
                    upn: format!("{name}@contoso.com"),
                    name,
                    domain: "contoso",
                    sid: format!("S-1-5-21-1085031214-1563985344-725345543-{}", 1100 + i),
                    object,
                }
            })
            .collect();
        let devices = (0..DEVICES)
            .map(|i| {
                let mut id = String::new();
                hex(&mut id, 0xDE_0000 + i as u64, 40);
                let kind = if i % 10 == 0 { "srv" } else { "ws" };
                Device {
                    id,
                    name: format!("{kind}-{i:05}.contoso.com"),
                    owner: rng.usize(..people.len()),
                }
            })
            .collect();
        let mut files = Vec::new();
        let mut programs = Vec::new();
        for (at, program) in PROGRAMS.iter().enumerate() {
            programs.extend(std::iter::repeat_n(at, program.weight as usize));
            for version in 0..VERSIONS {
                files.push(file(
                    program.file,
                    program.folder,
                    program.version,
                    (at * VERSIONS + version) as u64,
                ));
            }
        }
        let mut parents = Vec::new();
        for (name, weight) in PARENTS {
            let at = PROGRAMS.iter().position(|p| p.file == *name);
            parents.extend(std::iter::repeat_n(at.unwrap_or(0), *weight as usize));
        }
        let rare = (0..60)
            .map(|i| {
                let folder = [
                    r"C:\Users\Public",
                    r"C:\ProgramData\loader",
                    r"C:\Program Files\Contoso\Agent",
                ][i % 3];
                let name = DISCOVERY.len() + i;
                file(
                    RARE[i % RARE.len()],
                    folder,
                    ["", "", ""],
                    1_000_000 + name as u64,
                )
            })
            .collect();
        Self {
            devices,
            people,
            system: Account {
                name: "system".to_owned(),
                domain: "nt authority",
                sid: "S-1-5-18".to_owned(),
                upn: String::new(),
                object: String::new(),
            },
            files,
            programs,
            parents,
            rare,
        }
    }

    /// A device; servers and a few busy machines send more than others.
    pub fn device(&self, rng: &mut Rng) -> &Device {
        let x = rng.f64();
        &self.devices[((x * x) * self.devices.len() as f64) as usize]
    }

    /// A version of a program: mostly the newest.
    pub fn file(&self, program: usize, rng: &mut Rng) -> &File {
        let version = [0, 0, 0, 0, 0, 1, 1, 2, 3][rng.usize(..9)];
        &self.files[program * VERSIONS + version]
    }

    /// Who runs something there: mostly its owner or the system.
    pub fn account(&self, device: &Device, rng: &mut Rng) -> &Account {
        match rng.u8(..100) {
            0..45 => &self.system,
            45..95 => &self.people[device.owner],
            _ => &self.people[rng.usize(..self.people.len())],
        }
    }
}

const RARE: &[&str] = &[
    "loader.exe",
    "helper.exe",
    "update.exe",
    "agentsvc.exe",
    "runner.exe",
];

/// A file of which everything else follows from its name and `seed`.
#[must_use]
pub fn file(name: &'static str, folder: &'static str, version: [&'static str; 3], seed: u64) -> File {
    let mut rng = Rng::with_seed(0xF11E ^ (seed << 16));
    let mut digest = |digits| {
        let mut text = String::with_capacity(digits);
        hex(&mut text, rng.u64(..), digits);
        text
    };
    let [sha1, sha256, md5] = [digest(40), digest(64), digest(32)];
    File {
        name,
        folder,
        version,
        number: if folder == SYSTEM {
            format!("10.0.{}.{}", 19_041 + seed % 4 * 1100, rng.u32(1..6000))
        } else {
            format!(
                "{}.{}.{}.{}",
                rng.u32(1..140),
                rng.u32(..10),
                rng.u32(..7000),
                rng.u32(..200)
            )
        },
        sha1,
        sha256,
        md5,
        size: rng.u64(20_000..9_000_000),
    }
}
