//! Settings of the observer `judge`.

use crate::observe::qwen::QwenSettings;
use crate::remote::{ChatSettings, ImageOrder};
use serde::{Deserialize, Serialize};

/// Who judges.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum Judging {
    /// A server with the API of OpenAI, remote or on this machine.
    #[default]
    #[serde(rename = "openai")]
    Server,
    /// Qwen2.5-VL in this process.
    #[serde(rename = "qwen2.5-vl")]
    Local,
}

/// Settings of the observer `judge`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct JudgeSettings {
    /// Who judges: `openai`, a server, or `qwen2.5-vl` in this process.
    pub backend: Judging,
    /// Prompt set: `gedit`, `imgedit`, `imgedit-multiturn`, `uge`, `wise` or `wise-verified`; not needed when
    /// `prompts` names a TOML file.
    pub set: Option<String>,
    /// `own`: in our words. `official`: in the benchmark's, fetched as an asset. Else a file: a prompt set
    /// (TOML), or the benchmark's own file.
    pub prompts: String,
    /// Whether text or pictures come first in a message (default: text, for the server; pictures, for the
    /// network).
    pub image_order: Option<ImageOrder>,
    /// The calls of an output are repeated at most this many times, instead of what the prompt set says.
    pub rounds: Option<u32>,
    /// A call whose reply was cut off by the limit of tokens is made once more with this limit. Without this
    /// setting, the reply stays as it is: no official script asks again.
    pub max_tokens_again: Option<u32>,
    /// Another number makes all calls again, for an independent measurement.
    pub sample: u32,
    /// Check the judge before anything is generated: a text, and whether it sees colours.
    pub check: bool,
    /// The server.
    pub server: ChatSettings,
    /// The network in this process.
    pub local: QwenSettings,
}

impl Default for JudgeSettings {
    fn default() -> Self {
        Self {
            backend: Judging::default(),
            set: None,
            prompts: "own".into(),
            image_order: None,
            rounds: None,
            max_tokens_again: None,
            sample: 0,
            check: true,
            server: ChatSettings::default(),
            local: QwenSettings::default(),
        }
    }
}
