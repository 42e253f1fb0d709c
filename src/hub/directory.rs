//! Changes of the directory: those that operators sign, and what authorities' lists revoke.

use xianjie_core::domain::decide::{DirectoryInput, Input, RevocationsInput};
use xianjie_core::domain::record;
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Refusal};

use super::fold::Item;
use super::{Answer, Hub};
use crate::identity::signature::PayloadType;
use crate::wire;
use crate::wire::signature::Signed;

impl Hub {
    /// Makes a signed change; made before, it is the same change again.
    ///
    /// # Errors
    /// It does not fit the directory, or its signers may not; nothing is changed then.
    pub async fn change_directory(&self, signed: Signed) -> Result<Answer, Refusal> {
        if self.is_draining() {
            return Err(Reason::Draining.into());
        }
        let heard = wire::change::read_change(&self.shared.origin, &signed.payload)?;
        let directory = self.directory();
        self.shared.keys.verify(
            &directory,
            PayloadType::DirectoryChange,
            &signed.payload,
            &signed.signatures,
        )?;
        self.check_seen(heard.seen).await?;
        self.prepare_law(&heard.changes)?;
        let input = Input::Directory(Box::new(DirectoryInput {
            id: heard.id,
            changes: heard.changes,
            statement: record::Signed {
                payload: signed.payload.to_vec(),
                signatures: signed.signatures,
                bindings: Vec::new(),
            },
        }));
        self.queue.decide(Item::bare(input)?).await
    }

    /// Has the directory revoke what an authority's list names; returns how many certificates that
    /// newly were. What is revoked already stays as it was, so that asking again, after whatever
    /// happened in between, makes no second record.
    ///
    /// # Errors
    /// The store can't be written now, or the hub is closing: some may be revoked by then.
    pub async fn revoke_listed(&self, said: RevocationsInput) -> Result<usize, Refusal> {
        let RevocationsInput { list, certificates } = said;
        let certificates: Vec<_> = certificates.into_iter().collect();
        let mut revoked = 0;
        for some in certificates.chunks(limits::DIRECTORY_CHANGES) {
            let certificates = some.iter().copied().collect();
            let said = RevocationsInput { list: list.clone(), certificates };
            let answer = self.queue.decide(Item::bare(Input::Revocations(said))?).await?;
            revoked += answer.entry.map_or(0, |(_, record)| record.effects.len());
        }
        Ok(revoked)
    }
}
