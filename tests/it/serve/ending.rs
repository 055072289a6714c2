//! The end: what was accepted is answered, once.

use super::queue::Reader;
use super::{PATIENCE, Service, exchange, graded, own, picture, request, wait_for};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

fn end(service: &Service, signal: Signal) {
    let id = Pid::from_raw(i32::try_from(service.child.id()).unwrap());
    kill(id, signal).unwrap();
}

fn ended(service: &mut Service) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = service.child.try_wait().unwrap() {
            return status;
        }
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_request_in_work_is_finished_and_nobody_else_comes_in() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let dir = tempfile::tempdir().unwrap();
        let reader = Reader::start();
        let mut service = reader.serve(dir.path(), &[]);
        let body = own("read", "a sign that says \"AB\"", &picture(1));
        std::thread::scope(|scope| {
            let ask = scope.spawn(|| service.post("/v1/rewards", &body));
            wait_for(|| reader.asked() == 1);
            end(&service, signal);
            wait_for(|| TcpStream::connect(&service.address).is_err());
            reader.open();
            let said = ask.join().unwrap();
            assert_eq!(said.body["results"][0]["reward"], json!(1.0));
        });
        assert_eq!(ended(&mut service).code(), Some(0));
    }
}

#[test]
fn a_request_on_an_open_connection_is_still_answered() {
    let dir = tempfile::tempdir().unwrap();
    let graded = graded(dir.path());
    let mut service = Service::start(dir.path(), &["--rewards", "./strict.toml"]);
    let one = &graded[0];
    let body =
        json!({"prompt": [one.prompt], "image": [one.image], "extra": {"metadata": [one.expect]}});
    let open = service.connect();
    // The server has the connection when another one has been answered.
    assert_eq!(service.get("/health").status, 200);
    end(&service, Signal::SIGTERM);
    let answer = exchange(open, &request("/compute", &body)).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer:?}");
    assert_eq!(ended(&mut service).code(), Some(0));
}

#[test]
fn a_second_signal_cuts_off_what_is_in_work() {
    let dir = tempfile::tempdir().unwrap();
    let reader = Reader::start();
    let mut service = reader.serve(dir.path(), &[]);
    let mut stream = service.connect();
    let body = own("read", "a sign that says \"AB\"", &picture(1));
    stream.write_all(&request("/v1/rewards", &body)).unwrap();
    wait_for(|| reader.asked() == 1);
    end(&service, Signal::SIGTERM);
    wait_for(|| TcpStream::connect(&service.address).is_err());
    // One that comes at once is taken for the same.
    end(&service, Signal::SIGTERM);
    std::thread::sleep(Duration::from_millis(1500));
    assert!(service.child.try_wait().unwrap().is_none());
    let begun = Instant::now();
    end(&service, Signal::SIGTERM);
    assert_eq!(ended(&mut service).code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(15));
    reader.open();
}

#[test]
fn under_load_every_accepted_request_is_answered_once() {
    let dir = tempfile::tempdir().unwrap();
    let graded = graded(dir.path());
    for round in 0..5 {
        let mut service = Service::start(dir.path(), &["--rewards", "./strict.toml"]);
        let answered: Vec<usize> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..8)
                .map(|client: usize| {
                    let (service, graded) = (&service, &graded);
                    scope.spawn(move || ask_until_the_end(service, graded, client))
                })
                .collect();
            std::thread::sleep(Duration::from_millis(100 + 50 * round));
            end(&service, Signal::SIGTERM);
            clients
                .into_iter()
                .map(|client| client.join().unwrap())
                .collect()
        });
        assert_eq!(ended(&mut service).code(), Some(0));
        assert!(answered.iter().sum::<usize>() > 0);
    }
}

/// Asks, each time on a new connection, until none is taken any more. How many were answered.
fn ask_until_the_end(service: &Service, graded: &[super::Graded], client: usize) -> usize {
    for number in 0..20_000 {
        let Ok(stream) = TcpStream::connect(&service.address) else {
            return number;
        };
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let one = &graded[(client + number) % graded.len()];
        let body = json!({"prompt": [one.prompt], "image": [one.image], "extra": {"metadata": [one.expect]}});
        let answer = match exchange(stream, &request("/compute", &body)) {
            Ok(answer) => answer,
            // The system took the connection, and the server had closed its door.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
                ) =>
            {
                return number;
            }
            Err(error) => panic!("{error}"),
        };
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer:?}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1);
        let rewards = json!({"rewards": [one.score]}).to_string();
        assert!(answer.ends_with(&rewards), "{answer}");
    }
    panic!("the server never ended");
}
