//! Tables from files: compressed, cut off, in folders, outside data.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]
#![allow(clippy::disallowed_methods, reason = "tests write the files they read")]

use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::{Compression, write::GzEncoder};
use rulec_functions::text;
use rulec_runtime::files::Files;
use rulec_runtime::{Memory, RuntimeError, Schema, TableRequest, Tables, Type};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// The sizes in a table.
fn sizes(files: &Files, table: &str) -> Result<Vec<i64>, RuntimeError> {
    let (schema, memory) = (Schema::of(&[("Size", Type::Long)]), Memory::default());
    let batch = files.table(&TableRequest {
        name: table,
        schema: &schema,
        needed: None,
        memory: &memory,
        wanted: None,
    })?;
    Ok(batch.iter().filter_map(|row| row.long(0)).collect())
}

/// The sizes in bytes that a file could have.
fn sizes_of(bytes: &[u8], lenient: bool) -> Result<(Vec<i64>, Vec<String>), RuntimeError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    fs::write(&path, bytes).unwrap();
    let mut files = Files::new().lenient(lenient);
    files.add_path("T", path.to_string_lossy());
    let from_file = sizes(&files, "T");
    let mut memory = Files::new().lenient(lenient);
    memory.add_bytes("T", bytes.to_vec());
    assert!(from_file.as_ref().ok() == sizes(&memory, "T").as_ref().ok());
    let shown = path.to_string_lossy().into_owned();
    let warnings = files.warnings().into_iter().map(|w| w.replace(&shown, "data"));
    from_file
        .map(|sizes| (sizes, warnings.collect()))
        .map_err(|e| RuntimeError::new(e.code, e.message.replace(&shown, "data")))
}

#[test]
fn packed_in_any_way() {
    let (one, two) = (b"{\"Size\":1}\n{\"Size\":2}\n", b"{\"Size\":3}\n");
    let both = Ok((vec![1, 2, 3], Vec::new()));
    // Several members and frames, and a frame that holds no data between them.
    assert_eq!(sizes_of(&[gzip(one), gzip(two)].concat(), false), both);
    let skipped = b"\x52\x2a\x4d\x18\x03\0\0\0abc".to_vec();
    assert_eq!(
        sizes_of(&[skipped.clone(), zstd(one), skipped, zstd(two)].concat(), false),
        both
    );
    assert_eq!(sizes_of(&zstd(b"Size\n1\n2\n3\n"), false), both);
    assert_eq!(
        sizes_of(&gzip(b"[{\"Size\":1},{\"Size\":2},{\"Size\":3}]"), false),
        both
    );
    assert_eq!(sizes_of(&gzip(b""), false), Ok((Vec::new(), Vec::new())));
    for (bytes, named) in [
        (
            &b"PK\x03\x04rest"[..],
            "`data` is a zip archive, which is not read; unpack it",
        ),
        (b"BZh91AY", "`data` is a bzip2 file"),
        (b"\xfd7zXZ\0", "`data` is a xz file"),
        (
            b"PAR1....",
            "`data` is a file in the format Parquet, which this program was built without",
        ),
        (b"ARROW1\0\0", "format Arrow, which"),
    ] {
        let error = sizes_of(bytes, true).unwrap_err();
        assert_eq!(error.code.id, "RR006");
        // In memory the name is the table's.
        assert!(error.message.contains(named), "{error}");
    }
}

#[test]
fn cut_off_and_damaged() {
    let mut lines = String::new();
    for size in 0..60_000_u64 {
        // Not so regular that it packs into nothing.
        let noise = size.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        lines += &format!("{{\"Size\":{size},\"Noise\":\"{noise:x}\"}}\n");
    }
    for (name, packed) in [("gzip", gzip(lines.as_bytes())), ("zstd", zstd(lines.as_bytes()))] {
        let half = &packed[..packed.len() / 2];
        let error = sizes_of(half, false).unwrap_err();
        assert_eq!(error.code.id, "RR006");
        let (place, why) = error.message.rsplit_once(": ").unwrap();
        assert_eq!(
            why,
            format!("the {name} data ends too early, so the file is cut off")
        );
        let line: usize = place
            .strip_prefix("`data` cannot be read beyond line ")
            .unwrap()
            .parse()
            .unwrap();
        // What came before is kept, and is said to be kept.
        let (kept, warnings) = sizes_of(half, true).unwrap();
        assert_eq!(kept.len(), line);
        assert!(kept.iter().zip(0..).all(|(size, number)| *size == number));
        assert!(line > 15_000, "{line}");
        assert_eq!(
            warnings,
            [format!(
                "{}; the {line} rows in front of that are used",
                error.message
            )]
        );
        let mut damaged = packed.clone();
        let middle = damaged.len() / 2;
        damaged[middle..middle + 64].fill(0xa5);
        // Damage shows in the packing or in what comes out of it.
        let read = |lenient| {
            let mut files = Files::new().lenient(lenient);
            files.add_bytes("T", damaged.clone());
            sizes(&files, "T")
        };
        let error = read(false).unwrap_err();
        assert!(["RR001", "RR006"].contains(&error.code.id), "{error}");
        assert!(read(true).unwrap().len() < 60_000);
    }
    // The checksum alone is wrong.
    let mut packed = gzip(b"{\"Size\":1}\n");
    let end = packed.len();
    packed[end - 6] ^= 1;
    let error = sizes_of(&packed, false).unwrap_err();
    assert!(error.message.contains("the gzip data is damaged"), "{error}");
    // A document is read as far as it goes.
    let packed = gzip(format!("[{}]", lines.trim_end().replace('\n', ",")).as_bytes());
    let (sizes, warnings) = sizes_of(&packed[..packed.len() / 2], true).unwrap();
    assert!(sizes.len() > 15_000);
    assert!(
        warnings[0].contains("rows in front of that are used"),
        "{warnings:?}"
    );
}

/// Adds what `--data` says, for tables called `T`, `DeviceEvents` and `DeviceInfo`.
fn given(data: &[String]) -> Result<Files, RuntimeError> {
    let known = |name: &str| {
        let tables = ["T", "DeviceEvents", "DeviceInfo"];
        let found = tables.iter().find(|table| table.eq_ignore_ascii_case(name));
        found.map(|table| (*table).to_owned())
    };
    let mut files = Files::new();
    data.iter().try_for_each(|data| files.add(data, &known))?;
    Ok(files)
}

fn write(folder: &Path, path: &str, size: i64) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let line = format!("{{\"Size\":{size}}}\n");
    let packed = match path.extension().and_then(|e| e.to_str()) {
        Some("gz") => gzip(line.as_bytes()),
        Some("zst") => zstd(line.as_bytes()),
        _ => line.into_bytes(),
    };
    fs::write(path, packed).unwrap();
}

#[test]
fn patterns_and_folders() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (path, size) in [
        ("logs/DeviceEvents-2026-01-02.json.gz", 2),
        ("logs/DeviceEvents-2026-01-01.ndjson.zst", 1),
        ("logs/2026/deviceevents/part-0.json", 0),
        ("logs/2026/deviceevents/_SUCCESS", 90),
        ("logs/.hidden/DeviceEvents.json", 91),
        ("logs/.DeviceEvents.json", 92),
        ("logs/DeviceInfo/y=2026/m=01/PT1H.json", 7),
        ("odd/[a].json", 5),
    ] {
        write(root, path, size);
    }
    let data = |given: &str| given.replace('~', &root.to_string_lossy());
    let read = |data: &[String], table: &str| sizes(&given(data).unwrap(), table).unwrap();
    // A folder, by the names of files and of the folders they are in.
    assert_eq!(read(&[data("~/logs")], "DeviceEvents"), [0, 1, 2]);
    assert_eq!(read(&[data("~/logs")], "DeviceInfo"), [7]);
    assert_eq!(read(&[data("T=~/logs")], "T"), [0, 1, 2, 7]);
    // Patterns, in the order of the names.
    assert_eq!(read(&[data("~/logs/*.json.gz")], "DeviceEvents"), [2]);
    assert_eq!(read(&[data("T=~/logs/DeviceEvents-*")], "T"), [1, 2]);
    assert_eq!(read(&[data("T=~/logs/**/*.json")], "T"), [0, 7]);
    assert_eq!(read(&[data("T=~/logs/DeviceEvents-2026-01-0[13].*")], "T"), [1]);
    assert_eq!(read(&[data("T=~/logs/Device????")], "T"), [7]);
    // A name with brackets is no pattern when there is such a file.
    assert_eq!(read(&[data("T=~/odd/[a].json")], "T"), [5]);
    // Several for one table come one after the other.
    let two = [data("T=~/odd/*.json"), data("T=~/logs/DeviceInfo")];
    assert_eq!(read(&two, "T"), [5, 7]);
    for (wrong, message) in [
        ("T=~/logs/*.csv", "no file matches ~/logs/*.csv"),
        ("T=~/nothing.json", "~/nothing.json cannot be opened: "),
        (
            "T=~/logs/[",
            "~/logs/[ is not a pattern of paths: invalid range pattern",
        ),
        (
            "~/odd",
            "~/odd/[a].json is not named after a table; say --data TABLE=~/odd/[a].json",
        ),
        ("T=~/empty", "~/empty holds no files"),
    ] {
        fs::create_dir_all(root.join("empty/.git")).unwrap();
        let error = given(&[data(wrong)]).unwrap_err();
        assert_eq!(error.code.id, "RR008");
        assert!(error.message.starts_with(&data(message)), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn links_that_lead_in_a_circle() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a/DeviceEvents.json", 1);
    std::os::unix::fs::symlink(folder.path(), folder.path().join("a/back")).unwrap();
    let files = given(&[folder.path().to_string_lossy().into_owned()]).unwrap();
    assert_eq!(sizes(&files, "DeviceEvents").unwrap(), [1]);
}

#[test]
fn outside_data() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_string_lossy().into_owned()
    };
    let (schema, memory) = (
        Schema::of(&[("Ip", Type::String), ("Size", Type::Long)]),
        Memory::default(),
    );
    let read = |data: &[String], name: &str| {
        let files = given(data)?;
        let request = TableRequest {
            name,
            schema: &schema,
            needed: None,
            memory: &memory,
            wanted: None,
        };
        let batch = files.table(&request)?;
        let row = |row: rulec_runtime::Row<'_>| {
            let values = row.values();
            values.iter().map(text::print).collect::<Vec<_>>().join("|")
        };
        Ok::<_, RuntimeError>(batch.iter().map(row).collect::<Vec<_>>())
    };
    let at = |address: &str, path: &str| format!("externaldata:{address}={path}");
    let csv = path("a.csv", "# ip,size\n10.0.0.1,1\n10.0.0.2,x\n");
    let list = at("https://x.test/a.csv?sig=a%3D=", &csv);
    assert_eq!(
        read(
            std::slice::from_ref(&list),
            "externaldata:https://x.test/a.csv?sig=a%3D= (ignoreFirstRecord=true)"
        )
        .unwrap(),
        ["10.0.0.1|1", "10.0.0.2|"]
    );
    assert_eq!(
        read(&[list], "externaldata:https://x.test/a.csv?sig=a%3D=").unwrap()[0],
        "# ip|"
    );
    let text = path("b.txt", "10.0.0.1\n10.0.0.2, and more\n");
    let lines = [at("https://x.test/b", &text)];
    assert_eq!(
        read(&lines, "externaldata:https://x.test/b (format=txt)").unwrap(),
        ["10.0.0.1|", "10.0.0.2, and more|"]
    );
    // JSON stands for whatever is at the address.
    let json = path("c.json", "[{\"Ip\":\"10.0.0.3\",\"Size\":3}]");
    let both = [at("https://x.test/b", &text), at("https://x.test/c", &json)];
    assert_eq!(
        read(
            &both,
            "externaldata:https://x.test/b https://x.test/c (format=txt)"
        )
        .unwrap(),
        ["10.0.0.1|", "10.0.0.2, and more|", "10.0.0.3|3"]
    );
    let error = read(&lines, "externaldata:https://x.test/b https://x.test/c?d&e").unwrap_err();
    assert_eq!(
        error.message,
        "no data was given for `externaldata:https://x.test/c?d&e`; add --data 'externaldata:https://x.test/c?d&e=PATH'"
    );
    // A watchlist by its alias, with or without saying that it is one.
    let list = path("list.csv", "SearchKey,Ip,Size\nk,10.0.0.4,4\n");
    for table in ["watchlist:vips", "vips"] {
        let data = [format!("{table}={list}")];
        assert_eq!(read(&data, "watchlist:vips").unwrap(), ["10.0.0.4|4"]);
    }
    let error = read(&[], "watchlist:vips").unwrap_err();
    assert_eq!(
        error.message,
        "no data was given for `watchlist:vips`; add --data watchlist:vips=PATH"
    );
}
