//! Words, grammar, meaning, highlights.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::token::Tokens;
use super::{CHARACTERS_MAX, TERMS_MAX, Terms, highlight, indexed};
use crate::fold::fold;

fn tokens(text: &str) -> Vec<String> {
    let tokens = Tokens::of(text);
    (0..tokens.len()).map(|at| tokens.token(at).to_owned()).collect()
}

fn terms(text: &str) -> Terms {
    Terms::read(text).unwrap()
}

#[test]
fn words_are_runs_of_letters_and_digits_in_any_script() {
    for (text, expected) in [
        ("", &[][..]),
        ("  Hello, World_2!", &["hello", "world", "2"]),
        ("C++ don't e-mail", &["c", "don", "t", "e", "mail"]),
        ("Café CAFE\u{301} cafe", &["cafe", "cafe", "cafe"]),
        ("Straße STRASSE", &["strasse", "strasse"]),
        ("Ἀθῆναι ΑΘΗΝΑΙ", &["αθηναι", "αθηναι"]),
        ("Ёлка елка", &["елка", "елка"]),
        ("ﬁn", &["fin"]),
        ("हिन्दी भाषा", &["हिन्दी", "भाषा"]),
        ("שָׁלוֹם", &[&*fold("שָׁלוֹם")]),
        ("\u{301}\u{93f} a", &["a"]),
        ("Donau\u{ad}dampf", &["donaudampf"]),
        ("日本語のPython教程3", &["日", "本", "語", "の", "python", "教", "程", "3"]),
        ("コーヒーが", &["コ", "ー", "ヒ", "ー", "か\u{3099}"]),
        ("กินข้าว", &["กิ", "น", "ข้", "า", "ว"]),
        ("ភាសាខ្មែរ", &["ភា", "សា", "ខ្", "មែ", "រ"]),
        ("١٢٣ 456 ½", &["١٢٣", "456", "½"]),
        ("가각 한글", &[&*fold("가각"), &*fold("한글")]),
        ("😀 <b>&amp;</b>", &["b", "amp", "b"]),
    ] {
        assert_eq!(tokens(text), expected, "{text}");
    }
}

#[test]
fn a_long_token_is_cut_where_no_query_reaches() {
    let long = "é".repeat(9_000);
    let cut = indexed(&long);
    assert!(cut.len() > 4 * CHARACTERS_MAX && cut.len() < 5_000);
    assert!(terms("éé*").matches(&[&long]));
    assert!(terms(&format!("{}*", "é".repeat(999))).matches(&[&long]));
    assert!(!terms(&"é".repeat(1_000)).matches(&[&long]));
    assert_eq!(highlight(&long, &terms("ee*")).unwrap().matches('é').count(), 200);
}

#[test]
fn anything_can_be_read() {
    for (text, canonical) in [
        ("python tutorial", "python tutorial"),
        ("Python  PYTHON tutorial python*", "python tutorial python*"),
        ("\"Hello,   World\"", "\"hello world\""),
        ("\"Hello\"", "hello"),
        ("a\"b c\"d", "a \"b c\" d"),
        ("a \"b c", "a \"b c\""),
        ("\"\" \" \" \"", ""),
        ("c++ -a NOT b OR c NEAR(d e) ^f name:g {h} (i*)", "c a not b or near d e f name g h i*"),
        ("* ** a * b*c \"d*\" *e", "a b* c d e"),
        ("日本*", "日本*"),
        ("日本 \"日 本\"", "日本"),
        ("\"日 本 a b\"", "\"日 本 a b\""),
        ("Python教程", "python教程"),
        ("' ; DROP TABLE users; -- \\", "drop table users"),
        ("\u{301}\u{93f}", ""),
        ("CAFÉ*", "cafe*"),
    ] {
        let read = terms(text);
        assert_eq!(read.text(), canonical, "{text}");
        assert_eq!(terms(canonical), read, "{text}");
    }
    assert!(terms("+-*/").is_empty());
}

#[test]
fn too_much_is_refused_with_a_sentence() {
    assert!(Terms::read(&"é".repeat(CHARACTERS_MAX)).is_ok());
    let error = Terms::read(&"+".repeat(1 << 20)).unwrap_err();
    assert!(error.contains("longer than 1000 characters"), "{error}");
    let error = Terms::read(&"ﬃ ".repeat(500)).map(|terms| terms.text());
    assert_eq!(error.as_deref(), Ok("ffi"));
    let error = Terms::read(&"ﬃ".repeat(500)).unwrap_err();
    assert!(error.contains("longer than"), "{error}");
    let many = |count: usize| (0..count).map(|n| format!("w{n} ")).collect::<String>();
    assert!(Terms::read(&many(TERMS_MAX)).is_ok());
    let error = Terms::read(&many(TERMS_MAX + 1)).unwrap_err();
    assert!(error.contains("33 words and phrases; 32 are the most"), "{error}");
}

#[test]
fn every_term_is_found_in_some_field_and_a_phrase_in_one() {
    let fields = ["The Café at the end", "of the end of Python教程"];
    for (text, found) in [
        ("", false),
        ("+", false),
        ("cafe python", true),
        ("cafe rust", false),
        ("\"the end\"", true),
        ("\"end of the\"", false),
        ("\"the end of python\"", true),
        ("\"the end of\"*", true),
        ("pyth", false),
        ("pyth*", true),
        ("教程", true),
        ("程教", false),
        ("教*", true),
        ("python教*", true),
        ("\"at the end\" ca*", true),
    ] {
        assert_eq!(terms(text).matches(&fields), found, "{text}");
    }
    let overlapping = ["a a b a a a c"];
    assert!(terms("\"a a a c\"").matches(&overlapping));
    assert!(!terms("\"a b c\"").matches(&overlapping));
}

#[test]
fn what_repeats_is_found_in_time_that_does_not_multiply() {
    // Half a million times five hundred comparisons would be noticed here.
    let text = "あ".repeat(500_000);
    let phrase = format!("{}い", "あ".repeat(500));
    assert!(!terms(&phrase).matches(&[&text]));
    assert!(terms(&"あ".repeat(500)).matches(&[&text]));
}

#[test]
fn highlights_are_html_of_the_original() {
    for (text, query, expected) in [
        ("The Café & the <end>", "cafe", Some("The <mark>Café</mark> &amp; the &lt;end&gt;")),
        (
            "The Café & the <end>",
            "\"cafe the\"",
            Some("The <mark>Café &amp; the</mark> &lt;end&gt;"),
        ),
        (
            "Cafe\u{301}s 'n \"bars\"",
            "caf* bars",
            Some("<mark>Cafe\u{301}s</mark> &#39;n &quot;<mark>bars</mark>&quot;"),
        ),
        ("Straße", "strasse", Some("<mark>Straße</mark>")),
        ("日本語の本", "日本 本", Some("<mark>日本</mark>語の<mark>本</mark>")),
        ("a b c d", "\"a b\" \"b c\"", Some("<mark>a b c</mark> d")),
        ("one", "two", None),
        ("", "two", None),
        ("one", "", None),
    ] {
        assert_eq!(highlight(text, &terms(query)).as_deref(), expected, "{text} {query}");
    }
}

#[test]
fn a_long_text_is_cut_to_whole_words_around_the_first_find() {
    let text = format!("{}here {}", "before ".repeat(50), "after ".repeat(100));
    let shown = highlight(&text, &terms("here")).unwrap();
    assert!(shown.starts_with("…before before"), "{shown}");
    assert!(shown.contains(" <mark>here</mark> after"), "{shown}");
    assert!(shown.ends_with(" after…"), "{shown}");
    let characters = shown.chars().count() - "<mark></mark>……".chars().count();
    assert!((180..=200).contains(&characters), "{characters}");

    let shown = highlight(&text, &terms("before")).unwrap();
    assert!(shown.starts_with("<mark>before</mark> <mark>before</mark>"), "{shown}");
    let last = format!("{} at last", "much ".repeat(200));
    let shown = highlight(&last, &terms("last")).unwrap();
    assert!(shown.starts_with("…much") && shown.ends_with(" at <mark>last</mark>"), "{shown}");
    assert!(shown.chars().count() > 190);
    let phrase = "a ".repeat(400);
    let shown = highlight(&phrase, &terms("a")).unwrap();
    assert_eq!(shown.matches("<mark>a</mark>").count(), 100, "{shown}");
}

/// Text with what is hard about text.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-c]{1,3}",
        2 => "[ \"*'+:^()-]{1,2}",
        1 => "[A-Z0-9_.,<>&;]{1,3}",
        2 => "[éÉßẞñŉİıΣσςﬁǰёй]{1,3}",
        1 => "[\u{301}\u{345}\u{308}\u{93f}\u{e31}\u{ad}\u{200d}\u{344}\u{f73}]{1,2}",
        2 => "[日本語がカーกขกิ한글\u{1100}\u{1161}]{1,3}",
        1 => "\\PC{1,4}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn folding_first_changes_no_token(text in texts()) {
        prop_assert_eq!(tokens(&text), tokens(&fold(&text)));
    }

    #[test]
    fn ascii_needs_no_tokenizer(text in "[ -~\t\n]{0,60}") {
        let lower = text.to_ascii_lowercase();
        let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
        prop_assert_eq!(tokens(&text), words.map(str::to_owned).collect::<Vec<_>>());
        prop_assert_eq!(&*indexed(&text), &*text);
    }

    #[test]
    fn an_index_text_has_the_same_tokens(text in texts()) {
        prop_assert_eq!(tokens(&indexed(&text)), tokens(&text));
    }

    #[test]
    fn canonical_text_is_read_as_the_same(text in texts()) {
        let read = terms(&text);
        prop_assert_eq!(&terms(&read.text()), &read);
        prop_assert_eq!(terms(&read.text()).text(), read.text());
    }

    #[test]
    fn a_text_is_found_by_its_own_words(text in texts()) {
        let read = terms(&text.replace('"', " "));
        prop_assert_eq!(read.matches(&["", &text]), !read.is_empty());
    }

    #[test]
    fn only_marks_are_html(text in texts(), query in texts()) {
        let query = terms(&query);
        let shown = highlight(&text, &query);
        let single = query.terms().iter().any(|term| terms(&term.text()).matches(&[&text]));
        prop_assert_eq!(shown.is_some(), single);
        if let Some(shown) = shown {
            let plain = shown.replace("<mark>", "").replace("</mark>", "");
            prop_assert!(!plain.contains(['<', '>', '"', '\'']));
            let plain = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'")]
                .iter()
                .fold(plain, |plain, (escape, meant)| plain.replace(escape, meant))
                .replace("&amp;", "&");
            prop_assert_eq!(plain, text);
        }
    }
}
