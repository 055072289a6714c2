//! The token that requests must carry.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The hash of a secret: comparing hashes tells nothing of the secret's length, and printing one nothing of
/// the secret.
#[derive(Debug, Clone)]
pub struct Token([u8; 32]);

impl Token {
    /// The token with these characters.
    pub fn new(secret: &str) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// Whether a request carries it: as `Bearer TOKEN`, or as the password of `Basic`, which is what clients
    /// make of `http://NAME:TOKEN@host`.
    pub(super) fn is_in(&self, headers: &HeaderMap) -> bool {
        let value = headers.get(AUTHORIZATION).map(|value| value.as_bytes());
        let Some((scheme, rest)) = value.and_then(split) else {
            return false;
        };
        if scheme.eq_ignore_ascii_case(b"bearer") {
            return self.is(rest);
        }
        if !scheme.eq_ignore_ascii_case(b"basic") {
            return false;
        }
        let Ok(pair) = STANDARD.decode(rest) else {
            return false;
        };
        let colon = pair.iter().position(|byte| *byte == b':');
        colon.is_some_and(|colon| self.is(&pair[colon + 1..]))
    }

    fn is(&self, said: &[u8]) -> bool {
        let said: [u8; 32] = Sha256::digest(said).into();
        said.ct_eq(&self.0).into()
    }
}

/// The scheme of the header, and what follows it.
fn split(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = value.iter().position(|byte| *byte == b' ')?;
    Some((&value[..blank], value[blank + 1..].trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carries(value: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.parse().unwrap());
        Token::new("s3:cret").is_in(&headers)
    }

    #[test]
    fn a_token_comes_as_bearer_or_as_a_password() {
        assert!(carries("Bearer s3:cret"));
        assert!(carries("bearer  s3:cret "));
        assert!(carries(&format!("Basic {}", STANDARD.encode("x:s3:cret"))));
        let none = HeaderMap::new();
        assert!(!Token::new("s3:cret").is_in(&none));
        for wrong in [
            "s3:cret",
            "Bearer s3",
            "Bearer",
            "Digest s3:cret",
            "Basic s3:cret",
        ] {
            assert!(!carries(wrong), "{wrong}");
        }
        assert!(!carries(&format!("Basic {}", STANDARD.encode("s3:cret:x"))));
    }
}
