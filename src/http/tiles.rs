//! Tiles and entry bundles, never beyond what is published.

use xianjie_core::ids::LedgerIndex;
use xianjie_core::ledger::tile::{TILE_WIDTH, entry_bundle};
use xianjie_core::ledger::{Hash, TileId, TilePath, TileWidth};

use crate::hub::Hub;
use crate::hub::published::Published;

/// A tile or a bundle.
pub(super) struct Served {
    pub(super) bytes: Vec<u8>,
    pub(super) is_full: bool,
}

/// Why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TileError {
    /// No such path, or beyond what is published.
    NotThere,
    /// The store can't be read now.
    Unavailable,
}

/// What stands at a path such as `tile/0/x001/067.p/8` or `tile/entries/000`.
pub(super) async fn read(hub: &Hub, path: &str) -> Result<Served, TileError> {
    let path: TilePath = path.parse().map_err(|_| TileError::NotThere)?;
    let published = hub.published();
    let (bytes, width) = match path {
        TilePath::Hashes { tile, width } => (hashes(hub, &published, tile, width).await?, width),
        TilePath::Entries { index, width } => {
            (entries(hub, &published, index, width).await?, width)
        }
    };
    Ok(Served { bytes, is_full: width == TileWidth::FULL })
}

async fn hashes(
    hub: &Hub,
    published: &Published,
    tile: TileId,
    width: TileWidth,
) -> Result<Vec<u8>, TileError> {
    if tile.width_in(published.size) < width.get() {
        return Err(TileError::NotThere);
    }
    let mut bytes = match published.edge.tile(tile) {
        Some(tile) => tile.bytes,
        None => {
            let found = hub.store().tiles(&[(tile.level, tile.index)]).await;
            found.map_err(unavailable)?.pop().flatten().ok_or(TileError::Unavailable)?
        }
    };
    bytes.truncate(width.get() * Hash::LEN);
    Ok(bytes)
}

async fn entries(
    hub: &Hub,
    published: &Published,
    index: u64,
    width: TileWidth,
) -> Result<Vec<u8>, TileError> {
    let first = index.checked_mul(TILE_WIDTH as u64).ok_or(TileError::NotThere)?;
    let end = first.checked_add(width.get() as u64).ok_or(TileError::NotThere)?;
    if end > published.size {
        return Err(TileError::NotThere);
    }
    let leaves = hub.store().leaves_from(LedgerIndex(first), width.get()).await;
    entry_bundle(&leaves.map_err(unavailable)?).map_err(unavailable)
}

fn unavailable(error: impl std::fmt::Display) -> TileError {
    tracing::warn!(%error, "a tile can't be read");
    TileError::Unavailable
}
