//! Signs for reading: a word of letters in one row of cells.

use super::GRID;
use super::draw;
use super::random::Random;
use super::split::Split;
use super::thing::{Cell, Color, Form};
use image::RgbImage;

/// Short English words. Training never sees every fifth of them.
pub const WORDS: [&str; 80] = [
    "ACE", "ANT", "ARM", "ART", "BAG", "BAT", "BED", "BEE", "BIRD", "BOX", "CAB", "CAKE", "CAT",
    "COW", "CUP", "DAY", "DOG", "DOOR", "DUCK", "EAR", "EGG", "EYE", "FAN", "FISH", "FLAG", "FOX",
    "GAME", "GAS", "GIFT", "GOLD", "HAT", "HEN", "HILL", "ICE", "INK", "IRON", "JAM", "JAR", "JET",
    "KEY", "KING", "KITE", "LAMP", "LEG", "LION", "MAP", "MILK", "MOON", "NET", "NOSE", "NUT",
    "OAK", "OIL", "OWL", "PARK", "PEN", "PIG", "QUIZ", "RAIN", "RED", "RING", "ROAD", "SEA",
    "SHIP", "STAR", "SUN", "TAXI", "TEA", "TREE", "UP", "VAN", "VASE", "WAX", "WEB", "WOLF", "YAK",
    "YES", "ZERO", "ZIP", "ZOO",
];

/// Whether training sees the word with this index in the list.
pub fn split(index: usize) -> Split {
    if index % 5 == 4 {
        Split::HeldOut
    } else {
        Split::Seen
    }
}

/// The prompt for a word.
pub fn prompt(word: &str) -> String {
    format!("a sign that says {word}")
}

/// The letters of a word in one colour, in a random row from a random column on. Characters other than A to Z
/// leave their cells empty, and letters beyond the edge are left out.
pub fn sign(word: &str, color: Color, random: &mut Random) -> RgbImage {
    let mut picture = draw::blank();
    let letters = word.len().min(GRID);
    let row = random.below(GRID) as u8;
    let first = random.below(GRID - letters + 1) as u8;
    for (column, letter) in (first..).zip(word.bytes().take(letters)) {
        if letter.is_ascii_uppercase() {
            let form = Form::Letter(letter - b'A');
            draw::draw_form(&mut picture, form, color, Cell { row, column });
        }
    }
    picture
}
