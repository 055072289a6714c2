//! Loose files: items, outputs and evidence that others wrote. Only what grading needs must be there. Notes
//! say what a reader of the numbers must know of the files. A line that can be read in two ways is refused.

mod evidence;
mod items;
mod outputs;
mod row;
mod rows;

use super::error::RunError;
use super::records::Records;
use crate::grade::OfficialResults;
use crate::record::{Item, Task};
use crate::text::count::counted;
use rows::{LooseFile, Rows};
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

impl Records {
    /// Reads loose files. `task` is that of the suite, for items that do not name theirs; `official` is how
    /// its rule reads the results of the benchmark's own script in place of evidence.
    ///
    /// # Errors
    /// Fails if a file is absent, a line is not a record, or two rows without `repeat` are of one output.
    pub fn loose(
        items: &Path,
        outputs: Option<&Path>,
        evidence: Option<&Path>,
        task: Task,
        official: Option<&OfficialResults>,
    ) -> Result<Self, RunError> {
        let items = items::read(LooseFile::open(items)?, task)?;
        let outputs = outputs.map(|path| LooseFile::open(path)?.records(outputs::output));
        let outputs = outputs.transpose()?;
        let evidence =
            evidence.map(|path| evidence::read(LooseFile::open(path)?, &items, official));
        let evidence = evidence.transpose()?;
        let mut remarks = Remarks::new(&items);
        remarks
            .notes
            .extend(outputs.iter().filter_map(|rows| rows.note.clone()));
        remarks
            .notes
            .extend(evidence.iter().filter_map(|rows| rows.note.clone()));
        let outputs = outputs.map(|rows| {
            remarks.check(&rows, "output", |output| (&output.item, output.repeat, ""))?;
            rows.into_records()
        });
        let outputs = outputs.transpose()?;
        let evidence = evidence.map(|rows| {
            remarks.check(&rows, "reading", |seen| {
                (&seen.item, seen.repeat, &seen.observer)
            })?;
            rows.into_records()
        });
        let evidence = evidence.transpose()?;
        let notes = remarks.notes;
        Ok(Self {
            items: Arc::new(items),
            outputs,
            evidence: evidence.unwrap_or_default(),
            notes,
        })
    }
}

/// An output: item, repeat, and who read it.
type Place<'a> = (&'a str, u32, &'a str);

/// What a reader of the numbers must know of the files.
struct Remarks<'a> {
    items: HashSet<&'a str>,
    notes: Vec<String>,
}

impl<'a> Remarks<'a> {
    fn new(items: &'a [Item]) -> Self {
        Self {
            items: items.iter().map(|item| item.item.as_str()).collect(),
            notes: Vec::new(),
        }
    }

    /// Notes which records came more than once, and which nobody asked for. `what` is the noun for the
    /// records.
    ///
    /// # Errors
    /// Fails if an output has two records and one of them has no `repeat`: they may be two answers.
    fn check<T>(
        &mut self,
        rows: &Rows<T>,
        what: &str,
        place: impl Fn(&T) -> Place<'_>,
    ) -> Result<(), RunError> {
        // The first line of each, and whether that line leaves its repeat out.
        let mut lines: HashMap<Place<'_>, (usize, bool)> = HashMap::with_capacity(rows.rows.len());
        let mut again: BTreeSet<String> = BTreeSet::new();
        for (row, record) in rows.good() {
            let place = place(record);
            match lines.entry(place) {
                Entry::Vacant(entry) => {
                    entry.insert((row.line, row.implies_repeat));
                }
                Entry::Occupied(entry) => {
                    let (first, implied) = *entry.get();
                    if implied || row.implies_repeat {
                        return Err(two_records(&rows.path, row.line, place.0, first));
                    }
                    again.insert(match place {
                        (item, 0, _) => item.to_owned(),
                        (item, repeat, _) => format!("{item} (repeat {repeat})"),
                    });
                }
            }
        }
        let name = rows.path.file_name().unwrap_or(rows.path.as_os_str());
        let name = name.display();
        if let Some(examples) = examples(&again) {
            self.notes.push(format!(
                "repeated records of {} in {name}, of which the last one counts: {examples}",
                counted(again.len(), what)
            ));
        }
        let strange = lines.keys().map(|(item, ..)| *item);
        let strange: BTreeSet<String> = strange
            .filter(|item| !self.items.contains(item))
            .map(str::to_owned)
            .collect();
        if let Some(examples) = examples(&strange) {
            self.notes.push(format!(
                "records of {} in {name} are skipped, since no item has such an id: {examples}",
                counted(strange.len(), "unknown item")
            ));
        }
        Ok(())
    }
}

/// An item with two records that may be two answers.
fn two_records(path: &Path, line: usize, item: &str, first: usize) -> RunError {
    RunError::line(
        path,
        line,
        format!(
            "`{item}` has a record at line {first} already, and one of the two has no `repeat`: are they two \
             answers, or one?"
        ),
        "number the answers of an item with `repeat` = 0, 1, …, or remove the superfluous record",
    )
}

/// A few of the names, in words. `None` if there are none.
fn examples(names: &BTreeSet<String>) -> Option<String> {
    const SHOWN: usize = 3;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    let more = if names.len() > SHOWN { ", …" } else { "" };
    (!shown.is_empty()).then(|| format!("{}{more}", shown.join(", ")))
}
