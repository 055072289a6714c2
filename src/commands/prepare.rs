//! From names on the command line to everything one run needs.

use super::cli::{RunArgs, SelectArgs};
use super::context::Context;
use super::device::DeviceChoice;
use super::engines::{self, Engine, engines, read_by};
use super::failure::Failure;
use super::shipped;
use crate::config::{self, ModelFile, Settings, SuiteFile};
use crate::generate::{Place, Resources};
use crate::hub::Hub;
use crate::observe::{Means, Observer};
use crate::record::Item;
use crate::run::{Asked, Chains, FORMAT_VERSION, Host, Manifest, Program, RunFolder, Selection};
use crate::study::StudyModel;
use crate::suite::{self, AssetError, AssetSource};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A suite with the items that were selected.
pub struct Asking {
    pub suite: SuiteFile,
    pub items: Arc<Vec<Item>>,
    /// The folder that relative `images` of items start from.
    pub base: PathBuf,
    /// Remarks on where the items came from.
    pub notes: Vec<String>,
    /// How many records of its items were left out and why.
    pub left_out: Vec<String>,
    pub selection: Selection,
    /// Options of observers and rule that the command line changes.
    pub changed: Vec<String>,
    /// OCR observers and the engines behind them, where they are not the suite's own.
    pub read_by: Option<Vec<Engine>>,
    /// Assets that the items were read from: revision and checksum.
    pub assets: BTreeMap<String, Value>,
}

impl Asking {
    /// Loads a suite by name or path, and its items.
    ///
    /// # Errors
    /// When the definition or the items have mistakes, an asset is absent, or nothing is selected.
    pub fn load(
        ctx: &Context,
        name: &str,
        from: &Path,
        items: Option<&Path>,
        select: &SelectArgs,
    ) -> Result<Self, Failure> {
        let mut loaded = config::suite(name, from)?;
        let own = engines(&loaded.definition)?;
        if !select.observers.is_empty() {
            read_by(&mut loaded.definition, &own, &select.observers)?;
        }
        config::set(&mut loaded.definition, &select.set)?;
        let mut set = suite::items(&loaded, items, &Assets(ctx.hub()?))?;
        let suite = loaded.definition;
        let read_by = Some(engines(&suite)?).filter(|now| *now != own);
        let assets = pinned(ctx, &suite, items)?;
        select_items(&mut set.items, select)?;
        if set.items.is_empty() {
            return Err(Failure::nothing(
                format!("no item of `{}` is selected", suite.name),
                "check `--limit` and `--only`, and see `unigauge items SUITE`",
            ));
        }
        Ok(Self {
            suite,
            items: Arc::new(set.items),
            base: set.base,
            notes: set.notes,
            left_out: set.left_out,
            selection: Selection {
                limit: select.limit,
                only: select.only.clone(),
            },
            changed: select.set.clone(),
            read_by,
            assets,
        })
    }
}

/// The assets that the suite's items were read from.
fn pinned(
    ctx: &Context,
    suite: &SuiteFile,
    items: Option<&Path>,
) -> Result<BTreeMap<String, Value>, Failure> {
    let joined = suite
        .items
        .join
        .as_ref()
        .and_then(|join| join.asset.as_ref());
    let ids = suite.items.asset.iter().chain(joined);
    let mut assets = BTreeMap::new();
    for id in ids.filter(|_| items.is_none()) {
        for asset in ctx
            .hub()?
            .table()
            .expand(std::slice::from_ref(id))
            .unwrap_or_default()
        {
            let facts = json!({"revision": asset.source.revision(), "sha256": asset.pinned_sha256(), "licence": asset.licence.name});
            assets.insert(asset.id.clone(), facts);
        }
    }
    Ok(assets)
}

/// Assets of a suite are fetched when they are absent and the network may be used.
struct Assets(Arc<Hub>);

impl AssetSource for Assets {
    fn paths(&self, asset: &str) -> Result<Vec<PathBuf>, AssetError> {
        let members = self.0.table().expand(&[asset.to_owned()])?;
        let paths = members.iter().map(|member| self.0.ensure(&member.id));
        Ok(paths.collect::<Result<_, _>>()?)
    }

    fn pictures(&self) -> Result<PathBuf, AssetError> {
        Ok(self.0.cache()?.join("pictures"))
    }
}

/// Keeps the selected items, in the suite's order.
///
/// # Errors
/// When an id of `--only` is not in the suite.
pub fn select_items(items: &mut Vec<Item>, select: &SelectArgs) -> Result<(), Failure> {
    if !select.only.is_empty() {
        let wanted: HashSet<&str> = select.only.iter().map(String::as_str).collect();
        let known: HashSet<&str> = items.iter().map(|item| item.item.as_str()).collect();
        let unknown: Vec<&str> = wanted
            .iter()
            .copied()
            .filter(|id| !known.contains(id))
            .collect();
        if let Some(first) = unknown.first() {
            let near = config::nearest(first, known.iter().copied());
            return Err(Failure::nothing(
                format!("there is no item `{}`", unknown.join("`, `")),
                near.map_or("`unigauge items SUITE` prints them".into(), |near| {
                    format!("did you mean `{near}`?")
                }),
            ));
        }
        let mut wanted: HashSet<String> = select.only.iter().cloned().collect();
        // With an edit of an edit come those that it starts from.
        for item in items
            .iter()
            .rev()
            .filter(|item| item.input_from().is_some())
        {
            if wanted.contains(&item.item) {
                wanted.extend(item.input_from().map(str::to_owned));
            }
        }
        items.retain(|item| wanted.contains(&item.item));
    }
    if let Some(limit) = select.limit {
        items.truncate(limit);
    }
    Ok(())
}

/// A model with its settings for a suite.
#[derive(Debug, Clone)]
pub struct Answering {
    pub model: ModelFile,
    pub settings: Settings,
    /// The settings as the manifest shows them.
    resolved: Value,
    /// The suite's preset was applied.
    preset: bool,
}

impl Answering {
    /// Loads a model; relative paths in its settings start from the current folder.
    ///
    /// # Errors
    /// When the definition or the settings have mistakes.
    pub fn load(
        ctx: &Context,
        model: &StudyModel,
        from: &Path,
        suite: &str,
    ) -> Result<Self, Failure> {
        Self::of(ctx, model.load(from)?, suite)
    }

    /// Checks the settings of a model for a suite.
    ///
    /// # Errors
    /// When the generator is unknown or the settings have mistakes.
    pub fn of(ctx: &Context, model: ModelFile, suite: &str) -> Result<Self, Failure> {
        let settings = model.settings_for(suite);
        crate::generate::check(&model.generator, &settings)?;
        Ok(Self {
            resolved: crate::generate::resolved(&model.generator, &settings)?,
            preset: model.presets.contains_key(suite),
            settings: shipped::located(ctx, &settings)?,
            model,
        })
    }

    /// The definition as it stands in the manifest.
    fn described(
        &self,
        asking: &Asking,
        weights: Option<&Value>,
        observers: &[Box<dyn Observer>],
    ) -> Value {
        let read_by = asking.read_by.as_deref().map(engines::said);
        let mut told: Vec<String> = read_by.iter().cloned().collect();
        let set = asking.changed.iter();
        told.extend(
            set.filter(|set| read_by.is_none() || !engines::is_place(set))
                .cloned(),
        );
        // An observer that remarks on itself says all that a reader of the row must know about its options.
        for observer in observers {
            if let Some(remark) = observer.remark() {
                let prefix = format!("observe.{}.", observer.name());
                told.retain(|changed| !changed.trim_start().starts_with(&prefix));
                told.push(remark);
            }
        }
        let title = match &told[..] {
            [] => self.model.title.clone(),
            told => format!("{} ({})", self.model.title, told.join(", ")),
        };
        let mut described = json!({
            "name": self.model.name,
            "title": title,
            "generator": self.model.generator,
            "settings": self.resolved,
        });
        if self.preset {
            described["preset"] = asking.suite.name.clone().into();
        }
        if let Some(notes) = self.model.notes.get(&asking.suite.name) {
            described["notes"] = notes.clone().into();
        }
        if let Some(weights) = weights {
            described["weights"] = weights.clone();
        }
        described
    }
}

/// One run, ready to be made.
pub struct Prepared<'a> {
    pub asking: &'a Asking,
    pub answering: Answering,
    pub folder: RunFolder,
    pub repeats: u32,
    pub seed: u64,
    pub run: String,
    /// Files and number format of networks in this process.
    weights: Option<Value>,
}

/// The options of a run that do not come from suite or model.
#[derive(Debug, Clone)]
pub struct RunOptions {
    pub out: PathBuf,
    pub run_name: Option<String>,
    pub repeats: Option<u32>,
    pub seed: u64,
    pub device: DeviceChoice,
}

impl RunOptions {
    pub fn of(args: &RunArgs, seed: u64, study_repeats: Option<u32>) -> Self {
        Self {
            out: args.out.clone(),
            run_name: args.run_name.clone(),
            repeats: args.repeats.or(study_repeats),
            seed,
            device: args.device,
        }
    }
}

impl<'a> Prepared<'a> {
    /// Names the run and its folder.
    ///
    /// # Errors
    /// When the run's name cannot be a folder's name.
    pub fn new(
        asking: &'a Asking,
        answering: Answering,
        options: &RunOptions,
    ) -> Result<Self, Failure> {
        let run = match &options.run_name {
            Some(name) => name.clone(),
            None => default_run_name(options.seed, asking),
        };
        let plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        if run.is_empty() || run.starts_with('.') || !run.chars().all(plain) {
            return Err(Failure::usage(
                format!("`{run}` cannot be the name of a run"),
                "use letters, digits, `-`, `_` and `.`, and do not begin with `.`",
            ));
        }
        let root = options
            .out
            .join(&asking.suite.name)
            .join(&answering.model.name)
            .join(&run);
        let generator = &answering.model.generator;
        let gpu = crate::generate::in_process(generator) && options.device.is_gpu();
        Ok(Self {
            weights: crate::generate::weights(generator, &answering.settings, gpu)?,
            repeats: options.repeats.unwrap_or(asking.suite.repeats),
            seed: options.seed,
            folder: RunFolder::at(root),
            run,
            asking,
            answering,
        })
    }

    /// All that shapes an output beside item and seed.
    pub fn identity(&self) -> Value {
        let mut identity = json!({
            "generator": self.answering.model.generator,
            "settings": self.answering.resolved,
            "layout": self.asking.suite.layout,
        });
        if let Some(weights) = &self.weights {
            identity["weights"] = weights.clone();
        }
        identity
    }

    /// What the generator needs beside its settings; fetched when absent.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn resources(&self, ctx: &Context) -> Result<Resources, Failure> {
        let mut resources = Resources::default();
        let wanted =
            crate::generate::wanted_assets(&self.answering.model.generator, &self.asking.items);
        for asset in wanted {
            resources.insert(asset, ctx.hub()?.ensure(asset)?);
        }
        Ok(resources)
    }

    /// Where the generator's networks run. The device is opened only for a generator that has any.
    ///
    /// # Errors
    /// The reason why the device cannot be opened.
    pub fn place(
        &self,
        device: DeviceChoice,
        vram_budget: Option<u64>,
        shard: Option<crate::run::Shard>,
    ) -> Result<Place, String> {
        let device = match crate::generate::in_process(&self.answering.model.generator) {
            true => device,
            false => DeviceChoice::Cpu,
        };
        Ok(Place {
            device: device.open()?,
            vram_budget,
            scratch: self.folder.scratch(shard),
        })
    }

    /// The outputs asked for.
    pub fn asked(&'a self, shard: Option<crate::run::Shard>) -> Asked<'a> {
        Asked {
            items: &self.asking.items,
            base: &self.asking.base,
            repeats: self.repeats,
            seed: self.seed,
            shard,
            chains: Chains::of(&self.asking.items),
        }
    }

    fn items_base(&self) -> Option<PathBuf> {
        let mut items = self.asking.items.iter();
        let pictured = items.any(|item| item.all_images().next().is_some());
        pictured
            .then(|| std::path::absolute(&self.asking.base).ok())
            .flatten()
    }

    /// The manifest of the run, as of now.
    pub fn manifest(
        &self,
        device: String,
        shard: Option<crate::run::Shard>,
        observers: &[Box<dyn Observer>],
    ) -> Manifest {
        Manifest {
            format_version: FORMAT_VERSION,
            program: Program::this(),
            suite: serde_json::to_value(&self.asking.suite).unwrap_or_default(),
            model: self
                .answering
                .described(self.asking, self.weights.as_ref(), observers),
            run: self.run.clone(),
            seed: self.seed,
            repeats: self.repeats,
            selection: self.asking.selection.clone(),
            shard,
            device,
            items_base: self.items_base(),
            left_out: self.asking.left_out.clone(),
            assets: self.asking.assets.clone(),
            observers: observers
                .iter()
                .map(|observer| (observer.name().to_owned(), observer.identity()))
                .collect(),
            host: Host::this(),
            command: std::env::args().collect(),
            started: jiff::Timestamp::now(),
            finished: None,
            executions: Vec::new(),
        }
    }
}

fn default_run_name(seed: u64, asking: &Asking) -> String {
    let selection = &asking.selection;
    let mut name = plain_run_name(seed, selection.limit);
    match &selection.only[..] {
        [] => {}
        [one] if one.len() <= 24 && one.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') => {
            name.push_str(&format!("-only-{one}"));
        }
        many => name.push_str(&format!(
            "-only-{}",
            &crate::files::sha256_hex(many.join("\n").as_bytes())[..8]
        )),
    }
    if let Some(engines) = &asking.read_by {
        name.push_str(&engines::suffix(engines));
    }
    name
}

/// The name of a run that nothing but seed and limit sets apart.
pub fn plain_run_name(seed: u64, limit: Option<usize>) -> String {
    match limit {
        Some(limit) => format!("seed{seed}-limit{limit}"),
        None => format!("seed{seed}"),
    }
}

/// Makes the observers of a suite.
///
/// # Errors
/// When one is unknown, its options have mistakes, or an asset it needs cannot be had.
pub fn observers(
    ctx: &Context,
    suite: &SuiteFile,
    device: DeviceChoice,
) -> Result<Vec<Box<dyn Observer>>, Failure> {
    let none = Settings::default();
    let options: BTreeMap<&str, &Settings> = suite
        .observe
        .iter()
        .map(|(name, s)| (name.as_str(), s))
        .collect();
    suite
        .observers
        .iter()
        .map(|name| {
            let settings = options.get(name.as_str()).copied().unwrap_or(&none);
            let settings = &shipped::located(ctx, settings)?;
            let hub = ctx.hub()?;
            let means = Means {
                hub: hub.as_ref(),
                device: &|| device.open(),
            };
            Ok(crate::observe::build(name, settings, &means)?)
        })
        .collect()
}
