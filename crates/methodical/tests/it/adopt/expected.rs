//! Every table of every schema, record by record: the query says by hand what the API has to show.

use super::{Adopted, compare, records, rows};

/// A resource, and the query of the source that gives the same.
type Expected = (&'static str, &'static str);

const CHINOOK: &[Expected] = &[
    ("Artist", "SELECT ArtistId AS id, Name FROM Artist ORDER BY 1"),
    ("Album", "SELECT AlbumId AS id, Title, ArtistId FROM Album ORDER BY 1"),
    ("Genre", "SELECT GenreId AS id, Name FROM Genre ORDER BY 1"),
    ("MediaType", "SELECT MediaTypeId AS id, Name FROM MediaType ORDER BY 1"),
    (
        "Track",
        "SELECT TrackId AS id, Name, AlbumId, MediaTypeId, GenreId, Composer, Milliseconds, Bytes, \
         UnitPrice FROM Track ORDER BY 1",
    ),
    (
        "Employee",
        "SELECT EmployeeId AS id, LastName, FirstName, Title, ReportsTo, BirthDate, HireDate, \
         Country, Email FROM Employee ORDER BY 1",
    ),
    (
        "Customer",
        "SELECT CustomerId AS id, FirstName, LastName, Company, Country, Email, SupportRepId \
         FROM Customer ORDER BY 1",
    ),
    (
        "Invoice",
        "SELECT InvoiceId AS id, CustomerId, InvoiceDate, BillingCountry, Total FROM Invoice \
         ORDER BY 1",
    ),
    (
        "InvoiceLine",
        "SELECT InvoiceLineId AS id, InvoiceId, TrackId, UnitPrice, Quantity FROM InvoiceLine \
         ORDER BY 1",
    ),
    ("Playlist", "SELECT PlaylistId AS id, Name FROM Playlist ORDER BY 1"),
    ("PlaylistTrack", "SELECT rowid AS id, PlaylistId, TrackId FROM PlaylistTrack ORDER BY 1"),
];

const NORTHWIND: &[Expected] = &[
    ("Categories", "SELECT CategoryID AS id, CategoryName, Description FROM Categories ORDER BY 1"),
    (
        "CustomerCustomerDemo",
        "SELECT rowid AS id, CustomerID, CustomerTypeID FROM CustomerCustomerDemo ORDER BY 1",
    ),
    (
        "CustomerDemographics",
        "SELECT CustomerTypeID AS id, CustomerDesc FROM CustomerDemographics ORDER BY 1",
    ),
    (
        "Customers",
        "SELECT CustomerID AS id, CompanyName, ContactName, City, Country, Phone FROM Customers \
         ORDER BY 1",
    ),
    (
        "Employees",
        "SELECT EmployeeID AS id, LastName, FirstName, BirthDate, HireDate, Notes, ReportsTo \
         FROM Employees ORDER BY 1",
    ),
    (
        "EmployeeTerritories",
        "SELECT rowid AS id, EmployeeID, TerritoryID FROM EmployeeTerritories ORDER BY 1",
    ),
    (
        "Order-Details",
        "SELECT rowid AS id, OrderID, ProductID, UnitPrice, Quantity, Discount \
         FROM [Order Details] ORDER BY 1",
    ),
    (
        "Orders",
        "SELECT OrderID AS id, CustomerID, EmployeeID, OrderDate, ShippedDate, ShipVia, Freight, \
         [Ship Address] AS Ship_Address, [Ship-Country] AS Ship_Country FROM Orders ORDER BY 1",
    ),
    (
        "Products",
        "SELECT ProductID AS id, ProductName, SupplierID, CategoryID, UnitPrice, UnitsInStock, \
         Discontinued FROM Products ORDER BY 1",
    ),
    ("Regions", "SELECT RegionID AS id, RegionDescription FROM Regions ORDER BY 1"),
    ("Shippers", "SELECT ShipperID AS id, CompanyName, Phone FROM Shippers ORDER BY 1"),
    ("Suppliers", "SELECT SupplierID AS id, CompanyName, HomePage FROM Suppliers ORDER BY 1"),
    (
        "Territories",
        "SELECT TerritoryID AS id, TerritoryDescription, RegionID FROM Territories ORDER BY 1",
    ),
];

const SAKILA: &[Expected] = &[
    ("actor", "SELECT actor_id AS id, first_name, last_name, last_update FROM actor ORDER BY 1"),
    ("country", "SELECT country_id AS id, country, last_update FROM country ORDER BY 1"),
    ("city", "SELECT city_id AS id, city, country_id, last_update FROM city ORDER BY 1"),
    (
        "address",
        "SELECT address_id AS id, address, address2, district, city_id, postal_code, phone \
         FROM address ORDER BY 1",
    ),
    ("language", "SELECT language_id AS id, name FROM language ORDER BY 1"),
    ("category", "SELECT category_id AS id, name FROM category ORDER BY 1"),
    ("store", "SELECT store_id AS id, manager_staff_id, address_id FROM store ORDER BY 1"),
    (
        "staff",
        "SELECT staff_id AS id, first_name, address_id, store_id, active, username FROM staff \
         ORDER BY 1",
    ),
    (
        "customer",
        "SELECT customer_id AS id, store_id, first_name, email, address_id, active, create_date \
         FROM customer ORDER BY 1",
    ),
    (
        "film",
        "SELECT film_id AS id, title, description, release_year, language_id, \
         original_language_id, rental_duration, rental_rate, length, replacement_cost, rating, \
         special_features, last_update FROM film ORDER BY 1",
    ),
    ("film_actor", "SELECT rowid AS id, actor_id, film_id, last_update FROM film_actor ORDER BY 1"),
    (
        "film_category",
        "SELECT row_number() OVER (ORDER BY film_id, category_id) AS id, film_id, category_id \
         FROM film_category ORDER BY 1",
    ),
    ("film_text", "SELECT film_id AS id, film_id, title, description FROM film_text ORDER BY 1"),
    ("inventory", "SELECT inventory_id AS id, film_id, store_id FROM inventory ORDER BY 1"),
    (
        "rental",
        "SELECT rental_id AS id, rental_date, inventory_id, customer_id, return_date, staff_id \
         FROM rental ORDER BY 1",
    ),
    (
        "payment",
        "SELECT payment_id AS id, customer_id, staff_id, rental_id, amount, payment_date \
         FROM payment ORDER BY 1",
    ),
];

const BLOG: &[Expected] = &[
    (
        "users",
        "SELECT id, email, \"display name\" AS display_name, is_admin, settings, karma FROM users \
         ORDER BY id",
    ),
    (
        "posts",
        "SELECT id, user_id, parent, slug, title, body, status, published_at, rating FROM posts \
         ORDER BY id",
    ),
    ("tags", "SELECT row_number() OVER (ORDER BY name) AS id, name FROM tags ORDER BY 1"),
    (
        "post_tags",
        "SELECT row_number() OVER (ORDER BY post_id, tag) AS id, post_id, (SELECT t.n FROM \
         (SELECT name, row_number() OVER (ORDER BY name) AS n FROM tags) AS t \
         WHERE t.name = tag COLLATE NOCASE) AS tag FROM post_tags ORDER BY 1",
    ),
    (
        "comments",
        "SELECT id, post_id, reply_to, author, CASE WHEN id NOT IN (11, 12, 13) THEN text END \
         AS text FROM comments ORDER BY id",
    ),
    ("search_", "SELECT rowid AS id, \"when\", q, hits FROM search ORDER BY 1"),
    (
        "t2024-stats",
        "SELECT \"#\" AS id, \"Día\" AS Dia, \"page views\" AS page_views_, page_views \
         FROM \"2024 stats\" ORDER BY 1",
    ),
    ("attachments", "SELECT rowid AS id, post_id, name FROM attachments ORDER BY 1"),
    (
        "thumbnails",
        "SELECT t.rowid AS id, a.rowid AS attachment, width, height FROM thumbnails AS t \
         JOIN attachments AS a ON a.id = t.attachment ORDER BY 1",
    ),
];

const SHOP: &[Expected] = &[
    ("warehouse", "SELECT code AS id, name, active FROM warehouse ORDER BY 1"),
    (
        "article",
        "SELECT rowid AS id, maker, number, ean, name, price, weight, launched FROM article \
         ORDER BY 1",
    ),
    (
        "stock",
        "SELECT row_number() OVER (ORDER BY warehouse, s.maker, s.number) AS id, warehouse, \
         s.maker AS maker, s.number AS number, pieces, counted_on, a.rowid AS article_id \
         FROM stock AS s JOIN article AS a ON a.maker = s.maker AND a.number = s.number ORDER BY 1",
    ),
    (
        "customer",
        "SELECT rowid AS id, \"customer no\" AS customer_no, name, \"e-mail\" AS e_mail, \
         \"limit\" FROM customer ORDER BY 1",
    ),
    (
        "purchase",
        "SELECT p.rowid AS id, year, serial, c.rowid AS customer, placed, total FROM purchase AS p \
         JOIN customer AS c ON c.\"customer no\" = p.customer ORDER BY 1",
    ),
    (
        "line",
        "SELECT l.rowid AS id, l.year AS year, l.serial AS serial, position, l.maker AS maker, \
         l.number AS number, e.rowid AS ean, pieces, p.rowid AS purchase_id, a.rowid AS article_id \
         FROM line AS l JOIN purchase AS p ON p.year = l.year AND p.serial = l.serial \
         LEFT JOIN article AS a ON a.maker = l.maker AND a.number = l.number \
         LEFT JOIN article AS e ON e.ean = l.ean ORDER BY 1",
    ),
    (
        "shipment",
        "SELECT s.id AS id, s.year AS year, s.serial AS serial, s.position AS position, warehouse, \
         carrier, l.rowid AS line_id FROM shipment AS s LEFT JOIN line AS l ON l.year = s.year \
         AND l.serial = s.serial AND l.position = s.position ORDER BY 1",
    ),
    ("legacy", "SELECT id, article_ean, gone, flag FROM legacy ORDER BY id"),
    (
        "counter",
        "SELECT row_number() OVER (ORDER BY id) AS id, id AS id_, what FROM counter ORDER BY 1",
    ),
];

fn holds(name: &str, expected: &[Expected]) {
    let adopted = Adopted::new(name);
    let source = adopted.source(name);
    let server = adopted.serve();
    let client = server.client();
    for (resource, query) in expected {
        let records = records(&client, &format!("/api/{resource}"));
        compare(&format!("{name} {resource}"), &rows(&source, query), &records);
        let list = client.get(&format!("/api/{resource}?limit=1")).json();
        assert_eq!(list["total"], records.len(), "{resource}: the total that is kept");
    }
    // Not one table is left out of the comparison.
    let tables = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
                  AND name NOT LIKE 'sqlite%'";
    assert_eq!(rows(&source, tables).len(), expected.len(), "tables of {name}");
    views(name, &adopted, &server);
}

/// Where the report says that a list gives the same as a view, it does.
fn views(name: &str, adopted: &Adopted, server: &crate::support::server::Server) {
    let source = adopted.source(name);
    let mut compared = 0;
    for line in adopted.report.lines() {
        let Some((view, rest)) = line.trim().split_once(": a view; the same is GET ") else {
            continue;
        };
        let (target, _) = rest.split_once(". It was: ").expect("the text of the view");
        let records = records(&server.client(), target);
        let rows = rows(&source, &format!("SELECT * FROM [{view}]"));
        assert_eq!(records.len(), rows.len(), "{view}");
        assert!(!rows.is_empty(), "{view}: nothing is compared");
        compared += 1;
        for (row, record) in rows.iter().zip(&records) {
            // The key has another name; the computed columns are said to be left behind.
            let named = row.iter().filter(|(name, _)| record.contains_key(*name));
            let mut same = 0;
            for (name, cell) in named {
                assert!(super::is_same(cell, &record[name]), "{view}: {row:?} {record:?}");
                same += 1;
            }
            assert!(same > 0, "{view}: {row:?} {record:?}");
        }
    }
    assert_eq!(compared, 1, "one view of each schema is a list");
}

#[test]
fn chinook_is_served_as_it_was() {
    holds("chinook", CHINOOK);
}

#[test]
fn northwind_is_served_as_it_was() {
    holds("northwind", NORTHWIND);
}

#[test]
fn sakila_is_served_as_it_was() {
    holds("sakila", SAKILA);
}

#[test]
fn a_blog_is_served_as_it_was() {
    holds("blog", BLOG);
}

#[test]
fn a_shop_with_keys_of_several_columns_is_served_as_it_was() {
    holds("shop", SHOP);
}
