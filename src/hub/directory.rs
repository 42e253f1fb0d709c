//! Signed changes of the directory, through the operators' listener.

use xianjie_core::domain::decide::{DirectoryInput, Input};
use xianjie_core::domain::record;
use xianjie_core::refusal::{Reason, Refusal};

use super::{Answer, Hub, statements};
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
        self.queue.decide(statements::item(input)?).await
    }
}
