//! Python and numpy as official scripts use them: what they read, print and draw at random, exact to the
//! byte.
//!
//! Most official scripts are written in Python. Their scores depend on how Python splits a text, rounds a
//! number or shuffles a list.
//!
//! | file | idea |
//! |---|---|
//! | [`whitespace`] | `str.strip`, `str.split`, `\s` |
//! | [`str`](mod@str) | `splitlines`, `isdigit`, `int()` of a judge's reply, `round(x, 2)` |
//! | [`number`] | whole numbers and decimal digits of any script |
//! | [`float`] | `float()` |
//! | [`value`] | plain values, and how `str` and `repr` print them |
//! | [`literal`] | `ast.literal_eval` |
//! | [`json`] | `json.dumps` and `json.loads` |
//! | [`csv`] | a cell of a table |
//! | [`numpy_rng`] | `numpy.random.default_rng` |

pub mod csv;
pub mod float;
pub mod json;
pub mod literal;
pub mod number;
pub mod numpy_rng;
pub mod str;
pub mod value;
pub mod whitespace;
