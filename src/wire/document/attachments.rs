//! Attachments (附件) as a document declares them. Their bytes are uploaded apart, and never opened.

use prost_reflect::DynamicMessage;
use xianjie_core::domain::document::Attachment;
use xianjie_core::limits;
use xianjie_core::refusal::Reason;

use super::fields;
use super::reading::Reading;

/// The media types that an attachment may have: documents as courts file them, scans, and text. No
/// archives: a recipient must be able to show what it has signed for.
pub const MEDIA_TYPES: &[&str] = &[
    "application/ofd",
    "application/pdf",
    "application/xml",
    "image/jpeg",
    "image/png",
    "image/tiff",
    "text/plain",
];

pub(super) fn read(reading: &mut Reading<'_>, document: &DynamicMessage) -> Vec<Attachment> {
    let items: Vec<_> = fields::messages(document, "attachments").collect();
    reading.bound("attachments", items.len(), limits::ATTACHMENTS);
    let attachments = items.iter().enumerate();
    attachments.filter_map(|(place, item)| read_one(reading, place, item)).collect()
}

fn read_one(reading: &mut Reading<'_>, place: usize, item: &DynamicMessage) -> Option<Attachment> {
    let path = |field: &str| format!("attachments[{place}].{field}");
    let name = fields::text(item, "name");
    if name.trim().is_empty() {
        reading.violation(Reason::Required, &path("name"), "");
    } else if !is_file_name(name) {
        reading.violation(Reason::Format, &path("name"), "a file name without a path");
    }
    if !MEDIA_TYPES.contains(&fields::text(item, "media_type")) {
        let help = MEDIA_TYPES.join(", ");
        reading.violation(Reason::AttachmentUnfit, &path("media_type"), &help);
    }
    let size = fields::number(item, "size_bytes");
    if size == 0 || size > limits::ATTACHMENT_BYTES {
        let help = format!("1 to {} bytes", limits::ATTACHMENT_BYTES);
        reading.violation(Reason::AttachmentUnfit, &path("size_bytes"), &help);
    }
    let digest = fields::digest(item, "sha256");
    if digest.is_none() {
        reading.violation(Reason::AttachmentUnfit, &path("sha256"), "32 bytes");
    }
    Some(Attachment { digest: digest?, size, kind: fields::text(item, "kind").to_owned() })
}

/// Whether a name is safe to write a file under, on any system.
fn is_file_name(name: &str) -> bool {
    let has_bad = name.contains(|c: char| c.is_control() || matches!(c, '/' | '\\' | ':'));
    !has_bad && !matches!(name, "." | "..") && name.chars().count() <= limits::TEXT_CHARS
}
