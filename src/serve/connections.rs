//! Connections: their number, slow headers, and their end.

use super::app::App;
use super::impatient::Impatient;
use super::limits::Limits;
use super::routes::router;
use axum::Router;
use futures_util::FutureExt;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// How long the server still takes connections that wait in the system's list when it ends.
const LAST_CALL: Duration = Duration::from_millis(20);

/// How long an open connection may still begin a request when the server ends. A request may be on its way
/// when the signal comes.
const GRACE: Duration = Duration::from_millis(500);

/// Waits until the server ends.
async fn end(stopped: &mut watch::Receiver<bool>) {
    // It fails only where nobody can say it any more, which is the end too.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Takes connections until the server ends, and then waits for those that are in work.
pub(super) async fn accept(
    listener: TcpListener,
    app: Arc<App>,
    mut stopped: watch::Receiver<bool>,
) {
    let free = Arc::new(Semaphore::new(app.limits.connections));
    let mut open = Open {
        router: router(app.clone()),
        limits: app.limits.clone(),
        stopped: stopped.clone(),
        connections: JoinSet::new(),
    };
    loop {
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
            Ok((stream, _)) => open.add(stream, place),
            // The system has no more files; connections that end give some back.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
    // Who connected before the end is answered too.
    let last = Instant::now() + LAST_CALL;
    while Instant::now() < last
        && let Ok(place) = free.clone().try_acquire_owned()
        && let Ok(Ok((stream, _))) = timeout_at(last, listener.accept()).await
    {
        open.add(stream, place);
    }
    // The list is empty when it is thrown away, but for who comes in this very moment.
    while let Ok(place) = free.clone().try_acquire_owned()
        && let Some(Ok((stream, _))) = listener.accept().now_or_never()
    {
        open.add(stream, place);
    }
    drop(listener);
    let all = async { while open.connections.join_next().await.is_some() {} };
    // Those that are still in work then are cut off.
    let _ = timeout(app.limits.drain, all).await;
}

/// The open connections.
struct Open {
    router: Router,
    limits: Limits,
    stopped: watch::Receiver<bool>,
    connections: JoinSet<()>,
}

impl Open {
    /// Serves one more connection, which has its place until it ends.
    fn add(&mut self, stream: TcpStream, place: OwnedSemaphorePermit) {
        while self.connections.try_join_next().is_some() {}
        let work = connection(
            stream,
            self.router.clone(),
            self.limits.clone(),
            self.stopped.clone(),
        );
        self.connections.spawn(async move {
            work.await;
            drop(place);
        });
    }
}

/// Serves one connection. At the end of the server, its request in work is answered first.
async fn connection(
    stream: TcpStream,
    router: Router,
    limits: Limits,
    mut stopped: watch::Receiver<bool>,
) {
    // Without it, small answers wait for more to send.
    let _ = stream.set_nodelay(true);
    let stream = Impatient::new(stream, limits.slow_reader);
    let service = TowerToHyperService::new(router);
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header)
            .serve_connection(TokioIo::new(stream), service)
    );
    let ending = async {
        end(&mut stopped).await;
        sleep(GRACE).await;
    };
    tokio::select! {
        // How a connection ends, broken or not, is its client's concern.
        _ = connection.as_mut() => return,
        () = ending => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
