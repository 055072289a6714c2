//! Loose files: items, outputs and evidence that others wrote. Only what grading needs must be there; what a reader of the
//! numbers must know of the files is noted, and what nobody can read rightly is refused with its line.

mod evidence;
mod items;
mod outputs;
mod row;

use super::error::RunError;
use super::scoring::Records;
use crate::grade::OfficialResults;
use crate::record::{Evidence, Item, Output, Task};
use row::Rows;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

impl Records {
    /// Reads loose files. `task` is that of the suite, for items that do not name theirs; `official` is how its rule reads
    /// the results of the benchmark's own script in the place of evidence.
    ///
    /// # Errors
    /// When a file is absent, a line is no record, or two rows without `repeat` are of one output.
    pub fn loose(
        items: &Path,
        outputs: Option<&Path>,
        evidence: Option<&Path>,
        task: Task,
        official: Option<&OfficialResults>,
    ) -> Result<Self, RunError> {
        let items = items::read(Rows::read(items)?, task)?;
        let known: HashSet<&str> = items.iter().map(|item| item.item.as_str()).collect();
        let mut notes = Vec::new();
        let mut read = |path: &Path| -> Result<Rows, RunError> {
            let rows = Rows::read(path)?;
            notes.extend(rows.note.clone());
            Ok(rows)
        };
        let outputs = outputs.map(&mut read).transpose()?;
        let evidence = evidence.map(&mut read).transpose()?;
        let mut told = Told::new(&known);
        let outputs = outputs.map(|rows| told.outputs(rows)).transpose()?;
        let evidence = evidence
            .map(|rows| told.evidence(rows, &items, official))
            .transpose()?;
        notes.extend(told.notes);
        Ok(Self {
            items: Arc::new(items),
            outputs,
            evidence: evidence.unwrap_or_default(),
            notes,
        })
    }
}

/// What is noted on the way.
struct Told<'a> {
    items: &'a HashSet<&'a str>,
    notes: Vec<String>,
}

impl<'a> Told<'a> {
    fn new(items: &'a HashSet<&'a str>) -> Self {
        let notes = Vec::new();
        Self { items, notes }
    }

    fn outputs(&mut self, rows: Rows) -> Result<Vec<Output>, RunError> {
        let mut seen = Seen::new(&rows);
        let mut read = Vec::with_capacity(rows.rows.len());
        for row in rows.rows {
            let (line, implied) = (row.line, row.implies_repeat());
            let output = outputs::output(&rows.path, row)?;
            let place = (output.item.clone(), output.repeat, String::new());
            seen.add(&rows.path, line, implied, place)?;
            read.push(output);
        }
        self.tell(&seen, "outputs");
        Ok(read)
    }

    fn evidence(
        &mut self,
        rows: Rows,
        items: &[Item],
        official: Option<&OfficialResults>,
    ) -> Result<Vec<Evidence>, RunError> {
        let first = rows.rows.first();
        let is_of =
            |results: &&OfficialResults| first.is_some_and(|row| (results.recognise)(&row.fields));
        let official = official.filter(is_of);
        let mut seen = Seen::new(&rows);
        let mut read = Vec::with_capacity(rows.rows.len());
        for row in rows.rows {
            let (line, implied) = (row.line, official.is_none() && row.implies_repeat());
            let record = match official {
                Some(results) => evidence::official(&rows.path, &row, items, results)?,
                None => evidence::evidence(&rows.path, row)?,
            };
            let place = (record.item.clone(), record.repeat, record.observer.clone());
            seen.add(&rows.path, line, implied, place)?;
            read.push(record);
        }
        self.tell(&seen, "readings");
        Ok(read)
    }

    /// Notes what came more than once, and what nobody asked for.
    fn tell(&mut self, seen: &Seen, what: &str) {
        let name = &seen.name;
        if let Some(examples) = examples(&seen.again) {
            let count = seen.again.len();
            self.notes.push(format!(
                "{count} {what} have several records in {name}, of which the last counts: {examples}"
            ));
        }
        let strange = seen.lines.keys().map(|(item, ..)| item);
        let strange = strange.filter(|item| !self.items.contains(item.as_str()));
        let strange: BTreeSet<String> = strange.cloned().collect();
        if let Some(examples) = examples(&strange) {
            self.notes.push(format!(
                "records of {} items in {name} are passed over, since no item has their names: {examples}",
                strange.len()
            ));
        }
    }
}

/// A few of the names, in words; None where there are none.
fn examples(names: &BTreeSet<String>) -> Option<String> {
    const SHOWN: usize = 3;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    let more = if names.len() > SHOWN { ", …" } else { "" };
    (!shown.is_empty()).then(|| format!("{}{more}", shown.join(", ")))
}

/// An output: item, repeat, and who read it.
type Place = (String, u32, String);

/// The outputs that records were read of.
struct Seen {
    /// The file's name.
    name: String,
    /// The first line of each, and whether that line left its repeat out.
    lines: HashMap<Place, (usize, bool)>,
    /// Those that have several records.
    again: BTreeSet<String>,
}

impl Seen {
    fn new(rows: &Rows) -> Self {
        let name = rows.path.file_name().unwrap_or(rows.path.as_os_str());
        Self {
            name: name.display().to_string(),
            lines: HashMap::with_capacity(rows.rows.len()),
            again: BTreeSet::new(),
        }
    }

    /// # Errors
    /// When the output was there before and one of the two lines has no `repeat`: they may be two answers.
    fn add(
        &mut self,
        path: &Path,
        line: usize,
        implied: bool,
        place: Place,
    ) -> Result<(), RunError> {
        let Some((first, implied_first)) = self.lines.get(&place).copied() else {
            self.lines.insert(place, (line, implied));
            return Ok(());
        };
        let (item, repeat, _) = place;
        if implied || implied_first {
            return Err(RunError::line(
                path,
                line,
                format!(
                    "`{item}` has a record at line {first} already, and one of the two has no `repeat`: are they two \
                     answers, or one?"
                ),
                "number the answers of an item with `repeat` = 0, 1, …, or remove the record that does not count",
            ));
        }
        self.again.insert(match repeat {
            0 => item,
            repeat => format!("{item} (repeat {repeat})"),
        });
        Ok(())
    }
}
