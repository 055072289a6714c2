//! WordNet 3.0 (Fellbaum, 1998) as the Natural Language Toolkit distributes it: the synonyms of a word, found
//! through WordNet's own morphology (`morphy`), as NLTK's reader finds them.

use crate::python::whitespace::words;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::str::SplitAsciiWhitespace;

/// The error that WordNet cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read WordNet from `{}`: {problem}", path.display())]
pub struct WordNetError {
    path: PathBuf,
    problem: String,
}

/// Endings of inflected forms, and the endings that replace them in the dictionary.
type Endings = &'static [(&'static str, &'static str)];

const NOUN: Endings = &[
    ("s", ""),
    ("ses", "s"),
    ("ves", "f"),
    ("xes", "x"),
    ("zes", "z"),
    ("ches", "ch"),
    ("shes", "sh"),
    ("men", "man"),
    ("ies", "y"),
];
const VERB: Endings = &[
    ("s", ""),
    ("ies", "y"),
    ("es", "e"),
    ("es", ""),
    ("ed", "e"),
    ("ed", ""),
    ("ing", "e"),
    ("ing", ""),
];
const ADJECTIVE: Endings = &[("er", ""), ("est", ""), ("er", "e"), ("est", "e")];

/// The parts of speech, under their names in the files.
const PARTS: [(&str, Endings); 4] = [
    ("noun", NOUN),
    ("verb", VERB),
    ("adj", ADJECTIVE),
    ("adv", &[]),
];

/// The dictionary in memory (about 40 MB).
#[derive(Debug)]
pub struct WordNet {
    parts: Vec<Part>,
}

/// A part of speech.
#[derive(Debug)]
struct Part {
    endings: Endings,
    /// The offsets of the synsets of a lemma in `data`.
    index: HashMap<Box<str>, Box<[usize]>>,
    /// The base forms of irregular forms.
    exceptions: HashMap<Box<str>, Vec<Box<str>>>,
    data: String,
}

impl WordNet {
    /// Reads the folder with `index.noun`, `data.noun`, `noun.exc` and so on, or the archive `wordnet.zip`
    /// with this folder.
    ///
    /// # Errors
    /// Fails if a file is absent or is not a file of WordNet.
    pub fn open(path: &Path) -> Result<Self, WordNetError> {
        let wrong = |problem: String| WordNetError {
            path: path.to_owned(),
            problem,
        };
        let mut source = Source::open(path).map_err(|error| wrong(error.to_string()))?;
        let mut parts = Vec::with_capacity(PARTS.len());
        for (name, endings) in PARTS {
            let mut read = |file: String| {
                let text = source.read(&file);
                text.map_err(|error| wrong(format!("{file}: {error}")))
            };
            let index_file = format!("index.{name}");
            let index = read(index_file.clone())?;
            let index = index_of(&index).map_err(|line| {
                wrong(format!(
                    "{index_file}, line {line}: not an index of WordNet"
                ))
            })?;
            parts.push(Part {
                endings,
                index,
                exceptions: exceptions_of(&read(format!("{name}.exc"))?),
                data: read(format!("data.{name}"))?,
            });
        }
        Ok(Self { parts })
    }

    /// The single-word lemmas, in their spelling, of all synsets of a lower-case word and of its possible
    /// base forms.
    pub fn synonyms(&self, word: &str) -> Vec<&str> {
        let mut synonyms = Vec::new();
        for part in &self.parts {
            for form in part.morphy(word) {
                for &offset in part.index.get(form.as_str()).into_iter().flatten() {
                    synonyms.extend(part.lemmas(offset).filter(|lemma| !lemma.contains('_')));
                }
            }
        }
        synonyms.sort_unstable();
        synonyms.dedup();
        synonyms
    }
}

impl Part {
    /// The word and its possible base forms, if the dictionary has them.
    fn morphy(&self, word: &str) -> Vec<String> {
        let mut forms = vec![word.to_owned()];
        match self.exceptions.get(word) {
            Some(bases) => forms.extend(bases.iter().map(|base| base.to_string())),
            None => forms.extend(self.endings.iter().filter_map(|(ending, base)| {
                Some(format!("{}{base}", word.strip_suffix(ending)?))
            })),
        }
        forms.retain(|form| self.index.contains_key(form.as_str()));
        forms
    }

    /// The lemmas of the synset at an offset, without the marks for the position of an adjective.
    fn lemmas(&self, offset: usize) -> impl Iterator<Item = &str> {
        let line = self.data.get(offset..).unwrap_or_default();
        let mut fields = line
            .split('\n')
            .next()
            .unwrap_or_default()
            .split_ascii_whitespace();
        // The fields are the offset, the number of the lexicographer's file, the part of speech and the count
        // of lemmas, and then each lemma with its number.
        let count = fields
            .nth(3)
            .and_then(|count| usize::from_str_radix(count, 16).ok());
        fields.step_by(2).take(count.unwrap_or(0)).map(|lemma| {
            let marked = lemma
                .strip_suffix(')')
                .and_then(|marked| marked.rsplit_once('('));
            marked.map_or(lemma, |(plain, _)| plain)
        })
    }
}

/// Reads an index. An error is the number of the line.
fn index_of(text: &str) -> Result<HashMap<Box<str>, Box<[usize]>>, usize> {
    let mut index = HashMap::with_capacity(text.len() / 40);
    for (number, line) in text.lines().enumerate() {
        // The licence at the top is indented.
        if line.starts_with(' ') {
            continue;
        }
        let (lemma, offsets) = entry(line.split_ascii_whitespace()).ok_or(number + 1)?;
        index.insert(lemma.into(), offsets);
    }
    Ok(index)
}

/// Reads an entry: the lemma, the part of speech, the count of synsets, the pointer symbols and their count,
/// the count of senses, the count of ranked senses, and the offsets.
fn entry(mut fields: SplitAsciiWhitespace<'_>) -> Option<(&str, Box<[usize]>)> {
    let lemma = fields.next()?;
    let synsets: usize = fields.nth(1)?.parse().ok()?;
    let pointers: usize = fields.next()?.parse().ok()?;
    let offsets = fields.skip(pointers.checked_add(2)?).take(synsets);
    let offsets: Box<[usize]> = offsets
        .map(|field| field.parse().ok())
        .collect::<Option<_>>()?;
    (offsets.len() == synsets && synsets > 0).then_some((lemma, offsets))
}

fn exceptions_of(text: &str) -> HashMap<Box<str>, Vec<Box<str>>> {
    let entry = |line| {
        let mut forms = words(line);
        Some((forms.next()?.into(), forms.map(Into::into).collect()))
    };
    text.lines().filter_map(entry).collect()
}

/// The place of the files.
enum Source {
    Folder(PathBuf),
    Archive(Box<zip::ZipArchive<File>>),
}

impl Source {
    fn open(path: &Path) -> io::Result<Self> {
        if path.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        let archive = zip::ZipArchive::new(File::open(path)?)?;
        Ok(Self::Archive(Box::new(archive)))
    }

    fn read(&mut self, name: &str) -> io::Result<String> {
        match self {
            Self::Folder(folder) => fs::read_to_string(folder.join(name)),
            Self::Archive(archive) => {
                let mut text = String::new();
                let mut file = archive.by_name(&format!("wordnet/{name}"))?;
                file.read_to_string(&mut text)?;
                Ok(text)
            }
        }
    }
}
