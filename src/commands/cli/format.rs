//! The formats that an option takes.

use crate::table::{FORMATS, Format, formats};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

/// Takes the name of one of the formats.
pub(super) fn one_of(
    formats: impl IntoIterator<Item = &'static Format>,
) -> impl TypedValueParser<Value = &'static Format> {
    parser(formats, |format| PossibleValue::new(format.name))
}

/// Takes the name of any format; help says what each is for.
pub(super) fn any() -> impl TypedValueParser<Value = &'static Format> {
    parser(FORMATS.iter().copied(), |format| {
        PossibleValue::new(format.name).help(format.about)
    })
}

/// The formats that are text.
pub(super) fn texts() -> impl Iterator<Item = &'static Format> {
    let formats = FORMATS.iter().copied();
    formats.filter(|format| !format.binary)
}

fn parser(
    formats: impl IntoIterator<Item = &'static Format>,
    value: impl Fn(&Format) -> PossibleValue,
) -> impl TypedValueParser<Value = &'static Format> {
    let values: Vec<PossibleValue> = formats.into_iter().map(value).collect();
    PossibleValuesParser::new(values)
        .try_map(|name| formats::named(&name).ok_or_else(|| format!("there is no format `{name}`")))
}
