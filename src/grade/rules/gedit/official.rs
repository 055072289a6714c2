//! The tables that `test_gedit_score.py` writes and `calculate_statistics.py` reads.

use super::facts::{GROUPS, expected_or_tag, is_in_intersection, scores_of};
use crate::grade::rule::{Board, OfficialFile};
use crate::layout::{FolderLayout as _, Gedit, safe_name};
use crate::python::csv;
use crate::record::Item;
use std::collections::HashMap;

const HEADER: &str = "source_image,edited_image,instruction,sementics_score,quality_score,intersection_exist,instruction_language\r\n";

/// `MODEL_GROUP_gpt_score.csv` for each group with a score, and `MODEL_combined_gpt_score.csv`.
pub(super) fn files(board: &Board<'_>) -> Vec<OfficialFile> {
    let items: HashMap<&str, &Item> = board
        .items
        .iter()
        .map(|item| (item.item.as_str(), item))
        .collect();
    let mut groups: HashMap<&str, String> = HashMap::new();
    for grade in board.grades {
        let item = items.get(grade.item.as_str());
        let (Some(item), Some([sc, pq, _])) = (item, scores_of(grade)) else {
            continue;
        };
        let edited = Gedit.path(item, grade.repeat, "png");
        let source = Gedit.source_path(item, grade.repeat);
        let cells = [
            source.display().to_string(),
            board
                .root
                .join("outputs")
                .join(edited)
                .display()
                .to_string(),
            item.prompt.clone(),
            sc.to_string(),
            pq.to_string(),
            match is_in_intersection(item) {
                Some(true) => "True".to_owned(),
                Some(false) => "False".to_owned(),
                None => String::new(),
            },
            expected_or_tag(item, "language").unwrap_or("en").to_owned(),
        ];
        let group = expected_or_tag(item, "edit_type").unwrap_or_default();
        let lines = groups.entry(group).or_default();
        *lines += &(cells.map(|cell| csv::cell(&cell)).join(",") + "\r\n");
    }
    let known = GROUPS
        .iter()
        .filter_map(|group| Some((*group, groups.get(group)?)));
    let known: Vec<(&str, &String)> = known.collect();
    let combined: String = known.iter().map(|(_, lines)| lines.as_str()).collect();
    let model = safe_name(board.model);
    let file = |group: &str, lines: &str| OfficialFile {
        name: format!("{model}_{group}_gpt_score.csv"),
        text: format!("{HEADER}{lines}"),
    };
    let mut files: Vec<OfficialFile> = known
        .iter()
        .map(|(group, lines)| file(group, lines))
        .collect();
    if !combined.is_empty() {
        files.push(file("combined", &combined));
    }
    files
}
