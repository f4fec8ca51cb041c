//! Other issuers of tokens: whose word about who somebody is counts here (OpenID Connect Core,
//! RFC 7519), and who their bearers are.

use std::time::Duration;

use crate::model::FieldIndex;

/// Algorithms that a token may be signed by: all of them with a key that the issuer keeps to
/// itself (RFC 8725 §3.1).
pub const ALGORITHMS: &[&str] =
    &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];
/// Those that are taken where nothing is said.
pub const USUAL: &[&str] = &["RS256", "ES256", "EdDSA"];
/// How far clocks may be apart where nothing is said.
pub const SKEW: Duration = Duration::from_secs(60);
/// How far they may be apart at most.
pub const SKEW_MAX: Duration = Duration::from_secs(300);

/// Somebody else whose tokens are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// What it is called here.
    pub name: String,
    /// What its tokens say in `iss`, to the letter.
    pub issuer: String,
    /// What they may say in `aud`: one of these.
    pub audiences: Vec<String>,
    /// Where its keys are; found by its discovery document where this is absent.
    pub jwks: Option<String>,
    /// The algorithms of ALGORITHMS that are taken.
    pub algorithms: Vec<String>,
    /// How far its clock and ours may be apart.
    pub skew: Duration,
    /// The claim that names somebody.
    pub claim: String,
    /// The unique field of the users' resource that has the same value for whoever that is.
    pub field: Option<FieldIndex>,
    /// The claim that has groups or roles.
    pub roles_claim: String,
    /// What a value there is here: a role.
    pub roles: Vec<(String, String)>,
    /// The role of whoever is no user here, whatever the claims say.
    pub role: Option<String>,
}
