//! Every "no" of the hub: a closed list of reasons, each with its class, the advice that a sender's
//! loop acts on, and a sentence in English and Chinese.
//!
//! A refusal never repeats the refused value: it may be personal. It names the field.

use serde::{Deserialize, Serialize};

/// What a sender's program does next: the only thing that it must branch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Advice {
    /// Send the same bytes again, after a pause.
    Resend,
    /// Upload the attachments named, then send the same bytes again.
    UploadThenResend,
    /// These bytes will never be taken: correct the document under a new id.
    NewDocument,
    /// Something between the agency and the hub's operators must be put right first.
    AskOperator,
}

impl Advice {
    /// The advice as it stands in the `xianjie-advice` trailer.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Resend => "RESEND",
            Self::UploadThenResend => "UPLOAD_THEN_RESEND",
            Self::NewDocument => "NEW_DOCUMENT",
            Self::AskOperator => "ASK_OPERATOR",
        }
    }
}

/// The kind of a refusal: what the service floor turns into a gRPC code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The request can't be right, whatever the state.
    Invalid,
    /// The caller is nobody the directory knows.
    Unauthenticated,
    /// The caller may not.
    Denied,
    /// Not visible or not existing: one and the same answer.
    NotFound,
    /// The id or the document exists already.
    Exists,
    /// The state forbids it now.
    State,
    /// Not now: a limit, a queue, a store.
    Unavailable,
    /// The hub has no such thing.
    Unsupported,
    /// A defect of the hub.
    Internal,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $text:literal $class:ident $advice:ident $en:literal $zh:literal;)*) => {
        /// Why the hub says no. The list only grows; the names are part of the protocol.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// Every reason, in the order of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name on the wire: `xianjie-reason`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What kind of refusal it is.
            #[must_use]
            pub fn class(self) -> Class {
                match self { $(Self::$name => Class::$class,)* }
            }

            /// What the sender's program does next.
            #[must_use]
            pub fn advice(self) -> Advice {
                match self { $(Self::$name => Advice::$advice,)* }
            }

            /// The English sentence.
            #[must_use]
            pub fn english(self) -> &'static str {
                match self { $(Self::$name => $en,)* }
            }

            /// The Chinese sentence.
            #[must_use]
            pub fn chinese(self) -> &'static str {
                match self { $(Self::$name => $zh,)* }
            }
        }
    };
}

reasons! {
    /// The bytes do not parse as the message they should be.
    Malformed "MALFORMED" Invalid NewDocument
        "the bytes are not a valid message of this type" "字节内容不是该类型的有效报文";
    /// A field or enum value that the hub's schema does not have.
    UnknownField "UNKNOWN_FIELD" Invalid NewDocument
        "a field or value that this hub's schema does not have" "含有本平台结构中没有的字段或取值";
    /// A singular field, or two members of one choice, set twice.
    DuplicateField "DUPLICATE_FIELD" Invalid NewDocument
        "a single field is set twice" "单值字段出现两次";
    /// A document, request, list or text over its limit.
    TooLarge "TOO_LARGE" Invalid NewDocument
        "larger than the limit" "超过规定的大小限制";
    /// A mandatory field is missing.
    Required "REQUIRED" Invalid NewDocument
        "must be filled in" "必须填写";
    /// A field's text has the wrong form.
    Format "FORMAT" Invalid NewDocument
        "does not have the form that this field requires" "格式不符合该字段的要求";
    /// A check digit is wrong.
    CheckDigit "CHECK_DIGIT" Invalid NewDocument
        "the check digit is wrong" "校验码错误";
    /// A date or time that cannot be.
    ImpossibleDate "IMPOSSIBLE_DATE" Invalid NewDocument
        "a date that cannot be" "日期不存在或不可能";
    /// The document type is unknown, or not in force on the date that its rules name.
    UnknownType "UNKNOWN_TYPE" Invalid NewDocument
        "no rulebook in force knows this document type" "现行规则中没有该文书类型";
    /// The document names another hub's ledger.
    WrongLedger "WRONG_LEDGER" Invalid NewDocument
        "the document names another ledger" "文书指明的账本不是本平台";
    /// The checkpoint in `seen` does not fit this ledger.
    SeenMismatch "SEEN_MISMATCH" State AskOperator
        "the checkpoint last seen does not fit this ledger" "所见检查点与本账本不一致";
    /// Classified content.
    Classified "CLASSIFIED" Denied NewDocument
        "only unclassified documents may pass" "涉密文书不得通过本平台传输";
    /// The document id is bound to other bytes.
    DocumentIdReused "DOCUMENT_ID_REUSED" Exists NewDocument
        "this document id is already bound to other bytes" "该文书编号已用于其他内容";
    /// A second document of the same sender, type, case and case number.
    DuplicateOf "DUPLICATE_OF" Exists NewDocument
        "the same document was sent before under another id" "同一文书已用其他编号发送";
    /// The sender is not in the directory, or not valid now.
    UnknownSender "UNKNOWN_SENDER" Denied AskOperator
        "the directory has no such agency, or it is not active" "名录中没有该单位或该单位已停用";
    /// The client certificate belongs to no system.
    UnknownPeer "UNKNOWN_PEER" Unauthenticated AskOperator
        "this client certificate is not registered, or was revoked" "客户端证书未登记或已吊销";
    /// The system does not carry this agency, or not with this right.
    NotCarried "NOT_CARRIED" Denied AskOperator
        "this system does not carry the agency with that right" "接入系统没有代该单位办理此项的权限";
    /// No signature, or too many.
    SignatureMissing "SIGNATURE_MISSING" Invalid NewDocument
        "must carry one to four signatures" "须有一至四个签名";
    /// The signing certificate is not registered for this agency and purpose, or not valid now.
    SignerUnknown "SIGNER_UNKNOWN" Denied AskOperator
        "the signing certificate is not registered for this agency and purpose, or not valid now"
        "签名证书未为该单位及用途登记，或当前无效";
    /// The signature does not verify.
    SignatureInvalid "SIGNATURE_INVALID" Invalid NewDocument
        "the signature does not verify over these bytes" "签名与内容不符";
    /// Attachments that the hub does not hold.
    AttachmentMissing "ATTACHMENT_MISSING" State UploadThenResend
        "the hub does not hold this attachment" "平台尚未收到该附件";
    /// An attachment's size or media type is not as declared or not allowed.
    AttachmentUnfit "ATTACHMENT_UNFIT" Invalid NewDocument
        "the attachment's size, digest or media type is not acceptable" "附件大小、摘要或类型不符合要求";
    /// An upload's bytes do not have the digest named.
    DigestMismatch "DIGEST_MISMATCH" Invalid UploadThenResend
        "the bytes do not have the digest named" "内容与摘要不符";
    /// An upload does not continue where the hub stands.
    OffsetMismatch "OFFSET_MISMATCH" State UploadThenResend
        "the upload does not continue where the hub stands" "续传位置不符";
    /// The agency's kind or level may not send this type.
    WrongRole "WRONG_ROLE" Denied NewDocument
        "an agency of this kind or level may not send this document" "该类单位无权发送此类文书";
    /// The type is for another category of subject.
    WrongCategory "WRONG_CATEGORY" Invalid NewDocument
        "this document is not for this category of subject" "该文书不适用于此类矫正对象";
    /// The document answers nothing, or something that it cannot answer.
    ReplyToNothing "REPLY_TO_NOTHING" State NewDocument
        "answers no document that the sender may answer with this type" "没有可以此文书答复的来文";
    /// A document that must come first is not in the ledger yet.
    PredecessorMissing "PREDECESSOR_MISSING" State Resend
        "a document named as earlier is not in the ledger yet" "所列前序文书尚未入账";
    /// `replaces` names nothing that may be replaced.
    ReplacesNothing "REPLACES_NOTHING" State NewDocument
        "replaces no document of the same sender, type and case" "没有同一单位、类型、案件的文书可供更正";
    /// No case, several, or none that the sender may see: one and the same answer.
    NoCase "NO_CASE" NotFound NewDocument
        "no single correction case of this person that the sender is party to; name the case or answer a document"
        "找不到发送单位参与的唯一矫正案件，请写明案件或答复来文";
    /// A place without an agency to receive.
    NoAgency "NO_AGENCY" State NewDocument
        "no agency in the directory fits" "名录中没有符合条件的单位";
    /// Several agencies fit; the document must choose.
    MustName "MUST_NAME" Invalid NewDocument
        "several agencies fit; name one in chosen_agencies" "有多个单位符合条件，须在所选单位（chosen_agencies）中指明";
    /// A chosen agency that fits no place where the law leaves a choice.
    ChoiceUnfit "CHOICE_UNFIT" Invalid NewDocument
        "a chosen agency fits nowhere, or more than one place" "所选单位不符合法律规定的条件";
    /// A role that nothing in the case or the document tells.
    RoleUnknown "ROLE_UNKNOWN" Invalid NewDocument
        "the case does not tell which agency this is; name it in the field" "案件中没有该角色的单位，请在字段中写明";
    /// The sender is not the agency that the rule demands.
    NotEntitled "NOT_ENTITLED" Denied NewDocument
        "another agency must send this document" "应由其他单位发送此文书";
    /// A rule of law forbids it.
    Forbidden "FORBIDDEN_BY_RULE" State NewDocument
        "a rule forbids this document here" "规则不允许在此情形下发送此文书";
    /// A custody step that is impossible in the present state.
    ImpossibleStep "IMPOSSIBLE_STEP" State NewDocument
        "impossible in the present state of custody" "与当前监管状态不符";
    /// More addressees or effects than one record can hold.
    TooManyAddressees "TOO_MANY_ADDRESSEES" Invalid NewDocument
        "more addressees than one document may have" "受送达单位过多";
    /// An acknowledgement or rejection of something that is not in this inbox under this commitment.
    DeliveryUnknown "DELIVERY_UNKNOWN" NotFound NewDocument
        "no such delivery in this inbox under this commitment" "收件箱中没有该送达";
    /// The delivery was settled otherwise.
    DeliverySettled "DELIVERY_SETTLED" State NewDocument
        "this delivery is already settled in another way" "该送达已以其他方式了结";
    /// One statement covers deliveries of more than one sender.
    MixedSenders "MIXED_SENDERS" Invalid NewDocument
        "one statement may cover deliveries of one sender only" "一份签收只能包含同一发送单位的文书";
    /// A request asks for an inbox number above the last one.
    InboxAhead "INBOX_AHEAD" State AskOperator
        "the number is above this inbox's last one: the hub may have lost history" "编号超过收件箱末号，平台可能丢失历史";
    /// Not visible or not existing.
    NotFound "NOT_FOUND" NotFound AskOperator
        "not found, or not visible to this agency" "不存在或本单位无权查看";
    /// A juvenile's record after the end of correction (刑诉法 286).
    Sealed "SEALED" Denied NewDocument
        "the record is sealed; query it by QueryPerson for case handling or by a provision of the state, and name that query"
        "记录已封存，须以办案需要或者国家规定为依据查询（QueryPerson），并写明该次查询";
    /// An agency of this kind may not query this topic.
    TopicClosed "TOPIC_CLOSED" Denied NewDocument
        "an agency of this kind may not query this topic" "该类单位无权查询该专题";
    /// A directory change that does not fit the directory.
    DirectoryUnfit "DIRECTORY_UNFIT" State NewDocument
        "the change does not fit the directory" "变更与名录不符";
    /// Too many streams, connections or items at once.
    Quota "QUOTA" Unavailable Resend
        "over this agency's share for now; try again" "超过当前配额，请稍后重试";
    /// The hub's queue is full.
    Busy "BUSY" Unavailable Resend
        "the hub is busy; send the same bytes again" "平台繁忙，请稍后以相同内容重发";
    /// The store is full or away.
    StoreUnavailable "STORE_UNAVAILABLE" Unavailable Resend
        "the store can't take writes now; send the same bytes again" "存储暂不可用，请稍后以相同内容重发";
    /// The rulebooks that operators last put in force are not at hand: under others nothing is decided.
    RulebooksNotInForce "RULEBOOKS_NOT_IN_FORCE" Unavailable Resend
        "the rulebooks in force are not at hand; send the same bytes again once the operators have seen to it"
        "平台未加载已启用的规则，待运维处理后请以相同内容重发";
    /// The hub is shutting down.
    Draining "DRAINING" Unavailable Resend
        "the hub is shutting down; connect again" "平台正在停机，请重新连接";
    /// The item met a defect of the hub and was set aside; nothing else was harmed.
    Quarantined "QUARANTINED" Internal AskOperator
        "this item met a defect of the hub and was set aside; its operators are told" "该件触发平台缺陷，已隔离并告警";
    /// A method, or an encoding of messages, that the hub does not have.
    Unsupported "UNSUPPORTED" Unsupported AskOperator
        "this hub has no such method here, or can't read messages so encoded"
        "本平台此处没有该方法，或不支持该报文编码";
}

/// One thing wrong with a document, at one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The field's path in proto names, such as `subject.identity_number` or `attachments[2].name`;
    /// empty if it concerns the whole.
    pub field: String,
    /// What is wrong.
    pub reason: Reason,
    /// What would help, without any refused value: agency codes that fit, a limit, a type's name.
    pub help: String,
    /// The same in Chinese.
    pub help_zh: String,
    /// The articles that demand it.
    pub articles: Vec<String>,
}

impl Violation {
    /// A violation of `reason` at `field`, with nothing more to say.
    #[must_use]
    pub fn new(reason: Reason, field: impl Into<String>) -> Self {
        let (help, help_zh) = (String::new(), String::new());
        Self { field: field.into(), reason, help, help_zh, articles: Vec::new() }
    }

    /// The same with help that reads alike in both languages: a code, a number, a form.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        let help = help.into();
        self.help_in(help.clone(), help)
    }

    /// The same with help in English and Chinese.
    #[must_use]
    pub fn help_in(mut self, english: impl Into<String>, chinese: impl Into<String>) -> Self {
        self.help = english.into();
        self.help_zh = chinese.into();
        self
    }

    /// The same with the articles that demand it.
    #[must_use]
    pub fn articles(mut self, articles: &[String]) -> Self {
        self.articles = articles.to_vec();
        self
    }
}

/// A refusal: at least one violation. Its reason and advice are those of the gravest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// All that is wrong, at most [`crate::limits::VIOLATIONS`]; never empty.
    pub violations: Vec<Violation>,
    /// Seconds to wait before a resend, where the advice is to resend.
    pub retry_after_seconds: u32,
}

impl Refusal {
    /// A refusal of one violation.
    #[must_use]
    pub fn one(violation: Violation) -> Self {
        let wait = u32::from(violation.reason.advice() == Advice::Resend);
        Self { violations: vec![violation], retry_after_seconds: wait }
    }

    /// A refusal of all `violations`, or none if there are none. The list is cut at its limit.
    #[must_use]
    pub fn of(mut violations: Vec<Violation>) -> Option<Self> {
        violations.truncate(crate::limits::VIOLATIONS);
        if violations.is_empty() {
            return None;
        }
        let mut refusal = Self { violations, retry_after_seconds: 0 };
        refusal.retry_after_seconds = u32::from(refusal.advice() == Advice::Resend);
        Some(refusal)
    }

    /// The gravest violation: that whose advice asks most, the first of equals.
    #[must_use]
    pub fn gravest(&self) -> &Violation {
        let first = &self.violations[0];
        self.violations.iter().fold(first, |worst, v| {
            if v.reason.advice() > worst.reason.advice() { v } else { worst }
        })
    }

    /// The reason that stands for the whole.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.gravest().reason
    }

    /// What the sender's program does next.
    #[must_use]
    pub fn advice(&self) -> Advice {
        self.reason().advice()
    }
}

impl From<Violation> for Refusal {
    fn from(violation: Violation) -> Self {
        Self::one(violation)
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self::one(Violation::new(reason, ""))
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, v) in self.violations.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{}", v.reason.name())?;
            if !v.field.is_empty() {
                write!(f, " {}", v.field)?;
            }
            write!(f, ": {}", v.reason.english())?;
            if !v.help.is_empty() {
                write!(f, " ({})", v.help)?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
