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
    /// The prompt set: `gedit`, `imgedit`, `imgedit-multiturn`, `uge`, `unified-reward`, `wise` or
    /// `wise-verified`. It is not needed if `prompts` names a TOML file.
    pub set: Option<String>,
    /// The wording of the prompts. `own` is the wording of this program. `official` is the wording of the
    /// benchmark, which is fetched as an asset. Any other value is the path of a file: a prompt set (TOML),
    /// or the benchmark's own file.
    pub prompts: String,
    /// Whether the text or the pictures come first in a message (default: the text for a server, the pictures
    /// for the network in this process).
    pub image_order: Option<ImageOrder>,
    /// The calls about an output are repeated at most this many times (default: the number of the prompt
    /// set).
    pub rounds: Option<u32>,
    /// If the token limit cut off a reply, the call is made once more with this limit. Without this setting,
    /// the reply stays as it is, since no official script asks again.
    pub max_tokens_again: Option<u32>,
    /// Another number makes all calls again. So it gives an independent measurement.
    pub sample: u32,
    /// Whether the judge is checked before anything is generated: whether it answers, and whether it sees
    /// colours.
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
