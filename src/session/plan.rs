//! What a prepared run would do.

use super::{PreparedRun, SessionError};
use crate::record::Output;
use crate::run::{Plan, ServerRequests, Shard, Stream, read_all};

/// How long earlier outputs of a run took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimedOutputs {
    /// Mean seconds for one output.
    pub mean: f64,
    /// How many outputs were timed.
    pub count: usize,
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
        let price = self.configured.model.price_per_output;
        let found = ServerRequests::of_plan(&asked, &plan, price);
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
