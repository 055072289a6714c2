//! Requests for answers in one piece instead of a stream.

use crate::record::Object;
use serde_json::Value;

/// Asks for the answer in one piece, unless the settings say otherwise. Some gateways stream by default.
pub(super) fn disable_streaming(body: &mut Object) {
    body.entry("stream").or_insert(Value::Bool(false));
}
