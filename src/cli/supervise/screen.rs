//! The terminal as a screen of its own: what stood there before comes back when it is left. Plain ANSI
//! (ECMA-48) and POSIX terminal modes; nothing else.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::sync::Arc;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use super::super::table::{cut, printable};
use super::super::{CliError, Globals};
use super::scene::{Scene, Tone};

/// The alternate screen, without a cursor; and back.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";
/// To the first line; to the end of a line, and of the screen, all else is wiped away.
const HOME: &str = "\x1b[H";
const WIPE_LINE: &str = "\x1b[K";
const WIPE_BELOW: &str = "\x1b[J";
const RESET: &str = "\x1b[0m";

/// Where the size is not told.
const COLUMNS: usize = 80;
const ROWS: usize = 24;

/// A terminal that shows a scene until it is dropped.
pub(super) struct Screen {
    /// How the terminal was set before; none if nobody types here.
    before: Option<Termios>,
    quit: Arc<Notify>,
    resized: Signal,
    coloured: bool,
}

impl Screen {
    /// Takes the terminal, if standard output is one.
    pub(super) fn open() -> Result<Option<Self>, CliError> {
        if !io::stdout().is_terminal() {
            return Ok(None);
        }
        let failed = |error: io::Error| CliError::internal(&error);
        let resized = signal(SignalKind::window_change()).map_err(failed)?;
        let (before, quit) = (listen_to_keys().map_err(failed)?, Arc::new(Notify::new()));
        // From here on dropping it gives the terminal back.
        let coloured = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let screen = Self { before, quit, resized, coloured };
        if screen.before.is_some() {
            read_keys(&screen.quit).map_err(failed)?;
        }
        write(ENTER).map_err(failed)?;
        Ok(Some(screen))
    }

    /// Shows a scene, as far as it fits.
    pub(super) fn show(&self, scene: &Scene, globals: &Globals) -> Result<(), CliError> {
        let (columns, rows) = size();
        let mut text = HOME.to_owned();
        let lines = scene.lines(rows, globals);
        for (row, (tone, line)) in lines.iter().enumerate() {
            if row > 0 {
                text.push_str("\r\n");
            }
            let line = printable(line);
            // Not to the last column: behind it some terminals wipe what was just written there.
            let line = cut(&line, columns.saturating_sub(1));
            match self.style(*tone) {
                "" => text.push_str(line),
                style => text.extend([style, line, RESET]),
            }
            text.push_str(WIPE_LINE);
        }
        text.push_str(WIPE_BELOW);
        write(&text).map_err(|error| CliError::internal(&error))
    }

    /// The next time that the terminal has another size.
    pub(super) async fn resized(&mut self) {
        let _ = self.resized.recv().await;
    }

    /// What tells that somebody typed `q`.
    pub(super) fn quit(&self) -> Arc<Notify> {
        Arc::clone(&self.quit)
    }

    fn style(&self, tone: Tone) -> &'static str {
        match tone {
            Tone::Strong => "\x1b[1m",
            Tone::Alarming if self.coloured => "\x1b[31m",
            Tone::Pressing if self.coloured => "\x1b[33m",
            Tone::Plain | Tone::Alarming | Tone::Pressing => "",
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing back.
        let _ = write(LEAVE);
        if let Some(before) = &self.before {
            let _ = tcsetattr(io::stdin(), OptionalActions::Flush, before);
        }
    }
}

/// Ends when the program is asked to: Ctrl-C, SIGTERM, or a terminal that is closed.
pub(super) async fn interrupted() -> Result<(), CliError> {
    let hears = |kind| signal(kind).map_err(|error| CliError::internal(&error));
    let mut interrupt = hears(SignalKind::interrupt())?;
    let mut terminate = hears(SignalKind::terminate())?;
    let mut hangup = hears(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}

/// Has keys come at once and unseen. Ctrl-C stays a signal.
fn listen_to_keys() -> io::Result<Option<Termios>> {
    if !io::stdin().is_terminal() {
        return Ok(None);
    }
    let before = tcgetattr(io::stdin())?;
    let mut modes = before.clone();
    modes.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
    tcsetattr(io::stdin(), OptionalActions::Flush, &modes)?;
    Ok(Some(before))
}

/// Reads keys on a thread of its own: the runtime would wait for a read that never ends.
fn read_keys(quit: &Arc<Notify>) -> io::Result<()> {
    let quit = Arc::clone(quit);
    let read = move || {
        let keys = io::stdin().lock().bytes().map_while(Result::ok);
        keys.filter(|key| matches!(key, b'q' | b'Q')).for_each(|_| quit.notify_one());
    };
    std::thread::Builder::new().name("keys".to_owned()).spawn(read).map(drop)
}

/// Columns and rows of the terminal.
fn size() -> (usize, usize) {
    match tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
            (usize::from(size.ws_col), usize::from(size.ws_row))
        }
        _ => (COLUMNS, ROWS),
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
