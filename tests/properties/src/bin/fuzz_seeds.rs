//! `cargo run -p rulec-properties --bin fuzz_seeds`: writes every query of this
//! repository as a file of its own to tests/fuzz/corpus/<target>, where the
//! fuzz targets begin.

use std::path::Path;

#[expect(clippy::disallowed_methods, reason = "a tool of the tests writes files")]
fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let cases = rulec_properties::fuzz_cases().into_iter().map(|(_, text)| text);
    let seeds: Vec<String> = rulec_properties::own_queries().into_iter().chain(cases).collect();
    for target in ["lexer", "parser", "printer", "binder"] {
        let folder = folder.join(target);
        std::fs::create_dir_all(&folder)?;
        for (number, text) in seeds.iter().enumerate() {
            std::fs::write(folder.join(format!("own-{number:04}")), text)?;
        }
    }
    Ok(())
}
