//! stub
pub struct Parsed {
    pub query: rulec_kql::ast::Query,
    pub diagnostics: Vec<rulec_source::Diagnostic>,
}
pub fn parse(_: &str) -> Parsed {
    Parsed {
        query: Default::default(),
        diagnostics: vec![],
    }
}
