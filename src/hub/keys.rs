//! Public keys of registered certificates, parsed once.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use xianjie_core::domain::directory::Directory;
use xianjie_core::domain::record::Signature;
use xianjie_core::ids::Digest;
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Violation};

use crate::identity::signature::{PayloadType, PublicKey};
use crate::wire;

/// The keys, by certificate. It holds registered certificates only, so it is bounded by the directory.
#[derive(Debug, Default)]
pub(crate) struct Keys(RwLock<HashMap<Digest, Arc<PublicKey>>>);

impl Keys {
    /// Checks every signature over `payload`; whether its certificate may sign is `decide`'s affair.
    ///
    /// # Errors
    /// The first that is unknown or does not verify.
    pub(crate) fn verify(
        &self,
        directory: &Directory,
        kind: PayloadType,
        payload: &[u8],
        signatures: &[Signature],
    ) -> Result<(), Violation> {
        if signatures.is_empty() || signatures.len() > limits::SIGNATURES {
            return Err(Violation::new(Reason::SignatureMissing, "signatures"));
        }
        for (place, signature) in signatures.iter().enumerate() {
            let field = || format!("signatures[{place}]");
            let key = self
                .key(directory, &signature.certificate)
                .ok_or_else(|| Violation::new(Reason::SignerUnknown, field()))?;
            if wire::signature::algorithm(signature.algorithm) != Some(key.algorithm()) {
                return Err(Violation::new(Reason::SignatureInvalid, field())
                    .help(format!("the certificate's algorithm is {}", key.algorithm())));
            }
            key.verify(kind, payload, &signature.value).map_err(|error| {
                Violation::new(Reason::SignatureInvalid, field()).help(error.to_string())
            })?;
        }
        Ok(())
    }

    fn key(&self, directory: &Directory, digest: &Digest) -> Option<Arc<PublicKey>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(digest).cloned();
        if known.is_some() {
            return known;
        }
        let certificate = directory.certificate(digest)?;
        let key = Arc::new(PublicKey::from_certificate_der(&certificate.der).ok()?);
        let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
        keys.insert(*digest, Arc::clone(&key));
        Some(key)
    }
}
