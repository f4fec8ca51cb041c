//! t
use super::*;
use crate::complaint::position;

#[test]
fn probe() {
    let text = std::fs::read_to_string("/tmp/decl/cases.json").unwrap();
    let cases: Vec<String> = serde_json::from_str(&text).unwrap();
    let out: Vec<_> = cases
        .iter()
        .map(|text| {
            let reading = read(text);
            let c: Vec<_> = reading
                .complaints
                .iter()
                .map(|c| {
                    let (l, k) = position(text, c.span.start);
                    serde_json::json!([
                        format!("{:?}", c.level),
                        l,
                        k,
                        c.message,
                        c.help,
                        text[c.span.clone()].to_owned()
                    ])
                })
                .collect();
            serde_json::json!([text, reading.model.is_some(), c])
        })
        .collect();
    std::fs::write("/tmp/decl/out.json", serde_json::to_string(&out).unwrap()).unwrap();
}
