//! The one suite that both stores pass: every promise of the store's contract, by a clock that the test moves.
//!
//! A promise is a function that is given a fresh world; the table below runs each of them on every store there is.
//! Nothing here knows which store it talks to, but for `stores`, which opens them.

mod agents;
mod broadcasts;
mod carrying;
mod check;
mod claims;
mod counts;
mod dead;
mod events;
mod history;
mod keys;
mod leases;
mod mail;
mod model;
mod moving;
mod races;
mod rename;
mod room;
mod sequences;
mod sessions;
mod stores;
mod tidy;
mod verbs;
mod waiters;
pub(in crate::store) mod walk;
mod words;
mod world;

/// Makes a test of each promise for one store.
macro_rules! promises_of {
    ($store:ident: $($subject:ident: [$($promise:ident),+ $(,)?])+) => {
        $(mod $subject {
            $(#[test]
            fn $promise() {
                // Where there is no such server, `available` has said so loudly.
                if let Some(world) = super::super::stores::$store() {
                    super::super::$subject::$promise(world);
                }
            })+
        })+
    };
}

/// Makes a test of each promise for each store.
macro_rules! promises {
    ($($table:tt)+) => {
        mod on_embedded {
            promises_of!(embedded: $($table)+);
        }
        mod on_redis {
            promises_of!(redis: $($table)+);
        }
        mod on_valkey {
            promises_of!(valkey: $($table)+);
        }
    };
}

promises! {
    mail: [
        mail_is_first_in_first_out,
        order_is_by_arrival_also_when_the_clock_goes_back,
        a_message_goes_to_its_addressee_alone,
        names_differ_by_case,
        an_agent_can_write_to_itself,
        mail_to_a_name_nobody_has_is_kept,
        a_body_is_kept_byte_for_byte,
        a_message_says_who_what_when_and_how,
        an_id_is_a_uuid_v7_of_the_stores_time_and_the_given_bits,
        send_tells_how_many_wait_without_the_leased,
        send_tells_what_is_known_of_the_recipient,
        a_sender_is_seen_by_sending,
        a_lease_carries_receipt_deadline_and_count,
        a_batch_says_when_the_next_lease_runs_out,
        a_lease_gives_what_there_is_up_to_a_hundred,
        one_message_can_be_picked_wherever_it_stands,
        a_pick_of_what_is_not_ready_gives_nothing,
        a_peek_shows_what_a_lease_would_hand_out_and_consumes_nothing,
        reading_an_empty_mailbox_gives_nothing_and_makes_nothing,
        a_full_mailbox_refuses_and_drops_nothing,
        leased_mail_fills_a_mailbox_until_it_is_acked,
        a_full_mailbox_moves_what_is_due_before_it_refuses,
        a_larger_cap_lets_more_in,
        an_expired_message_is_never_delivered_and_is_counted,
        many_handles_see_one_store,
    ]
    room: [
        a_body_weighs_what_it_takes_as_a_json_text,
        a_lease_hands_out_what_fits_and_leaves_the_rest_untouched,
        what_fits_nowhere_comes_alone,
        a_cursor_moves_behind_what_fits,
    ]
    leases: [
        a_leased_message_is_with_one_reader_at_a_time,
        run_out_mail_is_ready_again_within_a_second_with_one_delivery_more,
        ready_again_mail_goes_to_the_head_in_its_order,
        released_mail_is_ready_at_once_at_its_place,
        extending_holds_from_now_and_is_no_delivery,
        extending_can_shorten_a_lease,
        an_extended_delivery_can_still_be_acked,
        acked_mail_never_comes_back,
        an_ack_is_idempotent,
        a_receipt_is_stale_when_its_lease_ran_out,
        a_receipt_is_stale_when_it_was_released,
        a_receipt_is_stale_when_a_later_delivery_replaced_it,
        a_receipt_is_stale_in_a_foreign_mailbox,
        a_receipt_that_was_never_given_is_stale,
        a_done_receipt_cannot_be_extended_or_released,
        receipts_are_judged_one_by_one_in_the_order_given,
        a_hundred_receipts_are_settled_in_one_step,
        mail_is_dead_when_its_last_lease_runs_out,
        mail_is_dead_in_the_step_of_its_last_release,
        the_last_delivery_can_still_be_acked,
        leased_mail_past_its_ttl_can_be_acked_while_the_lease_holds,
        leased_mail_past_its_ttl_expires_when_the_lease_runs_out,
        leased_mail_past_its_ttl_expires_when_it_is_released,
        more_than_a_hundred_run_out_leases_come_back_in_order,
        receipts_are_stale_also_when_more_than_a_hundred_leases_ran_out,
        what_is_due_elsewhere_delays_nobody,
    ]
    dead: [
        a_dead_letter_says_why_and_when_it_died,
        dead_letters_are_listed_newest_first,
        dead_letters_are_not_mail,
        a_retried_letter_is_back_at_its_place_with_no_deliveries,
        single_letters_can_be_retried_and_purged,
        only_own_dead_letters_are_retried_or_purged,
        a_retried_letter_lives_a_whole_ttl_anew,
        a_retry_may_exceed_the_cap,
        a_purged_letter_is_gone_for_good,
        a_dead_letter_is_kept_seven_days,
        a_mailbox_keeps_a_thousand_dead_letters,
        receipts_of_dead_letters_are_stale,
    ]
    keys: [
        the_same_key_gives_the_first_id_and_stores_nothing,
        a_key_used_for_something_else_is_a_conflict,
        a_key_is_per_sender_and_operation,
        a_key_may_hold_any_characters,
        a_key_is_remembered_when_the_message_was_read_or_deleted,
        a_key_is_forgotten_after_the_ttl,
        a_refused_send_leaves_no_key,
        a_refusal_is_told_in_the_same_words,
        a_broadcast_key_works_like_a_message_key,
        a_reply_joins_the_thread_of_its_message,
        a_reply_to_taken_mail_joins_its_thread,
        a_thread_outlives_its_first_message,
        a_reply_to_what_the_store_no_longer_has_starts_a_thread_of_that_id,
        a_reply_after_the_ttl_keeps_the_id_it_answers,
    ]
    check: [
        nothing_new_is_all_zero_and_makes_no_mailbox,
        a_check_counts_what_is_new_and_consumes_nothing,
        leased_mail_is_not_unread_until_it_is_ready_again,
        the_newest_message_is_the_last_that_waits,
        expired_mail_is_not_counted,
        counts_are_right_when_more_than_a_hundred_expire_at_once,
        counts_are_right_when_more_than_a_hundred_leases_run_out_at_once,
        a_check_refreshes_presence,
        notices_and_own_words_are_never_new,
        seen_words_are_not_new,
        arrivals_count_how_often_mail_became_ready,
        merged_mail_is_an_arrival,
        arrivals_are_counted_when_more_than_a_hundred_run_out_at_once,
    ]
    broadcasts: [
        unseen_words_come_in_order_and_once,
        a_broadcast_is_kept_whole,
        looking_without_advancing_leaves_the_cursor,
        pages_follow_each_other_without_gap,
        own_words_are_not_unseen_and_do_not_stop_a_page,
        own_words_stay_own_after_a_rename,
        the_cursor_goes_along_with_a_rename,
        a_new_agent_sees_all_that_are_alive,
        a_new_holder_of_an_old_name_hears_what_its_first_holder_said,
        the_cap_drops_the_oldest_and_says_who_missed_what,
        who_was_there_misses_what_the_cap_drops,
        what_was_seen_is_not_missed_when_it_is_trimmed,
        the_cursor_is_no_index,
        expired_words_are_neither_seen_nor_missed,
        five_hundred_announcements_and_apart_a_hundred_notices_are_kept,
        notices_are_shown_and_never_counted,
        all_shows_the_newest_own_ones_too_and_can_advance,
        clearing_leaves_cursors_valid_and_nothing_missed,
    ]
    agents: [
        agents_come_in_byte_order,
        pages_of_agents_follow_each_other,
        a_thousand_agents_fit_on_one_page,
        an_agent_is_shown_with_what_it_is_and_does,
        an_agent_is_offline_after_thirty_seconds_of_silence,
        a_name_that_only_has_mail_is_shown_as_never_seen,
        the_message_count_is_of_live_mail_that_waits,
        forwarding_names_are_not_shown,
        the_first_sighting_after_silence_is_an_event,
        every_verb_of_an_agent_is_a_sign_of_life,
        nobody_is_seen_under_a_name_that_a_live_session_holds,
    ]
    rename: [
        a_rename_points_the_new_name_at_the_mailbox,
        the_old_name_forwards,
        a_forwarded_recipient_is_the_renamed_one,
        leases_stay_valid_across_a_rename,
        mail_that_waits_under_the_new_name_comes_first,
        merged_mail_keeps_its_leases_and_deliveries,
        a_repeated_ack_is_known_after_a_merge,
        merged_urgent_mail_and_dead_letters_come_along,
        a_merge_may_exceed_the_cap_and_then_fills_the_mailbox,
        an_agent_can_be_renamed_back,
        a_chain_of_renames_forwards_from_every_name,
        names_that_forward_to_a_merged_mailbox_go_on_forwarding,
        a_rename_to_the_own_name_is_a_conflict,
        an_agent_without_mail_can_be_renamed,
        a_rename_to_a_held_name_is_refused,
        a_rename_to_the_name_of_one_that_is_gone_is_granted,
        a_renamed_session_goes_on_under_its_new_name,
        the_old_name_of_a_session_is_held_while_it_lives,
        a_session_can_be_renamed_back,
        a_rename_is_announced,
        receipts_of_before_a_merge_are_still_refused_when_stale,
    ]
    claims: [
        a_name_has_one_live_session,
        the_same_process_keeps_its_claim,
        a_process_is_known_by_host_pid_and_start,
        a_later_claim_has_a_higher_number,
        an_ended_claim_frees_the_name_with_the_mail_that_waits,
        a_claim_of_one_that_is_gone_is_replaced,
        a_claim_ends_after_a_day_of_silence,
        a_claim_without_any_sign_of_life_ends_after_a_day_too,
        signs_of_life_keep_a_claim,
        a_silent_holder_that_nobody_replaced_goes_on,
        who_lost_a_name_is_refused_by_every_verb,
        a_claim_from_a_store_that_was_lost_counts_for_nothing,
        who_lost_a_name_cannot_settle_what_it_leased,
        a_guessed_name_that_is_held_may_look_but_not_take,
        a_guessed_name_may_do_everything_when_no_live_session_holds_it,
        a_name_given_outright_may_do_everything,
        the_holder_itself_may_do_everything,
        holders_are_the_live_claims,
        an_ended_session_is_offline_and_announced,
        a_name_that_only_forwarded_gets_a_new_mailbox_when_claimed,
        the_old_name_of_one_that_is_gone_is_granted_with_a_new_mailbox,
        the_old_names_of_one_that_is_gone_forward_no_longer_once_its_name_is_taken,
    ]
    tidy: [
        a_waiting_message_can_be_deleted_with_its_history,
        a_leased_message_can_be_deleted_and_its_receipt_is_stale,
        only_waiting_and_leased_mail_of_the_own_mailbox_is_deleted,
        clearing_deletes_waiting_and_leased_mail,
        clearing_counts_only_what_was_alive,
        clean_up_removes_who_is_offline_with_nothing_left,
        clean_up_of_one_name_leaves_the_others,
        clean_up_leaves_what_a_live_session_holds,
        clean_up_removes_forwarding_names_with_their_agent,
        expired_mail_keeps_nobody_from_clean_up,
        a_listing_shows_the_mailbox_as_it_is,
        a_listing_goes_in_pages,
        a_listing_leaves_out_what_expired,
    ]
    history: [
        history_is_newest_first_and_has_every_standing,
        a_record_says_who_took_it_and_when,
        history_of_an_agent_is_what_it_sent_and_got,
        history_of_a_thread_is_its_messages,
        history_goes_in_pages_without_gap,
        activity_counts_history_by_the_hour,
        what_was_read_stays_readable_until_its_ttl,
        history_keeps_names_as_they_were_written,
        unknown_ids_are_not_found,
        a_record_shows_no_receipt_of_a_live_lease_to_others,
        a_dead_letter_is_found_as_long_as_it_is_kept,
    ]
    events: [
        the_stream_starts_behind_the_newest,
        every_step_in_the_life_of_a_message_is_an_event,
        expiry_and_death_are_events,
        broadcasts_renames_presence_and_clearing_are_events,
        the_stream_is_complete_in_pages,
        a_refused_or_repeated_step_is_no_event,
        a_cursor_of_another_epoch_is_reset,
        the_last_ten_thousand_events_are_kept_and_older_cursors_are_reset,
        events_come_in_the_order_of_the_steps,
    ]
    waiters: [
        a_waiter_wakes_on_what_changed_since_it_was_made,
        a_waiter_wakes_on_mail_to_a_name_without_a_mailbox,
        a_waiter_wakes_on_a_broadcast,
        a_waiter_wakes_on_mail_that_is_released,
        a_waiter_wakes_on_mail_to_a_forwarding_name,
        a_waiter_wakes_on_mail_that_a_rename_brings,
        a_waiter_goes_on_after_its_mailbox_was_renamed,
        a_waiter_wakes_on_a_retried_dead_letter,
        an_event_waiter_wakes_on_any_event,
        a_blocked_waiter_is_woken,
        a_waiter_ends_when_its_time_is_over,
        a_quiet_waiter_does_not_spin,
        many_waiters_wake_on_one_message,
    ]
    counts: [
        a_new_store_counts_nothing,
        every_message_is_in_one_place,
        counts_hold_when_hundreds_are_due_in_many_mailboxes,
        stats_see_what_is_due_without_being_told,
        agents_and_broadcasts_are_counted,
        the_census_counts_each_sort,
        health_names_the_server,
    ]
    moving: [
        everything_goes_along_to_every_sort_of_store_and_back,
        leases_and_receipts_survive_a_move,
        claims_names_and_their_numbers_survive_a_move,
        cursors_and_keys_survive_a_move,
        a_large_store_is_carried_in_pages,
        writers_are_refused_while_a_store_is_moved,
        a_mark_runs_out_and_can_be_renewed,
        only_a_marked_store_is_exported,
        a_moved_store_refuses_everybody_and_says_where_it_went,
        a_store_that_holds_mail_is_not_overwritten,
        a_store_that_holds_a_broadcast_is_not_overwritten,
        a_store_that_holds_a_name_is_not_overwritten,
        nobody_uses_a_store_while_it_is_filled,
        a_move_that_broke_off_starts_over_from_scratch,
        event_cursors_of_the_old_store_are_reset_by_the_new,
        what_is_accepted_while_a_move_begins_is_moved,
    ]
    races: [
        four_senders_and_four_readers_lose_and_double_nothing,
        mail_of_one_sender_stays_in_order_among_many,
        racers_at_a_nearly_full_mailbox_fill_it_to_the_cap_exactly,
        a_hundred_racers_with_one_key_make_one_message,
        racers_for_a_name_get_it_once,
        racers_for_one_receipt_settle_it_once,
        mail_sent_while_its_agent_is_renamed_arrives,
        readers_of_broadcasts_under_one_name_share_one_cursor,
        events_of_racers_have_one_order,
    ]
    sequences: [
        any_sequence_of_steps_agrees_with_the_model,
    ]
    sessions: [
        any_sequence_of_sessions_agrees_with_the_model,
    ]
}
