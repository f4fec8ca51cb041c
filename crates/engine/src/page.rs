//! The two pages that links in mail lead to. The code stands in the fragment of the link, which no
//! browser sends and no log sees; the page puts it into its form, which is sent on a click. Without
//! a script it can be copied there.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::HeaderValue;
use sha2::{Digest, Sha256};

use crate::call::Call;
use crate::outcome::Outcome;

const PAGE: &str = include_str!("page/account.html");
const STYLE: &str = include_str!("page/account.css");
const SCRIPT: &str = include_str!("page/account.js");
const PASSWORD: &str = "<label for=\"password\">New password</label>\n<input id=\"password\" \
    name=\"password\" type=\"password\" required autocomplete=\"new-password\">\n";

/// What a browser may do with these pages: show them, with this style and this script and no
/// other, and send their form here.
pub(crate) static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let digest = |text: &str| STANDARD.encode(Sha256::digest(text));
    let policy = format!(
        "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
         style-src 'sha256-{}'; script-src 'sha256-{}'",
        digest(STYLE),
        digest(SCRIPT)
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// The page of a link that sets another password.
pub(crate) fn reset(call: &Call) -> Outcome {
    page(
        call,
        &[
            ("heading", "Set a new password"),
            ("done", "Your password is changed. You can sign in with it now."),
            ("password", PASSWORD),
            ("button", "Set password"),
        ],
    )
}

/// The page of a link that confirms an address.
pub(crate) fn confirm(call: &Call) -> Outcome {
    page(
        call,
        &[
            ("heading", "Confirm your address"),
            ("done", "Your address is confirmed. Thank you."),
            ("password", ""),
            ("button", "Confirm address"),
        ],
    )
}

fn page(call: &Call, texts: &[(&str, &str)]) -> Outcome {
    let next = format!("{}#done", call.routed.path);
    let own = [
        ("title", escape(&call.model.title)),
        ("action", escape(&call.routed.path)),
        ("next", escape(&next)),
        ("style", STYLE.to_owned()),
        ("script", SCRIPT.to_owned()),
        (
            "failed",
            "This code is not good, or no longer: it works once, and for a limited time. Ask for \
             another mail."
                .to_owned(),
        ),
    ];
    let mut text = PAGE.to_owned();
    for (name, value) in texts {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    for (name, value) in own {
        text = text.replace(&format!("{{{name}}}"), &value);
    }
    Outcome::Page(text.into_bytes())
}

/// Text inside an element or a quoted attribute (WHATWG HTML §13.3).
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
