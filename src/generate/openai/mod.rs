//! The generator `openai`: any server with the API of OpenAI.
//!
//! | task | request |
//! |---|---|
//! | understand | `POST {base_url}/chat/completions` |
//! | text-to-image | `POST {base_url}/images/generations` |
//! | edit | `POST {base_url}/images/edits` (multipart) |

mod reply;
mod settings;

pub use crate::remote::ImageOrder;
pub use settings::OpenAiSettings;

use super::error::{BuildError, GenerateError};
use super::generator::{Generated, Generator, Request};
use super::kind::{Resources, SimpleGenerator};
use super::picture;
use crate::cancel::Cancel;
use crate::record::{Object, Task};
use crate::remote::{Body, Client, Endpoint, Part, data_url, mime};
use serde_json::{Value, json};

/// Seeds are sent modulo this number, since servers store them as signed numbers of 32 or 64 bits.
const SEED_RANGE: u64 = 1 << 31;
/// The paths of the requests for pictures.
const DRAW: &str = "/images/generations";
const EDIT: &str = "/images/edits";

/// Asks a server, one request at a time.
pub struct OpenAi {
    settings: OpenAiSettings,
    client: Client,
}

impl SimpleGenerator for OpenAi {
    const NAME: &'static str = "openai";
    const ABOUT: &'static str = "asks any server with the API of OpenAI";
    type Settings = OpenAiSettings;
    const ASKS_SERVER: bool = true;

    fn open(settings: OpenAiSettings, _: &Resources) -> Result<Self, BuildError> {
        Ok(Self::new(settings)?)
    }
}

impl OpenAi {
    /// Checks the settings and reads the key from the environment. It sends nothing yet.
    ///
    /// # Errors
    /// Fails with [`GenerateError::Fatal`] if a setting is wrong.
    pub fn new(settings: OpenAiSettings) -> Result<Self, GenerateError> {
        if settings.edit_size.as_deref().is_some_and(str::is_empty) {
            return Err(GenerateError::fatal(
                "settings of the openai generator: `edit_size` is empty",
                "give a size such as \"auto\" or \"1024x1024\", or leave it out",
            ));
        }
        Ok(Self {
            client: Client::new(&Endpoint {
                owner: "the openai generator",
                model: &settings.model,
                base_url: &settings.base_url,
                api_key_env: &settings.api_key_env,
                timeout_seconds: settings.timeout_seconds,
                max_attempts: settings.max_attempts,
                requests_per_minute: settings.requests_per_minute,
            })?,
            settings,
        })
    }

    fn chat(&self, request: &Request<'_>, cancel: &Cancel) -> Result<Generated, GenerateError> {
        let settings = &self.settings;
        let text = json!({"type": "text", "text": request.item.prompt});
        let mut content = Vec::new();
        for picture in pictures(request)? {
            let mut image = json!({"url": data_url(picture.mime, &picture.bytes)});
            if let Some(detail) = &settings.detail {
                image["detail"] = json!(detail);
            }
            content.push(json!({"type": "image_url", "image_url": image}));
        }
        content.insert(settings.image_order.place_of_text(content.len()), text);
        let mut messages = Vec::new();
        if let Some(system) = &settings.system {
            messages.push(json!({"role": "system", "content": system}));
        }
        messages.push(json!({"role": "user", "content": content}));
        let mut body = self.common(request);
        body.insert("messages".to_owned(), Value::Array(messages));
        if let Some(limit) = settings.max_tokens {
            body.insert(settings.token_field.clone(), json!(limit));
        }
        if let Some(temperature) = settings.temperature {
            body.insert("temperature".to_owned(), json!(temperature));
        }
        body.extend(settings.extra.clone());
        let (said, answer) = self.client.chat(body, cancel)?;
        Ok(reply::chat(&self.settings.model, said, answer))
    }

    fn draw(&self, request: &Request<'_>, cancel: &Cancel) -> Result<Generated, GenerateError> {
        let size = self.settings.size.as_deref();
        let body = Body::Json(self.picture_fields(request, size));
        let answer = self.client.post(DRAW, body, cancel)?;
        reply::image(&self.settings.model, answer, &self.client, cancel)
    }

    fn edit(&self, request: &Request<'_>, cancel: &Cancel) -> Result<Generated, GenerateError> {
        let pictures = pictures(request)?;
        if pictures.is_empty() {
            return Err(GenerateError::item("input", "an edit needs an input image"));
        }
        let settings = &self.settings;
        let size = settings.edit_size.as_deref().or(settings.size.as_deref());
        let mut parts: Vec<Part> = self
            .picture_fields(request, size)
            .into_iter()
            .map(|(name, value)| Part::text(name, &value))
            .collect();
        let name = if pictures.len() == 1 {
            "image"
        } else {
            "image[]"
        };
        for (i, picture) in pictures.into_iter().enumerate() {
            let file = format!("image-{i}.{}", picture.extension);
            parts.push(Part::file(name, file, picture.mime, picture.bytes));
        }
        let answer = self.client.post(EDIT, Body::Multipart(parts), cancel)?;
        reply::image(&self.settings.model, answer, &self.client, cancel)
    }

    /// The fields that both requests for pictures have.
    fn picture_fields(&self, request: &Request<'_>, size: Option<&str>) -> Object {
        let mut body = self.common(request);
        body.insert("prompt".to_owned(), json!(request.item.prompt));
        body.insert("n".to_owned(), json!(1));
        for (key, value) in [
            ("size", size),
            ("quality", self.settings.quality.as_deref()),
        ] {
            if let Some(value) = value {
                body.insert(key.to_owned(), json!(value));
            }
        }
        body.extend(self.settings.extra.clone());
        body
    }

    fn common(&self, request: &Request<'_>) -> Object {
        let mut body = Object::new();
        body.insert("model".to_owned(), json!(self.settings.model));
        if self.settings.send_seed {
            body.insert("seed".to_owned(), json!(request.seed % SEED_RANGE));
        }
        body
    }
}

impl Generator for OpenAi {
    fn worked_before(&mut self) {
        for path in ["/chat/completions", DRAW, EDIT] {
            self.client.answered_before(path);
        }
    }

    fn generate(
        &mut self,
        request: &Request<'_>,
        cancel: &Cancel,
    ) -> Result<Generated, GenerateError> {
        match request.item.task {
            Task::Understand => self.chat(request, cancel),
            Task::TextToImage => self.draw(request, cancel),
            Task::Edit => self.edit(request, cancel),
        }
    }
}

/// An input image as it is stored in its file.
struct Picture {
    bytes: Vec<u8>,
    mime: &'static str,
    extension: &'static str,
}

/// Reads the input images of an item. Each must be complete.
fn pictures(request: &Request<'_>) -> Result<Vec<Picture>, GenerateError> {
    let read = |image: &String| {
        let whole = picture::whole(&request.base.join(image));
        let (bytes, extension) = whole.map_err(|what| GenerateError::item("input", what))?;
        Ok(Picture {
            bytes,
            mime: mime(extension),
            extension,
        })
    };
    request.item.images.iter().map(read).collect()
}
