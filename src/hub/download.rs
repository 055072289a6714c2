//! Downloads one file from a web server into a `.part` file: with resumption, limits and retries.

use super::error::HubError;
use super::options::{Network, Progress};
use crate::cancel::Cancel;
use crate::files::write_whole;
use crate::http::{self, display_url};
use reqwest::StatusCode;
use reqwest::blocking::{Client, Response};
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, IF_RANGE, LAST_MODIFIED, RANGE,
};
use serde::{Deserialize, Serialize};
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// Longest wait that a server may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// The file to download, and how.
pub(super) struct Download<'a> {
    /// The id of the asset, for messages.
    pub id: &'a str,
    /// The address.
    pub url: &'a str,
    /// The token for this server. It is never sent to the target of a redirect and never shown.
    pub token: Option<&'a str>,
    /// The expected size, in bytes.
    pub size: Option<u64>,
    /// Whether the caller compares a pinned checksum afterwards. If so, a part is continued without a
    /// validator.
    pub pinned: bool,
    /// How patient the download is.
    pub network: &'a Network,
    /// The flag that ends it.
    pub cancel: &'a Cancel,
    /// Receives its progress.
    pub progress: &'a dyn Progress,
}

/// The source of a `.part` file. It is stored next to the part, so that the part is only continued with the
/// same file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Origin {
    url: String,
    validator: Option<String>,
}

/// Why one attempt failed.
enum Failed {
    Final(HubError),
    /// Another attempt may succeed, after the wait that the server asked for.
    Again(HubError, Option<Duration>),
}

impl From<HubError> for Failed {
    fn from(error: HubError) -> Self {
        Self::Final(error)
    }
}

impl Download<'_> {
    /// Fetches the whole file into `part`, and continues where an earlier attempt stopped.
    ///
    /// # Errors
    /// Returns the error of the last attempt. The received bytes stay in `part` for the next time.
    pub(super) fn fetch_to(&self, part: &Path) -> Result<(), HubError> {
        let client = http::client::blocking()
            .connect_timeout(self.network.idle_timeout)
            .timeout(self.network.idle_timeout)
            .build()
            .map_err(|error| self.network_error(http::explain(error)))?;
        let mut failures = 0;
        loop {
            let before = length(part);
            let (error, wait) = match self.attempt(&client, part) {
                Ok(()) => return Ok(()),
                Err(Failed::Final(error)) => return Err(error),
                Err(Failed::Again(error, wait)) => (error, wait),
            };
            if length(part) > before {
                failures = 0;
            }
            failures += 1;
            if failures >= self.network.attempts {
                return Err(error);
            }
            let wait = wait.map_or_else(
                || http::backoff(self.network.first_wait, failures - 1),
                |asked| asked.min(MAX_RETRY_AFTER),
            );
            self.progress
                .note(self.id, &format!("{error}; trying again"));
            if !http::sleep(wait, self.cancel) {
                return Err(HubError::Cancelled);
            }
        }
    }

    fn attempt(&self, client: &Client, part: &Path) -> Result<(), Failed> {
        let have = self.resumable(part);
        let mut request = client.get(self.url).header(ACCEPT_ENCODING, "identity");
        if let Some(token) = self.token {
            request = request.bearer_auth(token);
        }
        if let Some((bytes, validator)) = &have {
            request = request.header(RANGE, format!("bytes={bytes}-"));
            if let Some(validator) = validator {
                request = request.header(IF_RANGE, validator);
            }
        }
        let response = http::interruptible(self.cancel, move || request.send())
            .ok_or(HubError::Cancelled)?
            .map_err(|error| {
                let retry = !error.is_redirect() && !error.is_builder();
                let error = self.network_error(http::explain(error));
                if retry {
                    Failed::Again(error, None)
                } else {
                    Failed::Final(error)
                }
            })?;
        let start = self.start(&response, have.map(|(bytes, _)| bytes), part)?;
        self.receive(response, part, start)
    }

    /// The number of bytes that can be kept and the validator to send. `None` starts from the beginning.
    fn resumable(&self, part: &Path) -> Option<(u64, Option<String>)> {
        let bytes = length(part);
        let origin: Origin = serde_json::from_slice(&fs::read(origin_file(part)).ok()?).ok()?;
        let same = origin.url == display_url(self.url);
        let sure = self.pinned || origin.validator.is_some();
        let sensible = bytes > 0 && self.size.is_none_or(|size| bytes < size);
        (same && sure && sensible).then_some((bytes, origin.validator))
    }

    /// Checks the head of the answer, and returns the offset at which its body begins.
    fn start(&self, response: &Response, asked: Option<u64>, part: &Path) -> Result<u64, Failed> {
        match (response.status(), asked) {
            (StatusCode::PARTIAL_CONTENT, Some(asked)) => {
                let range = text(response.headers(), CONTENT_RANGE.as_str()).unwrap_or_default();
                if range.starts_with(&format!("bytes {asked}-")) {
                    self.progress
                        .note(self.id, &format!("continuing at byte {asked}"));
                    return Ok(asked);
                }
                discard(part);
                Err(Failed::Again(
                    self.content_error(
                        format!("the range {range:?}"),
                        format!("bytes from {asked}"),
                    ),
                    None,
                ))
            }
            (StatusCode::RANGE_NOT_SATISFIABLE, Some(_)) => {
                discard(part);
                Err(Failed::Again(
                    self.content_error("the status 416 for a range".into(), "the rest".into()),
                    None,
                ))
            }
            (StatusCode::OK, _) => Ok(0),
            (status, _) => Err(self.refused_error(status, response.headers())),
        }
    }

    fn refused_error(&self, status: StatusCode, headers: &HeaderMap) -> Failed {
        let help = match status.as_u16() {
            401 | 403 if self.token.is_some() => {
                "the token in HF_TOKEN is not accepted for this file: accept the terms of the repository with this account, or use another token"
            }
            401 | 403 => {
                "the file is not public: accept its terms on the page of the hub, and set HF_TOKEN"
            }
            404 | 410 => {
                "the file no longer exists or the endpoint is wrong: check HF_ENDPOINT and UNIGAUGE_ASSET_MIRROR, or point UNIGAUGE_ASSET_<ID> at a copy"
            }
            429 => "the server asks for fewer requests: try again later, or use a mirror",
            _ => "try again later, or set UNIGAUGE_ASSET_MIRROR to a mirror",
        };
        let error = HubError::Http {
            id: self.id.to_owned(),
            from: display_url(self.url),
            status: status.to_string(),
            help: help.to_owned(),
        };
        if status.is_server_error() || matches!(status.as_u16(), 408 | 429) {
            Failed::Again(error, http::retry_after(headers))
        } else {
            Failed::Final(error)
        }
    }

    /// Writes the body to `part`, from the offset `start`.
    fn receive(&self, mut response: Response, part: &Path, start: u64) -> Result<(), Failed> {
        let headers = response.headers();
        let html = text(headers, CONTENT_TYPE.as_str()).is_some_and(|t| t.contains("text/html"));
        let validator = text(headers, ETAG.as_str())
            .filter(|tag| !tag.starts_with("W/"))
            .or_else(|| text(headers, LAST_MODIFIED.as_str()));
        let total = response.content_length().map(|rest| start + rest);
        if let (Some(total), Some(size)) = (total, self.size)
            && total != size
            && !html
        {
            return Err(self
                .content_error(format!("{total} bytes"), format!("{size} bytes"))
                .into());
        }
        if start == 0 {
            self.write_origin(part, validator)?;
        }
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(part)
            .map_err(HubError::io("write", part))?;
        file.set_len(start).map_err(HubError::io("write", part))?;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(start))
            .map_err(HubError::io("write", part))?;

        let (send, chunks) = sync_channel(4);
        std::thread::spawn(move || {
            loop {
                let mut chunk = vec![0; 256 << 10];
                let read = response.read(&mut chunk);
                let last = !matches!(read, Ok(n) if n > 0);
                let item = read.map(|n| {
                    chunk.truncate(n);
                    chunk
                });
                if send.send(item).is_err() || last {
                    break;
                }
            }
        });
        self.progress.begin(self.id, self.size.or(total));
        let mut done = start;
        let mut heard = Instant::now();
        loop {
            let chunk = match chunks.recv_timeout(Duration::from_millis(50)) {
                Ok(Ok(chunk)) if chunk.is_empty() => break,
                Ok(Ok(chunk)) => chunk,
                Ok(Err(error)) => {
                    let _ = file.sync_data();
                    return Err(Failed::Again(
                        self.cut_error(done, &error.to_string()),
                        None,
                    ));
                }
                Err(_) if self.cancel.is_raised() => return Err(HubError::Cancelled.into()),
                Err(RecvTimeoutError::Timeout) if heard.elapsed() < self.network.idle_timeout => {
                    continue;
                }
                Err(_) => {
                    return Err(Failed::Again(
                        self.cut_error(done, "no more bytes arrived"),
                        None,
                    ));
                }
            };
            if self.cancel.is_raised() {
                return Err(HubError::Cancelled.into());
            }
            heard = Instant::now();
            if done == 0 && html && looks_like_html(&chunk) {
                discard(part);
                return Err(self
                    .content_error("an HTML page".into(), "the file itself".into())
                    .into());
            }
            done += chunk.len() as u64;
            if let Some(size) = self.size
                && done > size
            {
                discard(part);
                return Err(self
                    .content_error(format!("more than {size} bytes"), format!("{size} bytes"))
                    .into());
            }
            file.write_all(&chunk)
                .map_err(HubError::io("write", part))?;
            self.progress.advance(self.id, done);
        }
        file.sync_all().map_err(HubError::io("write", part))?;
        match self.size.or(total) {
            Some(size) if done < size => Err(Failed::Again(
                self.cut_error(done, &format!("{size} were expected")),
                None,
            )),
            _ => Ok(()),
        }
    }

    fn write_origin(&self, part: &Path, validator: Option<String>) -> Result<(), HubError> {
        let path = origin_file(part);
        let origin = Origin {
            url: display_url(self.url),
            validator,
        };
        let bytes = serde_json::to_vec(&origin).map_err(std::io::Error::from);
        bytes
            .and_then(|bytes| write_whole(&path, &bytes).map_err(|error| error.source))
            .map_err(HubError::io("write", &path))
    }

    fn network_error(&self, message: String) -> HubError {
        HubError::Network {
            id: self.id.to_owned(),
            from: display_url(self.url),
            message,
        }
    }

    fn cut_error(&self, done: u64, why: &str) -> HubError {
        self.network_error(format!("the connection broke after {done} bytes ({why})"))
    }

    fn content_error(&self, got: String, expected: String) -> HubError {
        HubError::Content {
            id: self.id.to_owned(),
            from: display_url(self.url),
            got,
            expected,
        }
    }
}

/// Removes a part and the record of its source.
pub(super) fn discard(part: &Path) {
    let _ = fs::remove_file(part);
    let _ = fs::remove_file(origin_file(part));
}

fn origin_file(part: &Path) -> PathBuf {
    part.with_added_extension("json")
}

fn length(part: &Path) -> u64 {
    fs::metadata(part).map_or(0, |data| data.len())
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn looks_like_html(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(512)]).to_lowercase();
    let head = head.trim_start();
    head.starts_with("<!doctype html") || head.starts_with("<html")
}
