//! The Porter stemmer (Porter, Program 1980) with the changes that NLTK's `PorterStemmer` makes by default.

/// Words whose stem does not follow the rules.
const IRREGULAR: [(&str, &str); 16] = [
    ("sky", "sky"),
    ("skies", "sky"),
    ("dying", "die"),
    ("lying", "lie"),
    ("tying", "tie"),
    ("news", "news"),
    ("innings", "inning"),
    ("inning", "inning"),
    ("outings", "outing"),
    ("outing", "outing"),
    ("cannings", "canning"),
    ("canning", "canning"),
    ("howe", "howe"),
    ("proceed", "proceed"),
    ("exceed", "exceed"),
    ("succeed", "succeed"),
];

const STEP_2: [(&str, &str); 20] = [
    ("ational", "ate"),
    ("tional", "tion"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("izer", "ize"),
    ("bli", "ble"),
    ("alli", "al"),
    ("entli", "ent"),
    ("eli", "e"),
    ("ousli", "ous"),
    ("ization", "ize"),
    ("ation", "ate"),
    ("ator", "ate"),
    ("alism", "al"),
    ("iveness", "ive"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("aliti", "al"),
    ("iviti", "ive"),
    ("biliti", "ble"),
];

const STEP_3: [(&str, &str); 7] = [
    ("icate", "ic"),
    ("ative", ""),
    ("alize", "al"),
    ("iciti", "ic"),
    ("ical", "ic"),
    ("ful", ""),
    ("ness", ""),
];

const STEP_4: [&str; 19] = [
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou",
    "ism", "ate", "iti", "ous", "ive", "ize",
];

/// The stem of a word, in lower case. Words of one or two characters are their own stems.
pub fn stem(word: &str) -> String {
    let lower = word.to_lowercase();
    if let Some((_, stem)) = IRREGULAR.iter().find(|(form, _)| *form == lower) {
        return (*stem).to_owned();
    }
    if word.chars().nth(2).is_none() {
        return lower;
    }
    let mut stem: Vec<char> = lower.chars().collect();
    step_1a(&mut stem);
    step_1b(&mut stem);
    step_1c(&mut stem);
    step_2(&mut stem);
    step_3(&mut stem);
    step_4(&mut stem);
    step_5(&mut stem);
    stem.into_iter().collect()
}

/// The characters before the suffix.
fn before<'a>(word: &'a [char], suffix: &str) -> Option<&'a [char]> {
    let start = word.len().checked_sub(suffix.len())?;
    let (stem, end) = word.split_at(start);
    end.iter().copied().eq(suffix.chars()).then_some(stem)
}

/// Keeps `length` characters and adds `ending`.
fn replace(word: &mut Vec<char>, length: usize, ending: &str) {
    word.truncate(length);
    word.extend(ending.chars());
}

fn is_vowel(letter: char) -> bool {
    matches!(letter, 'a' | 'e' | 'i' | 'o' | 'u')
}

/// Whether each character is a consonant: not a vowel. A `y` counts as a vowel after a consonant.
fn consonants(word: &[char]) -> impl Iterator<Item = bool> {
    let mut previous = false;
    word.iter().map(move |&letter| {
        previous = match letter {
            'y' => !previous,
            _ => !is_vowel(letter),
        };
        previous
    })
}

/// The number of times that a consonant follows a vowel.
fn measure(word: &[char]) -> usize {
    let mut previous = true;
    let mut count = 0;
    for consonant in consonants(word) {
        count += usize::from(consonant && !previous);
        previous = consonant;
    }
    count
}

fn contains_vowel(word: &[char]) -> bool {
    consonants(word).any(|consonant| !consonant)
}

fn ends_in_consonant(word: &[char]) -> bool {
    consonants(word).last() == Some(true)
}

fn ends_in_double_consonant(word: &[char]) -> bool {
    matches!(word, [.., a, b] if a == b) && ends_in_consonant(word)
}

/// Consonant, vowel and a consonant other than w, x and y, or a whole word of a vowel and a consonant.
fn ends_in_short_syllable(word: &[char]) -> bool {
    let flags: Vec<bool> = consonants(word).collect();
    match flags[..] {
        [false, true] => true,
        [.., true, false, true] => !matches!(word.last(), Some('w' | 'x' | 'y')),
        _ => false,
    }
}

fn step_1a(word: &mut Vec<char>) {
    let length = word.len();
    if before(word, "sses").is_some() {
        word.truncate(length - 2);
    } else if before(word, "ies").is_some() {
        word.truncate(length - if length == 4 { 1 } else { 2 });
    } else if before(word, "ss").is_none() && before(word, "s").is_some() {
        word.truncate(length - 1);
    }
}

fn step_1b(word: &mut Vec<char>) {
    let length = word.len();
    if before(word, "ied").is_some() {
        word.truncate(length - if length == 4 { 1 } else { 2 });
        return;
    }
    if let Some(stem) = before(word, "eed") {
        if measure(stem) > 0 {
            word.truncate(length - 1);
        }
        return;
    }
    let stripped = ["ed", "ing"]
        .iter()
        .find_map(|suffix| before(word, suffix).filter(|stem| contains_vowel(stem)));
    let Some(length) = stripped.map(<[char]>::len) else {
        return;
    };
    word.truncate(length);
    let restored = ["at", "bl", "iz"]
        .iter()
        .any(|end| before(word, end).is_some());
    if restored {
        word.push('e');
    } else if ends_in_double_consonant(word) {
        if !matches!(word.last(), Some('l' | 's' | 'z')) {
            word.truncate(length - 1);
        }
    } else if before(word, "*d").is_some() {
        // NLTK takes its own sign for a double consonant as an ending.
        replace(word, length - 2, "d");
    } else if measure(word) == 1 && ends_in_short_syllable(word) {
        word.push('e');
    }
}

fn step_1c(word: &mut Vec<char>) {
    if let Some(stem) = before(word, "y")
        && stem.len() > 1
        && ends_in_consonant(stem)
    {
        let length = stem.len();
        replace(word, length, "i");
    }
}

fn step_2(word: &mut Vec<char>) {
    if let Some(stem) = before(word, "alli")
        && measure(stem) > 0
    {
        let length = stem.len();
        replace(word, length, "al");
        // The rule is applied again to the rest, which is shorter.
        return step_2(word);
    }
    let rule = STEP_2
        .iter()
        .find_map(|(suffix, ending)| Some((before(word, suffix)?, *ending)));
    let (stem, counted, ending) = match rule {
        Some((stem, ending)) => (stem, stem, ending),
        None => {
            if let Some(stem) = before(word, "fulli") {
                (stem, stem, "ful")
            } else if let Some(stem) = before(word, "logi") {
                // The l counts as part of the stem.
                (stem, &word[..stem.len() + 1], "log")
            } else {
                return;
            }
        }
    };
    if measure(counted) > 0 {
        let length = stem.len();
        replace(word, length, ending);
    }
}

fn step_3(word: &mut Vec<char>) {
    let rule = STEP_3
        .iter()
        .find_map(|(suffix, ending)| Some((before(word, suffix)?, *ending)));
    if let Some((stem, ending)) = rule
        && measure(stem) > 0
    {
        let length = stem.len();
        replace(word, length, ending);
    }
}

fn step_4(word: &mut Vec<char>) {
    let rule = STEP_4
        .iter()
        .find_map(|suffix| Some((before(word, suffix)?, *suffix)));
    if let Some((stem, suffix)) = rule
        && measure(stem) > 1
        && (suffix != "ion" || matches!(stem.last(), Some('s' | 't')))
    {
        let length = stem.len();
        word.truncate(length);
    }
}

fn step_5(word: &mut Vec<char>) {
    if let Some(stem) = before(word, "e") {
        let measure = measure(stem);
        if measure > 1 || (measure == 1 && !ends_in_short_syllable(stem)) {
            let length = stem.len();
            word.truncate(length);
        }
    }
    if before(word, "ll").is_some() && measure(&word[..word.len() - 1]) > 1 {
        word.truncate(word.len() - 1);
    }
}
