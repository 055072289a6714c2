//! The phase `text`: the states of a prompt in Qwen3's chat form.

use super::ZImageSettings;
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::pipeline::{
    CheckpointFolder, Key, Made, Named, Network, NetworkInfo, Phase, Stage, Step, fatal, running,
};
use crate::generate::stable_diffusion::names::{NEGATIVE_PROMPT, PROMPT};
use crate::model::ModelError;
use crate::model::tokenizer::Tokenizer;
use crate::model::z_image::{ZImageText, ZImageTextConfig};
use crate::record::Object;
use candle_core::{Device, Tensor};
use serde_json::json;

struct Text {
    network: Network<ZImageText>,
    tokenizer: Tokenizer,
    length: usize,
    /// The negative prompt, if there is guidance.
    negative: Option<String>,
    device: Device,
    dtype: &'static str,
}

/// The text encoder of a folder.
///
/// # Errors
/// Fails if the configuration is absent or wrong.
pub(super) fn text_phase(
    folder: &CheckpointFolder,
    settings: &ZImageSettings,
) -> Result<Phase, GenerateError> {
    let config: ZImageTextConfig = folder.config("text_encoder/config.json")?;
    let location = folder.location_of("text_encoder");
    let info = NetworkInfo::new("Qwen3 text encoder", location, folder.dtype());
    let network = Network::new(info, move |weights| ZImageText::new(&config, weights));
    let guided = settings.guidance_scale > 0.0;
    let negative = guided.then(|| settings.negative_prompt.clone());
    let (folder, length) = (folder.clone(), settings.max_sequence_length);
    Ok(Phase::new("text", vec![network.any()], move |device| {
        if length == 0 {
            return Err(GenerateError::fatal(
                "`max_sequence_length` = 0: a prompt needs tokens",
                "the default is 512",
            ));
        }
        Ok(Text {
            network,
            tokenizer: Tokenizer::open(&folder.path().join("tokenizer")).map_err(fatal)?,
            length,
            negative,
            device: device.clone(),
            dtype: folder.dtype().as_str(),
        })
    }))
}

impl Stage for Text {
    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let prompt = &request.item.prompt;
        let shape = json!(["text", self.length, self.negative, self.dtype, prompt]);
        Ok(Key::after(before, &shape, &[]))
    }

    fn run(&mut self, request: &Request<'_>, _: &Named, _: &Cancel) -> Result<Step, GenerateError> {
        let wrong = running("text");
        let network = self.network.get()?;
        let (states, is_cut) = self
            .encode(&network, &request.item.prompt)
            .map_err(&wrong)?;
        let mut tensors = Named::new();
        tensors.insert(PROMPT.into(), states);
        if let Some(text) = &self.negative {
            let (states, _) = self.encode(&network, text).map_err(&wrong)?;
            tensors.insert(NEGATIVE_PROMPT.into(), states);
        }
        let mut extra = Object::new();
        if is_cut {
            extra.insert("prompt_truncated_for".into(), vec!["qwen3"].into());
        }
        Ok(Step {
            made: Made::Tensors(tensors),
            extra,
        })
    }
}

impl Text {
    /// The states of a text [1, L, J], and whether it was cut.
    fn encode(&self, network: &ZImageText, text: &str) -> Result<(Tensor, bool), ModelError> {
        let whole = format!("<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n");
        let mut ids = self.tokenizer.encode(&whole)?;
        let is_cut = ids.len() > self.length;
        ids.truncate(self.length);
        let ids = Tensor::new(ids.as_slice(), &self.device)?.unsqueeze(0)?;
        Ok((network.forward(&ids)?, is_cut))
    }
}
