//! A server of rewards for trainers: HTTP with the JSON of Flow-Factory, of UniRL, and its own.
//!
//! A request names outputs; each becomes *looks* of the observers that its rewards need. The looks of all
//! requests share one queue for each observer, so that observers see full batches and equal looks are made
//! once. Then [`crate::grade::reward`] makes rewards of the evidence. An error is an error, and never a
//! number.
//!
//! | file | idea |
//! |---|---|
//! | `listener` | the life of the server: it listens, opens the observers, and ends |
//! | `connections`, `impatient` | their number, slow clients, the end under load |
//! | `signals` | what ends the server |
//! | `routes` | which path does what; what every request goes through |
//! | `wire` | one file for each form of JSON |
//! | `body` | reading a body within bounds of size and time |
//! | `auth` | the token |
//! | `picture` | base64 and picture headers within bounds |
//! | `room` | bounds on what is in memory, and on how much is decoded at a time |
//! | `question` | one output to score, whoever asked; from it, what observers are shown |
//! | `known` | items that the operator gave, by their prompts |
//! | `work` | from questions to rewards |
//! | `queue`, `lane`, `cache` | looks: waiting, in work, kept |
//! | `app`, `pool` | what all requests share; threads for what keeps a core busy |
//! | `refusal` | answers to requests that get no reward at all |
//! | `metrics` | numbers for Prometheus |

mod app;
mod auth;
mod body;
mod cache;
mod connections;
mod impatient;
mod known;
mod lane;
mod limits;
mod listener;
mod metrics;
mod picture;
mod pool;
mod question;
mod queue;
mod refusal;
mod room;
mod routes;
mod signals;
mod wire;
mod work;

pub use auth::Token;
pub use known::{KnownItems, KnownItemsError};
pub use limits::Limits;
pub use listener::{ServeError, ServeEvent, ServeOptions, serve};
