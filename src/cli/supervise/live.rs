//! `xianjie supervise`: the overview, read anew at an interval and with each alarm. On a terminal it
//! is a screen; else lines, when a number changes and when an alarm comes.

use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::super::{CliError, Globals};
use super::scene::{Counts, Picture, Scene};
use super::screen::{self, Screen};
use super::{alarms, words};
use crate::client::Client;
use crate::client::json::to_json;
use crate::client::status::QueryError;
use crate::client::supervise::{AlarmRaised, Heard};

/// How long after an alarm the hub is asked anew: alarms come in swarms, as at midnight.
const SETTLE: Duration = Duration::from_secs(1);
/// How many lines the first picture takes at most where there is no screen.
const LINES: usize = 40;

/// Shows the overview until told to stop.
pub(super) async fn run(
    client: &Client,
    every: Duration,
    globals: &Globals,
) -> Result<(), CliError> {
    client.agency()?;
    // Only what comes from now on; how things stand is in the picture.
    let after = client.seen().await.and_then(|seen| seen.size.checked_sub(1));
    let screen = if globals.json() { None } else { Screen::open()? };
    let quit = screen.as_ref().map(Screen::quit).unwrap_or_default();
    let mut view = View { screen, told: None, client, globals };
    let (tell, heard) = mpsc::channel(alarms::WAITING);
    tokio::select! {
        ended = client.watch_alarms(after, tell) => Ok(ended?),
        ended = follow(client, every, heard, &mut view) => ended,
        () = quit.notified() => Ok(()),
        stopped = screen::interrupted() => stopped,
    }
}

async fn follow(
    client: &Client,
    every: Duration,
    mut heard: mpsc::Receiver<Heard>,
    view: &mut View<'_>,
) -> Result<(), CliError> {
    let mut scene = Scene::default();
    let mut next = Instant::now();
    loop {
        view.show(&scene)?;
        tokio::select! {
            () = sleep_until(next) => {
                match Picture::take(client).await {
                    Ok(picture) => {
                        scene.picture = Some(picture);
                        scene.asking = None;
                    }
                    // It is asked again; until then the last picture stands.
                    Err(QueryError::Call(why)) if why.may_pass() => {
                        view.trouble(&why.to_string());
                        scene.asking = Some(why.to_string());
                    }
                    Err(error) => return Err(error.into()),
                }
                next = Instant::now() + every;
            }
            Some(told) = heard.recv() => match told {
                Heard::Alarm(alarm) => {
                    view.alarm(&alarm);
                    scene.hear(*alarm);
                    scene.watching = None;
                    next = next.min(Instant::now() + SETTLE);
                }
                Heard::UpTo(_) => scene.watching = None,
                Heard::Broken { why, wait } => {
                    let why = alarms::again(&why, wait, view.globals);
                    view.trouble(&why);
                    scene.watching = Some(why);
                }
            },
            () = view.resized() => {}
        }
    }
}

/// Where the overview is shown.
struct View<'a> {
    /// The terminal; none: lines on standard output.
    screen: Option<Screen>,
    /// The numbers that were last told in a line.
    told: Option<Counts>,
    client: &'a Client,
    globals: &'a Globals,
}

impl View<'_> {
    fn show(&mut self, scene: &Scene) -> Result<(), CliError> {
        if let Some(screen) = &self.screen {
            return screen.show(scene, self.globals);
        }
        let Some(picture) = &scene.picture else { return Ok(()) };
        let counts = picture.counts();
        if self.told == Some(counts) {
            return Ok(());
        }
        let first = self.told.replace(counts).is_none();
        self.globals.print(
            || counts.to_json(),
            || match first {
                true => picture.text(LINES, self.globals),
                false => {
                    format!("{}  {}", words::instant(picture.at()), counts.line(self.globals))
                }
            },
        );
        Ok(())
    }

    fn alarm(&self, alarm: &AlarmRaised) {
        if self.screen.is_none() {
            self.globals.print(
                || json!({"alarm": to_json(self.client.schema(), "AlarmRaised", alarm)}),
                || alarms::line(alarm, self.globals),
            );
        }
    }

    fn trouble(&self, why: &str) {
        if self.screen.is_none() && !self.globals.json() {
            eprintln!("{why}");
        }
    }

    /// Never ends where there is no screen.
    async fn resized(&mut self) {
        match &mut self.screen {
            Some(screen) => screen.resized().await,
            None => std::future::pending().await,
        }
    }
}
