//! What runs beside the requests: notes of refusals, notices, orphans, kill switch, reloads,
//! revocation lists, room on the disk, alarms.
//! Each is a loop in a task of its own, and ends when the hub is stopped.

use std::collections::BTreeSet;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use xianjie_core::domain::agency::Certificate;
use xianjie_core::limits;
use xianjie_core::refusal::Refusal;

use super::doors::{Door, machine_time};
use crate::config::{Config, Tls};
use crate::hub::Hub;
use crate::services::{Alarm, Alarms, Desk};
use crate::store::attachments::AttachmentError;

/// Between two records of refusals (one an agency and minute).
const REFUSALS_EVERY: Duration = Duration::from_secs(60);
/// Between two tries at a notice that could not be sent, and between two looks at what is owed.
const NOTICES_EVERY: Duration = Duration::from_secs(1);
/// Between two tries at recording what a list revokes.
const REVOCATIONS_EVERY: Duration = Duration::from_secs(1);
/// Between two looks at what time has done.
const TIME_EVERY: Duration = Duration::from_secs(1);
/// Between two collections of orphans.
const ORPHANS_EVERY: Duration = Duration::from_secs(3600);
/// Between two looks at the files of certificates and lists.
const FILES_EVERY: Duration = Duration::from_secs(10);
/// Between two measurements of the disk: the reserve holds what may be written meanwhile.
const ROOM_EVERY: Duration = Duration::from_secs(1);
/// Between two looks at what may be an alarm.
const ALARMS_EVERY: Duration = Duration::from_secs(60);
/// A certificate that ends sooner is an alarm.
const EXPIRES_SOON_MS: i64 = 30 * 24 * 3600 * 1000;

/// Starts all jobs.
pub(super) fn spawn(
    jobs: &TaskTracker,
    quit: &CancellationToken,
    desk: &Desk,
    doors: &[Arc<Door>],
    config: &Config,
) {
    let spawn = |job: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>| {
        let quit = quit.clone();
        jobs.spawn(async move { quit.run_until_cancelled(job).await });
    };
    let hub = || Arc::clone(&desk.hub);
    spawn(Box::pin(write_refusals(hub())));
    spawn(Box::pin(send_notices(hub())));
    spawn(Box::pin(keep_time(hub())));
    spawn(Box::pin(collect_orphans(hub())));
    spawn(Box::pin(cut_strangers(hub(), doors.to_vec())));
    let lists_read = Arc::new(Notify::new());
    spawn(Box::pin(reload(config.tls.clone(), doors.to_vec(), Arc::clone(&lists_read))));
    spawn(Box::pin(record_revocations(hub(), doors.to_vec(), lists_read)));
    spawn(Box::pin(measure_room(desk.clone())));
    spawn(Box::pin(raise_alarms(desk.clone(), doors.to_vec())));
}

/// Returns when the process is asked to end.
pub(super) async fn asked_to_end() {
    let (terminate, interrupt) = (hears(SignalKind::terminate()), hears(SignalKind::interrupt()));
    tokio::select! {
        () = terminate => {}
        () = interrupt => {}
    }
}

/// Returns when the process gets the signal; never, if it can't be listened to.
async fn hears(kind: SignalKind) {
    match signal(kind) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(error) => {
            tracing::warn!(%error, "a signal can't be listened to");
            std::future::pending().await
        }
    }
}

async fn write_refusals(hub: Arc<Hub>) {
    loop {
        sleep(REFUSALS_EVERY).await;
        hub.write_refusals().await;
    }
}

/// After each commit, but not more often than each second: what is owed is sent, and its own commit
/// is looked at in turn.
async fn send_notices(hub: Arc<Hub>) {
    let mut ledger = hub.bell().ledger();
    ledger.mark_changed();
    loop {
        if ledger.changed().await.is_err() {
            return;
        }
        while let Err(refusal) = hub.send_notices().await {
            tracing::warn!(%refusal, "a notice is not sent yet");
            sleep(NOTICES_EVERY).await;
        }
        sleep(NOTICES_EVERY).await;
    }
}

/// Takes the steps of limits that draw near or pass.
async fn keep_time(hub: Arc<Hub>) {
    loop {
        if let Err(refusal) = hub.keep_time().await {
            tracing::warn!(%refusal, "the timekeeper can't take a step yet");
        }
        sleep(TIME_EVERY).await;
    }
}

/// Why a collection of orphans ended early.
#[derive(Debug, thiserror::Error)]
enum OrphansError {
    #[error(transparent)]
    Attachments(#[from] AttachmentError),
    #[error(transparent)]
    Named(#[from] Refusal),
}

async fn collect_orphans(hub: Arc<Hub>) {
    let age = Duration::from_secs(limits::ORPHAN_HOURS * 3600);
    loop {
        sleep(ORPHANS_EVERY).await;
        let named = |agency, digests: Vec<_>| {
            let hub = Arc::clone(&hub);
            async move {
                let digests: BTreeSet<_> = digests.into_iter().collect();
                Ok::<_, OrphansError>(hub.attachments_named(&agency, digests).await?)
            }
        };
        match hub.attachments().collect_orphans(age, named).await {
            Ok(collected) => tracing::info!(?collected, "orphans are collected"),
            Err(error) => tracing::warn!(%error, "orphans are not collected"),
        }
    }
}

/// The kill switch: whoever may not be here any more is cut when the directory says so, and, as
/// certificates end by themselves, once a minute.
async fn cut_strangers(hub: Arc<Hub>, doors: Vec<Arc<Door>>) {
    let mut changes = hub.directory_changes();
    loop {
        tokio::select! {
            changed = changes.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = sleep(ALARMS_EVERY) => {}
        }
        let cut: usize = doors.iter().map(|door| door.cut_strangers()).sum();
        if cut > 0 {
            tracing::info!(cut, "connections are cut");
        }
    }
}

/// Takes changed certificates and lists, when their files change or on SIGHUP.
async fn reload(tls: Tls, doors: Vec<Arc<Door>>, lists_read: Arc<Notify>) {
    let mut seen = changed_at(&tls);
    let mut hangup = signal(SignalKind::hangup()).ok();
    loop {
        let asked = tokio::select! {
            () = sleep(FILES_EVERY) => false,
            Some(()) = async { hangup.as_mut()?.recv().await } => true,
        };
        let now = changed_at(&tls);
        if !asked && now == seen {
            continue;
        }
        seen = now;
        for door in &doors {
            match door.reload(&tls, machine_time()) {
                Ok(_) => {
                    tracing::info!("certificates are read again");
                    let door = Arc::clone(door);
                    let cut = spawn_blocking(move || door.cut_revoked()).await;
                    if cut.as_ref().is_ok_and(|cut| *cut > 0) {
                        tracing::info!(?cut, "connections are cut: a list revokes them");
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "certificates can't be read again; the old ones stay");
                }
            }
        }
        lists_read.notify_one();
    }
}

/// Has the ledger say what the lists say: when the hub opens, when lists are read, and when the
/// directory changes, as a certificate may be registered that a list names already.
async fn record_revocations(hub: Arc<Hub>, doors: Vec<Arc<Door>>, lists_read: Arc<Notify>) {
    let mut changes = hub.directory_changes();
    loop {
        while let Err(refusal) = revoke_listed(&hub, &doors).await {
            tracing::warn!(%refusal, "what a list revokes is not recorded yet; the list itself acts");
            sleep(REVOCATIONS_EVERY).await;
        }
        tokio::select! {
            changed = changes.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = lists_read.notified() => {}
        }
    }
}

/// The doors have the same lists. What one has had revoked, the directory no longer holds against the
/// other's.
async fn revoke_listed(hub: &Hub, doors: &[Arc<Door>]) -> Result<(), Refusal> {
    for door in doors {
        let door = Arc::clone(door);
        let listed = spawn_blocking(move || door.listed()).await.unwrap_or_default();
        for said in listed {
            let revoked = hub.revoke_listed(said).await?;
            tracing::info!(revoked, "certificates are revoked: a list names them");
        }
    }
    Ok(())
}

fn changed_at(tls: &Tls) -> Vec<Option<SystemTime>> {
    let files: [Option<&PathBuf>; 4] = [
        Some(&tls.certificate),
        Some(&tls.key),
        Some(&tls.client_authorities),
        tls.revocation_list.as_ref(),
    ];
    let changed = |path: &PathBuf| std::fs::metadata(path).and_then(|m| m.modified()).ok();
    files.into_iter().flatten().map(changed).collect()
}

async fn measure_room(desk: Desk) {
    let mut ticks = interval(ROOM_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match desk.hub.measure_room().await {
            Ok(is_short) => set(
                &desk,
                is_short,
                "DISK_RESERVE",
                "only the disk's reserve is left: documents wait, acknowledgements are taken",
                "磁盘仅剩预留空间：暂停接收文书，签收照常",
            ),
            Err(refusal) => tracing::warn!(%refusal, "the room on the disk can't be measured"),
        }
    }
}

async fn raise_alarms(desk: Desk, doors: Vec<Arc<Door>>) {
    let mut ticks = interval(ALARMS_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let stale = doors.iter().any(|door| !door.stale_lists(machine_time()).is_empty());
        set(
            &desk,
            stale,
            "REVOCATION_LIST_STALE",
            "a revocation list is past its next update; it stays in force",
            "吊销列表已过期，仍继续有效",
        );
        raise_troubles(&desk);
        let wal = desk.hub.store().wal_bytes().await.unwrap_or_default();
        set(
            &desk,
            wal > limits::WAL_ALARM_BYTES,
            "LOG_LARGE",
            "the store's write-ahead log does not shrink",
            "存储的预写日志过大",
        );
        let soon = desk.hub.now().0 + EXPIRES_SOON_MS;
        let directory = desk.hub.directory();
        let ends_soon = |certificate: &Certificate| {
            certificate.is_live(desk.hub.now()) && certificate.valid_until.0 < soon
        };
        set(
            &desk,
            directory.certificates().any(|certificate| ends_soon(certificate)),
            "CERTIFICATE_EXPIRES",
            "a registered certificate ends within 30 days",
            "有已登记证书将在三十日内到期",
        );
    }
}

fn raise_troubles(desk: &Desk) {
    let troubles = desk.hub.troubles();
    set(
        desk,
        !desk.hub.law_is_in_force(),
        "RULEBOOKS_NOT_IN_FORCE",
        "the rulebooks in force are not at hand: no document is decided; law activate, or bring them back",
        "已启用的规则不在本机：暂停受理文书；请用 law activate 启用现有规则，或恢复原规则",
    );
    set(
        desk,
        troubles.has_clock_leapt(),
        "CLOCK_LEAPT",
        "the clock leapt ahead: nothing is committed until it is put right",
        "时钟突跳超前：校正之前暂停入账",
    );
    set(
        desk,
        troubles.has_set_aside(),
        "QUARANTINED",
        "an input could not be decided and was set aside: see the log, report the defect",
        "有输入无法处理，已隔离：请查看日志并报告缺陷",
    );
    set(
        desk,
        troubles.has_seen_mismatch(),
        "SEEN_MISMATCH",
        "a signer has seen another ledger under this name: compare checkpoints with them",
        "有签名方所见账本与本账本不一致：请与其核对检查点",
    );
}

fn set(desk: &Desk, stands: bool, reason: &'static str, message: &str, message_zh: &str) {
    let alarms: &Alarms = &desk.alarms;
    if stands {
        let since = desk.hub.now();
        let (message, message_zh) = (message.to_owned(), message_zh.to_owned());
        alarms.raise(reason, Alarm { message, message_zh, since });
    } else {
        alarms.clear(reason);
    }
}
