//! **Stories**: what the article shows and warns of, as transcripts that a person can read, and as
//! the programs that its readers would write. Each story has a server of its own.

mod transcript;

use std::path::Path;
use std::process::Command;

use crate::law::run::decisive;
use crate::support::server::{Options, tests};

macro_rules! stories {
    ($($test:ident: $file:literal,)*) => {
        $(
            #[test]
            fn $test() {
                transcript::play(&tests().join("story").join(concat!($file, ".http")));
            }
        )*

        const FILES: &[&str] = &[$($file,)*];
    };
}

stories! {
    users_are_fetched_as_the_article_shows: "fetching",
    users_are_created_as_the_article_shows: "creating",
    ten_orders_are_ten_and_with_a_key_they_are_one: "ordering",
    products_are_cached_and_revalidated: "caching",
    every_method_of_the_table_does_what_it_says: "methods",
    each_mistake_is_refused_with_an_explanation: "mistakes",
    anything_is_kept_as_data: "data",
    two_editors_do_not_overwrite_each_other: "editing",
    private_notes_are_private: "notes",
    a_shop_is_open_where_it_says_so: "permitted",
    a_forum_is_moderated: "forum",
}

#[test]
fn every_transcript_is_played() {
    for entry in std::fs::read_dir(tests().join("story")).expect("the stories") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "http") {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            assert!(FILES.contains(&name.as_str()), "no test plays {name}.http");
        }
    }
}

/// Runs a program against a shop of its own.
fn run(program: &str, script: &str, install: &str) {
    decisive(|| {
        let server = Options::shop().start();
        let script = tests().join("story").join(script);
        let base = format!("http://{}", server.address());
        let output = Command::new(program).arg(&script).args([base, server.admin_key()]).output();
        let output = output.unwrap_or_else(|error| {
            panic!("{program} does not start ({error}). {install}");
        });
        assert!(
            output.status.success(),
            "{} ended with {}. {install}\n{}{}",
            name(&script),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    });
}

fn name(script: &Path) -> String {
    script.file_name().expect("a name").to_string_lossy().into_owned()
}

#[test]
fn the_articles_python_works_with_requests() {
    let install = "It needs Python 3 with requests: apt-get install python3-requests, or \
                   python3 -m pip install requests.";
    run("python3", "article.py", install);
}

#[test]
fn the_articles_javascript_works_with_the_fetch_of_node() {
    run("node", "article.mjs", "It needs Node 18 or later, whose fetch is built in.");
}
