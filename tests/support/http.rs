//! A small HTTP/1.1 server on the loopback interface that misbehaves as told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub path: String,
    head: String,
    pub body: Vec<u8>,
}

impl Seen {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// First byte of a `Range` header.
    pub(crate) fn range(&self) -> Option<usize> {
        self.header("range")?
            .strip_prefix("bytes=")?
            .strip_suffix('-')?
            .parse()
            .ok()
    }
}

/// What the server does with a request.
pub(crate) struct Reply {
    status: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// Bytes of the body that are sent before the fault.
    sent: usize,
    fault: Fault,
    /// The connection takes further requests.
    kept: bool,
}

enum Fault {
    None,
    Close,
    Silence,
    Drip,
}

impl Reply {
    pub(crate) fn new(status: &'static str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self {
            status,
            headers: Vec::new(),
            sent: body.len(),
            body,
            fault: Fault::None,
            kept: false,
        }
    }

    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::new("200 OK", body)
    }

    pub(crate) fn json(status: &'static str, body: &serde_json::Value) -> Self {
        Self::new(status, body.to_string()).with("Content-Type", "application/json")
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Leaves the connection open for further requests.
    pub(crate) fn kept(mut self) -> Self {
        self.kept = true;
        self
    }

    /// Closes the connection after that many bytes of the body.
    pub(crate) fn cut(mut self, sent: usize) -> Self {
        self.sent = sent;
        self.fault = Fault::Close;
        self
    }

    /// Says nothing more after that many bytes of the body.
    pub(crate) fn silent(mut self, sent: usize) -> Self {
        self.sent = sent;
        self.fault = Fault::Silence;
        self
    }

    /// Sends the body byte by byte, ten a second.
    pub(crate) fn dripping(mut self) -> Self {
        self.sent = 0;
        self.fault = Fault::Drip;
        self
    }
}

/// Runs until the test ends.
pub(crate) struct Server {
    address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// `answer` gets each request and how many came before it.
    pub(crate) fn start(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (log, answer) = (log.clone(), answer.clone());
                std::thread::spawn(move || serve(stream, &log, &*answer));
            }
        });
        Self { address, seen }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, log: &Mutex<Vec<Seen>>, answer: &dyn Fn(&Seen, usize) -> Reply) {
    let _ = stream.set_nodelay(true);
    let mut reader = BufReader::new(stream);
    while serve_one(&mut reader, log, answer) {}
}

/// Answers one request; whether the connection takes another.
fn serve_one(
    reader: &mut BufReader<TcpStream>,
    log: &Mutex<Vec<Seen>>,
    answer: &dyn Fn(&Seen, usize) -> Reply,
) -> bool {
    let mut head = String::new();
    loop {
        let before = head.len();
        match reader.read_line(&mut head) {
            Ok(0) | Err(_) => return false,
            Ok(_) if head[before..].trim().is_empty() => break,
            Ok(_) => {}
        }
    }
    let mut seen = Seen {
        path: head.split(' ').nth(1).unwrap_or_default().to_owned(),
        head,
        body: Vec::new(),
    };
    if let Some(length) = seen.header("content-length").and_then(|n| n.parse().ok()) {
        seen.body = vec![0; length];
        if reader.read_exact(&mut seen.body).is_err() {
            return false;
        }
    }
    let before = {
        let mut log = log.lock().unwrap();
        log.push(seen.clone());
        log.len() - 1
    };
    let reply = answer(&seen, before);
    let kept = reply.kept && matches!(reply.fault, Fault::None);
    let manner = if kept { "keep-alive" } else { "close" };
    let mut head = format!("HTTP/1.1 {}\r\nConnection: {manner}\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", reply.body.len()));
    let stream = reader.get_mut();
    // The client may be gone by now; that is its business.
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&reply.body[..reply.sent]);
    let _ = stream.write_all(&bytes);
    let _ = stream.flush();
    match reply.fault {
        Fault::None | Fault::Close => {}
        Fault::Silence => std::thread::sleep(Duration::from_secs(5)),
        Fault::Drip => {
            for byte in reply.body.chunks(1) {
                std::thread::sleep(Duration::from_millis(100));
                if stream.write_all(byte).is_err() {
                    return false;
                }
            }
        }
    }
    kept
}
