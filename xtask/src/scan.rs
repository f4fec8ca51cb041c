//! A small reader of Rust text: which bytes are code, where functions begin and end, what is test
//! code. It knows strings, raw strings, characters, lifetimes and comments, and nothing of types.

use std::ops::Range;

/// A source file with what is not code taken out of the way.
pub(crate) struct Source {
    /// The text as it stands in the file.
    pub(crate) text: String,
    /// The same length, with comments and the insides of literals blanked.
    pub(crate) code: String,
    /// Where the insides of string literals are.
    pub(crate) literals: Vec<Range<usize>>,
    /// Items behind `#[cfg(test)]`.
    pub(crate) tests: Vec<Range<usize>>,
    /// Modules that are `#[cfg(test)] mod NAME;`: their files are test code.
    pub(crate) test_modules: Vec<TestModule>,
}

/// A module of tests in a file of its own.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TestModule {
    /// Where its name says.
    Named(String),
    /// Where its `#[path = "…"]` says.
    At(String),
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// Where its `fn` stands.
    pub(crate) start: usize,
    /// Its lines, from the one with `fn` to the one with the closing brace.
    pub(crate) lines: usize,
}

impl Source {
    /// Reads a file's text.
    pub(crate) fn read(text: &str) -> Self {
        let (code, literals) = mask(text);
        let (tests, test_modules) = test_items(text, &code, &literals);
        Self { text: text.to_owned(), code, literals, tests, test_modules }
    }

    /// The line of an offset, from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        line(&self.text, offset)
    }

    /// True inside an item behind `#[cfg(test)]`.
    pub(crate) fn is_test(&self, offset: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&offset))
    }

    /// How many lines are not test code.
    pub(crate) fn lines_outside_tests(&self) -> usize {
        let mut start = 0;
        let mut count = 0;
        for line in self.text.split_inclusive('\n') {
            count += usize::from(!self.is_test(start));
            start += line.len();
        }
        count
    }

    /// The functions that have a body, in order; one inside another is listed too.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let bytes = self.code.as_bytes();
        let mut found = Vec::new();
        for (start, word) in words(&self.code) {
            if word != "fn" {
                continue;
            }
            let name_start = skip_space(bytes, start + 2);
            let name = name_at(bytes, name_start);
            if name.is_empty() {
                continue; // A function type: `fn(u8) -> u8`.
            }
            if let Some(body) = body_start(bytes, name_start + name.len())
                && let Some(end) = matching_brace(bytes, body)
            {
                let lines = line(&self.code, end) - line(&self.code, start) + 1;
                let name = String::from_utf8_lossy(name).into_owned();
                found.push(Function { name, start, lines });
            }
        }
        found
    }

    /// Offsets at which this stands in code.
    pub(crate) fn find<'a>(&'a self, needle: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.code.match_indices(needle).map(|(offset, _)| offset)
    }
}

/// The line of an offset, from 1.
pub(crate) fn line(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Identifiers and keywords with their offsets.
pub(crate) fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = code.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() && !is_word(bytes[at]) {
            at += 1;
        }
        let start = at;
        while at < bytes.len() && is_word(bytes[at]) {
            at += 1;
        }
        (at > start).then(|| (start, &code[start..at]))
    })
}

/// Blanks comments and the insides of literals; answers the ranges of string literals too.
fn mask(text: &str) -> (String, Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut literals = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let (blank, end, string) = if rest.starts_with(b"//") {
            let end = rest.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |n| at + n);
            (at..end, end, false)
        } else if rest.starts_with(b"/*") {
            let end = comment_end(bytes, at);
            (at..end, end, false)
        } else if rest[0] == b'"' {
            let end = string_end(bytes, at + 1);
            (at + 1..end, end + 1, true)
        } else if rest[0] == b'\'' {
            let end = character_end(text, at);
            (at + 1..end.max(at + 1), end + 1, false)
        } else if is_word(rest[0]) {
            match raw_string(bytes, at) {
                Some((inside, end)) => (inside, end, true),
                None => (at..at, word_end(bytes, at), false),
            }
        } else {
            (at..at, at + 1, false)
        };
        for byte in &mut code[blank.clone()] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        if string {
            literals.push(blank);
        }
        at = end;
    }
    // Only whole characters were replaced, so this loses nothing.
    (String::from_utf8_lossy(&code).into_owned(), literals)
}

/// The end of a block comment; they nest.
fn comment_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0;
    let mut at = start;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

/// Where the closing quote of a string stands whose inside begins here.
fn string_end(bytes: &[u8], inside: usize) -> usize {
    let mut at = inside;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len())
}

/// Where the closing quote of a character stands; the quote's own place for a lifetime.
fn character_end(text: &str, quote: usize) -> usize {
    let bytes = text.as_bytes();
    if bytes.get(quote + 1) == Some(&b'\\') {
        let from = (quote + 3).min(bytes.len());
        return bytes[from..].iter().position(|byte| *byte == b'\'').map_or(quote, |n| from + n);
    }
    let Some(inside) = text[quote + 1..].chars().next() else { return quote };
    let end = quote + 1 + inside.len_utf8();
    if bytes.get(end) == Some(&b'\'') { end } else { quote }
}

/// The inside of a raw string that begins here, and where it ends: `r"…"`, `br#"…"#`.
fn raw_string(bytes: &[u8], start: usize) -> Option<(Range<usize>, usize)> {
    let prefix = word_end(bytes, start) - start;
    if !matches!(&bytes[start..start + prefix], b"r" | b"br" | b"cr") {
        return None;
    }
    let mut at = start + prefix;
    let hashes = bytes[at..].iter().take_while(|byte| **byte == b'#').count();
    at += hashes;
    if bytes.get(at) != Some(&b'"') {
        return None; // A raw identifier: `r#fn`.
    }
    let inside = at + 1;
    let mut closing = vec![b'"'];
    closing.resize(hashes + 1, b'#');
    let length = bytes[inside..]
        .windows(closing.len())
        .position(|window| window == closing)
        .unwrap_or(bytes.len() - inside);
    let end = (inside + length + closing.len()).min(bytes.len());
    Some((inside..inside + length, end))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The end of a word; a raw identifier (`r#fn`) is one word with its prefix.
fn word_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while at < bytes.len() && is_word(bytes[at]) {
        at += 1;
    }
    at
}

fn skip_space(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while at < bytes.len() && bytes[at].is_ascii_whitespace() {
        at += 1;
    }
    at
}

/// The name that begins here, a macro's `$name` included; empty where none does.
fn name_at(bytes: &[u8], start: usize) -> &[u8] {
    let sigil = usize::from(bytes.get(start) == Some(&b'$'));
    let raw = if bytes[start.min(bytes.len())..].starts_with(b"r#") { 2 } else { 0 };
    let end = word_end(bytes, start + sigil + raw);
    if end > start + sigil + raw { &bytes[start..end] } else { &[] }
}

/// The opening brace of an item whose head begins here; `None` where the item has no body.
fn body_start(bytes: &[u8], head: usize) -> Option<usize> {
    match item_head_end(bytes, head) {
        Some(at) if bytes[at] == b'{' => Some(at),
        _ => None,
    }
}

/// Where an item's head ends: at its `{`, or at the `;`, `,` or `}` that ends it without a body.
fn item_head_end(bytes: &[u8], head: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in bytes.iter().enumerate().skip(head) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.checked_sub(1)?,
            b'{' | b'}' | b';' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

/// The brace that closes the one at `open`.
fn matching_brace(bytes: &[u8], open: usize) -> Option<usize> {
    matching(bytes, open, b'{', b'}')
}

fn matching(bytes: &[u8], open: usize, opening: u8, closing: u8) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in bytes.iter().enumerate().skip(open) {
        if *byte == opening {
            depth += 1;
        } else if *byte == closing {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

/// Items behind `#[cfg(test)]`, and those of them that are modules in files of their own.
fn test_items(
    text: &str,
    code: &str,
    literals: &[Range<usize>],
) -> (Vec<Range<usize>>, Vec<TestModule>) {
    let bytes = code.as_bytes();
    let mut ranges = Vec::new();
    let mut modules = Vec::new();
    for (start, _) in code.match_indices("#[cfg(").chain(code.match_indices("#![cfg(")) {
        let open = start + code[start..].find('[').unwrap_or(0);
        let Some(close) = matching(bytes, open, b'[', b']') else { continue };
        if !only_in_tests(&code[open..close]) {
            continue;
        }
        if code[start..].starts_with("#!") {
            return (std::iter::once(0..code.len()).collect(), Vec::new());
        }
        let item = after_attributes(bytes, close + 1);
        let Some(end) = item_head_end(bytes, item) else { continue };
        if bytes[end] == b'{' {
            ranges.push(start..matching_brace(bytes, end).map_or(code.len(), |brace| brace + 1));
            continue;
        }
        ranges.push(start..end + 1);
        modules.extend(module_name(&code[item..end]).map(|name| {
            let attributes = &code[start..item];
            let path = attributes.find("[path").map(|offset| start + offset);
            let place = literals.iter().find(|range| path.is_some_and(|path| range.start > path));
            match place {
                Some(place) => TestModule::At(text[place.clone()].to_owned()),
                None => TestModule::Named(name),
            }
        }));
    }
    (ranges, modules)
}

/// The name of a module whose head this is.
fn module_name(head: &str) -> Option<String> {
    let mut heads = words(head).map(|(_, word)| word).skip_while(|word| *word != "mod");
    heads.nth(1).map(str::to_owned)
}

/// True of `cfg(test)` and `cfg(all(test, …))`; not of `cfg(not(test))` or `cfg(any(test, …))`.
fn only_in_tests(attribute: &str) -> bool {
    let mut heads = words(attribute).map(|(_, word)| word);
    let tested = heads.any(|word| word == "test");
    let loosened = words(attribute).any(|(_, word)| matches!(word, "not" | "any"));
    tested && !loosened
}

/// Where the item begins that these attributes stand before.
fn after_attributes(bytes: &[u8], start: usize) -> usize {
    let mut at = skip_space(bytes, start);
    while bytes[at..].starts_with(b"#[") {
        let Some(close) = matching(bytes, at + 1, b'[', b']') else { return at };
        at = skip_space(bytes, close + 1);
    }
    at
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Source, TestModule, words};

    fn lengths(text: &str) -> Vec<(String, usize)> {
        Source::read(text).functions().into_iter().map(|f| (f.name, f.lines)).collect()
    }

    fn one(name: &str, lines: usize) -> Vec<(String, usize)> {
        vec![(name.to_owned(), lines)]
    }

    #[test]
    fn a_function_reaches_from_its_keyword_to_its_brace() {
        assert_eq!(lengths("#[inline]\npub fn a()\n-> u8\n{\n  1\n}\n"), one("a", 5));
        assert_eq!(lengths("const fn a() {}"), one("a", 1));
        assert_eq!(
            lengths("pub(crate) async fn a<T: Fn(u8) -> u8>(t: T)\nwhere T: Copy {\n}"),
            one("a", 3)
        );
    }

    #[test]
    fn braces_in_literals_and_comments_do_not_count() {
        for inside in [
            "let s = \"}\";",
            "let s = \"\\\"}\";",
            "let s = r\"}\\\";",
            "let s = r#\"\"}\"#;",
            "let s = br##\"}\"#\"##;",
            "let s = b\"}\";",
            "let c = '}';",
            "let c = b'}';",
            "let c = '\\'';",
            "let c = '\"';",
            "let c = '\\u{7d}';",
            "let c = 'é';",
            "// }",
            "/* } /* } */ } */",
            "fn_pointer::<fn(u8) -> u8>();",
            "let x: &'a str = f::<'a>(); // '}",
            "let r#fn = r#type;",
        ] {
            assert_eq!(
                lengths(&format!("fn a() {{\n{inside}\n}}\nconst X: u8 = 1;")),
                one("a", 3),
                "{inside}"
            );
        }
    }

    #[test]
    fn a_declaration_without_a_body_is_no_function() {
        assert_eq!(lengths("trait T { fn a(&self) -> [u8; 3]; fn b() { } }"), one("b", 1));
        assert_eq!(lengths("type F = fn(u8) -> u8; struct S { f: fn() }"), []);
        assert_eq!(lengths("// fn a() {}\nconst S: &str = \"fn b() {}\";"), []);
    }

    #[test]
    fn a_function_in_a_function_or_a_macro_is_seen() {
        let found = lengths("fn a() {\n fn b() {\n }\n}");
        assert_eq!(found, [("a".to_owned(), 4), ("b".to_owned(), 2)]);
        assert_eq!(lengths("macro_rules! m { ($n:ident) => { fn $n() {\n} } }"), one("$n", 2));
    }

    #[test]
    fn test_code_is_what_stands_behind_cfg_test() {
        let source = Source::read(
            "fn a() {}\n#[cfg(test)]\n#[allow(unused)]\nmod tests {\n  fn b() {}\n}\nfn c() {}\n",
        );
        let tested: Vec<_> =
            source.functions().iter().map(|f| (f.name.clone(), source.is_test(f.start))).collect();
        let expected = [("a".to_owned(), false), ("b".to_owned(), true), ("c".to_owned(), false)];
        assert_eq!(tested, expected);
        assert_eq!(source.lines_outside_tests(), 2);
    }

    #[test]
    fn cfg_not_test_and_features_named_test_are_not_tests() {
        for text in [
            "#[cfg(not(test))]\nfn a() {}",
            "#[cfg(feature = \"test\")]\nfn a() {}",
            "#[cfg(any(test, feature = \"faults\"))]\nfn a() {}",
        ] {
            assert!(Source::read(text).tests.is_empty(), "{text}");
        }
        assert_eq!(Source::read("#[cfg(all(test, unix))]\nfn a() {}\n").tests.len(), 1);
        assert_eq!(Source::read("#![cfg(test)]\nfn a() {}\n").lines_outside_tests(), 0);
    }

    #[test]
    fn a_test_module_in_its_own_file_is_named() {
        let source =
            Source::read("#[cfg(test)]\nmod tests;\n#[cfg(test)]\nuse a::{b, c};\nfn d() {}");
        assert_eq!(source.test_modules, [TestModule::Named("tests".to_owned())]);
        assert!(!source.is_test(source.functions()[0].start));
        let source = Source::read("#[cfg(test)]\n#[path = \"a_tests.rs\"]\nmod tests;\nfn d() {}");
        assert_eq!(source.test_modules, [TestModule::At("a_tests.rs".to_owned())]);
    }

    #[test]
    fn masking_keeps_every_offset() {
        let text = "let é = \"ü\n}\"; // ö\nlet x = 'ß';";
        let source = Source::read(text);
        assert_eq!(source.code.len(), text.len());
        assert_eq!(source.code.lines().count(), text.lines().count());
        assert_eq!(&text[source.literals[0].clone()], "ü\n}");
        assert!(!source.code.contains('ö') && source.code.contains('é'));
    }

    #[test]
    fn unfinished_text_is_read_to_its_end() {
        for text in ["\"", "'", "r#\"", "/*", "fn a() {", "b'", "'\\", "\"\\", "#[cfg(test)]", "fn"]
        {
            assert_eq!(Source::read(text).code.len(), text.len(), "{text}");
        }
        assert_eq!(words("a.b(c_1)").map(|(_, word)| word).collect::<Vec<_>>(), ["a", "b", "c_1"]);
    }
}
