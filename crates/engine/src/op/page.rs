//! Operations that need no record: OPTIONS, the list of resources, states, explanations.

use contract::problem::PROBLEMS;
use serde_json::json;

use crate::call::Call;
use crate::outcome::Outcome;

pub(crate) fn describe(_: &Call) -> Outcome {
    Outcome::Described
}

pub(crate) fn home(call: &Call) -> Outcome {
    let resources: serde_json::Map<_, _> = call
        .model
        .resources
        .iter()
        .map(|resource| {
            let url = format!("{}/{}", call.model.prefix, resource.name);
            (resource.name.clone(), url.into())
        })
        .collect();
    // Who sends a key has to know for how long it holds (Idempotency-Key §2.3).
    let required: Vec<_> = call
        .model
        .resources
        .iter()
        .filter(|resource| resource.key_required)
        .map(|resource| resource.name.as_str())
        .collect();
    let mut home = json!({
        "title": call.model.title,
        "description": call.model.description,
        "resources": resources,
        "search": format!("{}/search", call.model.prefix),
        "changes": format!("{}/changes", call.model.prefix),
        "batch": format!("{}/batch", call.model.prefix),
        "idempotencyKey": {
            "retentionSeconds": call.settings.key_retention.as_secs(),
            "requiredBy": required,
        },
        "problems": "/problems",
    });
    if call.whole.users().is_some() {
        let account: &[&str] = match call.settings.mail_from {
            Some(_) => &["login", "login/reset", "logout", "me"],
            None => &["login", "logout", "me"],
        };
        for name in account {
            home[*name] = format!("{}/{name}", call.model.prefix).into();
        }
    }
    document(&home)
}

pub(crate) fn health(_: &Call) -> Outcome {
    Outcome::State(b"{\"status\":\"ok\"}".to_vec())
}

pub(crate) fn ready(_: &Call) -> Outcome {
    Outcome::State(b"{\"status\":\"ready\"}".to_vec())
}

pub(crate) fn explain(call: &Call) -> Outcome {
    let explained = |entry: &contract::problem::Entry| {
        json!({
            "type": format!("/problems/{}", entry.slug),
            "title": entry.title,
            "status": entry.status,
            "meaning": entry.meaning,
            "remedy": entry.remedy,
        })
    };
    match &call.routed.slug {
        Some(slug) => {
            let entry = PROBLEMS.iter().find(|entry| entry.slug == slug);
            document(&entry.map_or(serde_json::Value::Null, explained))
        }
        None => {
            document(&json!({ "problems": PROBLEMS.iter().map(explained).collect::<Vec<_>>() }))
        }
    }
}

pub(crate) fn robots(_: &Call) -> Outcome {
    Outcome::Document(b"User-agent: *\nDisallow: /\n".to_vec())
}

fn document(value: &serde_json::Value) -> Outcome {
    Outcome::Document(value.to_string().into_bytes())
}
