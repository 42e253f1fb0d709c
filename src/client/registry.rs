//! The directory (名录) as operators read it before they change it: agencies, connecting systems and
//! certificates, whatever their state.

use tonic::Status;
use xianjie_core::domain::agency::{Agency, Certificate, System};
use xianjie_core::ids::AgencyCode;

use super::connect::{Client, unary};
use super::error::CallError;
use crate::wire::pb;
use crate::wire::record::directory;

/// A connecting system (接入系统) with its transport certificates.
#[derive(Debug, Clone)]
pub struct RegisteredSystem {
    /// The system.
    pub system: System,
    /// Its certificates, revoked and expired ones included.
    pub certificates: Vec<Certificate>,
}

impl Client {
    /// The agency of a code; none if the directory has no such code.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn registered_agency(&self, code: &AgencyCode) -> Result<Option<Agency>, CallError> {
        let request = pb::GetAgencyRequest { code: code.to_string() };
        let answer = self.directory().get_agency(unary(request)).await.map_err(CallError::from);
        match answer {
            Ok(answer) => answer.into_inner().agency.map(read_agency).transpose(),
            Err(CallError::Refused(refused)) if refused.reason == "NOT_FOUND" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The signing certificates of an agency, in the order of their registration.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn agency_certificates(
        &self,
        code: &AgencyCode,
    ) -> Result<Vec<Certificate>, CallError> {
        let mut request = pb::ListAgencyCertificatesRequest {
            code: code.to_string(),
            page_size: 1000,
            page_token: String::new(),
        };
        let mut certificates = Vec::new();
        loop {
            let page = self.directory().list_agency_certificates(unary(request.clone())).await?;
            let page = page.into_inner();
            certificates.extend(read_certificates(page.certificates)?);
            if page.next_page_token.is_empty() {
                return Ok(certificates);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// All systems, in the order of their codes. Only operators may ask.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn registered_systems(&self) -> Result<Vec<RegisteredSystem>, CallError> {
        let mut request = pb::ListSystemsRequest {
            agency: String::new(),
            page_size: 1000,
            page_token: String::new(),
        };
        let mut systems = Vec::new();
        loop {
            let page = self.operators().list_systems(unary(request.clone())).await?.into_inner();
            for listed in page.systems {
                systems.push(read_system(listed)?);
            }
            if page.next_page_token.is_empty() {
                return Ok(systems);
            }
            request.page_token = page.next_page_token;
        }
    }
}

fn read_agency(message: pb::Agency) -> Result<Agency, CallError> {
    directory::agency(message).map_err(|error| unreadable("agency", &error))
}

fn read_system(listed: pb::ListedSystem) -> Result<RegisteredSystem, CallError> {
    let system = directory::system(listed.system.unwrap_or_default());
    Ok(RegisteredSystem {
        system: system.map_err(|error| unreadable("system", &error))?,
        certificates: read_certificates(listed.certificates)?,
    })
}

fn read_certificates(messages: Vec<pb::Certificate>) -> Result<Vec<Certificate>, CallError> {
    let read = messages.into_iter().map(directory::certificate).collect::<Result<_, _>>();
    read.map_err(|error| unreadable("certificate", &error))
}

/// An answer that this version can't read must not be changed and sent back.
fn unreadable(what: &str, error: &dyn std::error::Error) -> CallError {
    Status::unknown(format!("this version can't read the hub's {what}: {error}")).into()
}
