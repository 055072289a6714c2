//! The life of the server: it listens, opens the observers, and ends.

use super::app::{App, Ready};
use super::auth::Token;
use super::connections::accept;
use super::known::KnownItems;
use super::limits::Limits;
use super::queue::Looks;
use super::signals::EndSignals;
use crate::config::RewardDefinition;
use crate::observe::ObserveError;
use crate::reward::Scorer;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What to serve.
pub struct ServeOptions {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The rewards, which clients hear of before the observers are open.
    pub rewards: Vec<RewardDefinition>,
    /// The token that requests must carry.
    pub token: Option<Token>,
    /// Items by their prompts.
    pub known: KnownItems,
    /// The bounds.
    pub limits: Limits,
}

/// Why the server cannot serve.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ServeError {
    /// The address cannot be had.
    #[error("cannot listen on {address}: {reason}")]
    #[diagnostic(help("choose another address with `--listen`"))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        reason: String,
    },
    /// The system gives no threads or signals.
    #[error("the server cannot start: {reason}")]
    #[diagnostic(help("check the limits of the system"))]
    System {
        /// What the system says.
        reason: String,
    },
    /// An observer cannot begin or end.
    #[error("an observer of these rewards failed: {0}")]
    #[diagnostic(help("check what the observer needs"))]
    Observer(ObserveError),
}

impl ServeError {
    fn system(error: io::Error) -> Self {
        Self::System {
            reason: error.to_string(),
        }
    }
}

/// Serves rewards until a signal ends it: then what is in work is finished, or cut off by a second signal.
/// `load` opens the observers while clients already hear that the server loads; `on` hears how it goes.
///
/// # Errors
/// Fails if the address cannot be had, or `load` fails.
pub fn serve<E: From<ServeError>>(
    options: ServeOptions,
    load: impl FnOnce() -> Result<Scorer, E>,
    on: impl Fn(ServeEvent),
) -> Result<(), E> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(ServeError::system)?;
    let own = tempfile::tempdir().map_err(ServeError::system)?;
    let (listener, address) = runtime.block_on(listen(options.listen))?;
    let app = Arc::new(App::new(options));
    let (stop, stopped) = watch::channel(false);
    let accepting = runtime.spawn(accept(listener, app.clone(), stopped));
    on(ServeEvent::Listening(address));
    let opened = open(&app, own.path(), load).and_then(|ready| {
        // Until here, signals end the program at once.
        let signals = runtime.block_on(async { EndSignals::catch() });
        let signals = signals.map_err(ServeError::system)?;
        app.open(ready);
        Ok(signals)
    });
    let mut served = opened.map(|mut signals| {
        on(ServeEvent::Ready);
        runtime.block_on(signals.next());
        on(ServeEvent::Draining);
        signals
    });
    let end = Instant::now() + app.limits.drain;
    app.drain();
    // It fails only where the loop has ended already.
    let _ = stop.send(true);
    let patient = runtime.block_on(finish(accepting, served.as_mut().ok()));
    let end = if patient { end } else { Instant::now() };
    let closed = close(&app, own.path(), end);
    // A thread that still decodes for a client that has gone is not waited for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    served.and(closed.map_err(E::from))
}

/// Listens on an address. Port 0 becomes a free one.
///
/// # Errors
/// Fails if the address cannot be had.
async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let refused = |error: io::Error| ServeError::Listen {
        address,
        reason: error.to_string(),
    };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let own = listener.local_addr().map_err(refused)?;
    Ok((listener, own))
}

/// Waits for the connections. A second signal cuts them off, and then the result is false.
///
/// A signal within a second of the first is the same one: a process and its group may both get it.
async fn finish(mut accepting: JoinHandle<()>, signals: Option<&mut EndSignals>) -> bool {
    let Some(signals) = signals else {
        // Its error is that of a cut, which nobody made.
        let _ = accepting.await;
        return true;
    };
    let begun = Instant::now();
    let second = async {
        while begun.elapsed() < Duration::from_secs(1) {
            signals.next().await;
        }
    };
    tokio::select! {
        _ = &mut accepting => true,
        () = second => {
            accepting.abort();
            false
        }
    }
}

/// What the server tells while it works.
#[derive(Debug, Clone, Copy)]
pub enum ServeEvent {
    /// Clients can connect.
    Listening(SocketAddr),
    /// All observers are open.
    Ready,
    /// The end has begun.
    Draining,
}

/// Opens the observers.
fn open<E: From<ServeError>>(
    app: &App,
    own: &Path,
    load: impl FnOnce() -> Result<Scorer, E>,
) -> Result<Ready, E> {
    let scorer = load()?;
    scorer.begin(own).map_err(ServeError::Observer)?;
    let looks = Looks::open(&scorer, &app.limits, &app.metrics).map_err(ServeError::system)?;
    Ok(Ready { scorer, looks })
}

/// Ends the observers. A look that is still in work at `end` is not waited for.
fn close(app: &App, own: &Path, end: Instant) -> Result<(), ServeError> {
    let Some(ready) = app.opened() else {
        return Ok(());
    };
    ready.looks.close(end);
    ready.scorer.end(own).map_err(ServeError::Observer)
}
