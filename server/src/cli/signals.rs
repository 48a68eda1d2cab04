//! SIGTERM and SIGINT: the first asks for a stop, the second does not wait for it.

use std::future::Future;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// Starts to listen for both signals. The future completes at the first; a second one ends the
/// process at once, with the exit code that a shell gives to that signal.
///
/// Must be called within a runtime, and before anybody is told that the server runs.
pub(super) fn first_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (send, received) = oneshot::channel();
    tokio::spawn(async move {
        let name = next(&mut terminate, &mut interrupt).await.0;
        tracing::info!("{name}: finishing what is in flight");
        let _ = send.send(());
        let (name, number) = next(&mut terminate, &mut interrupt).await;
        tracing::warn!("{name} again: stopping at once");
        std::process::exit(128 + number);
    });
    Ok(async {
        let _ = received.await;
    })
}

async fn next(terminate: &mut Signal, interrupt: &mut Signal) -> (&'static str, i32) {
    tokio::select! {
        _ = terminate.recv() => ("SIGTERM", SignalKind::terminate().as_raw_value()),
        _ = interrupt.recv() => ("SIGINT", SignalKind::interrupt().as_raw_value()),
    }
}
