//! Bounds on what is in memory: who finds no room waits, and is refused at its deadline.

use super::limits::Limits;
use super::refusal::Refusal;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// Memory is counted in these units, since a semaphore's numbers have 32 bits.
const UNIT: u64 = 1024;

/// The room for bodies and pictures.
#[derive(Debug)]
pub(super) struct Room {
    bodies: Share,
    pictures: Share,
    decoded: Share,
}

/// One bounded quantity. Who waits is served in the order of coming.
#[derive(Debug)]
struct Share {
    all: u32,
    free: Arc<Semaphore>,
}

/// Room that is taken; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Taken(#[allow(dead_code)] Vec<OwnedSemaphorePermit>);

impl Share {
    fn new(all: u64) -> Self {
        let all = u32::try_from(all).unwrap_or(u32::MAX).max(1);
        Self {
            all,
            free: Arc::new(Semaphore::new(all as usize)),
        }
    }

    /// Waits for so much of it until the deadline.
    async fn take(&self, much: u64, deadline: Instant) -> Result<OwnedSemaphorePermit, Refusal> {
        let much = u32::try_from(much).unwrap_or(u32::MAX);
        let taken = timeout_at(deadline, self.free.clone().acquire_many_owned(much)).await;
        match taken {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Refusal::overload()),
        }
    }

    fn in_use(&self) -> u64 {
        u64::from(self.all).saturating_sub(self.free.available_permits() as u64)
    }
}

impl Room {
    /// Empty room within these limits.
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            bodies: Share::new((limits.bodies.max(limits.body) as u64).div_ceil(UNIT)),
            pictures: Share::new(limits.pictures as u64),
            decoded: Share::new(limits.decoded.div_ceil(UNIT)),
        }
    }

    /// Room for a body of so many bytes.
    ///
    /// # Errors
    /// Refuses when there is none until the deadline.
    pub(super) async fn body(&self, bytes: usize, deadline: Instant) -> Result<Taken, Refusal> {
        let permit = self
            .bodies
            .take((bytes as u64).div_ceil(UNIT), deadline)
            .await?;
        Ok(Taken(vec![permit]))
    }

    /// Room for the pictures of a request, all at once.
    ///
    /// # Errors
    /// Refuses when there is none until the deadline, and at once when they never fit.
    pub(super) async fn pictures(
        &self,
        count: usize,
        bytes: u64,
        deadline: Instant,
    ) -> Result<Taken, Refusal> {
        let units = bytes.div_ceil(UNIT);
        if count as u64 > u64::from(self.pictures.all) || units > u64::from(self.decoded.all) {
            return Err(Refusal::too_large(format!(
                "the {count} pictures of this request have {bytes} bytes when they are decoded; there is room for {} \
                 pictures and {} bytes",
                self.pictures.all,
                u64::from(self.decoded.all) * UNIT
            )));
        }
        let pictures = self.pictures.take(count as u64, deadline).await?;
        let decoded = self.decoded.take(units, deadline).await?;
        Ok(Taken(vec![pictures, decoded]))
    }

    /// Bytes of the decoded pictures that wait or are in work.
    pub(super) fn decoded_bytes(&self) -> u64 {
        self.decoded.in_use() * UNIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn room() -> Room {
        Room::new(&Limits {
            pictures: 4,
            decoded: 8 * UNIT,
            ..Limits::default()
        })
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(20)
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().build().unwrap();
        runtime.block_on(future)
    }

    #[test]
    fn who_finds_no_room_waits_and_is_refused_at_the_deadline() {
        run(async {
            let room = room();
            let first = room.pictures(3, 7 * UNIT, soon()).await.unwrap();
            assert_eq!(room.decoded_bytes(), 7 * UNIT);
            let refused = room.pictures(1, 2 * UNIT, soon()).await.unwrap_err();
            assert_eq!(refused, Refusal::overload());
            drop(first);
            room.pictures(4, 8 * UNIT, soon()).await.unwrap();
            assert_eq!(room.decoded_bytes(), 0);
        });
    }

    #[test]
    fn what_never_fits_is_refused_at_once() {
        run(async {
            let far = Instant::now() + Duration::from_secs(3600);
            assert!(room().pictures(5, 1, far).await.is_err());
            assert!(room().pictures(1, 9 * UNIT, far).await.is_err());
        });
    }
}
