//! Waiting that an interruption ends.

use crate::cancel::Cancel;
use futures_util::future::{Either, select};
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

/// How often the flag is looked at.
const SLICE: Duration = Duration::from_millis(50);

/// The future's value, or None as soon as the flag is raised.
pub async fn unless<T>(cancel: &Cancel, future: impl Future<Output = T>) -> Option<T> {
    let raised = async {
        while !cancel.is_raised() {
            tokio::time::sleep(SLICE).await;
        }
    };
    match select(pin!(future), pin!(raised)).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(_) => None,
    }
}
