//! Rules and relations of what was adopted: sums, includes, unique values, checks, deletions.

use super::{Adopted, rows};
use crate::support::client::{Client, Request};
use rusqlite::types::Value as Cell;
use serde_json::Value;

/// The one value of a query.
fn one(adopted: &Adopted, name: &str, query: &str) -> Cell {
    let rows = rows(&adopted.source(name), query);
    rows[0].values().next().expect("a value").clone()
}

fn get(client: &Client, target: &str) -> Value {
    let answer = client.get(target);
    assert_eq!(answer.status, 200, "{target}: {}", answer.show());
    answer.json()
}

/// The total of a list.
fn total(client: &Client, target: &str) -> i64 {
    get(client, target)["total"].as_i64().expect("a total")
}

/// The status of a POST, and the pointers that it complains of.
fn post(client: &Client, resource: &str, content: &str) -> (u16, String) {
    let request = Request::new("POST", &format!("/api/{resource}")).json(content);
    let answer = client.send(&request);
    (answer.status, answer.text())
}

fn refused(client: &Client, resource: &str, content: &str, status: u16, says: &str) {
    let (found, text) = post(client, resource, content);
    assert!(found == status && text.contains(says), "{content}: {found} {text}");
}

#[test]
fn chinook_adds_up_and_includes_over_two_references() {
    let adopted = Adopted::new("chinook");
    let server = adopted.serve();
    let client = server.client();
    let measures = "count,sum(Quantity),sum(UnitPrice)";
    let target = format!("aggregate={measures}&groupBy=TrackId&sort=TrackId&limit=3");
    let sums = get(&client, &format!("/api/InvoiceLine?{target}"));
    let expected = rows(
        &adopted.source("chinook"),
        "SELECT TrackId, count(*) AS count, sum(Quantity) AS \"sum(Quantity)\", \
         round(sum(UnitPrice), 9) AS \
         \"sum(UnitPrice)\" FROM InvoiceLine GROUP BY 1 ORDER BY 1 LIMIT 3",
    );
    for (group, row) in sums["groups"].as_array().expect("groups").iter().zip(&expected) {
        for (name, cell) in row {
            assert!(super::is_same(cell, &group[name]), "{group} {row:?}");
        }
    }
    let track = get(&client, "/api/Track/42?include=AlbumId.ArtistId,PlaylistTrack");
    let artist = one(
        &adopted,
        "chinook",
        "SELECT r.Name FROM Track t JOIN Album USING (AlbumId) JOIN Artist r USING (ArtistId) \
         WHERE TrackId = 42",
    );
    let name = &track["AlbumId"]["ArtistId"]["Name"];
    assert!(super::is_same(&artist, name), "{track}");
    assert_eq!(track["PlaylistTrack"].as_array().expect("playlists").len(), 3);
    let manager = get(&client, "/api/Employee/3?include=ReportsTo.ReportsTo");
    assert_eq!(manager["ReportsTo"]["ReportsTo"]["LastName"], "Adams");
    let far = total(&client, "/api/Track?AlbumId.ArtistId.Name[prefix]=Mot%C3%B6rhead&limit=1");
    let count = "SELECT count(*) FROM Track JOIN Album USING (AlbumId) JOIN Artist r \
                 USING (ArtistId) WHERE r.Name LIKE 'Motörhead%'";
    assert_eq!(Cell::Integer(far), one(&adopted, "chinook", count));
    let twice = r#"{"PlaylistId": 1, "TrackId": 42}"#;
    refused(&client, "PlaylistTrack", twice, 409, "PlaylistId");
    let (status, text) = post(&client, "PlaylistTrack", r#"{"PlaylistId": 2, "TrackId": 42}"#);
    assert_eq!(status, 201, "{text}");
    let long = format!(r#"{{"Name": "{}"}}"#, "x".repeat(121));
    refused(&client, "Genre", &long, 422, "/Name");
    let time = r#"{"CustomerId": 1, "InvoiceDate": "2026-02-06T10:00:00Z", "Total": 1}"#;
    refused(&client, "Invoice", time, 422, "/InvoiceDate");
}

#[test]
fn northwind_keeps_checks_defaults_ids_and_what_deletions_do() {
    let adopted = Adopted::new("northwind");
    let server = adopted.serve();
    let client = server.client();
    let line = |quantity: &str, discount: &str| {
        format!(
            r#"{{"OrderID": 10248, "ProductID": 77,
                 "Quantity": {quantity}, "Discount": {discount}}}"#
        )
    };
    refused(&client, "Order-Details", &line("0", "0"), 422, "/Quantity");
    refused(&client, "Order-Details", &line("1", "1.5"), 422, "/Discount");
    let (status, text) = post(&client, "Products", r#"{"ProductName": "New"}"#);
    let made: Value = serde_json::from_str(&text).expect("a record");
    assert_eq!(
        (status, &made["UnitsInStock"], &made["Discontinued"]),
        (201, &0.into(), &"0".into())
    );
    refused(&client, "Products", r#"{"ProductName": "A", "Discontinued": "2"}"#, 422, "Discont");
    // Without regard to case, and never under an id that was given before.
    refused(&client, "Categories", r#"{"CategoryName": "BEVERAGES"}"#, 409, "CategoryName");
    let (status, text) = post(&client, "Categories", r#"{"CategoryName": "New"}"#);
    let made: Value = serde_json::from_str(&text).expect("a record");
    assert_eq!((status, &made["id"]), (201, &21.into()), "{text}");
    refused(&client, "Orders", r#"{"CustomerID": "NOONE"}"#, 422, "/CustomerID");
    let order = get(&client, "/api/Orders/10248?include=CustomerID,Order-Details.ProductID");
    assert_eq!(order["CustomerID"]["ContactName"], "Ana Trujillo");
    let products = "SELECT count(*) FROM [Order Details] WHERE OrderID = 10248";
    let included = order["Order-Details"].as_array().expect("lines");
    assert_eq!(Cell::Integer(included.len() as i64), one(&adopted, "northwind", products));
    assert!(included.iter().all(|line| line["ProductID"]["ProductName"].is_string()));
    // ON DELETE SET NULL and NO ACTION.
    let delete = |target: &str| client.send(&Request::new("DELETE", target));
    assert_eq!(delete("/api/Territories/01581").status, 409);
    assert_eq!(delete("/api/EmployeeTerritories/3").status, 200);
    let before = get(&client, "/api/Orders?EmployeeID[null]=true&limit=1")["total"].clone();
    assert_eq!(before, 0);
    assert_eq!(delete("/api/Employees/2").status, 200);
    let query = "SELECT count(*) FROM Orders WHERE EmployeeID = 2";
    let after = total(&client, "/api/Orders?EmployeeID[null]=true&limit=1");
    assert_eq!(Cell::Integer(after), one(&adopted, "northwind", query));
}

#[test]
fn sakila_keeps_booleans_enums_and_hides_what_is_called_a_password() {
    let adopted = Adopted::new("sakila");
    let server = adopted.serve();
    let client = server.client();
    let staff = client.get("/api/staff/1");
    assert!(!staff.text().contains("8cb2237d"), "{}", staff.show());
    assert_eq!(staff.json()["active"], true);
    let film = |rating: &str, duration: u32| {
        format!(
            r#"{{"title": "X", "language_id": 1, "rental_duration": {duration},
                "rating": "{rating}", "last_update": "2006-02-15 04:34:33"}}"#
        )
    };
    refused(&client, "film", &film("X", 3), 422, "/rating");
    refused(&client, "film", &film("PG-13", 31), 422, "/rental_duration");
    let (status, text) = post(&client, "film", &film("PG-13", 30));
    assert_eq!(status, 201, "{text}");
    let made: Value = serde_json::from_str(&text).expect("a record");
    assert_eq!(made["rental_rate"], 4.99);
    // A key that is a reference as well.
    refused(&client, "film_text", r#"{"film_id": 1, "title": "X"}"#, 409, "film_id");
    let film = get(&client, "/api/film/1?include=film_text,film_actor.actor_id");
    assert_eq!(film["film_text"][0]["title"], "FILM 1");
    assert!(film["film_actor"][0]["actor_id"]["first_name"].is_string(), "{film}");
    let sum = get(&client, "/api/payment?aggregate=sum(amount)&groupBy=staff_id&sort=staff_id");
    let expected = rows(
        &adopted.source("sakila"),
        "SELECT round(sum(amount), 6) AS s FROM payment GROUP BY staff_id ORDER BY staff_id",
    );
    for (group, row) in sum["groups"].as_array().expect("groups").iter().zip(&expected) {
        let Cell::Real(expected) = row["s"] else { panic!("a sum") };
        let found = group["sum(amount)"].as_f64().expect("a sum");
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }
    for says in [
        "address.location: 2 BLOBs of 50 bytes in all, the largest of 25",
        "staff.picture: 1 BLOB of 4000 bytes",
        "actor_trigger_ai: a trigger",
        "film: CHECK (special_features is null or",
        "film.rating: DEFAULT 'G'",
        "city.last_update: DEFAULT CURRENT_TIMESTAMP",
    ] {
        assert!(adopted.report.contains(says), "{says} is not in\n{}", adopted.report);
    }
}

#[test]
fn a_blog_keeps_its_times_and_odd_names_and_says_what_stays() {
    let adopted = Adopted::new("blog");
    let server = adopted.serve();
    let client = server.client();
    let user = get(&client, "/api/users/3");
    assert_eq!(user["createdAt"], "2021-05-31T22:00:00.000Z");
    assert_eq!(user["updatedAt"], "2021-05-31T22:00:00.000Z");
    assert_eq!(user["settings"], serde_json::json!([1, 2.5, null]));
    assert_eq!(user.get("password_hash"), None);
    let taken = r#"{"email": "ALICE@EXAMPLE.COM", "password_hash": "x"}"#;
    refused(&client, "users", taken, 409, "email");
    let (status, text) = post(&client, "users", r#"{"email": "new@b.c", "password_hash": "x"}"#);
    let made: Value = serde_json::from_str(&text).expect("a record");
    assert_eq!((status, &made["settings"]), (201, &serde_json::json!({})), "{text}");
    let post_ = |slug: &str, rating: &str| {
        format!(r#"{{"user_id": 1, "slug": "{slug}", "title": "T", "rating": {rating}}}"#)
    };
    refused(&client, "posts", &post_("", "1"), 422, "/slug");
    refused(&client, "posts", &post_("Ä", "1"), 422, "/slug");
    refused(&client, "posts", &post_("a", "5.5"), 422, "/rating");
    let (status, text) = post(&client, "posts", &post_("a", "5"));
    assert!(status == 201 && text.contains("\"status\":\"draft\""), "{text}");
    let tag = get(&client, "/api/post_tags?include=tag&tag.name=rust&limit=1");
    assert_eq!(tag["post_tags"][0]["tag"]["name"], "Rust");
    let count = "SELECT count(*) FROM post_tags WHERE tag = 'rust'";
    assert_eq!(
        Cell::Integer(tag["total"].as_i64().expect("a total")),
        one(&adopted, "blog", count)
    );
    let thumbnails = get(&client, "/api/attachments/4?include=thumbnails");
    assert_eq!(thumbnails["thumbnails"].as_array().expect("two").len(), 2);
    let views = get(&client, "/api/t2024-stats/2");
    assert_eq!((views.get("page_views_"), &views["page_views"]), (None, &12.into()));
    for says in [
        "posts.words: is computed, as length(body) - length(replace(body, ' ', '')) + 1",
        "posts.shout: is computed, as upper(title)",
        "posts: CHECK (status <> 'published' OR published_at IS NOT NULL)",
        "posts: INDEX (published_at): it is of some rows only, WHERE status = 'published'",
        "posts: INDEX posts_shout: it is by an expression, (upper(title))",
        "comments: CHECK (length(trim(text)) > 0)",
        "posts_fts: a virtual table",
        "comments_fold: a trigger",
        "attachments.content: 10 BLOBs of 1045 bytes in all",
        "comments.text: 1 (its text contains U+0000): 11",
        "comments.text: 1 (its text is not UTF-8): 12",
        "comments.text: 1 (it is a BLOB): 13",
        "2024 stats: is called t2024-stats here",
        "2024 stats.Día: is called Dia here",
    ] {
        assert!(adopted.report.contains(says), "{says} is not in\n{}", adopted.report);
    }
    for inner in ["posts_fts_data", "posts_fts_config"] {
        assert!(!adopted.report.contains(inner), "{inner} is another table's own");
    }
}

#[test]
fn a_shop_refers_by_keys_of_several_columns() {
    let adopted = Adopted::new("shop");
    let server = adopted.serve();
    let client = server.client();
    let line = get(&client, "/api/line/5?include=purchase_id.customer,article_id,ean");
    let expected = rows(
        &adopted.source("shop"),
        "SELECT c.name AS customer, a.name AS article FROM line AS l JOIN purchase AS p \
         USING (year, serial) JOIN customer AS c ON c.\"customer no\" = p.customer \
         JOIN article AS a ON a.ean = l.ean WHERE l.rowid = 5",
    );
    let found = &line["purchase_id"]["customer"]["name"];
    assert!(super::is_same(&expected[0]["customer"], found), "{line}");
    assert!(super::is_same(&expected[0]["article"], &line["ean"]["name"]), "{line}");
    let article = r#"{"maker": "ACM", "number": 500, "name": "ARTICLE 3", "price": 1}"#;
    refused(&client, "article", article, 409, "name");
    let article = r#"{"maker": "ACM", "number": 500, "name": "x", "price": 0}"#;
    refused(&client, "article", article, 422, "/price");
    let article = r#"{"maker": "ACMX", "number": 500, "name": "x", "price": 1}"#;
    refused(&client, "article", article, 422, "/maker");
    refused(&client, "warehouse", r#"{"name": "x", "active": "?"}"#, 422, "/active");
    // NO ACTION, and ON DELETE CASCADE over two columns, are what the references say now.
    let delete = |target: &str| client.send(&Request::new("DELETE", target));
    let held = delete("/api/article/120");
    assert!(held.status == 409 && held.text().contains("line"), "{}", held.show());
    let before = total(&client, "/api/line?limit=1");
    let shipped = delete("/api/purchase/11");
    assert!(shipped.status == 409 && shipped.text().contains("shipment"), "{}", shipped.show());
    assert_eq!(delete("/api/purchase/10").status, 200);
    let of_purchase = "SELECT count(*) FROM line WHERE (year, serial) = \
                       (SELECT year, serial FROM purchase WHERE rowid = 10)";
    let gone = before - total(&client, "/api/line?limit=1");
    assert_eq!(Cell::Integer(gone), one(&adopted, "shop", of_purchase));
    assert!(gone > 0);
    for says in [
        "legacy.article_ean: REFERENCES article: a row that names nothing which is there \
         (article_ean = 'not an EAN')",
        "legacy.gone: REFERENCES dropped_table",
        "counter: gets an `id` of its own, counted from 1",
        "purchase.customer: names the record of customer by its id here",
    ] {
        assert!(adopted.report.contains(says), "{says} is not in\n{}", adopted.report);
    }
}
