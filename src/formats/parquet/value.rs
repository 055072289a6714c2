//! Values of Arrow arrays as JSON, and as pictures.

use crate::formats::table::{ImageEncoding, Picture};
use crate::record::Object;
use polars_arrow::array::{
    Array, BinaryViewArray, BooleanArray, ListArray, PrimitiveArray, StructArray, Utf8ViewArray,
};
use polars_arrow::datatypes::ArrowDataType;
use polars_arrow::types::NativeType;
use serde_json::{Number, Value};

/// What a row has in a column.
pub(super) enum Cell {
    Value(Value),
    Pictures(Vec<Picture>),
}

/// The value of a row as JSON.
///
/// # Errors
/// Fails if its type has none.
pub(super) fn json(array: &dyn Array, row: usize) -> Result<Value, String> {
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    let value = match array.dtype() {
        ArrowDataType::Null => Some(Value::Null),
        ArrowDataType::Boolean => downcast::<BooleanArray>(array).map(|a| a.value(row).into()),
        ArrowDataType::Int8 => number::<i8>(array, row),
        ArrowDataType::Int16 => number::<i16>(array, row),
        ArrowDataType::Int32 => number::<i32>(array, row),
        ArrowDataType::Int64 => number::<i64>(array, row),
        ArrowDataType::UInt8 => number::<u8>(array, row),
        ArrowDataType::UInt16 => number::<u16>(array, row),
        ArrowDataType::UInt32 => number::<u32>(array, row),
        ArrowDataType::UInt64 => number::<u64>(array, row),
        ArrowDataType::Float32 => {
            downcast::<PrimitiveArray<f32>>(array).map(|a| float(f64::from(a.value(row))))
        }
        ArrowDataType::Float64 => {
            downcast::<PrimitiveArray<f64>>(array).map(|a| float(a.value(row)))
        }
        ArrowDataType::Utf8View => downcast::<Utf8ViewArray>(array).map(|a| a.value(row).into()),
        ArrowDataType::BinaryView => {
            return Err(
                "it contains bytes; if these are pictures, set `images` under [items.map] to it"
                    .to_owned(),
            );
        }
        ArrowDataType::LargeList(_) => {
            let list = downcast::<ListArray<i64>>(array).map(|a| a.value(row));
            let Some(list) = list else {
                return Err(unknown(array));
            };
            let values = (0..list.len()).map(|at| json(list.as_ref(), at));
            Some(Value::Array(values.collect::<Result<_, _>>()?))
        }
        ArrowDataType::Struct(_) => {
            let Some(fields) = downcast::<StructArray>(array) else {
                return Err(unknown(array));
            };
            let mut object = Object::new();
            for (field, values) in fields.fields().iter().zip(fields.values()) {
                object.insert(field.name.to_string(), json(values.as_ref(), row)?);
            }
            Some(Value::Object(object))
        }
        _ => None,
    };
    value.ok_or_else(|| unknown(array))
}

/// The pictures of a row: bytes, a struct of `bytes` and `path`, a list of either; a text is a path, or
/// base64.
///
/// # Errors
/// Fails if the type holds no pictures.
pub(super) fn pictures(
    array: &dyn Array,
    row: usize,
    encoding: ImageEncoding,
) -> Result<Cell, String> {
    if array.is_null(row) {
        return Ok(Cell::Pictures(Vec::new()));
    }
    let by_path = encoding == ImageEncoding::Path;
    let text = match array.dtype() {
        ArrowDataType::Utf8View => true,
        ArrowDataType::LargeList(inner) => matches!(inner.dtype, ArrowDataType::Utf8View),
        _ => false,
    };
    if text && by_path {
        return json(array, row).map(Cell::Value);
    }
    let mut found = Vec::new();
    collect(array, row, &mut found)?;
    Ok(Cell::Pictures(found))
}

fn collect(array: &dyn Array, row: usize, found: &mut Vec<Picture>) -> Result<(), String> {
    if array.is_null(row) {
        return Ok(());
    }
    if let Some(bytes) = downcast::<BinaryViewArray>(array) {
        found.push(Picture::Bytes(bytes.value(row).to_vec()));
    } else if let Some(texts) = downcast::<Utf8ViewArray>(array) {
        found.push(Picture::Text(texts.value(row).to_owned()));
    } else if let Some(lists) = downcast::<ListArray<i64>>(array) {
        let list = lists.value(row);
        for at in 0..list.len() {
            collect(list.as_ref(), at, found)?;
        }
    } else if let Some(fields) = downcast::<StructArray>(array) {
        found.push(struct_picture(fields, row)?);
    } else {
        return Err(format!(
            "it is {:?}, but pictures are expected: bytes, a struct of `bytes` and `path`, or a list of either",
            array.dtype()
        ));
    }
    Ok(())
}

/// The hub's way: the bytes, or only the path that they had elsewhere.
fn struct_picture(fields: &StructArray, row: usize) -> Result<Picture, String> {
    let field = |name: &str| {
        let place = fields
            .fields()
            .iter()
            .position(|field| field.name == name)?;
        fields.values().get(place)
    };
    let bytes = field("bytes").and_then(|bytes| downcast::<BinaryViewArray>(bytes.as_ref()));
    let Some(bytes) = bytes else {
        return Err("it is a struct without a field `bytes` of bytes".to_owned());
    };
    if !bytes.is_null(row) {
        return Ok(Picture::Bytes(bytes.value(row).to_vec()));
    }
    let path = field("path").and_then(|path| downcast::<Utf8ViewArray>(path.as_ref()));
    let path = path.filter(|path| !path.is_null(row));
    Ok(Picture::Absent(match path {
        Some(path) => format!(
            "has no bytes, only the path {:?}; the dataset must be written with its pictures inside",
            path.value(row)
        ),
        None => "has neither bytes nor a path".to_owned(),
    }))
}

fn downcast<T: 'static>(array: &dyn Array) -> Option<&T> {
    array.as_any().downcast_ref()
}

fn number<T: NativeType + Into<Number>>(array: &dyn Array, row: usize) -> Option<Value> {
    downcast::<PrimitiveArray<T>>(array).map(|a| Value::Number(a.value(row).into()))
}

/// JSON has no NaN: it becomes null, as pandas means it.
fn float(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

fn unknown(array: &dyn Array) -> String {
    format!(
        "its type {:?} has no JSON form; to leave it out, name the needed columns under [items.map]",
        array.dtype()
    )
}
