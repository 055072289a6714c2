//! How long a client waits before it tries again, after an answer such as 429 too.

use reqwest::header::HeaderMap;
use std::time::Duration;

/// Longest pause between two attempts, unless the server asks for a longer one.
const MAX_BACKOFF: Duration = Duration::from_secs(60);

/// The longest pause that a model server may ask for. If it asks for a longer one, the request fails.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(600);

/// Pause after the `attempt`-th failure, counted from 0. The pause doubles each time. A random part of up to
/// one half is subtracted, so that many workers do not return at the same moment.
pub(crate) fn backoff(first: Duration, attempt: u32) -> Duration {
    let full = first.saturating_mul(1 << attempt.min(16)).min(MAX_BACKOFF);
    let noise = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |now| now.subsec_micros() % 1000);
    full.mul_f64(0.5 + f64::from(noise) / 2000.0)
}

/// How long the server asks the client to wait: `retry-after-ms`, or `Retry-After` in seconds or as an HTTP
/// date (RFC 9110, 10.2.3).
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
