//! Collecting what no document names. Only files that wait for a document are asked about: one that was
//! found named is kept, and never asked about again.
//!
//! It does not race with a submit. The submit claims the files before it commits, which makes them
//! young; the collector asks which files documents name, and then removes a file only if it is
//! still old, with claims and uploads locked out. A file is thus claimed before that last look and
//! stays, or afterwards and is reported missing. A commit takes seconds, and young means a day.
//!
//! Ages are those of the file system, not statutory time: moving a simulated clock loses nothing.

use std::collections::HashSet;
use std::future::Future;
use std::time::{Duration, SystemTime};

use xianjie_core::ids::{AgencyCode, Digest};
use xianjie_core::limits;

use super::disk::Found;
use super::{AttachmentError, Attachments, Inner, Key};

/// What was collected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Files that no document names.
    pub attachments: usize,
    /// Uploads that nobody goes on with.
    pub uploads: usize,
}

impl Attachments {
    /// Removes the files that are older than `older_than` and named by no document, and the
    /// uploads that have waited for longer. Done every hour or so, with
    /// [`limits::ORPHAN_HOURS`].
    ///
    /// `named` says which of an agency's files, at most [`limits::PAGE_MAX`] at a time, documents
    /// name. A file between `claim` and commit needs not be among them.
    ///
    /// # Errors
    /// Those of `named`, and [`AttachmentError::Io`]; what was collected before stays so.
    pub async fn collect_orphans<F, A, E>(
        &self,
        older_than: Duration,
        named: F,
    ) -> Result<Collected, E>
    where
        F: Fn(AgencyCode, Vec<Digest>) -> A,
        A: Future<Output = Result<HashSet<Digest>, E>>,
        E: From<AttachmentError>,
    {
        let mut collected = Collected::default();
        for agency in self.run(|inner| inner.disk.agencies()).await? {
            let of = agency.clone();
            collected.uploads +=
                self.run(move |inner| inner.discard_partials(&of, older_than)).await?;
            let of = agency.clone();
            let old = self
                .run(move |inner| Ok(digests_older(inner.disk.waiting_files(&of)?, older_than)))
                .await?;
            for page in old.chunks(limits::PAGE_MAX) {
                let found = named(agency.clone(), page.to_vec()).await?;
                let (named, orphans): (Vec<Digest>, Vec<Digest>) =
                    page.iter().partition(|digest| found.contains(digest));
                self.keep(&agency, named).await?;
                let of = agency.clone();
                collected.attachments +=
                    self.run(move |inner| inner.discard_waiting(&of, &orphans, older_than)).await?;
            }
        }
        Ok(collected)
    }
}

impl Inner {
    fn discard_waiting(
        &self,
        agency: &AgencyCode,
        orphans: &[Digest],
        older_than: Duration,
    ) -> Result<usize, AttachmentError> {
        let mut discarded = 0;
        for digest in orphans {
            let key = Key::new(agency, *digest);
            let leases = self.leases.lock();
            let modified = self.disk.waiting_modified(&key)?;
            if !leases.contains_key(&key) && modified.is_some_and(|at| is_older(at, older_than)) {
                self.disk.remove_waiting(&key)?;
                discarded += 1;
            }
        }
        Ok(discarded)
    }

    fn discard_partials(
        &self,
        agency: &AgencyCode,
        older_than: Duration,
    ) -> Result<usize, AttachmentError> {
        let mut discarded = 0;
        for digest in digests_older(self.disk.partial_files(agency)?, older_than) {
            let key = Key::new(agency, digest);
            let leases = self.leases.lock();
            let modified = self.disk.partial_modified(&key)?;
            if !leases.contains_key(&key) && modified.is_some_and(|at| is_older(at, older_than)) {
                self.disk.remove_partial(&key)?;
                discarded += 1;
            }
        }
        Ok(discarded)
    }
}

fn digests_older(files: Vec<Found>, older_than: Duration) -> Vec<Digest> {
    let old = files.into_iter();
    old.filter(|file| is_older(file.modified, older_than)).map(|file| file.digest).collect()
}

/// A file from the future, after a step of the clock, is young.
#[expect(clippy::disallowed_methods, reason = "a file's age is the file system's, not the law's")]
fn is_older(modified: SystemTime, older_than: Duration) -> bool {
    let age = SystemTime::now().duration_since(modified);
    age.is_ok_and(|age| age > older_than)
}
