//! The framing of the JSON in a body: one value, an event stream (server-sent events), or one value on each
//! line.

use crate::text::json;
use serde_json::Value;

/// The content of a body.
#[derive(Debug, PartialEq)]
pub(super) enum Body {
    /// One JSON value.
    Whole(Value),
    /// Several values in a row.
    Events(Events),
    /// No JSON. The text says what it is instead.
    Other(&'static str),
}

/// The values of a stream.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Events {
    /// The values, in order.
    pub values: Vec<Value>,
    /// Whether the end mark came.
    pub ended: bool,
    /// Whether an event contains no JSON, because it is cut off or is something else.
    pub torn: bool,
}

/// Reads a body in any framing.
pub(super) fn read(body: &[u8]) -> Body {
    if let Ok(value) = json::read(body) {
        return Body::Whole(value);
    }
    let Ok(text) = std::str::from_utf8(body) else {
        return Body::Other("something that is not JSON");
    };
    let text = text.trim_start_matches('\u{feff}').trim_ascii_start();
    if text.starts_with('<') {
        return Body::Other("an HTML page");
    }
    let mut lines = Lines::default();
    for line in text.replace("\r\n", "\n").split(['\n', '\r']) {
        lines.take_line(line);
    }
    lines.end()
}

/// Reads a stream line by line (WHATWG HTML, 9.2.6). Some gateways put whole JSON before the end mark of the
/// stream, so lines outside of events are collected too.
#[derive(Default)]
struct Lines {
    events: Events,
    /// The lines outside of events.
    plain: String,
    /// The data lines of the current event.
    data: Vec<String>,
    name: String,
    framed: bool,
}

impl Lines {
    fn take_line(&mut self, line: &str) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            // A comment that keeps the connection alive begins with the colon.
            "" if line.is_empty() => self.dispatch(),
            "" => {}
            "data" => self.data.push(value.to_owned()),
            "event" => value.clone_into(&mut self.name),
            "id" | "retry" => {}
            _ => {
                self.plain.push_str(line);
                self.plain.push('\n');
            }
        }
    }

    /// Ends the current event.
    fn dispatch(&mut self) {
        let (name, lines) = (
            std::mem::take(&mut self.name),
            std::mem::take(&mut self.data),
        );
        if lines.is_empty() {
            return;
        }
        self.framed = true;
        let data = lines.join("\n");
        match (json::read::<Value>(data.as_bytes()), name.as_str()) {
            (Ok(value), "error") if value.get("error").is_none() => {
                self.events.values.push(serde_json::json!({"error": value}));
            }
            (Ok(value), _) => self.events.values.push(value),
            (Err(_), "error") => self.events.values.push(serde_json::json!({"error": data})),
            (Err(_), "ping") => {}
            // Some servers leave out the blank lines between events.
            (Err(_), _) => lines.iter().for_each(|line| self.take_single(line.trim())),
        }
    }

    fn take_single(&mut self, data: &str) {
        match json::read(data.as_bytes()) {
            Ok(value) => self.events.values.push(value),
            Err(_) if data == "[DONE]" => self.events.ended = true,
            Err(_) => self.events.torn |= !data.is_empty(),
        }
    }

    fn end(mut self) -> Body {
        self.dispatch();
        let mut plain = self.plain.into_bytes();
        json::mend(&mut plain);
        let mut values = Vec::new();
        for value in serde_json::Deserializer::from_slice(&plain).into_iter::<Value>() {
            match value {
                Ok(value) => values.push(value),
                Err(_) if !self.framed => return Body::Other("something that is not JSON"),
                Err(_) => self.events.torn = true,
            }
        }
        if !self.framed && values.is_empty() {
            return Body::Other("something that is not JSON");
        }
        values.append(&mut self.events.values);
        self.events.values = values;
        Body::Events(self.events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn events(body: &str) -> Events {
        match read(body.as_bytes()) {
            Body::Events(events) => events,
            other => panic!("{body:?}: {other:?}"),
        }
    }

    #[test]
    fn a_stream_is_read_whatever_its_line_ends_and_remarks_are() {
        for body in [
            "data: {\"a\": 1}\n\ndata: {\"a\": 2}\n\ndata: [DONE]\n\n",
            "data: {\"a\": 1}\r\n\r\ndata: {\"a\": 2}\r\n\r\ndata: [DONE]",
            "\u{feff}: alive\n\nid: 7\ndata:{\"a\":\ndata: 1}\n\n: alive\n\nevent: ping\ndata: x\n\n\
             data: {\"a\": 2}\n\nretry: 9\n\ndata: [DONE]\n",
            "data: {\"a\": 1}\ndata: {\"a\": 2}\ndata: [DONE]\n",
            "data: {\"a\": 1}\rdata: {\"a\": 2}\r\rdata: [DONE]\r\r",
            ": alive\n\n{\"a\":\n 1}\n\ndata: {\"a\": 2}\n\ndata: [DONE]\n\n",
        ] {
            let read = events(body);
            assert_eq!(read.values, [json!({"a": 1}), json!({"a": 2})], "{body:?}");
            assert!(read.ended && !read.torn, "{body:?}");
        }
    }

    #[test]
    fn what_is_cut_or_no_stream_is_told() {
        let cut = events("data: {\"a\": 1}\n\ndata: {\"a\"");
        assert!(cut.torn && !cut.ended && cut.values.len() == 1);
        let lines = events("{\"a\": 1}\n{\"a\": 2}\n");
        assert!(lines.values.len() == 2 && !lines.ended);
        assert_eq!(read(b"{\"a\": 1}\n\n\n"), Body::Whole(json!({"a": 1})));
        for body in [
            "{\"a\": ",
            "",
            "Service: busy",
            ": alive\n\n",
            "{\"a\": 1} and more",
        ] {
            assert_eq!(
                read(body.as_bytes()),
                Body::Other("something that is not JSON"),
                "{body:?}"
            );
        }
        assert_eq!(read(b"\n<html>data: 1</html>"), Body::Other("an HTML page"));
    }

    proptest! {
        #[test]
        fn any_body_is_something(body in prop::collection::vec(any::<u8>(), 0..120)) {
            let _ = read(&body);
        }
    }
}
