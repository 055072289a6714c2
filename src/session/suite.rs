//! A suite with the items that were selected of it.

use super::engines::{OcrEngine, ocr_engines, replace_engines};
use super::{Session, SessionError};
use crate::config::{self, SuiteFile};
use crate::hub::Hub;
use crate::record::Item;
use crate::run::Selection;
use crate::suite::{self, AssetError, AssetSource};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which items of a suite are asked, and what is changed of the suite.
#[derive(Debug, Clone, Default)]
pub struct ItemSelection {
    /// Only the first items.
    pub limit: Option<usize>,
    /// Only these items, by their identifiers; empty means all.
    pub only: Vec<String>,
    /// OCR observers in place of the suite's own; empty keeps those.
    pub observers: Vec<String>,
    /// Options of the suite's observers and rule, as `observe.OBSERVER.KEY=VALUE` or `grade.KEY=VALUE` in
    /// TOML.
    pub set: Vec<String>,
}

/// A suite with the items that were selected.
pub struct SelectedSuite {
    /// The definition, with what the selection changes of it.
    pub suite: SuiteFile,
    /// The selected items, in the suite's order.
    pub items: Arc<Vec<Item>>,
    /// The folder that relative `images` of items start from.
    pub base: PathBuf,
    /// Remarks about where the items came from.
    pub notes: Vec<String>,
    /// How many records of its items were left out and why.
    pub left_out: Vec<String>,
    /// What was selected, as the manifest says it.
    pub selection: Selection,
    /// Options of observers and rule that the selection changes.
    pub changed: Vec<String>,
    /// The OCR observers with the engines they use, where they are not the suite's own.
    pub read_by: Option<Vec<OcrEngine>>,
    /// Assets that the items were read from: revision and checksum.
    pub assets: BTreeMap<String, Value>,
}

impl SelectedSuite {
    /// Loads a suite by name, or by a path that starts from `from`, and its items. `items` is a file or
    /// folder to read them from, instead of the suite's own source.
    ///
    /// # Errors
    /// Fails if the definition or the items have mistakes, an asset is absent, or nothing is selected.
    pub fn load(
        session: &Session,
        name: &str,
        from: &Path,
        items: Option<&Path>,
        select: &ItemSelection,
    ) -> Result<Self, SessionError> {
        let mut loaded = config::suite(name, from)?;
        let own = ocr_engines(&loaded.definition)?;
        if !select.observers.is_empty() {
            replace_engines(&mut loaded.definition, &own, &select.observers)?;
        }
        config::set_options(&mut loaded.definition, &select.set)?;
        let mut set = suite::items(&loaded, items, &HubAssets(session.hub()?))?;
        let suite = loaded.definition;
        let read_by = Some(ocr_engines(&suite)?).filter(|now| *now != own);
        let assets = item_assets(session, &suite, items)?;
        select_items(&mut set.items, select)?;
        if set.items.is_empty() {
            return Err(SessionError::NothingSelected { suite: suite.name });
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

    /// Tells the session's listener where the items came from, and which were left out.
    pub(super) fn tell_remarks(&self, session: &Session) {
        let remarks = self.notes.iter().chain(&self.left_out);
        remarks.for_each(|remark| session.remark(remark));
    }
}

/// The assets that the suite's items were read from.
fn item_assets(
    session: &Session,
    suite: &SuiteFile,
    items: Option<&Path>,
) -> Result<BTreeMap<String, Value>, SessionError> {
    let joined = suite
        .items
        .join
        .as_ref()
        .and_then(|join| join.asset.as_ref());
    let ids = suite.items.asset.iter().chain(joined);
    let mut assets = BTreeMap::new();
    for id in ids.filter(|_| items.is_none()) {
        let hub = session.hub()?;
        for asset in hub
            .table()
            .expand(std::slice::from_ref(id))
            .unwrap_or_default()
        {
            let facts = json!({
                "revision": asset.source.revision(), "sha256": asset.pinned_sha256(),
                "licence": asset.licence.name,
            });
            assets.insert(asset.id.clone(), facts);
        }
    }
    Ok(assets)
}

/// Assets of a suite are fetched when they are absent and the network may be used.
struct HubAssets(Arc<Hub>);

impl AssetSource for HubAssets {
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
/// Fails if the suite does not have an item that is named.
fn select_items(items: &mut Vec<Item>, select: &ItemSelection) -> Result<(), SessionError> {
    if !select.only.is_empty() {
        let known: HashSet<&str> = items.iter().map(|item| item.item.as_str()).collect();
        refuse_unknown(&select.only, &known)?;
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

fn refuse_unknown(only: &[String], known: &HashSet<&str>) -> Result<(), SessionError> {
    let wanted: HashSet<&str> = only.iter().map(String::as_str).collect();
    let unknown: Vec<String> = wanted
        .into_iter()
        .filter(|id| !known.contains(id))
        .map(str::to_owned)
        .collect();
    let Some(first) = unknown.first() else {
        return Ok(());
    };
    let near = config::nearest(first, known.iter().copied());
    let help = near.map_or("`unigauge items SUITE` prints them".into(), |near| {
        format!("did you mean `{near}`?")
    });
    Err(SessionError::UnknownItems {
        items: unknown,
        help,
    })
}
