//! What is left to ask of a server, for a user who pays for it.

use super::asked::Asked;
use super::plan::Plan;
use crate::record::Task;
use crate::text::count::counted;
use std::fmt;

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

impl ServerRequests {
    /// The requests for the outputs that a plan makes.
    pub fn of_plan(asked: &Asked<'_>, plan: &Plan, price: Option<f64>) -> Self {
        let mut found = Self {
            requests: plan.generate.len(),
            sent: 0,
            received: 0,
            price,
        };
        for slot in &plan.generate {
            let (item, _) = asked.item_and_repeat(*slot);
            found.sent += item.images.len();
            found.received += usize::from(item.task != Task::Understand);
        }
        found
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
