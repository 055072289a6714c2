//! Prompts and conversations as ids for X-Omni: words by the tokenizer, with the numbers of pictures between
//! them.

use crate::generate::error::GenerateError;
use crate::generate::pipeline::running;
use crate::model::generation_config::GenerationConfig;
use crate::model::tokenizer::Tokenizer;
use crate::model::tokenizer::template::{ChatTemplate, Said};
use crate::model::xomni::XOmniConfig;
use crate::model::{ModelError, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A picture as codes, in memory or in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Codes {
    /// Number of rows of codes.
    pub height: usize,
    /// Number of columns of codes.
    pub width: usize,
    /// The codes row by row, counted from 0.
    pub ids: Vec<u32>,
}

/// The tokenizer, with the ids of image tokens in a checkpoint.
#[derive(Debug, Clone)]
pub(super) struct Words {
    /// The tokenizer of words.
    pub tokenizer: Tokenizer,
    folder: PathBuf,
    /// The tokens that open a picture, close it, and precede its image tokens.
    specials: [String; 3],
    image: u32,
    /// The id of the first image token.
    first: u32,
    /// The tokens that end an answer.
    pub eos: Vec<u32>,
}

impl Words {
    /// Opens the tokenizer of a checkpoint's folder.
    ///
    /// # Errors
    /// Fails if it lacks a token, or if the image tokens have other ids than in the output layer.
    pub(super) fn open(folder: &Path, config: &XOmniConfig) -> Result<Self> {
        let tokenizer = Tokenizer::open(folder)?;
        let last = config.image_vocab_size - 1;
        for number in [0, last] {
            let name = format!("<MM-Token-{number}>");
            let (id, want) = (tokenizer.token(&name)?, config.vocab_size + number);
            if id as usize != want {
                return Err(ModelError::file(
                    folder,
                    format!(
                        "the tokenizer gives `{name}` the id {id}, but by `vocab_size` of config.json it must be {want}"
                    ),
                    "the tokenizer and config.json must come from the same checkpoint",
                ));
            }
        }
        let specials = config.mm_special_tokens.clone();
        let [_, eom, image] = &specials;
        let mut eos = vec![tokenizer.token("<|im_end|>")?, tokenizer.token(eom)?];
        eos.extend(GenerationConfig::read(folder)?.eos());
        tokenizer.token(&specials[0])?;
        Ok(Self {
            image: tokenizer.token(image)?,
            tokenizer,
            folder: folder.into(),
            specials,
            first: config.vocab_size as u32,
            eos,
        })
    }

    /// The ids of a prompt for a picture of h × w tokens, up to the token before them.
    ///
    /// # Errors
    /// Fails if the prompt contains a token that represents pictures.
    pub(super) fn prompt(&self, text: &str, h: usize, w: usize) -> Result<Vec<u32>, GenerateError> {
        self.refuse_picture_tokens(text)?;
        let [som, _, image] = &self.specials;
        let whole = format!("{text}{som}{h} {w}{image}");
        self.tokenizer.encode(&whole).map_err(running("tokens"))
    }

    /// The ids of a conversation with pictures, in the form of the published template.
    ///
    /// # Errors
    /// Fails if there is no template, or if the words contain a token that represents pictures.
    pub(super) fn conversation(&self, said: &[Said], pictures: &[Codes]) -> Result<Vec<u32>> {
        let text = ChatTemplate::open(&self.folder)?.render(said)?;
        let mut pictures = pictures.iter();
        let mut ids = Vec::new();
        for id in self.tokenizer.encode(&text)? {
            ids.push(id);
            if id == self.image {
                let codes = pictures.next().map_or(&[][..], |codes| &codes.ids);
                ids.extend(codes.iter().map(|code| self.first + code));
            }
        }
        match pictures.next() {
            None => Ok(ids),
            Some(_) => Err(ModelError::file(
                &self.folder,
                "the chat template leaves out pictures",
                "it must be the one that was published with the model",
            )),
        }
    }

    /// The text in the place of a picture. The numbers of its tokens replace it later.
    pub(super) fn picture_text(&self, codes: &Codes) -> String {
        let [som, eom, image] = &self.specials;
        format!("{som}{} {}{image}{eom}", codes.height, codes.width)
    }

    /// Refuses words that the model would read as pictures.
    ///
    /// # Errors
    /// Fails if there are such words. The message names them.
    pub(super) fn refuse_picture_tokens(&self, text: &str) -> Result<(), GenerateError> {
        let names = self.specials.iter().map(String::as_str);
        match names.chain(["<MM-Token-"]).find(|name| text.contains(name)) {
            Some(name) => Err(GenerateError::item(
                "prompt",
                format!(
                    "the text contains `{name}`, which represents pictures here: write it in another way"
                ),
            )),
            None => Ok(()),
        }
    }
}
