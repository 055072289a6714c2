//! From records to items: which field means what.

use crate::config::{
    ConfigError, Expect, FieldOrValue, Flaw, Loaded, Mapping, Names, SuiteFile, Wanted,
};
use crate::formats::{Record, lists};
use crate::record::{Item, Object, Task};
use crate::suite::error::Wrong;
use crate::suite::images::Images;
use serde_json::Value;
use std::collections::BTreeMap;

mod choice;
mod fields;
mod prompt;
mod template;

use choice::Question;
pub(super) use fields::{field, plain};
use fields::{paths, string, tag_text, value};
use prompt::Prompt;
use template::{OPTIONS, Template};

/// The keys of an item's record; all others of a record that has `expect` are kept beside them.
const ITEM_KEYS: [&str; 7] = ["item", "id", "task", "prompt", "images", "expect", "tags"];
/// The longest id, in bytes: ids become names of files.
const MAX_ID_BYTES: usize = 200;

/// Makes items of one suite.
pub(super) struct Mapper<'a> {
    task: Task,
    id: Option<Template>,
    prompt: Prompt,
    /// The prompt of a record with options, where it has its own.
    choice_prompt: Option<Prompt>,
    keep: &'a BTreeMap<String, Wanted>,
    leave_out: &'a [Flaw],
    map: &'a Mapping,
    images: Images,
}

impl<'a> Mapper<'a> {
    /// # Errors
    /// Fails if the template of the id or of a prompt is malformed.
    pub(super) fn new(suite: &'a Loaded<SuiteFile>, images: Images) -> Result<Self, ConfigError> {
        let map = &suite.definition.items.map;
        let mistake = |path: &[&str], message: String, help: &str| {
            let path = [&["items", "map"], path].concat();
            suite
                .document
                .mistake(&path, message, Some(help.to_owned()))
        };
        let id = map.id.as_deref().map(Template::parse).transpose();
        let id = id
            .map_err(|message| mistake(&["id"], message, "for example: id = \"{prompt_id:04}\""))?;
        let help = "for example: prompt = \"{question}\\nAnswer with a single word.\"";
        let prompt = Prompt::parse(map.prompt.as_deref().unwrap_or("prompt"))
            .map_err(|message| mistake(&["prompt"], message, help))?;
        let choice_prompt = map
            .choice
            .as_ref()
            .and_then(|choice| choice.prompt.as_deref());
        let choice_prompt = choice_prompt
            .map(Prompt::parse)
            .transpose()
            .map_err(|message| mistake(&["choice", "prompt"], message, help))?;
        Ok(Self {
            task: suite.definition.task,
            id,
            prompt,
            choice_prompt,
            keep: &suite.definition.items.keep,
            leave_out: &suite.definition.items.leave_out,
            map,
            images,
        })
    }

    /// The fields that are read, with whether each must be there. `None` if all are.
    pub(super) fn fields(&self) -> Option<BTreeMap<String, bool>> {
        let expect: Vec<&str> = match self.map.expect.as_ref()? {
            Expect::All(_) => return None,
            Expect::Fields(names) => names.iter().map(String::as_str).collect(),
            Expect::Named(names) => names.values().filter_map(FieldOrValue::field).collect(),
        };
        let tags = self.map.tags.iter().flatten();
        let tags = tags.filter_map(|(_, source)| source.field());
        let plain = expect.into_iter().chain(tags).map(|name| (name, true));
        let kept = self.keep.keys().map(|name| (name.as_str(), true));
        let each = self.map.each.iter().map(|name| (name.as_str(), true));
        let templates = self.id.iter().flat_map(Template::names);
        let prompts = [Some(&self.prompt), self.choice_prompt.as_ref()];
        let prompts = prompts.into_iter().flatten().flat_map(Prompt::names);
        let choice = self.map.choice.iter().flat_map(choice::fields);
        let own = ["item", "id", "index"].map(|name| (name, false));
        let mut fields = BTreeMap::new();
        let all = plain.chain(kept).chain(each).chain(templates);
        for (name, needed) in all.chain(prompts).chain(choice).chain(own) {
            *fields.entry(name.to_owned()).or_insert(false) |= needed;
        }
        Some(fields)
    }

    /// The faults whose records the suite leaves out.
    pub(super) fn leave_out(&self) -> &'a [Flaw] {
        self.leave_out
    }

    /// Whether the record is asked.
    ///
    /// # Errors
    /// Fails if a field that decides this is missing, or is not a plain value.
    pub(super) fn keeps(&self, fields: &Object) -> Result<bool, String> {
        for (name, wanted) in self.keep {
            let value = field(fields, name)?;
            let text = plain(value)
                .ok_or_else(|| format!("the field `{name}` must be a string or a number"))?;
            let fits = match wanted {
                Wanted::Values(values) => values.contains(&text),
                Wanted::Below { below } => match text.trim().parse::<f64>() {
                    Ok(number) => number < *below,
                    Err(_) => {
                        return Err(format!(
                            "the field `{name}` is {text:?}, which is not a number"
                        ));
                    }
                },
            };
            if !fits {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The items of the `index`-th record (from 0), or what is wrong with it.
    pub(super) fn items(&self, index: usize, mut record: Record) -> Result<Vec<Item>, Wrong> {
        if !self.keeps(&record.fields)? {
            return Ok(Vec::new());
        }
        for name in &self.map.lists {
            lists::read(&mut record.fields, name);
        }
        let mut items = Vec::new();
        let Some(name) = &self.map.each else {
            self.ask(index, record, &mut items)?;
            return Ok(items);
        };
        let values = string(&record.fields, name)?.to_owned();
        for value in values.split(',').map(str::trim) {
            let mut one = record.clone();
            one.fields.insert(name.clone(), value.into());
            self.ask(index, one, &mut items)?;
        }
        Ok(items)
    }

    fn ask(&self, index: usize, record: Record, items: &mut Vec<Item>) -> Result<(), Wrong> {
        let choice = self.map.choice.as_ref();
        let question = match choice {
            Some(choice) => Question::of_record(choice, &record.fields, self.leave_out)?,
            None => None,
        };
        let Some(question) = question else {
            items.push(self.item(index, record, None)?);
            return Ok(());
        };
        if !choice.is_some_and(|choice| choice.circular) {
            items.push(self.item(index, record, Some(&question))?);
            return Ok(());
        }
        let rotations = question.options.len();
        for rotation in 0..rotations {
            let turned = question.rotated(rotation);
            let mut item = self.item(index, record.clone(), Some(&turned))?;
            let id = std::mem::take(&mut item.item);
            item.item = format!("{id}~{rotation}");
            check_id(&item.item)?;
            item.expect.insert("question".into(), id.into());
            item.expect.insert("rotation".into(), rotation.into());
            item.expect.insert("rotations".into(), rotations.into());
            items.push(item);
        }
        Ok(())
    }

    fn item(
        &self,
        index: usize,
        mut record: Record,
        question: Option<&Question>,
    ) -> Result<Item, String> {
        let id = match &self.id {
            Some(template) => template.fill_in(index, &record)?,
            None => plain_id(&record)?,
        };
        check_id(&id)?;
        let prompt = match (question, &self.choice_prompt) {
            (Some(_), Some(prompt)) => prompt,
            _ => &self.prompt,
        };
        if let Some(question) = question {
            let lines = question.lines().into();
            record.fields.insert(OPTIONS.to_owned(), lines);
        }
        let prompt = prompt.fill_in(index, &record)?;
        record.fields.shift_remove(OPTIONS);
        let fields = &record.fields;
        let images = self.images(fields)?;
        let tags = self.tags(fields)?;
        let history = self.history(fields)?;
        let compare_with = self.compare_with(fields)?;
        let input_from = fields.get("input_from").cloned();
        let (mut expect, mut extra) = self.expect(record.fields)?;
        if let Some(question) = question {
            question.add_to(&mut expect);
        }
        if let Some(history) = history {
            extra.insert("history".into(), history);
        }
        if let Some(paths) = compare_with {
            extra.insert("compare_with".into(), paths.into());
        }
        if let Some(input_from) = input_from {
            if !input_from.is_string() || self.task != Task::Edit {
                return Err(
                    "`input_from` is the id of an earlier edit, whose output this one starts from"
                        .into(),
                );
            }
            extra.insert("input_from".into(), input_from);
        }
        Ok(Item {
            item: id,
            task: self.task,
            prompt,
            images,
            expect: compact(expect),
            tags: tags.into_iter().collect(),
            extra,
        })
    }

    fn images(&self, fields: &Object) -> Result<Vec<String>, String> {
        let paths = match &self.map.images {
            None => paths("images", fields.get("images").unwrap_or(&Value::Null))?,
            Some(Names::One(name)) => paths(name, field(fields, name)?)?,
            Some(Names::Several(names)) => {
                let mut all = Vec::new();
                for name in names {
                    let value = fields.get(name).unwrap_or(&Value::Null);
                    if value.as_str() != Some("") {
                        all.extend(paths(name, value)?);
                    }
                }
                all
            }
        };
        self.located(paths)
    }

    /// Paths of pictures as the file system spells them.
    fn located(&self, paths: Vec<String>) -> Result<Vec<String>, String> {
        let located = paths
            .into_iter()
            .map(|path| Ok(self.images.respelled(&path)?.unwrap_or(path)));
        located.collect()
    }

    /// The pictures that outputs are compared with, where they are not the input images.
    fn compare_with(&self, fields: &Object) -> Result<Option<Vec<String>>, String> {
        let Some(name) = &self.map.compare_with else {
            return Ok(None);
        };
        let paths = paths(name, field(fields, name)?)?;
        self.located(paths).map(Some)
    }

    /// The turns before the prompt. Their images are checked like the item's own.
    fn history(&self, fields: &Object) -> Result<Option<Value>, String> {
        let Some(Value::Array(turns)) = fields.get("history") else {
            return Ok(None);
        };
        let mut turns = turns.clone();
        let images = turns
            .iter_mut()
            .filter_map(|turn| turn.get_mut("images")?.as_array_mut());
        for image in images.flatten() {
            let respelled = image.as_str().map(|path| self.images.respelled(path));
            if let Some(spelled) = respelled.transpose()?.flatten() {
                *image = spelled.into();
            }
        }
        Ok(Some(compact_value(Value::Array(turns))))
    }

    /// What the grader gets, and the record's further keys.
    fn expect(&self, mut fields: Object) -> Result<(Object, Object), String> {
        let expect = match &self.map.expect {
            None => match fields.get_mut("expect").map(Value::take) {
                Some(Value::Object(expect)) => {
                    fields.retain(|key, _| !ITEM_KEYS.contains(&key.as_str()));
                    return Ok((expect, fields));
                }
                Some(other) => {
                    fields.insert("expect".to_owned(), other);
                    fields
                }
                None => fields,
            },
            Some(Expect::All(_)) => fields,
            Some(Expect::Fields(names)) => names
                .iter()
                .map(|name| Ok((name.clone(), field(&fields, name)?.clone())))
                .collect::<Result<_, String>>()?,
            Some(Expect::Named(names)) => names
                .iter()
                .map(|(name, source)| Ok((name.clone(), value(&fields, source)?.into_owned())))
                .collect::<Result<_, String>>()?,
        };
        Ok((expect, Object::new()))
    }

    fn tags(&self, fields: &Object) -> Result<BTreeMap<String, String>, String> {
        let mut tags = BTreeMap::new();
        if let Some(map) = &self.map.tags {
            for (tag, source) in map {
                if let Some(text) = tag_text(tag, value(fields, source)?.as_ref())? {
                    tags.insert(tag.clone(), text);
                }
            }
        } else if let Some(Value::Object(own)) = fields.get("tags") {
            for (tag, value) in own {
                if let Some(text) = tag_text(tag, value)? {
                    tags.insert(tag.clone(), text);
                }
            }
        }
        Ok(tags)
    }
}

/// A record's own id, or its key in an object keyed by id.
fn plain_id(record: &Record) -> Result<String, String> {
    let own = ["item", "id"]
        .into_iter()
        .find_map(|name| record.fields.get(name));
    match own {
        Some(value) => plain(value).ok_or_else(|| "the id must be a string or a number".to_owned()),
        None => record.key.clone().ok_or_else(|| {
            "there is no `id`; set its field under [items.map], or use the index: id = \"{@index:05}\""
                .to_owned()
        }),
    }
}

/// The same object without the spare memory that parsing leaves: a run keeps all its items, of which there
/// may be a million.
fn compact(object: Object) -> Object {
    let mut small = Object::with_capacity(object.len());
    for (key, value) in object {
        small.insert(key, compact_value(value));
    }
    small
}

fn compact_value(value: Value) -> Value {
    match value {
        Value::Array(values) => Value::Array(
            values
                .into_iter()
                .map(compact_value)
                .collect::<Box<[_]>>()
                .into_vec(),
        ),
        Value::Object(object) => Value::Object(compact(object)),
        plain => plain,
    }
}

fn check_id(id: &str) -> Result<(), String> {
    let unfit = |character: char| "/\\".contains(character) || character.is_control();
    if id.is_empty() || id.starts_with('.') || id.contains(unfit) || id.len() > MAX_ID_BYTES {
        return Err(format!(
            "the id {id:?} cannot be the name of a file: no `/`, `\\`, control characters or leading dot, \
             at most {MAX_ID_BYTES} bytes"
        ));
    }
    Ok(())
}
