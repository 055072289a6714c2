//! The parts of addresses and errors that may be shown.

use std::error::Error;

/// An address without its user, password, query and fragment, since they can contain secrets.
pub(crate) fn display_url(url: &str) -> String {
    let plain = url.split(['?', '#']).next().unwrap_or(url);
    match plain.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest
                .find('/')
                .map_or((rest, ""), |slash| rest.split_at(slash));
            let host = authority
                .rsplit_once('@')
                .map_or(authority, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => plain.to_owned(),
    }
}

/// A transport error in words: its causes, but never its address.
pub(crate) fn explain(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer within the time limit".to_owned();
    }
    if error.is_redirect() {
        return "the server redirects in a circle (more than 10 redirects)".to_owned();
    }
    let error = error.without_url();
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_addresses_hold_no_credentials() {
        assert_eq!(
            display_url("https://user:pass@host:8/a/b?token=x#y"),
            "https://host:8/a/b"
        );
        assert_eq!(display_url("https://host/a@b"), "https://host/a@b");
    }
}
