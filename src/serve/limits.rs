//! The bounds of the server.

use std::time::Duration;

/// What the server bears, and how long it waits.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body: usize,
    /// Bytes of all bodies that are in memory.
    pub bodies: usize,
    /// Outputs in a request.
    pub outputs: usize,
    /// Bytes of an encoded picture.
    pub picture_bytes: usize,
    /// Pixels of a decoded picture.
    pub picture_pixels: u64,
    /// Pixels of a picture's longer side.
    pub picture_side: u32,
    /// Pictures that wait or are in work.
    pub pictures: usize,
    /// Bytes of the decoded pictures that wait or are in work.
    pub decoded: u64,
    /// Connections that are open.
    pub connections: usize,
    /// Looks whose evidence is kept.
    pub kept: usize,
    /// Time for the head of a request; an idle connection ends after it too.
    pub header: Duration,
    /// Time for the body of a request, beside a second for each MiB that came.
    pub slow_body: Duration,
    /// Time in which a client must take some of its answer.
    pub slow_reader: Duration,
    /// How long a look waits for others that fill the observer's batch.
    pub batch_wait: Duration,
    /// The deadline of a request in Flow-Factory's form, whose client waits 60 seconds.
    pub compute: Duration,
    /// The deadline of other requests.
    pub other: Duration,
    /// Time for what is in work when the server ends.
    pub drain: Duration,
}

impl Limits {
    /// A body must come at least as fast, after its first seconds.
    pub(super) const BYTES_A_SECOND: u64 = 1 << 20;
    /// The longest deadline that a request may ask for.
    pub(super) const LONGEST: Duration = Duration::from_secs(3600);
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 256 << 20,
            bodies: 1 << 30,
            outputs: 1024,
            picture_bytes: 32 << 20,
            picture_pixels: 64_000_000,
            picture_side: 16_384,
            pictures: 4096,
            decoded: 4 << 30,
            connections: 1024,
            kept: 10_000,
            header: Duration::from_secs(10),
            slow_body: Duration::from_secs(10),
            slow_reader: Duration::from_secs(30),
            batch_wait: Duration::from_millis(5),
            compute: Duration::from_secs(55),
            other: Duration::from_secs(120),
            drain: Duration::from_secs(30),
        }
    }
}
