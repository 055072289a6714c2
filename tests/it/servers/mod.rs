//! Every consumer of a server's answers against every kind of misbehaviour: none ends with exit code 0 and a
//! wrong or an empty answer, and none loses an answer that can be read.

mod cases;
mod consumer;
mod refused;
mod replies;

use crate::http::Server;
use crate::support::stderr;
use cases::{ANY, CHATS, Case, Due, PICTURES};
use consumer::Consumer;

fn sweep(consumer: Consumer, kinds: &[&[Case]]) {
    for case in kinds.iter().flat_map(|cases| cases.iter()) {
        let dir = tempfile::tempdir().unwrap();
        let (right, answer) = (consumer.right(), case.answer);
        let server = Server::start(move |_, before| answer(&right, before));
        consumer.prepare(dir.path(), &server);
        let output = consumer.run(dir.path());
        let (code, said) = (output.status.code(), stderr(&output));
        let what = format!("{consumer:?}: {}: exit code {code:?}: {said}", case.name);
        match case.due {
            Due::Right => {
                assert_eq!(code, Some(0), "{what}");
                assert!(consumer.is_right(dir.path()), "{what}");
            }
            Due::Fails(words) => {
                assert_eq!(code, Some(5), "{what}");
                let message = consumer.failure(dir.path());
                assert!(message.contains(words), "{what}\n{message}");
            }
            Due::Stops(words) if consumer == Consumer::Reader => {
                assert_eq!(code, Some(5), "{what}");
                let message = consumer.failure(dir.path());
                assert!(message.contains(words), "{what}\n{message}");
            }
            Due::Stops(words) => {
                assert_eq!(code, Some(6), "{what}");
                assert!(said.contains(words), "{what}");
                assert_eq!(server.seen().len(), 1, "{what}");
            }
        }
    }
}

#[test]
fn a_chat_is_read_or_fails() {
    sweep(Consumer::Chat, &[ANY, CHATS]);
}

#[test]
fn a_picture_is_taken_or_fails() {
    sweep(Consumer::Picture, &[ANY, PICTURES]);
}

#[test]
fn an_edit_is_taken_or_fails() {
    sweep(Consumer::Edit, &[ANY, PICTURES]);
}

#[test]
fn a_reading_is_taken_or_fails() {
    sweep(Consumer::Reader, &[ANY, CHATS]);
}

#[test]
fn a_judge_is_heard_or_fails() {
    sweep(Consumer::Judge, &[ANY, CHATS]);
}
