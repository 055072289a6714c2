//! TOML values as JSON.

use serde_json::{Number, Value};
use toml::de::{DeInteger, DeTable, DeValue};

/// The JSON form of a TOML value: dates, and numbers that JSON lacks (`inf`, `nan`), become strings.
pub(super) fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => float_json(number),
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(date) => Value::String(date.to_string()),
        toml::Value::Array(values) => values.into_iter().map(json).collect(),
        toml::Value::Table(table) => table
            .into_iter()
            .map(|(key, value)| (key, json(value)))
            .collect(),
    }
}

/// The same for a table whose values have their positions. A whole number of more than 64 bits becomes a
/// string too, so that every table has a JSON form.
pub(super) fn located_json(table: &DeTable<'_>) -> Value {
    table
        .iter()
        .map(|(key, value)| (key.get_ref().to_string(), located_value(value.get_ref())))
        .collect()
}

fn located_value(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => integer_json(number),
        DeValue::Float(number) => {
            (number.as_str().parse()).map_or_else(|_| Value::String(number.to_string()), float_json)
        }
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(date) => Value::String(date.to_string()),
        DeValue::Array(values) => (values.iter())
            .map(|value| located_value(value.get_ref()))
            .collect(),
        DeValue::Table(table) => located_json(table),
    }
}

fn integer_json(number: &DeInteger<'_>) -> Value {
    let (digits, radix) = (number.as_str(), number.radix());
    if let Ok(number) = i64::from_str_radix(digits, radix) {
        Value::from(number)
    } else if let Ok(number) = u64::from_str_radix(digits, radix) {
        Value::from(number)
    } else {
        Value::String(number.to_string())
    }
}

fn float_json(number: f64) -> Value {
    Number::from_f64(number).map_or_else(|| Value::String(number.to_string()), Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_table_has_a_json_form() {
        let text = "large = 18446744073709551615\nhuge = 99999999999999999999\nhex = 0xff\n\
            half = -0.5\nnone = nan\nfar = 1e999\nday = 1979-05-27\nlist = [1_000, {on = true}]\n";
        let table = DeTable::parse(text).unwrap();
        assert_eq!(
            located_json(table.get_ref()),
            json!({"large": u64::MAX, "huge": "99999999999999999999", "hex": 255, "half": -0.5,
                "none": "NaN", "far": "inf", "day": "1979-05-27", "list": [1000, {"on": true}]})
        );
    }

    #[test]
    fn a_table_with_positions_has_the_same_form_as_one_without() {
        let text =
            "b = 1\na = [0.1, 2e3, inf, -nan]\n[c]\nz = \"text\"\ny = 1979-05-27T07:32:00Z\n";
        let plain: toml::Table = toml::from_str(text).unwrap();
        let located = DeTable::parse(text).unwrap();
        assert_eq!(
            located_json(located.get_ref()).to_string(),
            json(toml::Value::Table(plain)).to_string()
        );
    }
}
