//! Generates, from `proto/` alone and without protoc: the message and service types, the descriptor
//! set by which documents are read, and the list of sources that `xianjie proto` writes out.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use prost::Message as _;

/// Fields that hold large bytes and are passed on as they came.
const SHARED_BYTES: [&str; 4] = [
    ".xianjie.v1.SignedDocument.document",
    ".xianjie.v1.UploadAttachmentRequest.chunk",
    ".xianjie.v1.DownloadAttachmentResponse.chunk",
    ".xianjie.v1.Receipt.record",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let files = proto_files(Path::new("proto/xianjie/v1"))?;
    let descriptors = protox::compile(&files, ["proto"])?;
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    fs::write(out.join("sources.rs"), sources(&files)?)?;

    let mut builder = tonic_prost_build::configure()
        .build_transport(false)
        // By far the largest of their kinds.
        .boxed(".xianjie.v1.Effect.effect.duty_opened")
        .boxed(".xianjie.v1.WatchAlarmsResponse.message.alarm");
    let fields = fields(&descriptors.file);
    for field in SHARED_BYTES {
        // A name that fits nothing would be passed over in silence, and the bytes copied.
        if !fields.iter().any(|known| known == field) {
            return Err(format!("{field} is no field").into());
        }
        builder = builder.bytes(field);
    }
    builder.compile_fds(descriptors)?;
    Ok(())
}

/// The full names of the fields of all messages that stand in no other.
fn fields(files: &[prost_types::FileDescriptorProto]) -> Vec<String> {
    let mut fields = Vec::new();
    for file in files {
        for message in &file.message_type {
            let place = format!(".{}.{}", file.package(), message.name());
            fields.extend(message.field.iter().map(|field| format!("{place}.{}", field.name())));
        }
    }
    fields
}

/// The `.proto` files of a folder, in order of name.
fn proto_files(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// A Rust expression: the list of (import path, text) of the files.
fn sources(files: &[PathBuf]) -> Result<String, Box<dyn Error>> {
    let mut list = String::from("&[\n");
    for file in files {
        let path = file.to_str().ok_or("a file name that is no text")?;
        let import = path.strip_prefix("proto/").unwrap_or(path);
        writeln!(
            list,
            "    ({import:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/{path}\"))),"
        )?;
    }
    list.push(']');
    Ok(list)
}
