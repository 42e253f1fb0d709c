//! The contract of [`Store`]: what every database must keep. The suite is written once, in
//! [`contract`], against [`Database`]; a database mounts it with `store_contract!`.

use std::sync::Arc;

use xianjie::store::Store;

mod contract;
mod making;
mod sqlite;

/// A database on which the suite can be mounted.
pub(crate) trait Database: Sized {
    /// A new and empty store.
    async fn fresh() -> Self;

    /// The same store as a process finds it that starts after this one ended.
    async fn reopened(self) -> Self;

    /// The store, open.
    fn store(&self) -> Arc<dyn Store>;
}

/// Mounts the whole suite for one database.
macro_rules! store_contract {
    ($database:ty) => {
        $crate::store::store_contract!($database:
            a_fresh_store_is_empty
            what_was_committed_is_read_back
            a_fold_with_nothing_to_write_writes_nothing
            every_kind_of_key_is_put_replaced_and_deleted
            a_fold_sees_what_it_wanted
            a_fold_that_is_never_content_fails
            a_batch_that_does_not_continue_the_ledger_fails
            two_commits_at_once_come_one_after_the_other
            a_caller_that_goes_away_leaves_the_store_usable
            ranges_come_whole_and_in_order
            what_is_unknown_is_absent
            a_scan_is_bounded_and_in_order
            a_scan_page_is_bounded_by_bytes
            entries_come_in_order
            entry_pages_are_bounded
            leaves_come_in_order
            tiles_come_as_asked
            persons_have_their_cases
            a_wide_batch_is_written_whole
            a_reopened_store_has_everything
        );
    };
    ($database:ty: $($test:ident)*) => {
        $(
            #[tokio::test]
            async fn $test() {
                $crate::store::contract::$test::<$database>().await;
            }
        )*
    };
}
pub(crate) use store_contract;
