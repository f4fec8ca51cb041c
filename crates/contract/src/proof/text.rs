//! What the proof asks of texts, as far as that can be asked while compiling.

/// True where two texts are the same.
pub(super) const fn same_text(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// True where two lists of texts are the same.
pub(super) const fn same_texts(a: &[&str], b: &[&str]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if !same_text(a[i], b[i]) {
            return false;
        }
        i += 1;
    }
    true
}

/// Media types, each once. Nothing in them needs an escape, in whatever field they are written.
pub(super) const fn are_media_types(types: &[&str]) -> bool {
    let mut i = 0;
    while i < types.len() {
        if !is_media_type(types[i].as_bytes()) {
            return false;
        }
        let mut k = i + 1;
        while k < types.len() {
            if same_text(types[i], types[k]) {
                return false;
            }
            k += 1;
        }
        i += 1;
    }
    true
}

/// `type/subtype` of lower-case token characters, and parameters that are tokens.
pub(super) const fn is_media_type(text: &[u8]) -> bool {
    let mut slash = 0;
    let mut end = text.len();
    let mut i = 0;
    while i < text.len() {
        match text[i] {
            b'/' if slash == 0 && i > 0 => slash = i,
            b';' if slash > 0 => {
                end = if end < i { end } else { i };
            }
            b' ' | b'=' if end < i => {}
            b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.' => {}
            _ => return false,
        }
        i += 1;
    }
    slash > 0 && slash + 1 < end
}

/// True where one of the texts has this byte.
pub(super) const fn any_has(texts: &[&str], byte: u8) -> bool {
    let mut i = 0;
    while i < texts.len() {
        let text = texts[i].as_bytes();
        let mut j = 0;
        while j < text.len() {
            if text[j] == byte {
                return true;
            }
            j += 1;
        }
        i += 1;
    }
    false
}

/// Letters of one case, with hyphens inside.
pub(super) const fn is_word(text: &str, first: u8, last: u8) -> bool {
    let text = text.as_bytes();
    let mut i = 0;
    while i < text.len() {
        let letter = text[i] >= first && text[i] <= last;
        if !letter && (text[i] != b'-' || i == 0 || i + 1 == text.len()) {
            return false;
        }
        i += 1;
    }
    !text.is_empty()
}
