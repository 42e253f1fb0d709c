//! How much may still be written. A part of a disk stays free: on a disk that documents have filled,
//! acknowledgements, suspensions and recovery must still fit.

use std::io;
use std::path::Path;

use xianjie_core::limits;

/// A disk keeps one part of so many free.
const RESERVED_PART: u64 = 20;

/// The room where something is stored, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// What may still be written.
    pub free: u64,
    /// All there is, written or free.
    pub total: u64,
}

/// How much of a disk documents leave free, and attachments twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reserve {
    /// A twentieth, and no less than [`limits::DISK_RESERVE_BYTES`].
    #[default]
    Share,
    /// So many bytes.
    Bytes(u64),
}

impl Reserve {
    fn bytes(self, total: u64) -> u64 {
        match self {
            Self::Share => limits::DISK_RESERVE_BYTES.max(total / RESERVED_PART),
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl Space {
    /// The room on the disk that holds `path`, for those who are not root.
    ///
    /// # Errors
    /// The operating system's.
    pub fn of_disk(path: &Path) -> io::Result<Self> {
        let disk = rustix::fs::statvfs(path)?;
        Ok(Self {
            free: disk.f_bavail.saturating_mul(disk.f_frsize),
            total: disk.f_blocks.saturating_mul(disk.f_frsize),
        })
    }

    /// What documents may still take: they leave the reserve.
    #[must_use]
    pub fn for_documents(self, reserve: Reserve) -> u64 {
        self.free.saturating_sub(reserve.bytes(self.total))
    }

    /// What attachments may still take: they leave the reserve twice, so that on one disk documents go on
    /// when attachments must wait.
    #[must_use]
    pub fn for_attachments(self, reserve: Reserve) -> u64 {
        self.free.saturating_sub(reserve.bytes(self.total).saturating_mul(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_is_a_twentieth_but_no_less_than_the_least() {
        let least = limits::DISK_RESERVE_BYTES;
        let space = |free, total| Space { free, total };
        assert_eq!(space(least + 7, 2 * least).for_documents(Reserve::Share), 7);
        assert_eq!(space(3 * least, 40 * least).for_documents(Reserve::Share), least);
        assert_eq!(space(least, 40 * least).for_documents(Reserve::Share), 0);
        assert_eq!(space(9, 40 * least).for_documents(Reserve::Bytes(4)), 5);
    }

    #[test]
    fn attachments_wait_before_documents_do() {
        let space = |free| Space { free, total: 100 };
        assert_eq!(space(9).for_attachments(Reserve::Bytes(4)), 1);
        assert_eq!(space(8).for_attachments(Reserve::Bytes(4)), 0);
        assert_eq!(space(8).for_documents(Reserve::Bytes(4)), 4);
    }
}
