//! One interface to a judge, which is a server or the network in this process.

use super::error::JudgeError;
use super::folder::NAME;
use super::picture::Picture;
use super::settings::{JudgeSettings, Judging};
use crate::cancel::Cancel;
use crate::model::conversation::{Message, Piece};
use crate::model::tokenizer::chat::Role;
use crate::observe::qwen::Looker;
use crate::observe::{Halt, ObserveError};
use crate::record::Object;
use crate::remote::{
    Chat, ChatError, ChatReply, ChatSettings, Completion, ImageOrder, Provenance, Usage, data_url,
};
use candle_core::Device;
use serde_json::{Value, json};
use std::time::Instant;

/// The name of the network in this process.
const LOCAL: &str = "qwen2.5-vl";
/// The largest number of tokens in an answer of the network in this process, unless the settings give another
/// one.
pub(super) const LONGEST: usize = 1024;
/// The assumed length of a server's answer without a limit, in tokens.
const ANSWER: u64 = 500;

/// One call to a judge.
pub(super) struct Question<'a> {
    pub system: Option<&'a str>,
    pub text: &'a str,
    pub pictures: Vec<&'a Picture>,
    /// Limit of the answer, in tokens. `None` for the judge's own limit.
    pub max_tokens: Option<u32>,
}

/// Who answers.
pub(super) enum Judge {
    Server {
        chat: Box<Chat>,
        settings: Box<ChatSettings>,
        fields: Object,
        order: ImageOrder,
    },
    Local {
        looker: Box<Looker>,
        order: ImageOrder,
    },
}

impl Judge {
    /// Checks the settings of a server, or loads the network. `request` contains the fields that the prompt
    /// set adds to a request.
    ///
    /// # Errors
    /// Fails if a setting is wrong, or if the network cannot be loaded.
    pub(super) fn open(
        settings: &JudgeSettings,
        set: &str,
        request: &Object,
        device: impl FnOnce() -> Result<Device, JudgeError>,
    ) -> Result<Self, JudgeError> {
        match settings.backend {
            Judging::Server => Ok(Self::Server {
                chat: Box::new(Chat::new(&settings.server).map_err(|what| {
                    JudgeError::settings(
                        format!("[observe.judge.server]: {what}"),
                        "set the judge's model and address: `--set observe.judge.server.model=…`, or in the suite",
                    )
                })?),
                fields: settings.server.fields(request),
                settings: Box::new(settings.server.clone()),
                order: settings.image_order.unwrap_or(ImageOrder::TextFirst),
            }),
            Judging::Local => {
                let device = device()?;
                let looker = Looker::open(NAME, &settings.local, set, LONGEST, &device)?;
                Ok(Self::Local {
                    looker: Box::new(looker),
                    order: settings.image_order.unwrap_or(ImageOrder::ImagesFirst),
                })
            }
        }
    }

    /// Everything that shapes the answers. The address is not part of it, since the same model may move to
    /// another one.
    pub(super) fn identity(&self) -> Value {
        match self {
            Self::Server {
                fields,
                order,
                settings,
                ..
            } => {
                json!({"backend": "openai", "request": fields, "detail": settings.detail, "order": order})
            }
            Self::Local { looker, order } => {
                json!({"backend": "qwen2.5-vl", "network": looker.identity, "order": order})
            }
        }
    }

    /// Its name in tables.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Server { settings, .. } => &settings.model,
            Self::Local { .. } => LOCAL,
        }
    }

    /// The address of a server, in a form that may be shown.
    pub(super) fn server(&self) -> Option<&str> {
        match self {
            Self::Server { chat, .. } => Some(chat.server()),
            Self::Local { .. } => None,
        }
    }

    /// Stops sending calls. Answers that are on their way are still read.
    pub(super) fn close(&self) {
        if let Self::Server { chat, .. } = self {
            chat.close();
        }
    }

    /// The assumed cost of a call before it is answered, in tokens.
    pub(super) fn estimated_tokens(&self, question: &Question<'_>) -> u64 {
        let Self::Server { settings, .. } = self else {
            return 0;
        };
        let text = question.text.len() + question.system.map_or(0, str::len);
        let pictures = question.pictures.len() as u64 * settings.tokens_per_image;
        let answer = question.max_tokens.or(settings.max_tokens);
        text as u64 / 4 + pictures + answer.map_or(ANSWER, u64::from)
    }

    /// Makes a call.
    ///
    /// # Errors
    /// Fails if the call fails for good, or if no call can succeed any more.
    pub(super) async fn ask(
        &self,
        question: &Question<'_>,
        cancel: &Cancel,
    ) -> Result<Completion, ObserveError> {
        match self {
            Self::Server {
                chat,
                settings,
                fields,
                order,
            } => {
                let mut body = fields.clone();
                let messages = messages(question, settings.detail.as_deref(), *order)?;
                body.insert("messages".into(), messages);
                if let Some(limit) = question.max_tokens {
                    body.insert(settings.token_field.clone(), limit.into());
                }
                chat.complete(&body, self.estimated_tokens(question), cancel)
                    .await
                    .map_err(observe_error)
            }
            Self::Local { .. } if cancel.is_raised() => Err(observe_error(ChatError::Cancelled)),
            Self::Local { looker, order } => ask_local(looker, question, *order),
        }
    }
}

/// The messages of a request.
fn messages(
    question: &Question<'_>,
    detail: Option<&str>,
    order: ImageOrder,
) -> Result<Value, ObserveError> {
    let mut content = Vec::new();
    for picture in &question.pictures {
        let (mime, bytes) = picture.encoded()?;
        let mut image = json!({"url": data_url(&mime, &bytes)});
        if let Some(detail) = detail {
            image["detail"] = detail.into();
        }
        content.push(json!({"type": "image_url", "image_url": image}));
    }
    let text = json!({"type": "text", "text": question.text});
    content.insert(order.place_of_text(content.len()), text);
    let system = question
        .system
        .map(|system| json!({"role": "system", "content": system}));
    let user = json!({"role": "user", "content": content});
    Ok(system.into_iter().chain([user]).collect())
}

fn ask_local(
    looker: &Looker,
    question: &Question<'_>,
    order: ImageOrder,
) -> Result<Completion, ObserveError> {
    let start = Instant::now();
    let pictures = question.pictures.iter().map(|picture| picture.rgb());
    let pictures = pictures.collect::<Result<Vec<_>, _>>()?;
    let mut pieces: Vec<Piece<'_>> = pictures.iter().map(Piece::Picture).collect();
    pieces.insert(
        order.place_of_text(pieces.len()),
        Piece::Text(question.text),
    );
    let system = question.system.map(|system| Message {
        role: Role::System,
        pieces: vec![Piece::Text(system)],
    });
    let user = Message {
        role: Role::User,
        pieces,
    };
    let messages: Vec<Message<'_>> = system.into_iter().chain([user]).collect();
    let reply = looker
        .converse(&messages, question.max_tokens)
        .map_err(|error| ObserveError::new("judge", error.to_string()))?;
    let finish = if reply.truncated { "length" } else { "stop" };
    Ok(Completion {
        reply: ChatReply {
            text: reply.text,
            reasoning: None,
            refusal: None,
            finish_reason: finish.into(),
            // Without a server, the model that answers is the one that was asked.
            model: Some(LOCAL.into()),
            about: Provenance::default(),
            usage: Usage {
                input: Some(reply.input_tokens as u64),
                cached: 0,
                output: Some(reply.output_tokens as u64),
            },
        },
        attempts: 1,
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// Turns an error of the client into an error of an observer.
pub(super) fn observe_error(error: ChatError) -> ObserveError {
    match error {
        ChatError::Item { kind, message } => ObserveError::new(kind, message),
        ChatError::Fatal { message, help } => {
            ObserveError::new("server", message).halting(Halt::Environment { help })
        }
        ChatError::Budget { message } => ObserveError::new("budget", message).halting(
            Halt::Incomplete {
                help: "all answers so far are kept: raise `budget` under [observe.judge.server] and run the same command \
                       again, or grade these answers with `unigauge grade RUN`"
                    .into(),
            },
        ),
        ChatError::Cancelled => {
            ObserveError::new("interrupted", "interrupted").halting(Halt::Interrupted)
        }
    }
}
