//! The client's errors as a command's: which exit code, and what would help.

use std::error::Error;
use std::fmt::Write as _;
use std::io;

use serde_json::json;
use xianjie_core::domain::explain::field_phrase;
use xianjie_core::refusal::Advice;

use super::error::{CliError, Exit, chain};
use crate::client::attachments::TransferError;
use crate::client::bindings::BindingError;
use crate::client::connect::{ConnectError, ProfileLacks};
use crate::client::directory::ChangeError;
use crate::client::error::{CallError, Refused};
use crate::client::inbox::InboxError;
use crate::client::outbox::{OutboxError, Stage};
use crate::client::prepare::PrepareError;
use crate::client::profile::ProfileError;
use crate::client::query::AskError;
use crate::client::seen::SeenError;
use crate::client::send::SendError;
use crate::client::status::QueryError;
use crate::client::supervise::WatchError;
use crate::client::verify::Report;
use crate::identity::files::FileError;

/// Reasons that a certificate, a key or a right is behind.
const OF_PERMISSION: [&str; 4] =
    ["UNKNOWN_PEER", "NOT_CARRIED", "SIGNER_UNKNOWN", "UNKNOWN_SENDER"];

/// What the operating system says of a path that the caller got wrong.
const OF_USAGE: [io::ErrorKind; 3] =
    [io::ErrorKind::InvalidInput, io::ErrorKind::NotADirectory, io::ErrorKind::NotFound];

impl CliError {
    /// A file that the command needs and can't use.
    #[must_use]
    pub fn unusable_file(error: &(dyn Error + 'static)) -> Self {
        let cause = chain(error);
        Self::usage(cause.clone(), format!("文件无法使用：{cause}"))
    }
}

impl From<FileError> for CliError {
    fn from(error: FileError) -> Self {
        let cause = chain(&error);
        match &error {
            FileError::Mode { .. } => {
                Self::permission(cause.clone(), format!("私钥文件权限过宽：{cause}"))
                    .help("chmod 600 the key file", "请将私钥文件权限设为 600")
            }
            FileError::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Self::permission(cause.clone(), format!("没有权限：{cause}"))
            }
            FileError::Io { path, source, .. } if source.kind() == io::ErrorKind::IsADirectory => {
                let path = path.display();
                Self::usage(
                    format!("{path} is a folder; name the files in it"),
                    format!("{path} 是目录，请指明其中的文件"),
                )
            }
            FileError::Io { source, .. } if OF_USAGE.contains(&source.kind()) => {
                Self::unusable_file(&error)
            }
            FileError::Io { .. } => Self::internal(&error),
        }
    }
}

impl From<ProfileError> for CliError {
    fn from(error: ProfileError) -> Self {
        match error.file() {
            Some(FileError::Mode { .. }) => {
                let cause = chain(&error);
                Self::permission(cause.clone(), format!("私钥文件权限过宽：{cause}"))
                    .help("chmod 600 the key file", "请将私钥文件权限设为 600")
            }
            _ => Self::unusable_file(&error),
        }
    }
}

impl From<ProfileLacks> for CliError {
    fn from(lacks: ProfileLacks) -> Self {
        let chinese = match lacks {
            ProfileLacks::Agency => "该配置身份不是单位的：profile.toml 没有 agency",
            ProfileLacks::DocumentKey => "profile.toml 没有 [document]，无法签署文书",
            ProfileLacks::AcknowledgementKey => "profile.toml 没有 [acknowledgement]，无法签收",
            ProfileLacks::Operator => "该配置身份不是运维的：profile.toml 没有 [operator]",
        };
        Self::permission(lacks.to_string(), chinese)
    }
}

impl From<Refused> for CliError {
    fn from(refused: Refused) -> Self {
        let exit = match refused.advice {
            _ if OF_PERMISSION.contains(&refused.reason.as_str()) => Exit::Permission,
            Advice::Resend => Exit::Unavailable,
            _ => Exit::Refused,
        };
        let mut english = format!("the hub refused: {}: {}", refused.reason, refused.message);
        let mut chinese = format!("平台不予接收：{}", refused.message_zh);
        for violation in &refused.violations {
            let field = if violation.field.is_empty() { "document" } else { &violation.field };
            let (reason, help) = (&violation.reason, &violation.help);
            let field_zh = match violation.field.as_str() {
                "" => "文书".to_owned(),
                path => field_phrase(path).chinese,
            };
            // Writing to a string can't fail.
            let _ = write!(english, "\n  {field}: {reason}: {} {help}", violation.message);
            let (message, help) = (&violation.message_zh, &violation.help_zh);
            let _ = write!(chinese, "\n  {field_zh}：{message} {help}");
            let _ = write!(chinese, " {}", violation.articles.join("、"));
        }
        let (help, help_zh) = match refused.advice {
            Advice::Resend => {
                ("try again later; the same bytes are safe", "请稍后重试，重发相同内容是安全的")
            }
            Advice::UploadThenResend => {
                ("send again: attachments go first", "请重新发送，附件将先行上传")
            }
            Advice::NewDocument => (
                "mend what is named and send it as a new document",
                "请改正所列问题后作为新文书发送",
            ),
            Advice::AskOperator => ("ask the hub's operators", "请联系平台运维"),
        };
        let facts = json!({
            "reason": refused.reason,
            "advice": refused.advice.name(),
            "violations": refused.violations.iter().map(|v| json!({
                "field": v.field, "reason": v.reason, "message": v.message,
                "message_zh": v.message_zh, "articles": v.articles, "help": v.help,
                "help_zh": v.help_zh,
            })).collect::<Vec<_>>(),
        });
        Self::new(exit, english, chinese).help(help, help_zh).facts(facts)
    }
}

impl From<CallError> for CliError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(refused) => (*refused).into(),
            CallError::TurnedAway { .. } => turned_away(error.to_string()),
            CallError::Unknown { .. } => {
                let chinese = format!("没有得到平台的答复，结果未知：{error}");
                Self::unavailable(error.to_string(), chinese).help(
                    "do it again: whatever had its effect keeps it, once",
                    "请重试：已生效的不会重复生效",
                )
            }
        }
    }
}

impl From<ConnectError> for CliError {
    fn from(error: ConnectError) -> Self {
        let cause = chain(&error);
        match error {
            ConnectError::Unreachable { .. } => {
                Self::unavailable(cause.clone(), format!("无法连接平台：{cause}")).help(
                    "is the hub running, and `hub` in profile.toml right?",
                    "请确认平台在运行，且 profile.toml 中 hub 地址正确",
                )
            }
            ConnectError::ServerCertificate { .. } => {
                Self::permission(cause.clone(), format!("平台的证书不可信：{cause}")).help(
                    "compare `server_name` and the trust file with what the operators gave you",
                    "请核对 server_name 和运维提供的信任文件",
                )
            }
            ConnectError::CertificateRefused { .. } | ConnectError::ClosedAtOnce { .. } => {
                turned_away(cause)
            }
            ConnectError::OtherLedger { .. } => {
                Self::refused(cause.clone(), format!("平台的账本与信任文件不符：{cause}")).help(
                    "stop, and ask the operators: a ledger changes only if history was lost",
                    "请停止操作并联系运维：只有历史丢失时账本才会更换",
                )
            }
            ConnectError::Seen(error) => error.into(),
            ConnectError::Call(error) => error.into(),
        }
    }
}

impl From<SeenError> for CliError {
    fn from(error: SeenError) -> Self {
        let cause = chain(&error);
        match error {
            SeenError::File(error) => error.into(),
            SeenError::Content { .. } => Self::unusable_file(&error),
            SeenError::Call(error) => error.into(),
            SeenError::Untrusted(_) => {
                Self::refused(cause.clone(), format!("检查点未通过验证：{cause}"))
            }
            SeenError::Fork { .. } => {
                Self::refused(cause.clone(), format!("平台出示了两份相互矛盾的历史：{cause}")).help(
                    "stop, keep the evidence, and show it to the operators and the procuratorate",
                    "请停止操作，保存证据，并报告运维和检察机关",
                )
            }
        }
    }
}

impl From<OutboxError> for CliError {
    fn from(error: OutboxError) -> Self {
        let cause = chain(&error);
        match error {
            OutboxError::File(error) => error.into(),
            OutboxError::State { .. } => Self::unusable_file(&error),
            OutboxError::Changed { document_id, stage, .. } => {
                let (state, state_zh) = match stage {
                    Stage::Pending => ("it is still to be sent", "尚待发送"),
                    Stage::Receipted => ("the hub has it", "平台已收存"),
                    Stage::Refused => ("the hub refused it", "平台不予接收"),
                };
                let chinese =
                    format!("文件在成为文书 {document_id} 之后被改动；已签署的内容不可更改");
                Self::usage(format!("{cause} ({state})"), format!("{chinese}（{state_zh}）")).help(
                    "put the file back, or send it as another document with --anew",
                    "请恢复原文件，或用 --anew 作为另一份文书发送",
                )
            }
        }
    }
}

impl From<PrepareError> for CliError {
    fn from(error: PrepareError) -> Self {
        match error {
            PrepareError::File(error) => error.into(),
            PrepareError::Form(refusal) => Refused::from(&refusal).into(),
            PrepareError::Entropy(error) => Self::internal(&error),
            error => Self::unusable_file(&error).help(
                "`xianjie send --template TYPE` prints a form to fill in",
                "xianjie send --template 类型 可打印空白表单",
            ),
        }
    }
}

impl From<TransferError> for CliError {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::Call(error) => error.into(),
            TransferError::File(error) => error.into(),
            TransferError::Profile(error) => error.into(),
            error => Self::refused(error.to_string(), format!("附件与文书所列不符：{error}")),
        }
    }
}

impl From<SendError> for CliError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Prepare(error) => error.into(),
            SendError::Outbox(error) => error.into(),
            SendError::File(error) => error.into(),
            SendError::Profile(error) => error.into(),
            SendError::Refused(refused) => (*refused).into(),
            SendError::Transfer(error) => error.into(),
            SendError::Seen(error) => error.into(),
            SendError::ReceiptForm(_) => doubtful(&error, None),
            SendError::DoubtfulReceipt { ref report, .. } => doubtful(&error, Some(report)),
            SendError::TurnedAway(_) => turned_away(chain(&error)),
            SendError::GaveUp(_) => {
                let chinese = format!("限定时间内没有得到存证，文书仍在发件箱：{}", chain(&error));
                Self::unavailable(chain(&error), chinese).help(
                    "send the same file again, or everything with `xianjie send --pending`",
                    "请重新发送同一文件，或用 xianjie send --pending 发送全部待发文书",
                )
            }
        }
    }
}

impl From<InboxError> for CliError {
    fn from(error: InboxError) -> Self {
        let cause = chain(&error);
        match error {
            InboxError::Call(error) => error.into(),
            InboxError::File(error) => error.into(),
            InboxError::Profile(error) => error.into(),
            InboxError::Seen(error) => error.into(),
            InboxError::Refused(refused) => (*refused).into(),
            InboxError::Note { .. } => Self::unusable_file(&error),
            InboxError::NotHere { number, .. } => {
                Self::usage(cause, format!("收件箱目录中没有第 {number} 号送达，请先取件"))
            }
            InboxError::NotVerified { number } => {
                Self::refused(cause, format!("第 {number} 号送达未通过验证或已删除，不予签收"))
                    .help(
                        "`xianjie verify folder` says what is wrong with it",
                        "xianjie verify folder 可查看原因",
                    )
            }
            InboxError::Gap { .. } | InboxError::Contradiction { .. } => {
                Self::refused(cause.clone(), format!("平台的编号有误：{cause}")).help(
                    "keep everything, and show it to the operators and the procuratorate",
                    "请保存全部文件，并报告运维和检察机关",
                )
            }
            InboxError::DoubtfulReceipt(ref report) => doubtful(&error, Some(report)),
        }
    }
}

impl From<QueryError> for CliError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Call(error) => error.into(),
            QueryError::Profile(error) => error.into(),
        }
    }
}

impl From<AskError> for CliError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Call(error) => error.into(),
            AskError::Profile(error) => error.into(),
            AskError::Seen(error) => error.into(),
            AskError::ReceiptForm(_) => doubtful(&error, None),
            AskError::DoubtfulReceipt(ref report) => doubtful(&error, Some(report)),
        }
    }
}

impl From<WatchError> for CliError {
    fn from(error: WatchError) -> Self {
        match error {
            WatchError::Call(error) => error.into(),
            WatchError::Profile(error) => error.into(),
            WatchError::Seen(error) => error.into(),
            WatchError::ReceiptForm(_) => doubtful(&error, None),
            WatchError::DoubtfulReceipt(ref report) => doubtful(&error, Some(report)),
        }
    }
}

impl From<ChangeError> for CliError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Profile(error) => error.into(),
            ChangeError::File(error) => error.into(),
            ChangeError::Entropy(error) => Self::internal(&error),
            ChangeError::Refused(refused) => (*refused).into(),
            ChangeError::Seen(error) => error.into(),
            ChangeError::ReceiptForm(_) => doubtful(&error, None),
            ChangeError::DoubtfulReceipt(ref report) => doubtful(&error, Some(report)),
        }
    }
}

impl From<BindingError> for CliError {
    fn from(error: BindingError) -> Self {
        match error {
            BindingError::Call { source, .. } => source.into(),
            BindingError::File(error) => error.into(),
            BindingError::Profile(error) => error.into(),
            error => doubtful(&error, None),
        }
    }
}

/// The hub does not take this client's certificate.
fn turned_away(cause: String) -> CliError {
    let chinese = format!("平台拒绝了此客户端证书：{cause}");
    CliError::permission(cause, chinese).help(
        "ask the operators: is it registered, suspended, revoked or expired?",
        "请联系运维：该证书是否未登记、已停用、已吊销或已过期",
    )
}

/// The hub gave a proof that proves nothing.
fn doubtful(error: &(dyn Error + 'static), report: Option<&Report>) -> CliError {
    let steps = report.map(|report| format!("\n{report}")).unwrap_or_default();
    let english = format!("{}{steps}", chain(error));
    let facts = report.map(Report::to_json).unwrap_or_default();
    CliError::refused(english.trim_end(), "平台给出的存证未通过验证，不予采信").facts(facts).help(
        "keep the file, and show it to the operators; do not send the document anew",
        "请保存该文件并报告运维；请勿另行发送该文书",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use xianjie_core::refusal::{Reason, Refusal};

    #[test]
    fn the_exit_code_says_who_must_act() {
        let exit = |reason: Reason| CliError::from(Refused::from(&Refusal::from(reason))).exit();
        assert_eq!(exit(Reason::NoCase), Exit::Refused);
        assert_eq!(exit(Reason::Busy), Exit::Unavailable);
        assert_eq!(exit(Reason::UnknownPeer), Exit::Permission);
        assert_eq!(exit(Reason::NotCarried), Exit::Permission);
        let unknown = CallError::Unknown { code: tonic::Code::Unavailable, detail: String::new() };
        assert_eq!(CliError::from(unknown).exit(), Exit::Unavailable);
        assert_eq!(CliError::from(ProfileLacks::Operator).exit(), Exit::Permission);
    }

    #[test]
    fn a_file_that_is_not_there_is_the_callers_and_a_full_disk_is_not() {
        let error = |kind: io::ErrorKind| {
            let (path, source) = ("a".into(), kind.into());
            CliError::from(FileError::Io { action: "read", path, source }).exit()
        };
        assert_eq!(error(io::ErrorKind::NotFound), Exit::Usage);
        assert_eq!(error(io::ErrorKind::IsADirectory), Exit::Usage);
        assert_eq!(error(io::ErrorKind::PermissionDenied), Exit::Permission);
        assert_eq!(error(io::ErrorKind::StorageFull), Exit::Internal);
    }
}
