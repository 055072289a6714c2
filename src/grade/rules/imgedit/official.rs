//! The files that ImgEdit's own scripts write and read: replies, averages of items, averages of types.

use super::{ImgEdit, Variant};
use crate::grade::judge;
use crate::grade::rule::{Board, Case, OfficialFile};
use crate::record::{Evidence, Object};
use serde_json::Value;
use std::collections::HashMap;

/// `result.json` (the judge's replies by item), `average_score.json` and `typescore.json`, of every item's
/// first picture. Items without a reply are left out, since an entry that is not text stops the official
/// scripts.
pub(super) fn files(rule: &ImgEdit, board: &Board<'_>) -> Vec<OfficialFile> {
    let mut evidence: HashMap<&str, Vec<&Evidence>> = HashMap::new();
    for record in board.evidence.iter().filter(|record| record.repeat == 0) {
        evidence.entry(&record.item).or_default().push(record);
    }
    let scores: HashMap<&str, f64> = (board.grades.iter())
        .filter(|grade| grade.repeat == 0)
        .filter_map(|grade| Some((grade.item.as_str(), grade.score?)))
        .collect();
    let (mut replies, mut averages) = (Object::new(), Object::new());
    for item in board.items {
        let seen = evidence.get(item.item.as_str());
        let case = Case {
            item,
            repeat: 0,
            output: None,
            evidence: seen.map(Vec::as_slice).unwrap_or_default(),
        };
        let Ok(calls) = judge::calls(&case, rule.0.observer.as_deref()) else {
            continue;
        };
        let names = rule.score_names(item).unwrap_or_default();
        let read = |reply: &str| rule.read(rule.0.parsing, names, reply);
        let reply = match judge::first_readable(&calls, "judge", rule.0.parsing, read) {
            Ok((call, _)) => Some(call.reply),
            Err(_) => calls.last().map(|call| call.reply.clone()),
        };
        if let Some(reply) = reply {
            replies.insert(item.item.clone(), (*reply).into());
        }
        if let Some(score) = scores.get(item.item.as_str()) {
            averages.insert(item.item.clone(), (*score).into());
        }
    }
    if replies.is_empty() {
        return Vec::new();
    }
    let mut files = vec![
        file("result.json", replies),
        file("average_score.json", averages),
    ];
    if rule.0.variant == Variant::Basic {
        let types = super::type_means(board, |grade| grade.score.filter(|_| grade.repeat == 0));
        let types = types.into_iter().map(|(kind, mean)| (kind, mean.into()));
        files.push(file("typescore.json", types.collect()));
    }
    files
}

fn file(name: &str, object: Object) -> OfficialFile {
    OfficialFile {
        name: name.to_owned(),
        text: format!("{:#}\n", Value::Object(object)),
    }
}
