//! Items from large tables with pictures inside. The pictures of a batch of rows at a time are written into a
//! folder, so that items have paths like those of any other suite.

use crate::config::{Flaw, ItemsSource, Mapping, Names, Prepare};
use crate::formats::table::{Columns, ImageEncoding, Picture, Row, RowResult};
use crate::formats::{self, Format, Place, Record};
use crate::suite::collect::{Collected, Items};
use crate::suite::error::{Problem, SuiteError, Wrong};
use crate::suite::map::Mapper;
use crate::suite::pictures::Pictures;
use rayon::prelude::*;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

/// A text of at most so many characters is not a picture in base64: it names the record that has the picture.
const LONGEST_INDEX: usize = 64;
/// The field by which a record names another.
const INDEX: &str = "index";

/// Whether a source is read this way.
pub(super) fn are_in(format: Format, source: &ItemsSource) -> bool {
    format.is_table() || source.map.image_encoding == ImageEncoding::Base64
}

/// Files of one kind that make one source.
pub(super) struct Tables<'a> {
    pub format: Format,
    pub files: &'a [PathBuf],
    /// What messages call the source.
    pub name: &'a str,
    pub pictures: Pictures,
}

impl Tables<'_> {
    /// The items of all rows that are asked, in their order, and the number of rows.
    ///
    /// # Errors
    /// Fails if a file cannot be read, or any row is broken: nothing is skipped silently.
    pub(super) fn items(
        &self,
        mapper: &Mapper<'_>,
        source: &ItemsSource,
    ) -> Result<(Items, usize), SuiteError> {
        let columns = columns(mapper, source);
        let mut making = Making {
            mapper,
            pictures: &self.pictures,
            map: &source.map,
            rows: 0,
            known: HashMap::new(),
            waiting: Vec::new(),
            broken: HashSet::new(),
            collected: Collected::new(mapper.leave_out()),
        };
        for file in self.files {
            let among = match self.files {
                [_] => None,
                _ => file.file_name().and_then(|name| name.to_str()),
            };
            let mut sink = |rows: Vec<RowResult>| making.add_rows(rows);
            formats::read_rows(self.format, file, among, &columns, &mut sink)?;
        }
        making.finish_waiting();
        Ok((making.collected.finish(self.name)?, making.rows))
    }
}

fn columns(mapper: &Mapper<'_>, source: &ItemsSource) -> Columns {
    let (images, all_images) = match &source.map.images {
        None => (vec!["images".to_owned()], false),
        Some(Names::One(name)) => (vec![name.clone()], true),
        Some(Names::Several(names)) => (names.clone(), false),
    };
    let compared = source.map.compare_with.clone();
    let images = images.into_iter().chain(compared).collect();
    Columns {
        fields: mapper.fields(),
        images,
        all_images,
        encoding: source.map.image_encoding,
    }
}

/// Where a picture is.
enum Link {
    Path(String),
    /// With the record of this index.
    Of(String),
}

/// A row whose own pictures are written.
struct Written {
    /// The number among all rows, from 0.
    number: usize,
    record: Record,
    links: Vec<(String, Vec<Link>)>,
    /// Columns whose pictures cannot be used, and what is wrong with them.
    broken: Vec<(String, Problem)>,
}

impl Written {
    /// The index by which other rows name this one.
    fn index(&self) -> Option<String> {
        match self.record.fields.get(INDEX)? {
            Value::String(text) => Some(text.trim().to_owned()),
            other => Some(other.to_string()),
        }
    }
}

/// The making of items from rows.
struct Making<'a> {
    mapper: &'a Mapper<'a>,
    pictures: &'a Pictures,
    map: &'a Mapping,
    rows: usize,
    /// The paths by column and index, where pictures may be shared.
    known: HashMap<(String, String), Vec<String>>,
    /// Columns and indices of rows whose pictures are broken.
    broken: HashSet<(String, String)>,
    /// Rows that name a later one.
    waiting: Vec<Written>,
    collected: Collected,
}

impl Making<'_> {
    fn add_rows(&mut self, rows: Vec<RowResult>) {
        let first = self.rows;
        self.rows += rows.len();
        let written: Vec<Result<Option<Written>, Problem>> = rows
            .into_par_iter()
            .enumerate()
            .map(|(at, row)| self.write(first + at, row?))
            .collect();
        let mut ready = Vec::with_capacity(written.len());
        for result in written {
            match result {
                Ok(Some(mut written)) => {
                    if !written.broken.is_empty() {
                        self.refuse(written);
                        continue;
                    }
                    self.remember(&written);
                    match self.resolve(&mut written) {
                        Ok(()) => ready.push(written),
                        Err(_) => self.waiting.push(written),
                    }
                }
                Ok(None) => {}
                Err(problem) => self.collected.problem(problem),
            }
        }
        self.map(ready);
    }

    /// Maps the rows that wait for a row which has come since.
    fn finish_waiting(&mut self) {
        let mut ready = Vec::new();
        for mut written in std::mem::take(&mut self.waiting) {
            match self.resolve(&mut written) {
                Ok(()) => ready.push(written),
                Err(problem) if self.asks(&written) => self.collected.problem(problem),
                Err(_) => {}
            }
        }
        if !ready.is_empty() {
            self.map(ready);
            self.collected.sort();
        }
    }

    /// Writes the row's own pictures. `None` if the row is not asked.
    fn write(&self, number: usize, row: Row) -> Result<Option<Written>, Problem> {
        let Row { record, pictures } = row;
        let mut lists = pictures.iter().flat_map(|(_, list)| list);
        // Where pictures are shared, a row that is asked may need the picture of a row that is not.
        let shared = lists.any(|picture| matches!(picture, Picture::Text(_)));
        if !shared {
            let asked = self.mapper.keeps(&record.fields);
            if !asked.map_err(|message| Problem::new(record.place.clone(), message))? {
                return Ok(None);
            }
        }
        let mut links = Vec::with_capacity(pictures.len());
        let mut broken = Vec::new();
        for (column, list) in pictures {
            // The pictures that outputs are compared with are not prepared.
            let compared = self.map.compare_with.as_ref() == Some(&column);
            let prepare = self.map.prepare.filter(|_| !compared);
            let found: Result<Vec<Link>, Wrong> = list
                .iter()
                .map(|picture| self.link(picture, prepare))
                .collect();
            match found {
                Ok(found) => links.push((column, found)),
                Err(wrong) => {
                    let place = record.place.clone().column(&column);
                    broken.push((column, Problem::of_record(place, wrong)));
                }
            }
        }
        Ok(Some(Written {
            number,
            record,
            links,
            broken,
        }))
    }

    fn link(&self, picture: &Picture, prepare: Option<Prepare>) -> Result<Link, Wrong> {
        let keep = |bytes: &[u8]| match prepare {
            None => self.pictures.keep(bytes).map(Link::Path),
            Some(how) => self.pictures.keep_prepared(bytes, how).map(Link::Path),
        };
        match picture {
            Picture::Bytes(bytes) => keep(bytes),
            Picture::Text(text) if text.len() <= LONGEST_INDEX => {
                Ok(Link::Of(text.trim().to_owned()))
            }
            Picture::Text(text) => {
                let bytes = Pictures::of_base64(text);
                keep(&bytes.map_err(|message| Flaw::BrokenPicture.wrong(message))?)
            }
            Picture::Absent(why) => Err(Flaw::BrokenPicture.wrong(format!("the picture {why}"))),
        }
    }

    /// Whether the row is asked, and is not only a source of pictures for other rows.
    fn asks(&self, written: &Written) -> bool {
        self.mapper.keeps(&written.record.fields) != Ok(false)
    }

    /// Records what is wrong with the first picture of a row, and which pictures other rows cannot take from
    /// it.
    fn refuse(&mut self, written: Written) {
        let index = written.index();
        let asked = self.asks(&written);
        for (place, (column, problem)) in written.broken.into_iter().enumerate() {
            let index = index.clone();
            self.broken.extend(index.map(|index| (column, index)));
            if asked && place == 0 {
                self.collected.problem(problem);
            }
        }
    }

    /// Keeps the paths of a row that others may name.
    fn remember(&mut self, written: &Written) {
        let Some(index) = written.index() else {
            return;
        };
        for (column, links) in &written.links {
            let own = links.iter().filter_map(|link| match link {
                Link::Path(path) => Some(path.clone()),
                Link::Of(_) => None,
            });
            let own: Vec<String> = own.collect();
            if !own.is_empty() {
                self.known.insert((column.clone(), index.clone()), own);
            }
        }
    }

    /// Puts paths into the record's fields.
    fn resolve(&self, written: &mut Written) -> Result<(), Problem> {
        for (column, links) in &written.links {
            let mut paths: Vec<Value> = Vec::with_capacity(links.len());
            for link in links {
                match link {
                    Link::Path(path) => paths.push(path.as_str().into()),
                    Link::Of(index) => {
                        let key = (column.clone(), index.clone());
                        let Some(known) = self.known.get(&key) else {
                            let place = written.record.place.clone().column(column);
                            let wrong = if self.broken.contains(&key) {
                                Flaw::BrokenPicture.wrong(format!(
                                    "the picture of the record whose `{INDEX}` is {index:?} cannot be used"
                                ))
                            } else {
                                Wrong::from(format!(
                                    "{index:?} is not a picture in base64, and no record with a picture has this `{INDEX}`"
                                ))
                            };
                            return Err(Problem::of_record(place, wrong));
                        };
                        paths.extend(known.iter().map(|path| path.as_str().into()));
                    }
                }
            }
            let fields = &mut written.record.fields;
            fields.insert(column.clone(), Value::Array(paths));
        }
        Ok(())
    }

    fn map(&mut self, ready: Vec<Written>) {
        let mapper = self.mapper;
        let made: Vec<_> = ready
            .into_par_iter()
            .map(|Written { number, record, .. }| -> (usize, Place, _) {
                let place = record.place.clone();
                (number, place, mapper.items(number, record))
            })
            .collect();
        for (number, place, items) in made {
            match items {
                Ok(items) => self.collected.add(number, &place, items),
                Err(wrong) => self.collected.problem(Problem::of_record(place, wrong)),
            }
        }
    }
}
