//! `judge`: a vision-language model answers questions about each output. A prompt set defines the questions.
//! The replies are kept word for word; the rule turns them into scores.

mod ask;
mod check;
mod definition;
mod error;
mod flow;
mod folder;
mod lifetime;
mod official;
mod picture;
mod replies;
mod set;
mod settings;
mod watch;

pub use error::JudgeError;
pub use settings::{JudgeSettings, Judging};

use super::{BuildError, Described, Means, ObserveError, Observer, Subject};
use crate::cancel::Cancel;
use crate::config::Settings;
use crate::files::write_json;
use crate::hub::Hub;
use crate::record::Item;
use ask::Judge;
use definition::{PromptSet, Shown};
use flow::Flow;
use folder::{NAME, disk_error};
use serde_json::{Value, json};
use set::Prompts;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::Runtime;

/// The observer.
pub struct JudgeObserver {
    flow: Arc<Flow>,
    runtime: Runtime,
    settings: JudgeSettings,
}

/// Refuses a second limit that is not higher than the first.
fn check_second_limit(settings: &JudgeSettings, set: &PromptSet) -> Result<(), JudgeError> {
    let own = match settings.backend {
        Judging::Server => {
            let set = set.request.get("max_tokens").and_then(Value::as_u64);
            settings.server.max_tokens.map(u64::from).or(set)
        }
        Judging::Local => Some(settings.local.max_new_tokens.unwrap_or(ask::LONGEST) as u64),
    };
    match settings.max_tokens_again {
        Some(again) if u64::from(again) <= own.unwrap_or(0) => Err(JudgeError::settings(
            format!(
                "`max_tokens_again` = {again} is not more than the first limit, {}",
                own.unwrap_or(0)
            ),
            "set a higher limit, or leave `max_tokens_again` out",
        )),
        _ => Ok(()),
    }
}

/// The prompt set that the settings name, in the wording that they name.
fn find_prompts(settings: &JudgeSettings, hub: &Hub) -> Result<Prompts, JudgeError> {
    let path = Path::new(&settings.prompts);
    if path
        .extension()
        .is_some_and(|extension| extension == "toml")
    {
        return PromptSet::file(path)?.ready(settings.prompts.clone());
    }
    let Some(name) = &settings.set else {
        return Err(JudgeError::settings(
            "[observe.judge] names no prompt set",
            "write `set = \"imgedit\"` (or gedit, uge, wise), or `prompts = \"FILE.toml\"`",
        ));
    };
    let set = PromptSet::built_in(name)?;
    if settings.prompts == "own" {
        return set.ready("own".into());
    }
    let Some(official) = set.official.clone() else {
        return Err(JudgeError::settings(
            format!("prompt set `{name}` has no official wording"),
            "use `prompts = \"own\"`",
        ));
    };
    let (file, wording) = match settings.prompts.as_str() {
        "official" => (hub.ensure(&official.asset)?, "official".to_owned()),
        _ => (path.to_path_buf(), settings.prompts.clone()),
    };
    official.apply(set, &file)?.ready(wording)
}

impl Described for JudgeObserver {
    type Settings = JudgeSettings;
    const NAME: &'static str = NAME;
    const ABOUT: &'static str =
        "what a vision-language model replies to a benchmark's questions about an output";
    const ON_DEVICE: bool = true;

    fn checkpoints(settings: &Settings) -> Result<Vec<PathBuf>, BuildError> {
        let settings: JudgeSettings = settings.read()?;
        let local = matches!(settings.backend, Judging::Local);
        Ok(local
            .then_some(settings.local.checkpoint)
            .into_iter()
            .collect())
    }

    fn look(settings: &Settings, cancel: &Cancel) -> Result<Vec<String>, BuildError> {
        Ok(lifetime::look(&settings.read()?, cancel))
    }

    fn notes(root: &Path) -> Vec<String> {
        check::notes(root)
    }

    /// Reads the prompts, checks the settings, and loads the network of a judge in this process. Asks nothing
    /// yet.
    fn open(settings: JudgeSettings, means: &Means<'_>) -> Result<Self, BuildError> {
        let prompts = find_prompts(&settings, means.hub)?;
        check_second_limit(&settings, &prompts.set)?;
        let device = || (means.device)().map_err(|reason| JudgeError::Device { reason });
        let judge = Judge::open(&settings, &prompts.set.name, &prompts.set.request, device)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name(NAME)
            .enable_all()
            .build()
            .map_err(|error| {
                JudgeError::settings(
                    format!("cannot start threads for the judge: {error}"),
                    "check the limits of this machine",
                )
            })?;
        Ok(Self {
            flow: Arc::new(Flow::new(judge, prompts, &settings, means.hub.cancel())),
            runtime,
            settings,
        })
    }
}

impl Observer for JudgeObserver {
    fn name(&self) -> &str {
        NAME
    }

    fn identity(&self) -> Value {
        self.flow.identity()
    }

    fn asked(&self, item: &Item) -> Value {
        json!(self.flow.prompts.item_values(item))
    }

    fn files(&self, item: &Item) -> Vec<String> {
        if !self.flow.prompts.set.shows(Shown::Source) {
            return Vec::new();
        }
        let compared = item.compared_with().into_iter();
        compared.map(str::to_owned).collect()
    }

    fn remark(&self) -> Option<String> {
        let prompts = &self.flow.prompts;
        Some(format!(
            "judge {}, {} prompts",
            self.flow.judge.name(),
            prompts.wording
        ))
    }

    fn batch(&self) -> usize {
        match self.flow.judge {
            // The calls of the next batch start while the last answers of this one are still on their way.
            Judge::Server { .. } => self.settings.server.concurrency * 2,
            Judge::Local { .. } => 1,
        }
    }

    fn worked_before(&self) {
        if let Judge::Server { chat, .. } = &self.flow.judge {
            chat.answered_before();
        }
    }

    fn begin(&self, own: &Path) -> Result<(), ObserveError> {
        let here = self.flow.replies.open(&own.join(replies::FILE));
        let here = here.map_err(disk_error)?;
        if let Judge::Server { chat, .. } = &self.flow.judge {
            let elsewhere = replies::of_other_shards(own).map_err(disk_error)?;
            let all = here.iter().map(AsRef::as_ref).chain(&elsewhere);
            self.flow.watch.recall(all);
            chat.ledger().restart(
                here.iter().map(|reply| reply.paid()),
                elsewhere.iter().map(replies::Reply::paid),
            );
            if self.settings.check {
                self.runtime.block_on(check::check(&self.flow, own))?;
            }
        }
        Ok(())
    }

    fn end(&self, own: &Path) -> Result<(), ObserveError> {
        match &self.flow.judge {
            Judge::Server { chat, .. } => {
                let path = own.join("ledger.json");
                write_json(&path, &chat.ledger().sums())
                    .map_err(|error| disk_error(error.to_string()))
            }
            Judge::Local { .. } => Ok(()),
        }
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<Result<Value, ObserveError>> {
        let jobs = subjects.iter().map(|subject| self.flow.job(subject));
        match self.flow.judge {
            Judge::Local { .. } => jobs
                .map(|job| self.runtime.block_on(self.flow.clone().judge(job?)))
                .collect(),
            Judge::Server { .. } => {
                let started: Vec<Result<_, ObserveError>> = jobs
                    .map(|job| Ok(self.runtime.spawn(self.flow.clone().judge(job?))))
                    .collect();
                let ended = started.into_iter().map(|started| {
                    let ended = self.runtime.block_on(started?);
                    ended.unwrap_or_else(|error| {
                        Err(ObserveError::new(
                            "panic",
                            format!("internal error: {error}"),
                        ))
                    })
                });
                ended.collect()
            }
        }
    }
}
