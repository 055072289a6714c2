//! The JSON of an answer with any status and framing. Both clients read answers here.

use super::advice::advice;
use super::fault::{Fault, Heard};
use super::framing::{self, Body};
use super::joined::{Broken, join};
use super::key::Key;
use super::said::Said;
use super::snippet::snippet;
use serde_json::Value;

/// What must be known of a request to understand its answer.
pub(super) struct Asked<'a> {
    /// The server's address in a form that may be shown.
    pub server: &'a str,
    /// The key, which is hidden in messages.
    pub key: &'a Key,
    /// The names of the fields that were sent.
    pub fields: Vec<&'a str>,
}

impl Asked<'_> {
    /// The JSON of a success. An error inside an answer with the status 200 is treated as an answer with its
    /// own status.
    ///
    /// # Errors
    /// The meaning of the answer, if it is not a success.
    pub(super) fn read(&self, heard: &Heard) -> Result<Value, Fault> {
        let Self { server, key, .. } = self;
        if let Some(fault) = Fault::from_answer(server, heard, key) {
            return Err(self.with_advice(fault, || Said::of_body(&heard.body)));
        }
        let answer = self.json(heard)?;
        match Said::under_success(&answer) {
            None => Ok(answer),
            Some(said) => {
                let fault = Fault::under_success(server, heard, &said, key);
                Err(self.with_advice(fault, || said))
            }
        }
    }

    /// The fault of a success that contains no answer.
    pub(super) fn strange_fault(&self, heard: &Heard, what: &str) -> Fault {
        Fault::Strange {
            message: self.message(
                heard,
                &format!(
                    "{what}: {:?}; check that `base_url` ends in /v1",
                    snippet(&heard.body)
                ),
            ),
        }
    }

    fn json(&self, heard: &Heard) -> Result<Value, Fault> {
        let stream = |why: &str| {
            let shown = snippet(&heard.body);
            self.message(heard, &format!("an event stream {why}: {shown:?}"))
        };
        match framing::read(&heard.body) {
            Body::Whole(answer) => Ok(answer),
            Body::Other(what) => Err(self.strange_fault(heard, what)),
            Body::Events(events) => join(events).map_err(|broken| match broken {
                Broken::Cut => Fault::Again {
                    kind: "protocol",
                    message: stream("that is incomplete"),
                    wait: None,
                },
                Broken::Unreadable(why) => Fault::Strange {
                    message: stream(why),
                },
            }),
        }
    }

    fn message(&self, heard: &Heard, what: &str) -> String {
        let Self { server, key, .. } = self;
        key.hide(&format!("{server} answered {} with {what}", heard.status))
    }

    /// Adds the setting to change to the message.
    fn with_advice(&self, fault: Fault, said: impl FnOnce() -> Said) -> Fault {
        match fault {
            Fault::Rejected { message } => {
                let help = advice(&said(), &self.fields);
                let help = help.map_or_else(String::new, |help| format!("; {help}"));
                Fault::Rejected {
                    message: message + &help,
                }
            }
            other => other,
        }
    }
}
