-- The queue's log: what happened to jobs, in the order it happened.
--
-- Nothing is written for it. When a job was enqueued and how it ended stands in its row, when it was claimed and how each
-- attempt ended in analysis_attempts, what operators did in analysis_audit; read_log puts them in one line. A job that is
-- run again forgets its former end; what is left of it are the attempts and the operator's entry.
--
-- It tells types, times, workers and codes of errors. Neither inputs and results nor messages of errors, which may quote
-- them; and of an operator's entry what the audit keeps, which never says what jobs contain.

create function private.read_log(since timestamptz, job_id uuid, type text, status text, max_lines integer)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
set plan_cache_mode = force_custom_plan  -- which index serves depends on what is asked for
as $$
declare
    begin_at constant timestamptz := coalesce(
        since, case when job_id is null then now() - interval '1 hour' else '-infinity' end
    );
    -- Attempts are found by when they started. One that a dead worker left behind ends a lease later, an hour at most.
    started_from constant timestamptz := begin_at - interval '1 hour' - make_interval(
        secs => (select coalesce(max(kind.timeout_seconds), 0) from public.analysis_types as kind)
    );
begin
    if max_lines is null or max_lines not between 1 and 10000 then
        raise exception using errcode = 'PT400', message = 'max_lines must be between 1 and 10000';
    end if;
    return (
        with attempts as not materialized (
            select attempt.*, job.type
            from public.analysis_attempts as attempt
            join public.analysis_jobs as job on job.id = attempt.job_id
            where (read_log.job_id is null or attempt.job_id = read_log.job_id)
                and (read_log.type is null or job.type = read_log.type)
                and (read_log.status is null or job.status = read_log.status)
        ),
        lines as (
            (
                select job.created_at as at, 1 as rank, 'enqueued' as event, job.id as job_id, job.type,
                    null::integer as attempt, null::text as worker_id, null::text as code, null::jsonb as details
                from public.analysis_jobs as job
                where job.created_at >= begin_at
                    and (read_log.job_id is null or job.id = read_log.job_id)
                    and (read_log.type is null or job.type = read_log.type)
                    and (read_log.status is null or job.status = read_log.status)
                order by job.created_at desc
                limit max_lines
            )
            union all
            (
                select claimed.started_at, 2, 'claimed', claimed.job_id, claimed.type, claimed.attempt, claimed.worker_id,
                    null, null
                from attempts as claimed
                where claimed.started_at >= begin_at
                order by claimed.started_at desc
                limit max_lines
            )
            union all
            (
                select ended.finished_at, 3, 'attempt_' || ended.outcome, ended.job_id, ended.type, ended.attempt,
                    ended.worker_id, ended.error ->> 'code', null
                from attempts as ended
                -- A completed attempt is its job's end, which comes next.
                where ended.started_at >= started_from and ended.finished_at >= begin_at and ended.outcome <> 'completed'
                order by ended.finished_at desc
                limit max_lines
            )
            union all
            -- An attempt's end is written a moment after that of its job.
            select
                greatest(
                    final.finished_at,
                    (select max(last.finished_at) from public.analysis_attempts as last where last.job_id = final.id)
                ),
                4, final.status, final.id, final.type, nullif(final.attempt, 0), null,
                final.error ->> 'code', case when final.cached then '{"cached": true}'::jsonb end
            from public.analysis_types as kind
            cross join unnest(array['completed', 'failed', 'cancelled']) as terminal (status)
            cross join lateral (
                select job.*
                from public.analysis_jobs as job
                where job.type = kind.type
                    and job.status = terminal.status
                    and job.finished_at >= begin_at
                    and (read_log.job_id is null or job.id = read_log.job_id)
                order by job.finished_at desc
                limit max_lines
            ) as final
            where (read_log.type is null or kind.type = read_log.type)
                and (read_log.status is null or terminal.status = read_log.status)
            union all
            (
                select entry.at, 5, entry.action, job.id, coalesce(job.type, entry.details ->> 'type'), null, entry.actor,
                    null, jsonb_strip_nulls(entry.details - 'job_id' - 'type')
                from public.analysis_audit as entry
                left join public.analysis_jobs as job on job.id = (entry.details ->> 'job_id')::uuid
                where entry.at >= begin_at
                    and (read_log.job_id is null or entry.details ->> 'job_id' = read_log.job_id::text)
                    and (read_log.type is null or coalesce(job.type, entry.details ->> 'type') = read_log.type)
                    and (read_log.status is null or job.status = read_log.status)
                order by entry.id desc
                limit max_lines
            )
        ),
        newest as (
            select line.* from lines as line order by line.at desc, line.rank desc limit max_lines
        )
        select coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'at', line.at,
                    'event', line.event,
                    'job_id', line.job_id,
                    'type', line.type,
                    'attempt', line.attempt,
                    'by', line.worker_id,
                    'code', line.code,
                    'details', line.details
                )
                order by line.at, line.rank, line.job_id
            ),
            '[]'
        )
        from newest as line
    );
end
$$;
comment on function private.read_log(timestamptz, uuid, text, text, integer) is 'Body of public.read_log.';

create function public.read_log(
    since timestamptz default null,
    job_id uuid default null,
    type text default null,
    status text default null,
    max_lines integer default 200
)
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
    return private.read_log(since, job_id, type, status, max_lines);
end
$$;
comment on function public.read_log(timestamptz, uuid, text, text, integer) is
    'The newest lines since a time (an hour ago; of one job, its beginning), the oldest first: [{at, event, job_id, type, '
    'attempt, by, code, details}]. Events: enqueued, claimed, attempt_<how it ended>, completed, failed, cancelled, and what '
    'operators did, by its function. status is what the job is now. PT400 max_lines.';

-- Who may call what -------------------------------------------------------------------------------------------------
revoke all on function
    private.read_log(timestamptz, uuid, text, text, integer),
    public.read_log(timestamptz, uuid, text, text, integer)
from public, anon, authenticated, service_role;
grant execute on function
    private.read_log(timestamptz, uuid, text, text, integer),
    public.read_log(timestamptz, uuid, text, text, integer)
to service_role;
