//! What the hub says in its own name: its time, its key, and its signed word.

use xianjie_core::domain::record::Signature;
use xianjie_core::ids::Time;

use super::Hub;
use crate::identity::signature::PayloadType;
use crate::wire;

impl Hub {
    /// The hub's time.
    #[must_use]
    pub fn now(&self) -> Time {
        self.shared.clock.now()
    }

    /// The keys that sign checkpoints now, as note verifier keys.
    #[must_use]
    pub fn checkpoint_keys(&self) -> Vec<String> {
        vec![self.shared.signer.verifier_key()]
    }

    /// Signs the encoded statement how far an inbox reaches, by the hub's service key.
    #[must_use]
    pub fn sign_inbox_statement(&self, statement: &[u8]) -> Signature {
        wire::signature::sign(PayloadType::InboxStatement, statement, &self.shared.service)
    }
}
