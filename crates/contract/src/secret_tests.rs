//! Tests of secrets in URLs: what is refused, what is not, and what is repeated.
#![allow(clippy::unwrap_used)]

use super::*;

/// A resource with a readable `key`, `pin`, `Card` and `shipToken`, and a hidden `taxNumber`.
fn declared(name: &str) -> Declared {
    let readable = ["key", "pin", "Card", "shipToken", "secretKeeper", "codePassword"];
    match fold(name) {
        folded if folded == "taxnumber" => Declared::Hidden,
        folded if readable.iter().any(|field| fold(field) == folded) => Declared::Readable,
        _ => Declared::Unknown,
    }
}

fn plain(_: &str) -> Declared {
    Declared::Unknown
}

fn named(query: &str) -> Option<String> {
    find(query, &plain).map(|secret| secret.name)
}

const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";

#[test]
fn the_names_that_are_always_refused() {
    for name in [
        "password",
        "passwd",
        "pwd",
        "secret",
        "client_secret",
        "token",
        "access_token",
        "refresh_token",
        "id_token",
        "reset_token",
        "api_key",
        "apikey",
        "authorization",
        "jwt",
        "private_key",
    ] {
        for query in [
            format!("{name}=x"),
            format!("{name}="),
            name.to_owned(),
            format!("page=1&{name}=x"),
            format!("{}=x", name.to_uppercase()),
            format!("{}=x", name.replace('_', "-")),
            format!("{name}[eq]=x"),
            format!("{name}%5Beq%5D=x"),
            format!("%{:02X}{}=x", name.as_bytes()[0], &name[1..]),
            format!("user[{name}]=x"),
            format!("user.{name}=x"),
            format!("+{name}+=x"),
        ] {
            assert!(find(&query, &plain).is_some(), "{query}");
            assert!(find(&query, &|_| Declared::Readable).is_some(), "{query}");
        }
    }
    for query in ["apiKey=x", "API.Key=x", "accessToken=x", "Client%20Secret=x", "p_a_s_s_w_d=x"] {
        assert!(find(query, &plain).is_some(), "{query}");
    }
}

#[test]
fn the_softer_names_are_refused_where_no_readable_field_has_them() {
    for name in ["key", "auth", "session", "pin", "otp", "card", "ssn", "cvv"] {
        assert_eq!(named(&format!("{name}=1")).as_deref(), Some(name));
        assert_eq!(named(&format!("{name}[eq]=1")).as_deref(), Some(name));
        assert!(find(&format!("{name}=1"), &|_| Declared::Readable).is_none(), "{name}");
        assert!(find(&format!("{name}=1"), &|_| Declared::Hidden).is_some(), "{name}");
    }
    for query in ["key=1", "pin[gte]=1", "card=1", "CARD=1", "codePassword=1"] {
        assert!(find(query, &declared).is_none(), "{query}");
    }
    for query in ["new_password=x", "userPassword=x", "appSecret=x", "x-api-key=x"] {
        assert!(find(query, &plain).is_some(), "{query}");
    }
    assert!(find("shipToken=1", &declared).is_some(), "*_token is refused whatever is declared");
}

#[test]
fn fields_that_cannot_be_read_are_refused_in_any_spelling() {
    for query in ["taxNumber=1", "tax_number=1", "TAXNUMBER[eq]=1", "a=1&taxNumber[in]=1,2"] {
        let secret = find(query, &declared).unwrap();
        assert_eq!(fold(&secret.name), "taxnumber");
    }
}

#[test]
fn ordinary_queries_pass() {
    for query in [
        "",
        "page=1&limit=10&sort=name",
        "q=python+tutorial",
        "q=how+to+reset+a+password",
        "q=token",
        "sort=-createdAt,name",
        "fields=id,name",
        "category=electronics&price[gte]=10&price[lt]=20",
        "tokens=1",
        "keyword=a",
        "monkey=1",
        "keys=1",
        "author=ann",
        "secretary=ann",
        "pinned=true",
        "cardinality=2",
        "sessions=2",
        "secretKeeper=1",
        "utm_source=x&_=1700000000",
        "locale=sk-SK",
        "sku=sk-2024-000000012345",
        "file=mtdk_a",
        "name=eyJoe",
        "version=1.2.3",
        "host=eyJa.example.com",
        "id=8e03978e-40d5-43e8-bc93-6894a57f9324",
        "&&=&",
        "%=1&a=%zz",
    ] {
        assert_eq!(find(query, &plain), None, "{query}");
    }
}

#[test]
fn values_in_the_form_of_a_key_are_refused() {
    for value in [
        "mtdk_5f2b9c0d1e",
        "sk-secret-key-12345",
        "sk-proj-abcdefghijklmnop1234",
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "sk_test_4eC39HqLyjWDarjtT1zdp7dc",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "github_pat_11ABCDEFG0abcdefghijkl",
        "glpat-abcdefghijklmnopqrst",
        "xoxb-123456789012-abcdefgh",
        JWT,
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
    ] {
        let encoded: String = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for query in [
            format!("q={value}"),
            format!("q={encoded}"),
            format!("page=1&q=Bearer+{value}"),
            format!("name[in]=ann,{value}"),
            format!("q=%22{value}%22"),
        ] {
            let secret = find(&query, &plain).unwrap_or_else(|| panic!("{query}"));
            assert!(["q", "name[in]"].contains(&secret.name.as_str()), "{query}");
        }
        for query in [value.to_owned(), format!("{value}=1"), format!("a[{encoded}]=")] {
            let secret = find(&query, &plain).unwrap_or_else(|| panic!("{query}"));
            assert_eq!(secret.name, "", "the name is the secret: {query}");
        }
    }
}

#[test]
fn a_value_is_refused_even_where_its_field_can_be_read() {
    let secret = find(&format!("key={JWT}"), &declared).unwrap();
    assert_eq!(secret.name, "key");
}

#[test]
fn neither_a_value_nor_a_strange_name_is_repeated() {
    for (query, name) in [
        ("hunter2hunter2token=x", ""),
        ("token=hunter2", "token"),
        ("X-Token=hunter2", "X-Token"),
        ("<script>token=hunter2", ""),
        ("a=1&q=ok&api_key=hunter2", "api_key"),
        ("mtdk_hunter2hunter2", ""),
    ] {
        let secret = find(query, &plain).unwrap();
        assert_eq!(secret.name, name, "{query}");
        let problem = format!("{:?}", secret.problem());
        assert!(!problem.contains("hunter2"), "{problem}");
        assert!(!problem.contains('<'), "{problem}");
    }
}

#[test]
fn the_refusal_says_what_to_use_instead_and_to_replace_the_secret() {
    let problem = find("api_key=x", &plain).unwrap().problem();
    assert_eq!(problem.kind, Kind::SecretInUrl);
    assert_eq!(
        problem.detail,
        "The query parameter api_key holds a secret. Send it in the Authorization field, as \
         `Authorization: Bearer …`. Replace the secret: it may have been recorded on its way."
    );
    assert_eq!(problem.errors, [Violation::parameter("api_key", BEARER)]);
    let problem = find("password=x", &plain).unwrap().problem();
    assert!(problem.detail.contains("content of a POST"));
}

#[test]
fn user_information_is_found_in_absolute_form_only() {
    for target in [
        "http://user:pass@example.com/",
        "http://user@example.com",
        "HTTPS://user:@example.com:8080/a?b",
        "http://@example.com/",
        "http://a:b@c@example.com/",
    ] {
        assert!(userinfo(target), "{target}");
    }
    for target in [
        "/",
        "*",
        "/users?email=a@example.com",
        "/a://b@c",
        "http://example.com/a@b",
        "http://example.com?a@b",
        "http://example.com#a@b",
        "example.com:443",
        "",
    ] {
        assert!(!userinfo(target), "{target}");
    }
}
