//! GenAI-Bench's prompts (`genai_image.json`) with the skills of each (`genai_skills.json`).

use super::description::{FormatDescription, Reading, Several};
use super::record::{Place, Raw};
use crate::record::Object;
use crate::text::json;
use serde_json::Value;

/// GenAI-Bench's two files.
pub(super) static GENAI_BENCH: FormatDescription = FormatDescription {
    name: "genai-bench",
    about: "GenAI-Bench's two files together, `genai_image.json` and `genai_skills.json`: each prompt gets the list of \
            its `skills`.",
    expected: "GenAI-Bench's prompts and their skills",
    extensions: &[],
    own_json: Some(Several::Array),
    reading: Reading::Text(|text, _| read(text)),
};

/// A record for every prompt, from an array of both files' objects.
fn read(text: &str) -> Result<Vec<Raw<'static>>, String> {
    let files: Vec<Object> = json::read(text.as_bytes()).map_err(|_| {
        "an array of genai_image.json and genai_skills.json was expected".to_owned()
    })?;
    let lists = |file: &&Object| file.values().all(Value::is_array);
    let (skills, prompts): (Vec<&Object>, Vec<&Object>) = files.iter().partition(lists);
    let ([skills], [prompts]) = (&skills[..], &prompts[..]) else {
        return Err(
            "genai_image.json (objects by id) and genai_skills.json (lists of ids) were expected"
                .to_owned(),
        );
    };
    Ok(prompts
        .iter()
        .map(|(id, fields)| record(id, fields, skills))
        .collect())
}

fn record(id: &str, fields: &Value, skills: &Object) -> Raw<'static> {
    let place = Place::Key(id.to_owned());
    let (Some(fields), Ok(number)) = (fields.as_object(), id.parse::<u64>()) else {
        return Raw::broken(place, "an object under a number was expected");
    };
    let has = |ids: &Value| {
        let mut ids = ids.as_array().into_iter().flatten();
        ids.any(|id| id.as_u64() == Some(number))
    };
    let own = skills.iter().filter(|(_, ids)| has(ids));
    let own: Vec<Value> = own.map(|(skill, _)| skill.as_str().into()).collect();
    let group = match ["basic", "advanced"]
        .into_iter()
        .find(|group| own.contains(&(*group).into()))
    {
        Some(group) => group.into(),
        None => Value::Null,
    };
    let mut fields = fields.clone();
    fields.insert("skills".to_owned(), own.into());
    fields.insert("group".to_owned(), group);
    Raw::parsed(place, Some(id.to_owned()), fields)
}
