//! What a verification found, step by step.

use serde_json::{Value, json};
use xianjie_core::ledger::receipt::VerifiedReceipt;

/// A step of verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The file can be read.
    File,
    /// The leaf commits to the record.
    Commitment,
    /// The checkpoint is signed by the ledger.
    Checkpoint,
    /// The leaf is in the checkpoint's tree.
    Inclusion,
    /// The record commits to the document (文书).
    Document,
    /// The signer's certificate is registered by a record.
    Binding,
    /// The signature holds.
    Signature,
    /// The attachments (附件) are those that the document names.
    Attachments,
    /// The acknowledgement (签收) is about this delivery.
    Acknowledgement,
    /// The rejection (退件) is about this delivery.
    Rejection,
    /// The delivery was served on paper (另行送达).
    Service,
}

impl Step {
    /// Its name for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Commitment => "commitment",
            Self::Checkpoint => "checkpoint",
            Self::Inclusion => "inclusion",
            Self::Document => "document",
            Self::Binding => "binding",
            Self::Signature => "signature",
            Self::Attachments => "attachments",
            Self::Acknowledgement => "acknowledgement",
            Self::Rejection => "rejection",
            Self::Service => "service",
        }
    }

    /// What it is about, in English and Chinese.
    #[must_use]
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::File => ("the files can be read", "文件可读"),
            Self::Commitment => ("the leaf commits to the record", "叶承诺了该记录"),
            Self::Checkpoint => ("the ledger signed the checkpoint", "检查点由账本签发"),
            Self::Inclusion => ("the record is in the ledger", "记录在账本中"),
            Self::Document => ("the record is about this document", "记录对应此文书"),
            Self::Binding => ("the signer's certificate is registered", "签名证书已登记"),
            Self::Signature => ("the signature holds", "签名有效"),
            Self::Attachments => ("the attachments are those named", "附件与文书所列一致"),
            Self::Acknowledgement => ("the acknowledgement is about this", "签收对应此送达"),
            Self::Rejection => ("the delivery was rejected", "该送达已退件"),
            Self::Service => ("the delivery was served on paper", "该送达已另行送达"),
        }
    }
}

/// What one step found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Holds,
    /// It does not hold: why, in English and Chinese.
    Fails(String, String),
    /// It could not be tried: what is missing, in English and Chinese.
    Open(String, String),
}

/// One step with what it found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The step.
    pub step: Step,
    /// What it found.
    pub outcome: Outcome,
}

/// The steps taken, in order. Nothing is tried after a step that fails.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What was found.
    pub findings: Vec<Finding>,
    /// What the last receipt proves, if it holds.
    pub receipt: Option<VerifiedReceipt>,
}

impl Report {
    /// Whether every step holds, and there was one.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        let holds = |finding: &Finding| finding.outcome == Outcome::Holds;
        !self.findings.is_empty() && self.findings.iter().all(holds)
    }

    /// The first step that does not hold or is open.
    #[must_use]
    pub fn first_doubt(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.outcome != Outcome::Holds)
    }

    /// The report for programs.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let steps = self.findings.iter().map(|Finding { step, outcome }| match outcome {
            Outcome::Holds => json!({"step": step.name(), "result": "ok"}),
            Outcome::Fails(why, why_zh) => {
                json!({"step": step.name(), "result": "failed", "why": why, "why_zh": why_zh})
            }
            Outcome::Open(why, why_zh) => {
                json!({"step": step.name(), "result": "open", "why": why, "why_zh": why_zh})
            }
        });
        let receipt = self.receipt.as_ref().map(|receipt| {
            json!({
                "ledger": receipt.checkpoint.origin,
                "index": receipt.index,
                "time_ms": receipt.time_ms,
                "checkpoint_size": receipt.checkpoint.size,
            })
        });
        json!({
            "proven": self.is_proven(),
            "steps": steps.collect::<Vec<_>>(),
            "receipt": receipt,
        })
    }

    pub(in crate::client) fn holds(&mut self, step: Step) {
        self.findings.push(Finding { step, outcome: Outcome::Holds });
    }

    /// Always false, so that a caller can end with it.
    pub(in crate::client) fn fails(
        &mut self,
        step: Step,
        why: impl Into<String>,
        why_zh: impl Into<String>,
    ) -> bool {
        let outcome = Outcome::Fails(why.into(), why_zh.into());
        self.findings.push(Finding { step, outcome });
        false
    }

    /// Always false, so that a caller can end with it.
    pub(in crate::client) fn is_open(
        &mut self,
        step: Step,
        why: impl Into<String>,
        why_zh: impl Into<String>,
    ) -> bool {
        let outcome = Outcome::Open(why.into(), why_zh.into());
        self.findings.push(Finding { step, outcome });
        false
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for Finding { step, outcome } in &self.findings {
            let (english, chinese) = step.words();
            match outcome {
                Outcome::Holds => writeln!(f, "ok      {english} {chinese}")?,
                Outcome::Fails(why, why_zh) => {
                    writeln!(f, "FAILED  {english} {chinese}: {why} {why_zh}")?;
                }
                Outcome::Open(why, why_zh) => {
                    writeln!(f, "open    {english} {chinese}: {why} {why_zh}")?;
                }
            }
        }
        Ok(())
    }
}
