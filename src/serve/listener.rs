//! Connections: their number, slow headers, and the end under load.

use super::app::{App, Ready};
use super::auth::Token;
use super::known::KnownItems;
use super::limits::Limits;
use super::queue::Looks;
use super::routes::router;
use crate::observe::ObserveError;
use crate::reward::Scorer;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// How long connections are taken that wait in the system's list when the server ends.
const LAST_CALL: Duration = Duration::from_millis(20);

/// What to serve.
pub struct ServeOptions {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The names of the rewards, for clients that ask before the observers are open.
    pub names: Vec<String>,
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

/// Serves rewards until a signal ends it: then what is in work is finished. `load` opens the observers while
/// clients already hear that the server loads; `on` hears how it goes.
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
    let ServeOptions {
        listen,
        names,
        token,
        known,
        limits,
    } = options;
    let app = Arc::new(App::new(limits, token, known, names));
    let refused = |error: io::Error| ServeError::Listen {
        address: listen,
        reason: error.to_string(),
    };
    let listener = runtime
        .block_on(TcpListener::bind(listen))
        .map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let (stop, stopped) = watch::channel(false);
    let accepting = runtime.spawn(accept(listener, app.clone(), stopped));
    on(ServeEvent::Listening(address));
    let served = open(&app, own.path(), load).and_then(|()| {
        // Until here, signals end the program at once.
        let ends = runtime.block_on(async { Ends::new() });
        let ends = ends.map_err(ServeError::system)?;
        on(ServeEvent::Ready);
        runtime.block_on(ends.first());
        on(ServeEvent::Draining);
        Ok(())
    });
    app.drain();
    // It fails only where the loop has ended already.
    let _ = stop.send(true);
    let _ = runtime.block_on(accepting);
    let ended = close(&app, own.path());
    // A thread that still decodes for a client that has gone is not waited for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    served?;
    ended.map_err(E::from)
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
    own: &std::path::Path,
    load: impl FnOnce() -> Result<Scorer, E>,
) -> Result<(), E> {
    let scorer = load()?;
    scorer.begin(own).map_err(ServeError::Observer)?;
    let looks = Looks::open(&scorer, &app.limits, &app.metrics).map_err(ServeError::system)?;
    app.open(Ready { scorer, looks });
    Ok(())
}

/// Ends the observers.
fn close(app: &App, own: &std::path::Path) -> Result<(), ServeError> {
    let Some(ready) = app.opened() else {
        return Ok(());
    };
    ready.looks.close(app.limits.drain);
    ready.scorer.end(own).map_err(ServeError::Observer)
}

/// Waits until the server ends.
async fn end(stopped: &mut watch::Receiver<bool>) {
    // It fails only where nobody can say it any more, which is the end too.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Takes connections until the server ends, and then waits for those that are in work.
async fn accept(listener: TcpListener, app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    let router = router(app.clone());
    let free = Arc::new(Semaphore::new(app.limits.connections));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let place = tokio::select! {
            biased;
            () = end(&mut stopped) => break,
            place = free.clone().acquire_owned() => place,
        };
        let Ok(place) = place else { break };
        let accepted = tokio::select! {
            biased;
            () = end(&mut stopped) => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let work = connection(
                    stream,
                    router.clone(),
                    app.limits.header,
                    stopped.clone(),
                    place,
                );
                connections.spawn(work);
            }
            // The system has no more files; connections that end give some back.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
    // Who connected before the end is answered too.
    let last = Instant::now() + LAST_CALL;
    while let Ok(place) = free.clone().try_acquire_owned()
        && let Ok(Ok((stream, _))) = timeout_at(last, listener.accept()).await
    {
        connections.spawn(connection(
            stream,
            router.clone(),
            app.limits.header,
            stopped.clone(),
            place,
        ));
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    // Those that are still in work then are cut off.
    let _ = timeout(app.limits.drain, all).await;
}

/// Serves one connection. At the end of the server, its request in work is answered first.
async fn connection(
    stream: TcpStream,
    router: Router,
    header: Duration,
    mut stopped: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
) {
    // Without it, small answers wait for more to send.
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router);
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(header)
            .serve_connection(TokioIo::new(stream), service)
    );
    tokio::select! {
        // How a connection ends, broken or not, is its client's concern.
        _ = connection.as_mut() => {}
        () = end(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// The signals that end the server.
#[cfg(unix)]
struct Ends {
    term: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Ends {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn first(mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The signals that end the server.
#[cfg(not(unix))]
struct Ends;

#[cfg(not(unix))]
impl Ends {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn first(self) {
        // Without a signal to wait for, the server runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
