//! Which index each kind of list lacks, as a table.

use super::*;
use crate::model::Model;

const DECLARED: &str = r#"
[resources.products]
index = [["category", "createdAt"], ["updatedAt"], ["maker", "price", "name"]]
unique = [["maker", "code"]]
fields.category = { type = "string" }
fields.name = { type = "string", index = true, ignoreCase = true }
fields.price = { type = "integer" }
fields.code = { type = "string" }
fields.sku = { type = "string", unique = true }
fields.nick = { type = "string", unique = true, optional = true }
fields.maker = { references = "makers" }
fields.extra = { optional = true }
fields.hidden = { type = "string", writeOnly = true, optional = true }

[resources.makers]
fields.name = { type = "string" }
fields.city = { type = "string" }
"#;

/// What is compared with one value, otherwise, in which order (`none`: a count); what to declare.
const CASES: &[(&str, &str, &str, &str)] = &[
    ("", "", "", ""),
    ("", "", "id", ""),
    ("", "", "-id,price", ""),
    ("", "", "none", ""),
    ("id", "", "price", ""),
    ("price", "", "", "`index = true` for products.price"),
    ("price", "", "none", "`index = true` for products.price"),
    ("price", "", "-price", "`index = true` for products.price"),
    ("name", "", "", ""),
    ("maker", "", "", ""),
    ("sku", "", "price", ""),
    ("nick", "category", "-price", ""),
    ("code,maker", "", "price", ""),
    ("extra", "", "", ""),
    ("extra,hidden", "extra", "", ""),
    // Among records of one category the index knows createdAt before the id.
    ("category", "", "", "`index = true` for products.category"),
    ("category", "", "none", ""),
    ("category", "", "createdAt", ""),
    ("category", "", "category,-createdAt", ""),
    ("category", "createdAt", "-createdAt", ""),
    ("category", "createdAt", "none", ""),
    ("category", "", "createdAt,name", "[category createdAt name]"),
    ("category", "", "-createdAt,name", ""),
    ("category", "", "updatedAt", "[category updatedAt]"),
    ("category,price", "", "createdAt", "[category price createdAt]"),
    ("price,category", "", "", "[price category]"),
    ("category,name,price,code", "", "updatedAt", "[category name price updatedAt]"),
    ("price,maker", "", "name", ""),
    ("price,maker", "", "", "[price maker]"),
    ("price,maker", "", "none", ""),
    ("", "", "createdAt", "[createdAt]"),
    ("", "", "-updatedAt", ""),
    ("", "", "updatedAt,price", "[updatedAt price]"),
    ("", "", "updatedAt,-price", ""),
    ("", "", "maker", ""),
    ("", "", "maker,code", ""),
    ("", "", "sku,price", ""),
    ("", "", "-price,-sku,name", "[price sku]"),
    ("", "", "nick,price", "[nick price]"),
    ("", "price", "", "`index = true` for products.price"),
    ("", "category", "", ""),
    ("", "name", "", ""),
    ("", "price", "price", "`index = true` for products.price"),
    ("", "price", "createdAt", "[createdAt]"),
    // The order has an index, and few of those that it passes over match.
    ("", "price", "name", "`index = true` for products.price"),
    ("maker", "id", "", ""),
    ("maker", "code", "", ""),
    ("maker", "name", "", "[maker name]"),
    ("maker", "name", "price", "[maker price]"),
    ("", "id", "", ""),
];

fn products() -> Model {
    crate::declaration::read(DECLARED).model.expect("it is sound")
}

fn columns(resource: &Resource, names: &str) -> Vec<Column> {
    let column = |name: &str| match name {
        "hidden" => Column::Field(resource.field("hidden").expect("a field").0),
        name => Column::find(resource, name).expect("a column"),
    };
    names.split(',').filter(|name| !name.is_empty()).map(column).collect()
}

fn order(resource: &Resource, names: &str) -> Vec<Sort> {
    let keys = names.split(',').filter(|name| !name.is_empty());
    let key = |name: &str| {
        let column = columns(resource, name.trim_start_matches('-'))[0];
        Sort { column, descending: name.starts_with('-') }
    };
    keys.map(key).collect()
}

#[test]
fn each_list_is_told_the_index_that_it_lacks() {
    let model = products();
    let resource = &model.resources[0];
    for (equal, range, sort, expected) in CASES {
        let sort = (*sort != "none").then(|| order(resource, sort));
        let (equal, range) = (columns(resource, equal), columns(resource, range));
        let ask = Ask { equal: &equal, range: &range, order: sort.as_deref() };
        let told = advice(resource, &ask).unwrap_or_default();
        let expected = match expected.strip_prefix('[').and_then(|names| names.strip_suffix(']')) {
            Some(names) => format!(
                "`index = [[\"category\", \"createdAt\"], [\"updatedAt\"], \
                 [\"maker\", \"price\", \"name\"], [\"{}\"]]` in [resources.products]",
                names.replace(' ', "\", \"")
            ),
            None => (*expected).to_owned(),
        };
        assert_eq!(told, expected, "{ask:?}");
    }
}

#[test]
fn what_is_advised_is_enough() {
    let model = products();
    for (equal, range, sort, expected) in CASES.iter().filter(|case| !case.3.is_empty()) {
        let mut resource = model.resources[0].clone();
        let keys = (*sort != "none").then(|| order(&resource, sort));
        let (equal, range) = (columns(&resource, equal), columns(&resource, range));
        let ask = Ask { equal: &equal, range: &range, order: keys.as_deref() };
        let group = lacking(&resource, &ask).expect(expected);
        resource.index.push(group.clone());
        assert_ne!(lacking(&resource, &ask), Some(group), "{ask:?}");
    }
}

#[test]
fn a_resource_without_groups_gets_a_first_one() {
    let model = products();
    let makers = &model.resources[1];
    let sort = order(makers, "city,name");
    let ask = Ask { equal: &[], range: &[], order: Some(&sort) };
    let told = "`index = [[\"city\", \"name\"]]` in [resources.makers]";
    assert_eq!(advice(makers, &ask).as_deref(), Some(told));
}

#[test]
fn an_order_of_two_directions_is_one_where_nothing_is_left_to_order() {
    let model = products();
    let resource = &model.resources[0];
    for (sort, one_way) in [
        ("", true),
        ("-createdAt", true),
        ("createdAt,price", true),
        ("-createdAt,price", false),
        ("-sku,price", true),
        ("-nick,price", false),
        ("-price,id", false),
        ("-id,price", true),
    ] {
        assert_eq!(is_one_way(resource, &order(resource, sort)), one_way, "{sort}");
    }
}
