-- Whether jobs get done just now, so that clients can take the synchronous way while they do not.
--
-- One row says it, and get_flags reads that row. Dead workers check nothing, so whoever reads the row checks, too: where
-- the last check is older than check_seconds, the reader measures and judges for itself, and stores that if nobody else
-- is about to. Nobody waits for anybody, no caller is told of a state that has not been looked at for longer, and ten
-- thousand page loads a second are one check every few seconds.
--
-- It is bad at once: no worker alive, a job that could be claimed waits for too long, too many attempts fail. It is good
-- again only when every check has been good for recovery_seconds, so that clients do not change sides with every job.
-- Where nobody asks, nothing is checked; the first check after a pause goes on from what the last one found.
--
-- Only types with a flag count: for the others there is no other way. What is read is bounded: the workers, the head of
-- each type's queue, the latest 500 attempts of the window. Attempts from before the master switch was last changed do
-- not count, so that a failure that was dealt with does not come back.
--
-- The same checks can roll everything back for good, where an operator has set rolls_back.

create table public.analysis_health_settings (
    id boolean not null default true,
    check_seconds double precision not null default 5,
    max_wait_seconds double precision not null default 30,
    window_seconds double precision not null default 300,
    min_attempts integer not null default 20,
    max_error_rate double precision not null default 0.2,
    recovery_seconds double precision not null default 30,
    rolls_back boolean not null default false,
    rollback_error_rate double precision not null default 0.05,
    rollback_offline_seconds double precision not null default 600,
    rollback_p95_seconds double precision not null default 30,

    constraint analysis_health_settings_pkey primary key (id),
    constraint analysis_health_settings_is_one_row check (id),
    constraint analysis_health_settings_check_in_range check (check_seconds between 0 and 3600),
    constraint analysis_health_settings_max_wait_in_range check (max_wait_seconds between 0.1 and 86400),
    constraint analysis_health_settings_window_in_range check (window_seconds between 1 and 86400),
    constraint analysis_health_settings_min_attempts_in_range check (min_attempts between 1 and 500),
    constraint analysis_health_settings_max_error_rate_in_range check (max_error_rate between 0 and 1),
    constraint analysis_health_settings_recovery_in_range check (recovery_seconds between 0 and 86400),
    constraint analysis_health_settings_rollback_error_rate_in_range check (rollback_error_rate between 0 and 1),
    constraint analysis_health_settings_rollback_offline_in_range check (rollback_offline_seconds between 0 and 86400),
    constraint analysis_health_settings_rollback_p95_in_range check (rollback_p95_seconds between 0.1 and 86400)
);
alter table public.analysis_health_settings enable row level security;
insert into public.analysis_health_settings default values;

comment on table public.analysis_health_settings is 'One row: what counts as healthy. Editable while running.';
comment on column public.analysis_health_settings.id is 'True; there is one row.';
comment on column public.analysis_health_settings.check_seconds is 'A check is good for so long.';
comment on column public.analysis_health_settings.max_wait_seconds is
    'Unhealthy when a job that could be claimed has waited for longer.';
comment on column public.analysis_health_settings.window_seconds is 'Attempts that started so long ago are measured.';
comment on column public.analysis_health_settings.min_attempts is
    'With fewer attempts that ended within the window their error rate and times say nothing.';
comment on column public.analysis_health_settings.max_error_rate is
    'Unhealthy when a larger share of attempts fails (retried ones too), is lost or expires.';
comment on column public.analysis_health_settings.recovery_seconds is 'Healthy again after so long without a bad check.';
comment on column public.analysis_health_settings.rolls_back is
    'Whether a check calls roll_back when one of the rollback thresholds is passed. Only an operator undoes that.';
comment on column public.analysis_health_settings.rollback_error_rate is 'Roll back above this share of failed attempts.';
comment on column public.analysis_health_settings.rollback_offline_seconds is 'Roll back after so long without a worker.';
comment on column public.analysis_health_settings.rollback_p95_seconds is
    'Roll back when one of twenty completed jobs took longer, from when it was due to its end.';

create table public.analysis_health (
    id boolean not null default true,
    healthy boolean not null default false,
    why text default 'recovering',
    changed_at timestamptz not null default now(),
    checked_at timestamptz not null default now(),
    good_since timestamptz,
    no_worker_since timestamptz,
    workers integer not null default 0,
    wait_seconds double precision,
    attempts integer not null default 0,
    error_rate double precision,
    p95_seconds double precision,

    constraint analysis_health_pkey primary key (id),
    constraint analysis_health_is_one_row check (id),
    constraint analysis_health_why_is_known check (why in ('no_worker', 'long_wait', 'errors', 'recovering')),
    constraint analysis_health_why_unless_healthy check (healthy = (why is null))
) with (fillfactor = 10, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);
alter table public.analysis_health enable row level security;
insert into public.analysis_health default values;

comment on table public.analysis_health is 'One row: the latest check. Rewritten in place.';
comment on column public.analysis_health.id is 'True; there is one row.';
comment on column public.analysis_health.healthy is 'Whether clients should enqueue.';
comment on column public.analysis_health.why is
    'Why not: no_worker, long_wait, errors, or recovering (good, but not for long enough yet). Null when healthy.';
comment on column public.analysis_health.changed_at is 'When healthy changed last.';
comment on column public.analysis_health.checked_at is 'When this was measured.';
comment on column public.analysis_health.good_since is 'While recovering: the first good check.';
comment on column public.analysis_health.no_worker_since is 'The first check that found no worker, if the latest did, too.';
comment on column public.analysis_health.workers is 'Workers alive.';
comment on column public.analysis_health.wait_seconds is 'How long jobs next to be claimed have waited, the longest.';
comment on column public.analysis_health.attempts is 'Attempts of the window that ended by themselves.';
comment on column public.analysis_health.error_rate is 'The share of them that failed, was lost or expired.';
comment on column public.analysis_health.p95_seconds is
    'Of the jobs completed by them, from when they were due to their end: the 95th percentile.';

revoke all on public.analysis_health, public.analysis_health_settings from public, anon, authenticated, service_role;
grant select on public.analysis_health to service_role;
grant select, update on public.analysis_health_settings to service_role;

-- Measure -----------------------------------------------------------------------------------------------------------
create function private.measure_head_wait(moment timestamptz)
returns double precision
language plpgsql
stable
security invoker
set search_path = ''
set enable_seqscan = off
as $$
declare
    since timestamptz;
begin
    select min(head.since) into since
    from public.analysis_types as kind
    cross join lateral (
        -- Some, since priorities put newer ones first; without what they moved them by.
        (select queue.position + queue.priority * interval '10 seconds' as since
        from public.analysis_queue as queue
        where queue.type = kind.type and queue.state = 'claimable' and queue.position > '-infinity'
        order by queue.position, queue.sequence
        limit 20)
        union all
        -- Due, and no claim has come by to notice.
        (select queue.position
        from public.analysis_queue as queue
        where queue.type = kind.type
            and queue.state = 'delayed'
            and queue.position > '-infinity'
            and queue.position <= moment
        order by queue.position
        limit 1)
    ) as head
    where kind.flag_key is not null and not kind.paused;
    return extract(epoch from moment - since);
end
$$;
comment on function private.measure_head_wait(timestamptz) is
    'The longest wait among the jobs that are next, in seconds; null where none is.';

create function private.measure_outcomes(since timestamptz)
returns table (attempts integer, error_rate double precision, p95_seconds double precision)
language plpgsql
stable
security invoker
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
    return query
    select
        count(*)::integer,
        count(*) filter (where ended.outcome <> 'completed')::double precision / nullif(count(*), 0),
        percentile_disc(0.95) within group (order by ended.seconds) filter (where ended.outcome = 'completed')
    from (
        select
            latest.outcome,
            extract(epoch from latest.finished_at - job.scheduled_at)::double precision as seconds
        from (
            select attempt.*
            from public.analysis_attempts as attempt
            where attempt.started_at >= since
            order by attempt.started_at desc
            limit 500
        ) as latest
        join public.analysis_jobs as job on job.id = latest.job_id
        join public.analysis_types as kind on kind.type = job.type
        where kind.flag_key is not null and latest.outcome in ('completed', 'failed', 'lost', 'expired')
    ) as ended;
end
$$;
comment on function private.measure_outcomes(timestamptz) is 'How the latest attempts since then ended.';

create function private.measure_health(
    seen public.analysis_health, settings public.analysis_health_settings, moment timestamptz
)
returns public.analysis_health
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
    measured public.analysis_health := seen;
    switched_at timestamptz;
begin
    select flag.updated_at into switched_at from public.analysis_flags as flag where flag.key = 'all';
    select count(*) into measured.workers
    from public.analysis_workers as worker
    where worker.heartbeat_at + make_interval(secs => worker.lease_seconds) > moment;
    measured.wait_seconds := private.measure_head_wait(moment);
    select outcomes.* into measured.attempts, measured.error_rate, measured.p95_seconds
    from private.measure_outcomes(
        greatest(moment - make_interval(secs => settings.window_seconds), switched_at)
    ) as outcomes;
    measured.checked_at := moment;
    return measured;
end
$$;
comment on function private.measure_health(public.analysis_health, public.analysis_health_settings, timestamptz) is
    'The row with new numbers and the old judgement.';

-- Judge -------------------------------------------------------------------------------------------------------------
create function private.judge_health(measured public.analysis_health, settings public.analysis_health_settings)
returns public.analysis_health
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
    judged public.analysis_health := measured;
begin
    judged.why := case
        when measured.workers = 0 then 'no_worker'
        when measured.wait_seconds > settings.max_wait_seconds then 'long_wait'
        when measured.attempts >= settings.min_attempts and measured.error_rate > settings.max_error_rate then 'errors'
    end;
    judged.no_worker_since := case
        when measured.workers = 0 then coalesce(measured.no_worker_since, measured.checked_at)
    end;
    if judged.why is not null or measured.healthy then
        judged.good_since := null;
    else
        judged.good_since := coalesce(measured.good_since, measured.checked_at);
        if judged.good_since + make_interval(secs => settings.recovery_seconds) > measured.checked_at then
            judged.why := 'recovering';
        else
            judged.good_since := null;
        end if;
    end if;
    judged.healthy := judged.why is null;
    if judged.healthy <> measured.healthy then
        judged.changed_at := measured.checked_at;
    end if;
    return judged;
end
$$;
comment on function private.judge_health(public.analysis_health, public.analysis_health_settings) is
    'What new numbers mean, after what was before.';

create function private.find_rollback_reason(state public.analysis_health, settings public.analysis_health_settings)
returns text
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
    return case
        when state.no_worker_since + make_interval(secs => settings.rollback_offline_seconds) <= state.checked_at
            then format('no worker since %s', state.no_worker_since)
        when state.attempts < settings.min_attempts then null
        when state.error_rate > settings.rollback_error_rate
            then format('%s %% of %s attempts failed', round(state.error_rate::numeric * 100, 1), state.attempts)
        when state.p95_seconds > settings.rollback_p95_seconds
            then format('95th percentile of completed jobs is %s s', round(state.p95_seconds::numeric, 1))
    end;
end
$$;
comment on function private.find_rollback_reason(public.analysis_health, public.analysis_health_settings) is
    'Which rollback threshold is passed; null where none is.';

-- Check -------------------------------------------------------------------------------------------------------------
create function private.roll_back_by_itself(reason text)
returns void
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    update public.analysis_flags as flag
    set enabled = false, updated_by = 'check_health', updated_at = clock_timestamp()
    where flag.key = 'all' and flag.enabled;
    -- Not whoever's call this check was a part of.
    if found then
        insert into public.analysis_audit (actor, action, details)
        values ('check_health', 'roll_back', jsonb_build_object('key', 'all', 'reason', reason));
    end if;
end
$$;
comment on function private.roll_back_by_itself(text) is 'The roll_back of a check.';

create function private.refresh_health()
returns public.analysis_health
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    moment constant timestamptz := clock_timestamp();
    settings public.analysis_health_settings;
    seen public.analysis_health;
    state public.analysis_health;
    rollback_reason text;
begin
    select stored.* into settings from public.analysis_health_settings as stored;
    select stored.* into seen from public.analysis_health as stored;
    -- A check from the future was made before the clock was put back.
    if moment >= seen.checked_at and moment < seen.checked_at + make_interval(secs => settings.check_seconds) then
        return seen;
    end if;
    state := private.judge_health(private.measure_health(seen, settings, moment), settings);
    if current_setting('transaction_read_only')::boolean then
        return state;
    end if;
    -- Whoever stores holds the row; the others found the same and go on.
    perform from public.analysis_health as stored where stored.checked_at = seen.checked_at for update skip locked;
    if not found then
        return state;
    end if;
    update public.analysis_health as stored
    set healthy = state.healthy,
        why = state.why,
        changed_at = state.changed_at,
        checked_at = state.checked_at,
        good_since = state.good_since,
        no_worker_since = state.no_worker_since,
        workers = state.workers,
        wait_seconds = state.wait_seconds,
        attempts = state.attempts,
        error_rate = state.error_rate,
        p95_seconds = state.p95_seconds;
    if settings.rolls_back then
        rollback_reason := private.find_rollback_reason(state, settings);
        if rollback_reason is not null then
            perform private.roll_back_by_itself(rollback_reason);
        end if;
    end if;
    return state;
end
$$;
comment on function private.refresh_health() is 'The state now: as stored where that is fresh, else measured.';

create function private.check_health()
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
    return to_jsonb(private.refresh_health()) - 'id';
end
$$;
comment on function private.check_health() is 'Body of public.check_health.';

create function public.check_health()
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.check_health();
end
$$;
comment on function public.check_health() is
    'The row of analysis_health, checked anew where the last check is older than check_seconds. get_flags does the same; '
    'this is for whoever watches while no client asks.';

revoke all on function
    private.measure_head_wait(timestamptz),
    private.measure_outcomes(timestamptz),
    private.measure_health(public.analysis_health, public.analysis_health_settings, timestamptz),
    private.judge_health(public.analysis_health, public.analysis_health_settings),
    private.find_rollback_reason(public.analysis_health, public.analysis_health_settings),
    private.roll_back_by_itself(text),
    private.refresh_health(),
    private.check_health(),
    public.check_health()
from public, anon, authenticated, service_role;
grant execute on function private.check_health(), public.check_health() to service_role;
