"""What every store must do: a suite that any backend can be put through.

`STORE` holds the checks, each a coroutine function that takes a `Making`. A plain test runs them:

    @pytest.mark.parametrize("check", STORE, ids=lambda c: c.__name__)
    async def test_my_store(check, tmp_path):
        await check(MyMaking(tmp_path))
"""

from lineshaft.testing.stores import answers, going, rows
from lineshaft.testing.stores.basis import ALWAYS, Check, Making, balanced, holds

__all__ = ["ALWAYS", "STORE", "Check", "Making", "balanced", "holds"]

STORE: tuple[Check, ...] = (
    rows.samples_come_back_in_the_order_asked_for,
    rows.a_range_holds_its_start_and_not_its_stop,
    rows.the_last_write_of_a_key_wins_and_is_counted,
    rows.values_come_back_exactly,
    rows.times_reach_both_ends_of_int64,
    rows.late_data_is_welcome,
    rows.last_is_the_newest_of_each_point,
    rows.unknown_points_give_nothing,
    rows.a_limit_takes_the_oldest_of_each_point,
    rows.a_scan_gives_the_rows_of_a_read,
    answers.summaries_agree_with_plain_arithmetic,
    answers.summaries_have_the_columns_asked_for,
    answers.the_nearest_samples_are_found,
    answers.storage_tells_what_each_point_takes,
    going.retention_keeps_what_the_rules_say,
    going.the_budget_lets_the_oldest_samples_go,
    rows.concurrent_appends_are_all_kept,
    rows.an_empty_batch_is_nothing,
    rows.many_points_are_fine,
    rows.a_restart_keeps_everything,
    going.what_is_deleted_is_gone,
    going.deleting_takes_what_was_acknowledged_before_it,
)
"""All checks."""
