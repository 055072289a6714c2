//! Manners of an HTTP client: waiting, trying again, and what of an address may be shown.

use crate::cancel::Cancel;
use reqwest::header::HeaderMap;
use std::error::Error;
use std::time::{Duration, Instant};

/// How often a waiting thread looks at the cancel flag.
const SLICE: Duration = Duration::from_millis(50);
/// Longest pause between two attempts unless the server asks for more.
const MAX_BACKOFF: Duration = Duration::from_secs(60);

/// Sleeps in slices. False when the flag was raised before the time was over.
pub fn sleep(time: Duration, cancel: &Cancel) -> bool {
    let end = Instant::now() + time;
    loop {
        if cancel.is_raised() {
            return false;
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(SLICE));
    }
}

/// Runs blocking work on a thread of its own and returns as soon as the flag is raised (`None`).
pub fn interruptible<T: Send + 'static>(
    cancel: &Cancel,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    use std::sync::mpsc::RecvTimeoutError;
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || send.send(work()));
    loop {
        match receive.recv_timeout(SLICE) {
            Ok(value) => return Some(value),
            Err(RecvTimeoutError::Timeout) if !cancel.is_raised() => {}
            Err(_) => return None,
        }
    }
}

/// Pause after the `attempt`-th failure (from 0): doubles each time, with up to a half taken off at random so that
/// many workers do not come back together.
pub fn backoff(first: Duration, attempt: u32) -> Duration {
    let full = first.saturating_mul(1 << attempt.min(16)).min(MAX_BACKOFF);
    let noise = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |now| now.subsec_micros() % 1000);
    full.mul_f64(0.5 + f64::from(noise) / 2000.0)
}

/// What the server asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as an HTTP date (RFC 9110, 10.2.3).
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(milliseconds) = text("retry-after-ms").and_then(|v| v.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(milliseconds / 1000.0).ok();
    }
    let value = text("retry-after")?;
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?;
    let left = date.timestamp().as_second() - jiff::Timestamp::now().as_second();
    Some(Duration::from_secs(u64::try_from(left).unwrap_or(0)))
}

/// An address without user, password, query and fragment, which can hold secrets.
pub fn display_url(url: &str) -> String {
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

/// A transport error in words: its causes, never its address.
pub fn explain(error: reqwest::Error) -> String {
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

    #[test]
    fn retry_after_is_read_as_seconds_milliseconds_and_date() {
        let ask = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(ask("retry-after", "7"), Some(Duration::from_secs(7)));
        assert_eq!(
            ask("retry-after-ms", "250"),
            Some(Duration::from_millis(250))
        );
        assert_eq!(
            ask("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"),
            Some(Duration::ZERO)
        );
        assert_eq!(ask("retry-after", "soon"), None);
        assert_eq!(ask("retry-after", "-3"), None);
    }

    #[test]
    fn pauses_grow_and_stay_bounded() {
        for (attempt, full) in [(0, 1.0), (1, 2.0), (3, 8.0), (30, 60.0)] {
            let pause = backoff(Duration::from_secs(1), attempt).as_secs_f64();
            assert!(
                (full / 2.0..=full).contains(&pause),
                "{attempt}: {pause} of {full}"
            );
        }
    }
}
