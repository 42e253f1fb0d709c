//! Real files in a folder of their own. What a crash leaves is put there by hand.

use super::*;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const DAY: Duration = Duration::from_secs(86_400);

struct Bench {
    folder: TempDir,
    attachments: Attachments,
}

impl Bench {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut AttachmentLimits)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut limits =
            AttachmentLimits { reserve: Reserve::Bytes(0), ..AttachmentLimits::default() };
        change(&mut limits);
        let attachments = Attachments::open(folder.path().into(), limits);
        Self { attachments: attachments.await.unwrap(), folder }
    }

    /// As after a restart.
    async fn restart(&mut self) {
        let limits = self.attachments.0.limits;
        let attachments = Attachments::open(self.folder.path().into(), limits);
        self.attachments = attachments.await.unwrap();
    }

    async fn open(&self, agency: &AgencyCode, file: &Source, offset: u64) -> Opening {
        self.try_open(agency, file, offset).await.unwrap()
    }

    async fn try_open(
        &self,
        agency: &AgencyCode,
        file: &Source,
        offset: u64,
    ) -> Result<Opening, AttachmentError> {
        let size = file.bytes.len() as u64;
        self.attachments.upload(agency, file.digest, size, offset).await
    }

    async fn ready(&self, agency: &AgencyCode, file: &Source, offset: u64) -> Upload {
        match self.open(agency, file, offset).await {
            Opening::Ready(upload) => upload,
            Opening::Complete(_) => panic!("it is held already"),
        }
    }

    /// Uploads what is not held yet.
    async fn put(&self, agency: &AgencyCode, file: &Source) -> Result<Held, AttachmentError> {
        let held = self.attachments.status(agency, file.digest).await.unwrap();
        let mut upload = self.ready(agency, file, held.bytes_held).await;
        let rest = file.bytes.slice(held.bytes_held as usize..);
        for chunk in rest.chunks(limits::CHUNK_BYTES) {
            upload = upload.append(rest.slice_ref(chunk)).await?;
        }
        upload.finish().await
    }

    async fn status(&self, agency: &AgencyCode, file: &Source) -> (u64, bool) {
        let held = self.attachments.status(agency, file.digest).await.unwrap();
        (held.bytes_held, held.complete)
    }

    async fn get(&self, agency: &AgencyCode, file: &Source, offset: u64) -> Option<Vec<u8>> {
        let reader = self.attachments.read(agency, file.digest, offset);
        let mut reader = reader.await.unwrap()?;
        let mut bytes = Vec::new();
        while let Some(chunk) = reader.chunk().await.unwrap() {
            bytes.extend_from_slice(&chunk);
        }
        Some(bytes)
    }

    fn waiting_path(&self, agency: &AgencyCode, file: &Source) -> PathBuf {
        let folder = self.folder.path().join("waiting").join(agency.as_str());
        folder.join(file.digest.to_string())
    }

    async fn keep(&self, agency: &AgencyCode, file: &Source) {
        self.attachments.keep(agency, vec![file.digest]).await.unwrap();
    }

    fn partial_path(&self, agency: &AgencyCode, file: &Source) -> PathBuf {
        let folder = self.folder.path().join("incoming").join(agency.as_str());
        folder.join(file.digest.to_string())
    }

    /// Puts down what an upload had written when the power went.
    fn leave_partial(&self, agency: &AgencyCode, file: &Source, bytes: &[u8]) {
        let path = self.partial_path(agency, file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Collects as if nothing but `named` were named.
    async fn collect(&self, named: &[&Source]) -> Collected {
        let named: HashSet<_> = named.iter().map(|file| file.digest).collect();
        let named = |_, _| std::future::ready(Ok::<_, AttachmentError>(named.clone()));
        self.attachments.collect_orphans(DAY, named).await.unwrap()
    }
}

/// A file to upload.
struct Source {
    bytes: Bytes,
    digest: Digest,
}

/// A file of pseudorandom bytes, another for each seed.
fn source(seed: u64, size: usize) -> Source {
    let mut numbers = numbers(seed);
    let words = (0..size.div_ceil(8)).flat_map(|_| numbers.next().unwrap().to_le_bytes());
    let bytes: Bytes = words.take(size).collect();
    let digest = Digest(Sha256::digest(&bytes).into());
    Source { bytes, digest }
}

/// SplitMix64.
fn numbers(mut state: u64) -> impl Iterator<Item = u64> {
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}

fn agency() -> AgencyCode {
    "a-1".parse().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a file's age is the file system's")]
fn make_old(path: PathBuf) {
    let then = SystemTime::now() - 2 * DAY;
    File::open(path).unwrap().set_modified(then).unwrap();
}

#[tokio::test]
async fn what_is_uploaded_is_held_and_read() {
    let bench = Bench::new().await;
    let file = source(1, 3 * limits::CHUNK_BYTES + 17);
    let size = file.bytes.len() as u64;
    let files = [(file.digest, size)];
    assert_eq!(bench.status(&agency(), &file).await, (0, false));
    let missing = bench.attachments.missing(&agency(), &files).await;
    assert_eq!(missing.unwrap(), [file.digest]);
    let held = bench.put(&agency(), &file).await.unwrap();
    assert_eq!((held.bytes_held, held.complete), (size, true));
    assert_eq!(bench.status(&agency(), &file).await, (size, true));
    let missing = bench.attachments.missing(&agency(), &files).await;
    assert!(missing.unwrap().is_empty());
    for offset in [0, 1, limits::CHUNK_BYTES, file.bytes.len()] {
        let read = bench.get(&agency(), &file, offset as u64).await;
        assert_eq!(read.unwrap(), file.bytes[offset..]);
    }
    let beyond = bench.attachments.read(&agency(), file.digest, size + 1).await;
    let refused = beyond.unwrap_err();
    assert!(matches!(refused, AttachmentError::WrongOffset { bytes_held } if bytes_held == size));
    assert!(!bench.partial_path(&agency(), &file).exists());
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(bench.waiting_path(&agency(), &file)), 0o600);
    assert_eq!(mode(bench.folder.path().join("waiting/a-1")), 0o700);
}

#[tokio::test]
async fn chunks_are_full_but_for_the_last() {
    let bench = Bench::new().await;
    let file = source(1, 2 * limits::CHUNK_BYTES + 1);
    bench.put(&agency(), &file).await.unwrap();
    let reader = bench.attachments.read(&agency(), file.digest, 0).await;
    let mut reader = reader.unwrap().unwrap();
    assert_eq!(reader.size(), file.bytes.len() as u64);
    let mut sizes = Vec::new();
    while let Some(chunk) = reader.chunk().await.unwrap() {
        sizes.push(chunk.len());
    }
    assert_eq!(sizes, [limits::CHUNK_BYTES, limits::CHUNK_BYTES, 1]);
}

#[tokio::test]
async fn an_empty_file_is_a_file() {
    let bench = Bench::new().await;
    let file = source(1, 0);
    assert!(bench.put(&agency(), &file).await.unwrap().complete);
    assert_eq!(bench.get(&agency(), &file, 0).await.unwrap(), Vec::<u8>::new());
}

#[tokio::test]
async fn agencies_do_not_share() {
    let bench = Bench::new().await;
    let file = source(1, 100);
    bench.put(&agency(), &file).await.unwrap();
    for other in ["a-2", "held", "incoming"] {
        let other = other.parse().unwrap();
        assert_eq!(bench.status(&other, &file).await, (0, false));
        assert!(bench.get(&other, &file, 0).await.is_none());
        assert!(bench.put(&other, &file).await.unwrap().complete);
    }
}

#[tokio::test]
async fn a_large_upload_goes_on_wherever_it_was_interrupted() {
    let mut bench = Bench::new().await;
    let file = source(2, 64 * 1024 * 1024);
    let size = file.bytes.len() as u64;
    let mut random = numbers(3);
    let mut interruptions = 0;
    loop {
        let (held, complete) = bench.status(&agency(), &file).await;
        if complete {
            break;
        }
        let mut upload = bench.ready(&agency(), &file, held).await;
        let end = size.min(held + random.next().unwrap() % (16 * 1024 * 1024));
        let part = file.bytes.slice(held as usize..end as usize);
        for chunk in part.chunks(limits::CHUNK_BYTES) {
            upload = upload.append(part.slice_ref(chunk)).await.unwrap();
        }
        if end == size {
            upload.finish().await.unwrap();
        } else if interruptions % 2 == 0 {
            let held = upload.finish().await.unwrap();
            assert_eq!((held.bytes_held, held.complete), (end, false));
        } else {
            drop(upload);
            bench.restart().await;
        }
        interruptions += 1;
    }
    assert!(interruptions > 4);
    assert_eq!(bench.get(&agency(), &file, 0).await.unwrap(), file.bytes);
}

#[test]
fn a_dropped_append_keeps_the_file_taken_until_it_has_ended() {
    // One thread for blocking work, so that the append can be kept from ending before it is dropped.
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(drop_an_append());
}

async fn drop_an_append() {
    let bench = Bench::new().await;
    let file = source(1, 8 * 1024 * 1024);
    let upload = bench.ready(&agency(), &file, 0).await;
    let (let_go, held) = std::sync::mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || held.recv());
    let mut append = Box::pin(upload.append(file.bytes.clone()));
    assert!(futures::poll!(&mut append).is_pending());
    drop(append);
    drop(let_go);
    // Until the bytes are down the file is taken; then it goes on behind them.
    let mut busy = 0;
    let upload = loop {
        let (held, _) = bench.status(&agency(), &file).await;
        match bench.try_open(&agency(), &file, held).await {
            Ok(Opening::Ready(upload)) => break upload,
            Err(AttachmentError::Busy) => busy += 1,
            other => panic!("after {busy} times busy: {other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    assert!(upload.finish().await.unwrap().complete);
}

#[tokio::test]
async fn an_offset_may_go_back_but_not_beyond_what_is_held() {
    let bench = Bench::new().await;
    let file = source(1, 1000);
    bench.leave_partial(&agency(), &file, &file.bytes[..600]);
    let refused = bench.try_open(&agency(), &file, 601).await.unwrap_err();
    assert!(matches!(refused, AttachmentError::WrongOffset { bytes_held: 600 }));
    let upload = bench.ready(&agency(), &file, 100).await;
    let upload = upload.append(file.bytes.slice(100..)).await.unwrap();
    assert!(upload.finish().await.unwrap().complete);
    assert_eq!(bench.get(&agency(), &file, 0).await.unwrap(), file.bytes);
}

#[tokio::test]
async fn a_wrong_digest_removes_the_file() {
    let bench = Bench::new().await;
    let mut file = source(1, 1000);
    let right = file.bytes;
    file.bytes = source(2, 1000).bytes;
    let refused = bench.put(&agency(), &file).await.unwrap_err();
    assert!(matches!(refused, AttachmentError::WrongDigest));
    assert_eq!(bench.status(&agency(), &file).await, (0, false));
    file.bytes = right;
    assert!(bench.put(&agency(), &file).await.unwrap().complete);
}

#[tokio::test]
async fn a_tail_broken_by_a_power_cut_shows_at_the_end() {
    let bench = Bench::new().await;
    let file = source(1, 1000);
    let mut broken = file.bytes[..600].to_vec();
    broken[512..].fill(0);
    bench.leave_partial(&agency(), &file, &broken);
    let refused = bench.put(&agency(), &file).await.unwrap_err();
    assert!(matches!(refused, AttachmentError::WrongDigest));
    assert!(bench.put(&agency(), &file).await.unwrap().complete);
}

#[tokio::test]
async fn a_crash_before_the_rename_loses_nothing() {
    let mut bench = Bench::new().await;
    let file = source(1, 1000);
    bench.leave_partial(&agency(), &file, &file.bytes);
    bench.restart().await;
    assert_eq!(bench.status(&agency(), &file).await, (1000, false));
    let missing = bench.attachments.claim(&agency(), &[(file.digest, 1000)]).await.unwrap();
    assert_eq!(missing, [file.digest]);
    let upload = bench.ready(&agency(), &file, 1000).await;
    assert!(upload.finish().await.unwrap().complete);
    assert_eq!(bench.get(&agency(), &file, 0).await.unwrap(), file.bytes);
}

#[tokio::test]
async fn a_rename_that_left_both_names_is_finished_and_cleaned_up() {
    let mut bench = Bench::new().await;
    let file = source(1, 1000);
    bench.put(&agency(), &file).await.unwrap();
    bench.leave_partial(&agency(), &file, &file.bytes);
    bench.restart().await;
    assert_eq!(bench.status(&agency(), &file).await, (1000, true));
    let opening = bench.open(&agency(), &file, 0).await;
    assert!(matches!(opening, Opening::Complete(held) if held.bytes_held == 1000));
    make_old(bench.partial_path(&agency(), &file));
    let collected = bench.collect(&[&file]).await;
    assert_eq!((collected.attachments, collected.uploads), (0, 1));
}

#[tokio::test]
async fn no_more_comes_than_was_promised() {
    let bench = Bench::new().await;
    let file = source(1, 1000);
    let upload = bench.ready(&agency(), &file, 0).await;
    let upload = upload.append(file.bytes.slice(..999)).await.unwrap();
    let refused = upload.append(file.bytes.slice(..2)).await.unwrap_err();
    assert!(matches!(refused, AttachmentError::PastEnd { size: 1000 }));
    assert_eq!(bench.status(&agency(), &file).await, (999, false));
}

#[tokio::test]
async fn one_upload_of_a_file_at_a_time() {
    let bench = Bench::new().await;
    let file = source(1, 1000);
    let first = bench.ready(&agency(), &file, 0).await;
    let busy = bench.try_open(&agency(), &file, 0).await.unwrap_err();
    assert!(matches!(busy, AttachmentError::Busy));
    let _of_another_agency = bench.ready(&"a-2".parse().unwrap(), &file, 0).await;
    let _another_file = bench.ready(&agency(), &source(2, 1000), 0).await;
    drop(first);
    bench.ready(&agency(), &file, 0).await;
}

#[tokio::test]
async fn racing_uploads_of_one_file_leave_it_whole() {
    let bench = Arc::new(Bench::new().await);
    let file = Arc::new(source(1, 1_000_000));
    let mut racers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (bench, file) = (Arc::clone(&bench), Arc::clone(&file));
        racers.spawn(async move {
            match bench.try_open(&agency(), &file, 0).await {
                Ok(Opening::Complete(held)) => held.complete,
                Ok(Opening::Ready(upload)) => {
                    let upload = upload.append(file.bytes.clone()).await.unwrap();
                    upload.finish().await.unwrap().complete
                }
                Err(AttachmentError::Busy) => false,
                Err(other) => panic!("{other}"),
            }
        });
    }
    let complete = racers.join_all().await;
    assert!(complete.contains(&true));
    assert_eq!(bench.get(&agency(), &file, 0).await.unwrap(), file.bytes);
}

#[tokio::test]
async fn sizes_are_bounded() {
    let bench = Bench::new().await;
    let max = limits::ATTACHMENT_BYTES;
    let digest = Digest([1; 32]);
    for size in [max + 1, u64::MAX] {
        let refused = bench.attachments.upload(&agency(), digest, size, 0).await;
        assert!(matches!(refused, Err(AttachmentError::TooLarge { .. })));
    }
    let largest = bench.attachments.upload(&agency(), digest, max, 0).await;
    assert!(matches!(largest, Ok(Opening::Ready(_))));
    let refused = bench.attachments.upload(&agency(), Digest([2; 32]), max, u64::MAX).await;
    assert!(matches!(refused, Err(AttachmentError::WrongOffset { bytes_held: 0 })));
}

#[tokio::test]
async fn a_held_file_has_one_size() {
    let bench = Bench::new().await;
    let file = source(1, 1000);
    bench.put(&agency(), &file).await.unwrap();
    let refused = bench.attachments.upload(&agency(), file.digest, 999, 0).await;
    assert!(matches!(refused, Err(AttachmentError::WrongSize { held: 1000 })));
    let missing = bench.attachments.missing(&agency(), &[(file.digest, 999)]).await.unwrap();
    assert_eq!(missing, [file.digest]);
}

#[tokio::test]
async fn files_that_no_document_names_are_bounded_by_number_and_bytes() {
    let bench = Bench::with(|limits| {
        limits.uploads_per_agency = 2;
        limits.upload_bytes_per_agency = 2500;
    })
    .await;
    let files: Vec<_> = (0..4).map(|seed| source(seed, 1000)).collect();
    bench.leave_partial(&agency(), &files[0], &files[0].bytes[..10]);
    let under_way = bench.ready(&agency(), &files[1], 0).await;
    let quota = |result| matches!(result, Err(AttachmentError::Quota));
    assert!(quota(bench.try_open(&agency(), &files[2], 0).await));
    let _of_another_agency = bench.ready(&"a-2".parse().unwrap(), &files[2], 0).await;
    // Going on with one takes no new place. One that is finished keeps its own until a document names it.
    drop(bench.ready(&agency(), &files[0], 10).await);
    let under_way = under_way.append(files[1].bytes.clone()).await.unwrap();
    under_way.finish().await.unwrap();
    assert!(quota(bench.try_open(&agency(), &files[2], 0).await));
    bench.keep(&agency(), &files[1]).await;
    let large = source(9, 2491);
    assert!(quota(bench.try_open(&agency(), &large, 0).await));
    bench.ready(&agency(), &files[2], 0).await;
}

#[tokio::test]
async fn a_disk_keeps_its_reserve() {
    let bench = Bench::with(|limits| limits.reserve = Reserve::Bytes(u64::MAX)).await;
    let refused = bench.try_open(&agency(), &source(1, 1000), 0).await;
    assert!(matches!(refused, Err(AttachmentError::NoSpace)));
}

#[tokio::test]
async fn orphans_are_collected_after_a_day() {
    let bench = Bench::new().await;
    let [named, orphan, young, claimed, under_way, left] =
        [1, 2, 3, 4, 5, 6].map(|seed| source(seed, 1000));
    for file in [&named, &orphan, &young, &claimed] {
        bench.put(&agency(), file).await.unwrap();
    }
    for file in [&named, &orphan, &claimed] {
        make_old(bench.waiting_path(&agency(), file));
    }
    let claim = [(claimed.digest, 1000)];
    let missing = bench.attachments.claim(&agency(), &claim).await.unwrap();
    assert!(missing.is_empty());
    let _upload = bench.ready(&agency(), &under_way, 0).await;
    bench.leave_partial(&agency(), &left, &left.bytes[..10]);
    make_old(bench.partial_path(&agency(), &under_way));
    make_old(bench.partial_path(&agency(), &left));
    let collected = bench.collect(&[&named]).await;
    assert_eq!((collected.attachments, collected.uploads), (1, 1));
    for file in [&named, &young, &claimed] {
        assert_eq!(bench.status(&agency(), file).await, (1000, true));
    }
    assert_eq!(bench.status(&agency(), &orphan).await, (0, false));
    assert_eq!(bench.status(&agency(), &left).await, (0, false));
    assert!(bench.partial_path(&agency(), &under_way).exists());
}

#[tokio::test]
async fn a_claim_while_the_collector_asks_keeps_the_file() {
    let bench = Bench::new().await;
    let file = source(1, 1000);
    bench.put(&agency(), &file).await.unwrap();
    make_old(bench.waiting_path(&agency(), &file));
    let named = |agency: AgencyCode, asked: Vec<Digest>| {
        let attachments = bench.attachments.clone();
        async move {
            let files: Vec<_> = asked.iter().map(|digest| (*digest, 1000)).collect();
            let missing = attachments.claim(&agency, &files).await?;
            assert!(asked.len() == 1 && missing.is_empty());
            Ok::<_, AttachmentError>(HashSet::new())
        }
    };
    let collected = bench.attachments.collect_orphans(DAY, named).await.unwrap();
    assert_eq!(collected, Collected::default());
    assert_eq!(bench.status(&agency(), &file).await, (1000, true));
}

#[tokio::test]
async fn what_was_found_named_is_not_asked_about_again() {
    let bench = Bench::new().await;
    let [sent, found] = [1, 2].map(|seed| source(seed, 1000));
    for file in [&sent, &found] {
        bench.put(&agency(), file).await.unwrap();
        make_old(bench.waiting_path(&agency(), file));
    }
    bench.keep(&agency(), &sent).await;
    let asked = std::sync::Mutex::new(Vec::new());
    for _ in 0..2 {
        let named = |_, digests: Vec<Digest>| {
            asked.lock().unwrap().extend(digests.clone());
            std::future::ready(Ok::<_, AttachmentError>(digests.into_iter().collect()))
        };
        bench.attachments.collect_orphans(DAY, named).await.unwrap();
    }
    assert_eq!(asked.into_inner().unwrap(), [found.digest]);
    for file in [&sent, &found] {
        assert_eq!(bench.get(&agency(), file, 0).await.unwrap(), file.bytes);
    }
}

#[tokio::test]
async fn an_upload_that_finds_its_file_makes_it_young() {
    let bench = Bench::new().await;
    let file = source(1, 1000);
    bench.put(&agency(), &file).await.unwrap();
    make_old(bench.waiting_path(&agency(), &file));
    bench.open(&agency(), &file, 0).await;
    assert_eq!(bench.collect(&[]).await, Collected::default());
}

#[tokio::test]
async fn what_is_being_read_can_be_read_to_its_end() {
    let bench = Bench::new().await;
    let file = source(1, 1000);
    bench.put(&agency(), &file).await.unwrap();
    let reader = bench.attachments.read(&agency(), file.digest, 0).await;
    make_old(bench.waiting_path(&agency(), &file));
    assert_eq!(bench.collect(&[]).await.attachments, 1);
    assert_eq!(reader.unwrap().unwrap().chunk().await.unwrap().unwrap(), file.bytes);
    assert!(bench.get(&agency(), &file, 0).await.is_none());
}
