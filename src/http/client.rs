//! How a client of HTTP begins: what it calls itself, and who does its cryptography.

use std::sync::Once;

/// What servers see.
const USER_AGENT: &str = concat!("unigauge/", env!("CARGO_PKG_VERSION"));

/// A client that waits for its answers.
pub(crate) fn blocking() -> reqwest::blocking::ClientBuilder {
    provide_cryptography();
    reqwest::blocking::Client::builder().user_agent(USER_AGENT)
}

/// A client for many requests at a time.
pub(crate) fn asynchronous() -> reqwest::ClientBuilder {
    provide_cryptography();
    reqwest::Client::builder().user_agent(USER_AGENT)
}

/// TLS by `ring`: it is built in a fraction of the time that rustls's default provider takes.
pub(crate) fn provide_cryptography() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error says that a program around this library has chosen a provider before: that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
