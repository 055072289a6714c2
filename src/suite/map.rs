//! From records to items: which field means what.

use crate::config::{ConfigError, Expect, FieldOrValue, Loaded, Mapping, SuiteFile, nearest};
use crate::record::{Item, Object, Task};
use crate::suite::images::Images;
use crate::suite::read::Record;
use crate::text::python_list;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;

mod template;

use template::Template;

/// The keys of an item's record; all others of a record that has `expect` are kept beside them.
const ITEM_KEYS: [&str; 7] = ["item", "id", "task", "prompt", "images", "expect", "tags"];
/// Ids become names of files.
const MAX_ID_BYTES: usize = 200;

/// Makes items of one suite.
pub(super) struct Mapper<'a> {
    task: Task,
    id: Option<Template>,
    map: &'a Mapping,
    images: Images,
}

impl<'a> Mapper<'a> {
    /// # Errors
    /// When the template of the id is malformed.
    pub(super) fn new(suite: &'a Loaded<SuiteFile>, images: Images) -> Result<Self, ConfigError> {
        let map = &suite.definition.items.map;
        let id = map.id.as_deref().map(Template::parse).transpose();
        let id = id.map_err(|message| {
            let help = "for example: id = \"{prompt_id:04}\"".to_owned();
            suite
                .document
                .mistake(&["items", "map", "id"], message, Some(help))
        })?;
        Ok(Self {
            task: suite.definition.task,
            id,
            map,
            images,
        })
    }

    /// The item of the `index`-th record (from 0), or what is wrong with it.
    pub(super) fn item(&self, index: usize, record: Record) -> Result<Item, String> {
        let fields = &record.fields;
        let id = match &self.id {
            Some(template) => template.fill(index, &record)?,
            None => plain_id(&record)?,
        };
        check_id(&id)?;
        let prompt_field = self.map.prompt.as_deref().unwrap_or("prompt");
        let prompt = string(fields, prompt_field)?.to_owned();
        if prompt.trim().is_empty() {
            return Err(format!("the field `{prompt_field}` is empty"));
        }
        let images = self.images(fields)?;
        let tags = self.tags(fields)?;
        let history = self.history(fields)?;
        let (expect, mut extra) = self.expect(record.fields)?;
        if let Some(history) = history {
            extra.insert("history".into(), history);
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
        let name = self.map.images.as_deref();
        let value = match name {
            Some(name) => field(fields, name)?,
            None => fields.get("images").unwrap_or(&Value::Null),
        };
        let wrong = || {
            let name = name.unwrap_or("images");
            format!("the field `{name}` must be the path of an image or a list of them")
        };
        let paths: Vec<String> = match value {
            Value::Null => Vec::new(),
            Value::String(path) => vec![path.clone()],
            Value::Array(paths) => paths
                .iter()
                .map(|path| path.as_str().map(str::to_owned).ok_or_else(wrong))
                .collect::<Result<_, _>>()?,
            _ => return Err(wrong()),
        };
        for path in &paths {
            self.images.check(path)?;
        }
        Ok(paths)
    }

    /// What was said before the prompt, with its images checked as the item's own.
    fn history(&self, fields: &Object) -> Result<Option<Value>, String> {
        let Some(Value::Array(turns)) = fields.get("history") else {
            return Ok(None);
        };
        let images = turns
            .iter()
            .filter_map(|turn| turn.get("images")?.as_array());
        for path in images.flatten().filter_map(Value::as_str) {
            self.images.check(path)?;
        }
        Ok(Some(compact_value(Value::Array(turns.clone()))))
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
            "there is no `id`; name the field under [items.map], or count: id = \"{@index:05}\""
                .to_owned()
        }),
    }
}

/// The same object without the spare room that parsing leaves: an item is kept for the whole run, and there may be a
/// million of them.
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

/// A tag's text; null leaves the tag out.
fn tag_text(tag: &str, value: &Value) -> Result<Option<String>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(flag) => Ok(Some(flag.to_string())),
        other => plain(other)
            .map(Some)
            .ok_or_else(|| format!("the tag `{tag}` must be a string, a number, true or false")),
    }
}

/// A string or a number as text.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn value<'a>(fields: &'a Object, source: &'a FieldOrValue) -> Result<Cow<'a, Value>, String> {
    match source {
        FieldOrValue::Field(name) => field(fields, name).map(Cow::Borrowed),
        FieldOrValue::Value { value } => Ok(Cow::Borrowed(value)),
        FieldOrValue::PythonList { python_list } => {
            let strings = python_list::strings(string(fields, python_list)?)
                .map_err(|why| format!("the field `{python_list}` is no list: {why}"))?;
            Ok(Cow::Owned(strings.into()))
        }
    }
}

fn string<'a>(fields: &'a Object, name: &str) -> Result<&'a str, String> {
    field(fields, name)?
        .as_str()
        .ok_or_else(|| format!("the field `{name}` must be a string"))
}

pub(super) fn field<'a>(fields: &'a Object, name: &str) -> Result<&'a Value, String> {
    fields.get(name).ok_or_else(|| {
        let names = || fields.keys().map(String::as_str);
        match nearest(name, names()) {
            Some(near) => format!("the field `{name}` is missing; did you mean `{near}`?"),
            None => {
                let names: Vec<&str> = names().take(12).collect();
                format!("the field `{name}` is missing among: {}", names.join(", "))
            }
        }
    })
}
