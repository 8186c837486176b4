-- Numbers about the queue, for dashboards and alerts.
--
-- What stands now is counted; what happened is measured over a window that ends now. The work of a call is bounded by
-- the jobs in flight and those that ended within the window, not by those that are kept; times and the error rate come
-- from the latest 10,000 attempts of the window.

-- The latest attempts.
create index analysis_attempts_started_at_idx on public.analysis_attempts (started_at);

-- Each measure_ function returns an object of numbers for every type that has any, and for all together under ''.
-- No type can have that name.
create function private.measure_queue()
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
    answer jsonb;
begin
    select jsonb_object_agg(coalesce(measured.type, ''), to_jsonb(measured) - 'type')
    into answer
    from (
        select
            place.type,
            count(*) as pending,
            count(*) filter (where place.is_due and place.state <> 'waiting') as claimable,
            count(*) filter (where place.state = 'waiting') as waiting,
            count(*) filter (where not place.is_due) as delayed,
            extract(epoch from clock_timestamp() - min(place.since) filter (
                where place.is_due and place.state <> 'waiting'
            ))::double precision as oldest_claimable_seconds,
            extract(epoch from clock_timestamp() - min(place.since) filter (
                where place.state = 'waiting'
            ))::double precision as oldest_waiting_seconds
        from (
            select
                queue.type,
                queue.state,
                queue.state <> 'delayed' or queue.position <= clock_timestamp() as is_due,
                -- Without what its priority moved it by.
                queue.position
                + case when queue.state = 'delayed' then 0 else queue.priority end * interval '10 seconds' as since
            from public.analysis_queue as queue
        ) as place
        group by grouping sets ((place.type), ())
    ) as measured;
    return answer;
end
$$;
comment on function private.measure_queue() is 'What waits.';

create function private.measure_jobs(window_seconds integer)
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
set enable_seqscan = off
as $$
declare
    since timestamptz := clock_timestamp() - make_interval(secs => window_seconds);
    minutes double precision := window_seconds / 60.0;
    answer jsonb;
begin
    -- Who was enqueued within the window has either ended within it or is in flight.
    select jsonb_object_agg(coalesce(measured.type, ''), to_jsonb(measured) - 'type')
    into answer
    from (
        select
            job.type,
            count(*) filter (where job.status = 'processing') as running,
            count(*) filter (where job.created_at >= since) / minutes as enqueued_per_minute,
            count(*) filter (where job.finished_at >= since) / minutes as ended_per_minute,
            count(*) filter (where job.cached) / minutes as cached_per_minute
        from (
            select ended.type, ended.status, ended.created_at, ended.finished_at, ended.cached
            from public.analysis_jobs as ended
            where ended.type = any (array(select kind.type from public.analysis_types as kind))
                and ended.status = any ('{completed,failed,cancelled}')
                and ended.finished_at >= since
            union all
            select running.type, running.status, running.created_at, null, false
            from public.analysis_jobs as running
            where running.status = 'processing'
            union all
            select pending.type, pending.status, pending.created_at, null, false
            from public.analysis_jobs as pending
            where pending.status = 'pending'
        ) as job
        group by grouping sets ((job.type), ())
    ) as measured;
    return answer;
end
$$;
comment on function private.measure_jobs(integer) is 'What runs, comes and goes.';

create function private.describe_percentiles(of_sorted double precision[])
returns jsonb
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
    return jsonb_build_object('p50', of_sorted[1], 'p95', of_sorted[2], 'p99', of_sorted[3]);
end
$$;
comment on function private.describe_percentiles(double precision[]) is 'Names for three percentiles.';

create function private.measure_attempts(window_seconds integer)
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
set enable_seqscan = off
as $$
declare
    since timestamptz := clock_timestamp() - make_interval(secs => window_seconds);
    answer jsonb;
begin
    select jsonb_object_agg(coalesce(measured.type, ''), jsonb_build_object(
        'attempts', measured.attempts,
        'error_rate', measured.errors::double precision / nullif(measured.ended, 0),
        'wait_seconds', private.describe_percentiles(measured.waits),
        'run_seconds', private.describe_percentiles(measured.runs)
    ))
    into answer
    from (
        select
            latest.type,
            count(*) as attempts,
            count(*) filter (where latest.outcome in ('completed', 'failed', 'lost', 'expired')) as ended,
            count(*) filter (where latest.outcome in ('failed', 'lost', 'expired')) as errors,
            percentile_cont(array[0.5, 0.95, 0.99]) within group (order by latest.waited)
                filter (where latest.waited >= 0) as waits,
            percentile_cont(array[0.5, 0.95, 0.99]) within group (order by latest.ran)
                filter (where latest.outcome in ('completed', 'failed')) as runs
        from (
            select
                job.type,
                attempt.outcome,
                -- A retry moved the time when the job was due: then nobody knows any more how long this one waited.
                extract(epoch from attempt.started_at - job.scheduled_at)::double precision as waited,
                extract(epoch from attempt.finished_at - attempt.started_at)::double precision as ran
            from (
                select recent.*
                from public.analysis_attempts as recent
                where recent.started_at >= since
                order by recent.started_at desc
                limit 10000
            ) as attempt
            join public.analysis_jobs as job on job.id = attempt.job_id
        ) as latest
        group by grouping sets ((latest.type), ())
    ) as measured;
    return answer;
end
$$;
comment on function private.measure_attempts(integer) is 'How long attempts waited and ran, and how many failed.';

create function private.queue_stats(window_seconds integer)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
    nothing constant jsonb := jsonb_build_object(
        'pending', 0, 'claimable', 0, 'waiting', 0, 'delayed', 0,
        'oldest_claimable_seconds', null, 'oldest_waiting_seconds', null,
        'running', 0, 'enqueued_per_minute', 0, 'ended_per_minute', 0, 'cached_per_minute', 0,
        'attempts', 0, 'error_rate', null,
        'wait_seconds', private.describe_percentiles(null), 'run_seconds', private.describe_percentiles(null)
    );
    queued jsonb;
    jobs jsonb;
    attempts jsonb;
    numbers jsonb;
begin
    if window_seconds is null or window_seconds not between 1 and 604800 then
        raise exception using errcode = 'PT400', message = 'window_seconds must be between 1 and 604800';
    end if;
    queued := private.measure_queue();
    jobs := private.measure_jobs(window_seconds);
    attempts := private.measure_attempts(window_seconds);
    select jsonb_object_agg(
        kind.type,
        nothing
        || coalesce(queued -> kind.type, '{}') || coalesce(jobs -> kind.type, '{}')
        || coalesce(attempts -> kind.type, '{}') || jsonb_build_object('paused', kind.paused)
    )
    into numbers
    from public.analysis_types as kind;
    return nothing
        || coalesce(queued -> '', '{}') || coalesce(jobs -> '', '{}') || coalesce(attempts -> '', '{}')
        || jsonb_build_object(
            'at', clock_timestamp(),
            'window_seconds', window_seconds,
            'workers_alive', (
                select count(*)
                from public.analysis_workers as worker
                where worker.heartbeat_at + make_interval(secs => worker.lease_seconds) > clock_timestamp()
            ),
            'types', coalesce(numbers, '{}')
        );
end
$$;
comment on function private.queue_stats(integer) is 'Body of public.queue_stats.';

create function public.queue_stats(window_seconds integer default 3600)
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
    return private.queue_stats(window_seconds);
end
$$;
comment on function public.queue_stats(integer) is
    'Numbers of all jobs, and of each type under types. Now: pending = claimable + waiting (behind other jobs of '
    'their user) + delayed (not due), oldest_claimable_seconds, oldest_waiting_seconds, running, workers_alive. In the '
    'window: enqueued, ended and cached_per_minute; of its latest 10,000 attempts: attempts, error_rate (failed, lost '
    'and expired among those that ended), and p50, p95, p99 of wait_seconds (due until claimed) and run_seconds. Null '
    'where there is nothing to measure.';

revoke all on function
    private.measure_queue(),
    private.measure_jobs(integer),
    private.describe_percentiles(double precision[]),
    private.measure_attempts(integer),
    private.queue_stats(integer),
    public.queue_stats(integer)
from public, anon, authenticated, service_role;
grant execute on function private.queue_stats(integer), public.queue_stats(integer) to service_role;
