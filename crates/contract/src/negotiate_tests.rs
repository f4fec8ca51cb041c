//! Tests of negotiation: RFC 9110 §12.4.2, §12.5.1 and §12.5.3, a sentence or a row at a time.
#![allow(clippy::unwrap_used)]

use super::Coding::{Gzip, Identity, Zstd};
use super::*;

const JSON: &str = "application/json";
const HTML: &str = "text/html";
const PLAIN: &str = "text/plain";

fn accept(lines: &[&str], offers: &[&'static str]) -> Option<&'static str> {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append("accept", line.parse().unwrap());
    }
    media(&headers, offers)
}

fn encode(lines: &[&str], offers: &[Coding]) -> Option<Coding> {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append("accept-encoding", line.parse().unwrap());
    }
    coding(&headers, offers)
}

/// "A request without any Accept header field implies that the user agent will accept any media
/// type in response."
#[test]
fn without_accept_the_first_offer_is_sent() {
    assert_eq!(accept(&[], &[JSON, HTML]), Some(JSON));
    assert_eq!(accept(&[""], &[JSON, HTML]), Some(JSON));
    assert_eq!(accept(&["", " , "], &[JSON, HTML]), Some(JSON));
}

#[test]
fn a_range_names_a_type_a_kind_or_everything() {
    for (line, chosen) in [
        ("application/json", Some(JSON)),
        ("Application/JSON", Some(JSON)),
        ("text/html", Some(HTML)),
        ("application/*", Some(JSON)),
        ("text/*", Some(HTML)),
        ("*/*", Some(JSON)),
        ("text/plain", None),
        ("image/*", None),
        ("application/xml, text/csv", None),
        ("application/xml, */*", Some(JSON)),
        ("application/problem+json", None),
        ("application/jsonx", None),
    ] {
        assert_eq!(accept(&[line], &[JSON, HTML]), chosen, "{line}");
    }
}

/// "Multiple … the order in the field has no meaning"; equal weights leave the choice to us.
#[test]
fn the_greatest_weight_wins_and_then_the_first_offer() {
    for (line, chosen) in [
        ("text/html, application/json", JSON),
        ("application/json;q=0.8, text/html", HTML),
        ("application/json;q=0.8, text/html;q=0.9", HTML),
        ("application/json;q=0.801, text/html;q=0.8", JSON),
        ("application/json; q=0.2 , text/html; q=0.3", HTML),
        ("application/json;Q=0.2, text/html;Q=0.3", HTML),
        ("text/html;q=0.5, */*;q=0.8", JSON),
        ("text/html;q=0.001, */*;q=0", HTML),
        // What a browser sends.
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", HTML),
        // What Java's HttpURLConnection sends.
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", HTML),
    ] {
        assert_eq!(accept(&[line], &[JSON, HTML]), Some(chosen), "{line}");
    }
    let java = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2";
    assert_eq!(accept(&[java], &[JSON]), Some(JSON));
}

/// "A value of 0 means not acceptable", and "the most specific reference has precedence".
#[test]
fn the_most_specific_range_gives_the_weight() {
    for (line, chosen) in [
        ("*/*, application/json;q=0", Some(HTML)),
        ("application/json;q=0, */*", Some(HTML)),
        ("application/*;q=0, */*;q=0.1", Some(HTML)),
        ("application/*;q=0, application/json;q=0.1", Some(JSON)),
        ("*/*;q=0", None),
        ("*/*;q=0.000", None),
        ("application/json;q=0, text/*;q=0", None),
        ("application/json;q=0", None),
        ("text/*;q=0.9, text/html;q=0.1, application/*;q=0.5", Some(JSON)),
        // The same range twice: the first counts.
        ("text/html;q=0.9, text/html;q=0.1, application/json;q=0.5", Some(HTML)),
    ] {
        assert_eq!(accept(&[line], &[JSON, HTML]), chosen, "{line}");
    }
}

/// The table of §12.5.1, with its weights: 1, 0.7, 0.3, 0.5, 0.4 and 0.7.
#[test]
fn the_weights_of_the_example_in_the_rfc() {
    let line = "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, \
                text/plain;format=fixed;q=0.4, */*;q=0.5";
    let ranges: Vec<_> = field::split(line.as_bytes(), b',').filter_map(Range::read).collect();
    for (offer, weight) in [
        ("text/plain;format=flowed", 1000),
        ("text/plain", 700),
        ("text/html", 300),
        ("image/jpeg", 500),
        ("text/plain;format=fixed", 400),
        ("text/plain;format=other", 700),
    ] {
        assert_eq!(weight_of(offer, &ranges), weight, "{offer}");
    }
}

#[test]
fn a_range_with_a_parameter_names_only_what_has_it() {
    assert_eq!(accept(&["application/json;version=2"], &[JSON]), None);
    assert_eq!(accept(&["application/json;version=2, */*;q=0.1"], &[JSON]), Some(JSON));
    for line in [
        "application/json;charset=utf-8",
        "application/json; charset=UTF-8",
        "application/json; charset=\"utf-8\"; q=0.5",
        "application/json;q=0.5;level=1",
    ] {
        assert_eq!(accept(&[line], &[JSON]), Some(JSON), "{line}");
    }
    assert_eq!(accept(&["application/json;charset=latin1"], &[JSON]), None);
}

#[test]
fn several_lines_are_one_list() {
    assert_eq!(accept(&["text/html;q=0.5", "text/plain"], &[HTML, PLAIN]), Some(PLAIN));
    assert_eq!(accept(&["text/html;p=\"a, text/plain\"", "text/plain;q=0"], &[PLAIN]), None);
}

/// A member outside the grammar asks for nothing; where no other is left, nothing is asked for.
#[test]
fn what_cannot_be_read_is_passed_over() {
    for line in ["json", "*/json", "application/", "text/html;q=x", "text/html;q=", "a b/c"] {
        assert_eq!(accept(&[line], &[JSON]), Some(JSON), "{line}");
        assert_eq!(accept(&[line, "text/html"], &[JSON]), None, "{line}");
    }
}

/// `qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )`, and `.5` as `0.5`.
#[test]
fn weights_are_0_to_1_with_at_most_three_decimals() {
    for (value, weight) in [
        ("0", Some(0)),
        ("0.", Some(0)),
        ("0.0", Some(0)),
        ("0.001", Some(1)),
        ("0.5", Some(500)),
        ("0.25", Some(250)),
        ("0.999", Some(999)),
        ("1", Some(1000)),
        ("1.", Some(1000)),
        ("1.000", Some(1000)),
        (".5", Some(500)),
        ("", None),
        (".", None),
        ("1.001", None),
        ("2", None),
        ("-1", None),
        ("+1", None),
        ("0.1234", None),
        ("0.1x", None),
        ("00.5", None),
        ("0,5", None),
        ("1e0", None),
    ] {
        assert_eq!(thousandths(value.as_bytes()), weight, "{value}");
    }
}

/// The rules of §12.5.3, and the order zstd, gzip, identity among equal weights.
#[test]
fn the_coding_is_the_one_of_the_greatest_weight() {
    let every = &[Identity, Gzip, Zstd];
    for (line, chosen) in [
        // Listed codings win over an identity that is not mentioned.
        ("gzip", Some(Gzip)),
        ("zstd", Some(Zstd)),
        ("gzip, zstd", Some(Zstd)),
        ("gzip;q=1.0, zstd;q=0.9", Some(Gzip)),
        ("gzip;q=0.001", Some(Gzip)),
        ("gzip, deflate, br, zstd", Some(Zstd)),
        ("GZIP", Some(Gzip)),
        ("x-gzip", Some(Gzip)),
        ("gzip ; q=0.5 , zstd ; q=0.4", Some(Gzip)),
        // An identity that is mentioned competes.
        ("gzip;q=0.5, identity;q=0.8", Some(Identity)),
        ("gzip, identity", Some(Gzip)),
        ("identity", Some(Identity)),
        ("identity;q=0.1, gzip;q=0", Some(Identity)),
        // "*" is every coding that is not listed.
        ("*", Some(Zstd)),
        ("*;q=0.5, gzip", Some(Gzip)),
        ("*;q=0.5, zstd;q=0", Some(Gzip)),
        ("gzip;q=0.3, zstd;q=0.2, *;q=0.5", Some(Identity)),
        // Nothing that is listed is available: identity.
        ("br", Some(Identity)),
        ("br, deflate", Some(Identity)),
        ("gzip;q=0, zstd;q=0", Some(Identity)),
        // Identity is refused by name or by "*".
        ("identity;q=0", None),
        ("*;q=0", None),
        ("br, identity;q=0", None),
        ("gzip, identity;q=0", Some(Gzip)),
        ("gzip, *;q=0", Some(Gzip)),
        ("identity, *;q=0", Some(Identity)),
        ("identity;q=0.1, *;q=0", Some(Identity)),
        ("identity;q=0, *", Some(Zstd)),
        // Empty: no coding is wanted.
        ("", Some(Identity)),
        (",", Some(Identity)),
        // Unreadable members say nothing.
        ("gzip;q=2", Some(Identity)),
        ("gz ip, zstd", Some(Zstd)),
    ] {
        assert_eq!(encode(&[line], every), chosen, "{line}");
    }
    assert_eq!(encode(&[], every), Some(Identity), "the field is absent");
    assert_eq!(encode(&["gzip;q=0.5", "identity;q=0.6"], every), Some(Identity), "two lines");
}

#[test]
fn only_what_is_offered_is_chosen_and_identity_always_is() {
    assert_eq!(encode(&["gzip, zstd"], &[Gzip]), Some(Gzip));
    assert_eq!(encode(&["gzip, zstd"], &[]), Some(Identity));
    assert_eq!(encode(&["gzip, zstd, identity;q=0"], &[]), None);
    assert_eq!(encode(&["*"], &[Gzip]), Some(Gzip));
}

#[test]
fn codings_have_their_registered_names() {
    assert_eq!([Identity, Gzip, Zstd].map(Coding::token), ["identity", "gzip", "zstd"]);
}

#[test]
fn a_parameter_of_a_range_is_one_that_the_offer_has() {
    let offers = [JSON, crate::table::CSV];
    for (field, chosen) in [
        ("text/csv", Some(crate::table::CSV)),
        ("Text/CSV; charset=utf-8", Some(crate::table::CSV)),
        ("text/csv; header=present", Some(crate::table::CSV)),
        ("text/csv; header=absent", None),
        ("text/csv; charset=iso-8859-1", None),
        ("text/*", Some(crate::table::CSV)),
        ("text/csv, application/json", Some(JSON)),
        ("text/csv, */*;q=0.5", Some(crate::table::CSV)),
    ] {
        assert_eq!(accept(&[field], &offers), chosen, "{field}");
    }
}
