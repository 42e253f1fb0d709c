//! A network between a client and its hub, that can fail in the way a test needs.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Whether the hub's bytes are kept from the client now.
type Withheld = Arc<dyn Fn() -> bool + Send + Sync>;

/// Cuts the connections that there are.
type Cut = Mutex<CancellationToken>;

/// Passes bytes between its own address and a hub's.
pub(super) struct Relay {
    address: SocketAddr,
    is_open: Arc<AtomicBool>,
    cut: Arc<Cut>,
    accepting: JoinHandle<()>,
}

impl Relay {
    /// A network that passes everything to `hub`, and back whatever is not withheld.
    pub(super) async fn start(
        hub: SocketAddr,
        withheld: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (is_open, cut) = (Arc::new(AtomicBool::new(true)), Arc::<Cut>::default());
        let withheld: Withheld = Arc::new(withheld);
        let (opened, cutting) = (Arc::clone(&is_open), Arc::clone(&cut));
        let accepting = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                if !opened.load(Ordering::SeqCst) {
                    continue;
                }
                let cut = cutting.lock().unwrap().clone();
                let passing = pass(client, hub, Arc::clone(&withheld));
                tokio::spawn(async move { cut.run_until_cancelled(passing).await });
            }
        });
        Self { address, is_open, cut, accepting }
    }

    /// Where clients connect.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts the connections that there are, and takes none, until it is mended.
    pub(super) fn break_down(&self) {
        self.is_open.store(false, Ordering::SeqCst);
        std::mem::take(&mut *self.cut.lock().unwrap()).cancel();
    }

    /// Takes connections again.
    pub(super) fn mend(&self) {
        self.is_open.store(true, Ordering::SeqCst);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.break_down();
        self.accepting.abort();
    }
}

async fn pass(client: TcpStream, hub: SocketAddr, withheld: Withheld) {
    let Ok(hub) = TcpStream::connect(hub).await else { return };
    let ((from_client, to_client), (from_hub, to_hub)) = (client.into_split(), hub.into_split());
    tokio::select! {
        () = pump(from_client, to_hub, Arc::new(|| false)) => {}
        () = pump(from_hub, to_client, withheld) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, withheld: Withheld) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if !withheld() && to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
