//! Limits how fast a server is asked: by the requests at the same time, by the requests and tokens per
//! minute, and by the pauses that the server asks for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

/// Shared by all calls to one server. The number of places is halved when the server is busy, and grows again
/// one by one.
#[derive(Debug)]
pub(super) struct Pace {
    places: Arc<Semaphore>,
    most: usize,
    /// Seconds between two requests, and seconds per token.
    per_request: f64,
    per_token: f64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The number of places, and the number that there should be.
    now: usize,
    target: usize,
    /// Answers since the last reduction, and since the last place was added.
    since_cut: usize,
    since_growth: usize,
    next_request: Instant,
    next_token: Instant,
    resume: Instant,
}

/// A place for a request on its way. It is given back when dropped.
pub(super) struct Turn<'a> {
    pace: &'a Pace,
    place: Option<OwnedSemaphorePermit>,
}

impl Pace {
    /// Rates are per minute. `None` sets no limit.
    pub(super) fn new(places: usize, requests: Option<f64>, tokens: Option<f64>) -> Self {
        let (most, now) = (places.max(1), Instant::now());
        let seconds = |rate: Option<f64>| rate.map_or(0.0, |rate| 60.0 / rate);
        Self {
            places: Arc::new(Semaphore::new(most)),
            most,
            per_request: seconds(requests),
            per_token: seconds(tokens),
            state: Mutex::new(State {
                now: most,
                target: most,
                since_cut: most,
                since_growth: 0,
                next_request: now,
                next_token: now,
                resume: now,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place, and until the rates allow `tokens` more.
    pub(super) async fn wait_for_turn(&self, tokens: u64) -> Turn<'_> {
        // The semaphore is never closed.
        let place = self.places.clone().acquire_owned().await.ok();
        let turn = Turn { pace: self, place };
        loop {
            let resume = self.lock().resume;
            if resume <= Instant::now() {
                break;
            }
            sleep_until(resume).await;
        }
        let at = {
            let (mut state, now) = (self.lock(), Instant::now());
            let at = state.next_request.max(state.next_token).max(now);
            state.next_request = at + Duration::from_secs_f64(self.per_request);
            state.next_token = at + Duration::from_secs_f64(self.per_token * tokens as f64);
            at
        };
        if at > Instant::now() {
            sleep_until(at).await;
        }
        turn
    }

    /// Records an answer. `estimated` is the number of tokens that were expected.
    pub(super) fn answered(&self, estimated: u64, actual: Option<u64>) {
        let mut state = self.lock();
        if let Some(actual) = actual {
            let more = (actual as f64 - estimated as f64) * self.per_token;
            let shift = Duration::from_secs_f64(more.abs());
            state.next_token = if more < 0.0 {
                state
                    .next_token
                    .checked_sub(shift)
                    .unwrap_or(state.next_token)
            } else {
                state.next_token + shift
            };
        }
        state.since_cut += 1;
        state.since_growth += 1;
        if state.since_growth >= state.target && state.target < self.most {
            (state.target, state.since_growth) = (state.target + 1, 0);
        }
        if state.now < state.target {
            self.places.add_permits(state.target - state.now);
            state.now = state.target;
        }
    }

    /// The server is overloaded: halves the places, once for all requests on their way, and pauses all
    /// requests.
    pub(super) fn slow_down(&self, wait: Duration) {
        let mut state = self.lock();
        if state.since_cut >= state.now {
            state.target = (state.target / 2).max(1);
            (state.since_cut, state.since_growth) = (0, 0);
        }
        state.resume = state.resume.max(Instant::now() + wait);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.pace.lock();
        if let Some(place) = self.place.take()
            && state.now > state.target
        {
            place.forget();
            state.now -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        runtime.unwrap().block_on(future)
    }

    #[test]
    fn requests_and_tokens_keep_their_distance() {
        // 50 ms a request, 1 ms a token: the fourth may go after 40 + 60 + 50 ms.
        let pace = Pace::new(8, Some(1200.0), Some(60_000.0));
        let start = Instant::now();
        run(async {
            for tokens in [40, 60, 10, 10] {
                drop(pace.wait_for_turn(tokens).await);
            }
        });
        let seconds = start.elapsed().as_secs_f64();
        assert!((0.159..1.0).contains(&seconds), "{seconds}");
    }

    #[test]
    fn a_busy_server_gets_fewer_places_and_gets_them_back() {
        let pace = Pace::new(8, None, None);
        run(async {
            let mut turns = Vec::new();
            for _ in 0..8 {
                turns.push(pace.wait_for_turn(0).await);
            }
            // All eight are told to wait: one cut.
            (0..8).for_each(|_| pace.slow_down(Duration::ZERO));
            drop(turns);
            assert_eq!(pace.places.available_permits(), 4);
            (0..4 + 5 + 6 + 7).for_each(|_| pace.answered(0, None));
            assert_eq!(pace.places.available_permits(), 8);
        });
    }
}
