//! What all requests share.

use super::auth::Token;
use super::known::KnownItems;
use super::limits::Limits;
use super::listener::ServeOptions;
use super::metrics::Metrics;
use super::pool::Pool;
use super::queue::Looks;
use super::refusal::Refusal;
use super::room::Room;
use crate::config::RewardDefinition;
use crate::grade::rule_description;
use crate::reward::{OpenReward, Scorer};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// What all requests share.
pub(super) struct App {
    pub limits: Limits,
    pub token: Option<Token>,
    pub known: KnownItems,
    pub room: Room,
    pub pool: Pool,
    pub metrics: Arc<Metrics>,
    /// The rewards' names, known before their observers are open.
    pub names: Vec<String>,
    /// The names of their components, as `REWARD.COMPONENT`, which clients may ask for too.
    pub components: Vec<String>,
    ready: OnceLock<Ready>,
    draining: AtomicBool,
}

/// What is there as soon as the observers are open.
pub(super) struct Ready {
    pub scorer: Scorer,
    pub looks: Looks,
}

impl App {
    /// A server whose observers are not open yet.
    pub(super) fn new(options: ServeOptions) -> Self {
        let ServeOptions {
            rewards,
            token,
            known,
            limits,
            ..
        } = options;
        let components = rewards.iter().flat_map(|reward| {
            let names = reward.components.iter();
            names.map(|component| format!("{}.{}", reward.name, component.name))
        });
        Self {
            components: components.collect(),
            names: rewards.iter().map(|reward| reward.name.clone()).collect(),
            room: Room::new(&limits),
            limits,
            token,
            known,
            pool: Pool::new(),
            metrics: Arc::new(Metrics::default()),
            ready: OnceLock::new(),
            draining: AtomicBool::new(false),
        }
    }

    /// The observers are open from now on.
    pub(super) fn open(&self, ready: Ready) {
        // It is opened once; a second one would be dropped.
        let _ = self.ready.set(ready);
    }

    /// The end has begun: `/health` says so. What is still asked on open connections is answered.
    pub(super) fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    /// In a word: what the server is at.
    pub(super) fn state(&self) -> &'static str {
        if self.draining.load(Ordering::SeqCst) {
            "draining"
        } else if self.ready.get().is_none() {
            "loading"
        } else {
            "ok"
        }
    }

    /// The open observers. `None` while they are loaded.
    pub(super) fn opened(&self) -> Option<&Ready> {
        self.ready.get()
    }

    /// The open observers.
    ///
    /// # Errors
    /// Refuses while they are loaded.
    pub(super) fn ready(&self) -> Result<&Ready, Refusal> {
        self.opened().ok_or_else(|| Refusal::unavailable("loading"))
    }

    /// The reward of this name.
    ///
    /// # Errors
    /// Refuses a name that the server does not have, and every name while it loads.
    pub(super) fn reward(&self, name: &str) -> Result<Arc<OpenReward>, Refusal> {
        let known = self.ready()?.scorer.reward(name);
        known.cloned().ok_or_else(|| self.unknown(name))
    }

    /// The answer to a name that the server does not have.
    pub(super) fn unknown(&self, name: &str) -> Refusal {
        Refusal::unknown_reward(name, &self.names)
    }

    /// A reward that a request defines. A rule that opens files would open the server's.
    ///
    /// # Errors
    /// Refuses a definition with a mistake, with a rule that opens files, or with an observer that is not
    /// open.
    pub(super) fn further(
        &self,
        definition: &RewardDefinition,
    ) -> Result<Arc<OpenReward>, Refusal> {
        let rules = definition.components.iter();
        for rule in rules.filter_map(|component| component.rule.as_deref()) {
            let opens_files = rule == "reward"
                || rule_description(rule).is_ok_and(|rule| !rule.assets.is_empty());
            if opens_files {
                let why = format!("the rule `{rule}` opens files, so a request cannot define it");
                return Err(Refusal::definition(why));
            }
        }
        let open = self.ready()?.scorer.further(definition);
        open.map(Arc::new).map_err(Refusal::definition)
    }
}
