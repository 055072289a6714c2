//! The `echo` generator: answers every item with its own prompt.
//!
//! With it, an understanding suite can be tried without a model. It does no work of its own, so a run with it
//! shows the cost of the engine itself.

use super::error::{BuildError, GenerateError};
use super::generator::{Answer, Generated, Generator, Request};
use super::kind::{Resources, SimpleGenerator};
use crate::cancel::Cancel;
use serde::{Deserialize, Serialize};

/// Settings of the `echo` generator, which has none.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EchoSettings {}

/// Answers with the prompt.
#[derive(Debug, Clone, Copy)]
pub(super) struct Echo;

impl SimpleGenerator for Echo {
    const NAME: &'static str = "echo";
    const ABOUT: &'static str = "answers every item with its own prompt";
    type Settings = EchoSettings;

    fn open(EchoSettings {}: EchoSettings, _: &Resources) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

impl Generator for Echo {
    fn generate(
        &mut self,
        request: &Request<'_>,
        _cancel: &Cancel,
    ) -> Result<Generated, GenerateError> {
        Ok(Answer::Text(request.item.prompt.clone()).into())
    }
}
