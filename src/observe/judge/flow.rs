//! The calls about one output, in rounds. A call that was answered before is not made again.

use super::ask::{Judge, Question};
use super::folder::{NAME, disk_error};
use super::picture::Pictures;
use super::replies::{Replies, Reply};
use super::set::Prompts;
use super::settings::JudgeSettings;
use super::watch::Watch;
use crate::cancel::Cancel;
use crate::files::sha256_hex;
use crate::observe::{ObserveError, Subject};
use crate::record::evidence::{Call, Field, Judgement, PromptsUsed, Text, written};
use crate::text::thinking;
use serde_json::{Value, json};
use std::sync::Arc;

/// Everything that the calls of all outputs share.
pub(super) struct Flow {
    pub judge: Judge,
    pub prompts: Prompts,
    pub replies: Replies,
    pub watch: Watch,
    pub cancel: Cancel,
    rounds: u32,
    max_tokens_again: Option<u32>,
    sample: u32,
}

/// One output to judge, with nothing borrowed.
pub(super) struct Job {
    /// The system line and the question of each call.
    words: Vec<(Option<String>, String)>,
    pictures: Pictures,
    repeat: u32,
}

impl Flow {
    pub(super) fn new(
        judge: Judge,
        prompts: Prompts,
        settings: &JudgeSettings,
        cancel: Cancel,
    ) -> Self {
        let server = &settings.server;
        Self {
            watch: Watch::new(judge.name(), server.answering, &server.answers),
            judge,
            rounds: settings.rounds.unwrap_or(prompts.set.rounds).max(1),
            max_tokens_again: settings.max_tokens_again,
            sample: settings.sample,
            prompts,
            replies: Replies::default(),
            cancel,
        }
    }

    /// Everything that shapes the evidence.
    pub(super) fn identity(&self) -> Value {
        let mut identity = json!({
            "observer": NAME,
            "judge": self.judge.identity(),
            "prompts": self.prompts_used(),
            "rounds": self.rounds,
            "sample": self.sample,
        });
        if let Some(limit) = self.max_tokens_again {
            identity["max_tokens_again"] = limit.into();
        }
        identity
    }

    fn prompts_used(&self) -> PromptsUsed<'_> {
        let text = |text| Field::Given(Text::from(text));
        PromptsUsed {
            set: text(self.prompts.set.name.as_str()),
            wording: text(&self.prompts.wording),
            sha256: text(&self.prompts.sha256),
        }
    }

    /// Collects the words and the pictures for an output.
    ///
    /// # Errors
    /// Fails if the item lacks a value that a prompt needs, or if a picture is absent or damaged.
    pub(super) fn job(&self, subject: &Subject<'_>) -> Result<Job, ObserveError> {
        let set = &self.prompts.set;
        let words = set.calls.iter().map(|call| {
            let words = self.prompts.words(call, subject.item, subject.output);
            words.map_err(|message| ObserveError::new("prompt", message))
        });
        let local = self.judge.server().is_none();
        Ok(Job {
            words: words.collect::<Result<_, _>>()?,
            pictures: Pictures::read(subject, &set.pictures, local, |what| set.shows(what))?,
            repeat: subject.output.repeat,
        })
    }

    /// Makes the calls about an output until every reply of a round is accepted. Returns the evidence.
    ///
    /// # Errors
    /// Fails if a call fails for good. The answers before it are kept.
    pub(super) async fn judge(self: Arc<Self>, job: Job) -> Result<Value, ObserveError> {
        let mut calls: Vec<Field<Call<'static>>> = Vec::new();
        // These belong to the last reply that a model gave.
        let (mut model, mut class) = (None, None);
        for round in 0..self.rounds {
            let mut settled = true;
            for (at, asked) in self.prompts.set.calls.iter().enumerate() {
                let (system, text) = &job.words[at];
                let mut question = Question {
                    system: system.as_deref(),
                    text,
                    pictures: job.pictures.of_call(&asked.pictures),
                    max_tokens: None,
                };
                let key = self.key(&asked.role, &question, job.repeat, round);
                let (mut reply, mut cached) = self.answer(key, &asked.role, &question).await?;
                if reply.is_cut_off() && self.max_tokens_again.is_some() {
                    question.max_tokens = self.max_tokens_again;
                    let key = self.key(&asked.role, &question, job.repeat, round);
                    (reply, cached) = self.answer(key, &asked.role, &question).await?;
                }
                self.has_words(&reply)?;
                let accepted = accepts(&self.prompts, at, &reply.reply);
                // A refusal is an answer: it is not asked again.
                settled &= accepted || reply.refusal.is_some();
                let of = self.watch.class(&reply);
                if of.is_some() {
                    (model, class) = (reply.model.clone(), of);
                }
                let call = Call {
                    cached,
                    max_tokens: question.max_tokens,
                    class: Field::or_null(of),
                    ..call(&reply, accepted)
                };
                calls.push(call.into());
            }
            if settled {
                break;
            }
        }
        let ignores = self.watch.ignores();
        Ok(written(&Judgement {
            model: Field::or_null(model.map(Text::from)),
            judge: Text::from(self.judge.name()).into(),
            class: Field::or_null(class),
            server: self.judge.server().map(Text::from),
            prompts: self.prompts_used().into(),
            calls: calls.into(),
            answering: Field::or_absent(ignores.then(|| Judgement::IGNORE.into())),
        })?)
    }

    /// Refuses a server's reply that the token limit ended before its first word.
    fn has_words(&self, reply: &Reply) -> Result<(), ObserveError> {
        let server = self.judge.server().is_some();
        if server && reply.is_cut_off() && reply.reply.trim().is_empty() {
            return Err(ObserveError::new(
                "empty",
                "the reply of the judge reached the token limit before its first word; raise `max_tokens` under \
                 [observe.judge.server], or set `max_tokens_again` under [observe.judge]",
            ));
        }
        Ok(())
    }

    /// The answer to a call, and whether it was known before.
    ///
    /// # Errors
    /// Fails if the call fails for good, or if a model answered that the settings do not allow. In the second
    /// case, no further call is made.
    pub(super) async fn answer(
        &self,
        key: String,
        role: &str,
        question: &Question<'_>,
    ) -> Result<(Arc<Reply>, bool), ObserveError> {
        let _alone = if key.is_empty() {
            None
        } else {
            Some(self.replies.lock_call(&key).await)
        };
        if let Some(reply) = self
            .replies
            .get(&key)
            .filter(|reply| self.watch.may_use(reply))
        {
            return Ok((reply, true));
        }
        if let Some(end) = self.watch.stopped() {
            return Err(end);
        }
        let completion = self.judge.ask(question, &self.cancel).await;
        let completion = completion.map_err(|error| self.watch.stopped().unwrap_or(error))?;
        let (usage, refusal) = (completion.reply.usage, completion.reply.refusal);
        let reckoned = match (usage.input, &refusal) {
            (None, None) => self.judge.estimated_tokens(question),
            _ => 0,
        };
        let mut reply = Reply {
            key,
            role: role.into(),
            asked: Some(self.judge.name().into()),
            model: completion.reply.model,
            class: None,
            set_aside: None,
            about: completion.reply.about,
            received: Some(jiff::Timestamp::now()),
            reply: completion.reply.text,
            reasoning: completion.reply.reasoning,
            refusal,
            finish_reason: completion.reply.finish_reason,
            usage,
            reckoned,
            attempts: completion.attempts,
            seconds: completion.seconds,
        };
        self.watch.count_new(&mut reply);
        if reply.set_aside.is_some() {
            self.judge.close();
        }
        let reply = self.replies.write_down(reply).await.map_err(disk_error)?;
        match (&reply.set_aside, self.watch.stopped()) {
            (Some(_), Some(end)) => Err(end),
            _ => Ok((reply, false)),
        }
    }

    /// Hash of everything that shapes a call.
    fn key(&self, role: &str, question: &Question<'_>, repeat: u32, round: u32) -> String {
        let pictures: Vec<String> = question.pictures.iter().map(|p| p.hash()).collect();
        let all = json!([
            self.judge.identity(),
            self.prompts.set.name,
            role,
            question.system,
            question.text,
            pictures,
            repeat,
            round,
            self.sample,
        ]);
        let limit = question.max_tokens.map(|limit| limit.to_string());
        sha256_hex(all.to_string() + &limit.unwrap_or_default())
    }
}

/// One call in the form of the evidence, with everything that its reply contains.
fn call(reply: &Reply, accepted: bool) -> Call<'static> {
    let parted = thinking::split_reply(&reply.reply);
    let state = match &reply.refusal {
        Some(_) => "refused",
        None if reply.is_cut_off() => Call::TRUNCATED,
        None if accepted => "ok",
        None => "unparsed",
    };
    let text = |text: &str| Field::Given(Text::from(text.to_owned()));
    let optional = |text: &Option<String>| Field::or_absent(text.clone().map(Text::from));
    let thought = parted.thought();
    Call {
        role: text(&reply.role),
        reply: text(parted.words()),
        state: text(state),
        model: Field::or_null(reply.model.clone().map(Text::from)),
        input_tokens: reply.usage.input,
        output_tokens: reply.usage.output,
        attempts: reply.attempts,
        seconds: reply.seconds,
        fingerprint: optional(&reply.about.fingerprint),
        server_date: optional(&reply.about.server_date),
        refusal: optional(&reply.refusal),
        reasoning: reply.reasoning.clone().map(Text::from),
        thinking: Field::or_absent((!thought.is_empty()).then(|| thought.to_owned().into())),
        ..Call::default()
    }
}

/// Whether a reply to a call is understood. A reply that contains only a thought is not.
fn accepts(prompts: &Prompts, call: usize, reply: &str) -> bool {
    let parted = thinking::split_reply(reply);
    parted.answered() && prompts.accepts(call, parted.words())
}
