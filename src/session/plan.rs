//! What a prepared run would do.

use super::{PreparedRun, SessionError};
use crate::record::{Output, Task};
use crate::run::{Plan, Shard, Stream, read_all};
use crate::text::count::counted;
use std::fmt;

/// How long earlier outputs of a run took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimedOutputs {
    /// Mean seconds for one output.
    pub mean: f64,
    /// How many outputs were timed.
    pub count: usize,
}

/// What a run asks of a server, without requests that have to be sent again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServerRequests {
    /// How many requests are left to send, one for each output.
    pub requests: usize,
    /// How many pictures they have.
    pub sent: usize,
    /// How many of the answers are pictures.
    pub received: usize,
    /// The price of one output, if the model's definition has one, in its own currency.
    pub price: Option<f64>,
}

impl fmt::Display for ServerRequests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.requests - self.received;
        let requests = counted(self.requests, "request");
        let sent = counted(self.sent, "picture");
        write!(f, "{requests} to a server with {sent}, for ")?;
        match (self.received, words) {
            (pictures, 0) => write!(f, "{}", counted(pictures, "picture"))?,
            (0, words) => write!(f, "{}", counted(words, "text"))?,
            (pictures, words) => {
                let [pictures, words] = [(pictures, "picture"), (words, "text")]
                    .map(|(count, noun)| counted(count, noun));
                write!(f, "{pictures} and {words}")?;
            }
        }
        match self.price {
            Some(price) => {
                let cost = price * self.requests as f64;
                write!(f, "; at {price} for an output, this costs {cost:.2}")
            }
            None => f.write_str(
                "; the cost is unknown, since the model's file has no `price_per_output`",
            ),
        }
    }
}

impl PreparedRun<'_> {
    /// What is left to ask of a server. `None` if the generator asks none, or nothing is left.
    ///
    /// # Errors
    /// Fails if the journals of the folder cannot be read.
    pub fn server_requests(
        &self,
        shard: Option<Shard>,
    ) -> Result<Option<ServerRequests>, SessionError> {
        if !self.configured.generator.asks_server {
            return Ok(None);
        }
        let asked = self.asked_outputs(shard);
        let plan = Plan::of_outputs(&self.folder, &asked, &self.identity())?;
        let mut found = ServerRequests {
            requests: plan.generate.len(),
            sent: 0,
            received: 0,
            price: self.configured.model.price_per_output,
        };
        for slot in plan.generate {
            let (item, _) = asked.item_and_repeat(slot);
            found.sent += item.images.len();
            found.received += usize::from(item.task != Task::Understand);
        }
        Ok((found.requests > 0).then_some(found))
    }

    /// The outputs that are left to make, and those that are there; writes nothing.
    ///
    /// # Errors
    /// Fails if the journals of the folder cannot be read.
    pub fn plan(&self) -> Result<Plan, SessionError> {
        let identity = self.identity();
        Ok(Plan::of_outputs(
            &self.folder,
            &self.asked_outputs(None),
            &identity,
        )?)
    }

    /// How long earlier outputs of this run took. `None` if none was timed.
    ///
    /// # Errors
    /// Fails if the journal of the folder cannot be read.
    pub fn timed_outputs(&self) -> Result<Option<TimedOutputs>, SessionError> {
        let outputs: Vec<Output> = read_all(&self.folder.stream(Stream::Outputs, None))?;
        let seconds: Vec<f64> = outputs
            .iter()
            .filter_map(|output| output.timings.get("generate").copied())
            .collect();
        Ok((!seconds.is_empty()).then(|| TimedOutputs {
            mean: seconds.iter().sum::<f64>() / seconds.len() as f64,
            count: seconds.len(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_is_asked_for_in_words() {
        let asked = ServerRequests {
            requests: 3,
            sent: 3,
            received: 2,
            price: Some(0.04),
        };
        assert_eq!(
            asked.to_string(),
            "3 requests to a server with 3 pictures, for 2 pictures and 1 text; at 0.04 for an output, this costs 0.12"
        );
        let read = ServerRequests {
            requests: 1,
            sent: 0,
            received: 0,
            price: None,
        };
        assert!(
            read.to_string().starts_with(
                "1 request to a server with 0 pictures, for 1 text; the cost is unknown"
            )
        );
    }
}
