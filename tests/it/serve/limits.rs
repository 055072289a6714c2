//! Bounds of size and of time.

use super::{Service, exchange, graded, own, picture, request, strict};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::time::{Duration, Instant};

#[test]
fn a_body_above_the_limit_is_refused_before_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    strict(dir.path());
    let service = Service::start(
        dir.path(),
        &["--rewards", "./strict.toml", "--max-body", "10kB"],
    );
    let mut stream = service.connect();
    stream
        .write_all(b"POST /compute HTTP/1.1\r\nHost: here\r\nContent-Length: 10001\r\n\r\n")
        .unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 413");
    // A body that does not say its length is cut off where it gets too long.
    let mut stream = service.connect();
    let chunk = format!("2000\r\n{}\r\n", " ".repeat(0x2000));
    let head = "POST /compute HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream
        .write_all(format!("{head}{chunk}{chunk}").as_bytes())
        .unwrap();
    stream.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 413");
    let said = service.post("/compute", &json!({"prompt": []}));
    assert_eq!(said.body, json!({"rewards": []}));
}

#[test]
fn who_is_refused_hears_why_after_a_long_body() {
    let dir = tempfile::tempdir().unwrap();
    strict(dir.path());
    let service = Service::start(
        dir.path(),
        &["--rewards", "./strict.toml", "--token-env", "TEST_TOKEN"],
    );
    // More than the system keeps for a connection: whoever closes it before the end takes the answer away.
    let body = json!({"prompt": ["a".repeat(32 << 20)]});
    for (path, status) in [("/compute", 401), ("/nowhere", 404), ("/health", 405)] {
        let bytes = request(path, &body);
        let answer = exchange(service.connect(), &bytes).unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
}

#[test]
fn what_a_client_sent_is_not_repeated_to_it() {
    let dir = tempfile::tempdir().unwrap();
    strict(dir.path());
    let service = Service::start(dir.path(), &["--rewards", "./strict.toml"]);
    let long = "a".repeat(1 << 20);
    let named = format!("/r/{}/compute", &long[..10_000]);
    for (path, body) in [
        ("/compute", json!({"prompt": long})),
        (named.as_str(), json!({"prompt": []})),
    ] {
        let said = service.post(path, &body);
        assert!((400..500).contains(&said.status), "{}", said.status);
        let message = said.body["error"]["message"].as_str().unwrap();
        assert!(message.len() < 500, "{message}");
    }
}

#[test]
fn who_writes_slowly_is_cut_off_and_holds_up_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let graded = graded(dir.path());
    let service = Service::start(dir.path(), &["--rewards", "./strict.toml"]);
    let starts: [&[u8]; 2] = [
        b"POST /compute HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\n\r\n",
        b"POST /compute HTTP/1.1\r\nX",
    ];
    std::thread::scope(|scope| {
        let slow: Vec<_> = (0..20)
            .map(|number| {
                let mut stream = service.connect();
                stream.write_all(starts[number % 2]).unwrap();
                let begun = Instant::now();
                scope.spawn(move || {
                    // The server ends it; a write to a closed connection fails then.
                    while begun.elapsed() < Duration::from_secs(30)
                        && stream.write_all(b"a").is_ok()
                    {
                        std::thread::sleep(Duration::from_millis(500));
                    }
                    begun.elapsed()
                })
            })
            .collect();
        for one in &graded {
            let body = json!({"reward": "strict", "requests": [
                {"prompt": one.prompt, "image": one.image, "expect": one.expect}]});
            let said = service.post("/v1/rewards", &body);
            assert_eq!(said.body["results"][0]["reward"], json!(one.score));
        }
        for thread in slow {
            let took = thread.join().unwrap();
            assert!((9..25).contains(&took.as_secs()), "{took:?}");
        }
    });
    assert_eq!(
        service.metric("unigauge_requests_total{route=\"/compute\",status=\"408\"}"),
        10.0
    );
}

#[test]
fn more_pictures_than_there_is_room_for_never_wait() {
    let dir = tempfile::tempdir().unwrap();
    strict(dir.path());
    let service = Service::start(
        dir.path(),
        &["--rewards", "./strict.toml", "--max-pictures", "1"],
    );
    let mut body = own("strict", "a", &picture(1));
    let second = body["requests"][0].clone();
    body["requests"].as_array_mut().unwrap().push(second);
    let said = service.post("/v1/rewards", &body);
    assert_eq!(
        (said.status, &said.body["error"]["kind"]),
        (413, &json!("body_too_large"))
    );
    let said = service.post("/v1/rewards", &own("strict", "a", &picture(1)));
    assert_eq!(
        (said.status, &said.body["results"][0]["reward"]),
        (200, &Value::Null)
    );
}
