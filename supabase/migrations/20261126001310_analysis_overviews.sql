-- What operators look at: jobs by what they have in common, and what the past hours and days were like.
--
-- The pages of a dashboard have to open while everything else goes wrong, so the work of each call is bounded by what it
-- shows and by the jobs in flight, not by the jobs that are kept, and no index was added for them: each one would be
-- written to at every change of a job. A list therefore follows the indexes that are there, which begin with the type:
-- the latest of every type and ending, merged. Contents of jobs are never in an answer.

-- The list of jobs --------------------------------------------------------------------------------------------------
create function private.find_jobs(
    type text, status text, error_code text, since timestamptz, before_at timestamptz, before_id uuid, max_jobs integer
)
returns table (id uuid, at timestamptz)
language plpgsql
stable
security invoker
set search_path = ''
set enable_seqscan = off
as $$
begin
    return query
    select latest.id, latest.at
    from public.analysis_types as kind
    cross join unnest(array['completed', 'failed', 'cancelled']) as ending (status)
    cross join lateral (
        select job.id, job.finished_at as at
        from public.analysis_jobs as job
        where job.type = kind.type
            and job.status = ending.status
            and job.finished_at between find_jobs.since and find_jobs.before_at
            and (job.finished_at, job.id) < (find_jobs.before_at, find_jobs.before_id)
            and (find_jobs.error_code is null or job.error ->> 'code' = find_jobs.error_code)
        order by job.finished_at desc, job.id desc
        limit find_jobs.max_jobs
    ) as latest
    where (find_jobs.type is null or kind.type = find_jobs.type)
        and (find_jobs.status is null or ending.status = find_jobs.status)
    union all
    select job.id, job.started_at
    from public.analysis_jobs as job
    where job.status = 'processing'
        and (find_jobs.status is null or find_jobs.status = 'processing')
        and find_jobs.error_code is null
        and (find_jobs.type is null or job.type = find_jobs.type)
        and job.started_at >= find_jobs.since
        and (job.started_at, job.id) < (find_jobs.before_at, find_jobs.before_id)
    union all
    select job.id, job.created_at
    from public.analysis_jobs as job
    where job.status = 'pending'
        and (find_jobs.status is null or find_jobs.status = 'pending')
        and find_jobs.error_code is null
        and (find_jobs.type is null or job.type = find_jobs.type)
        and job.created_at >= find_jobs.since
        and (job.created_at, job.id) < (find_jobs.before_at, find_jobs.before_id)
    order by 2 desc, 1 desc
    limit find_jobs.max_jobs;
end
$$;
comment on function private.find_jobs(text, text, text, timestamptz, timestamptz, uuid, integer) is
    'Jobs of everybody, those to which something happened last first.';

create function private.find_jobs_of(
    user_id uuid, type text, status text, error_code text, since timestamptz,
    before_at timestamptz, before_id uuid, max_jobs integer
)
returns table (id uuid, at timestamptz)
language plpgsql
stable
security invoker
set search_path = ''
set enable_seqscan = off
as $$
begin
    return query
    select own.id, own.at
    from (
        select
            job.id,
            case job.status
                when 'pending' then job.created_at
                when 'processing' then job.started_at
                else job.finished_at
            end as at
        from public.analysis_jobs as job
        where job.user_id = find_jobs_of.user_id
            and (find_jobs_of.type is null or job.type = find_jobs_of.type)
            and (find_jobs_of.status is null or job.status = find_jobs_of.status)
            and (find_jobs_of.error_code is null or job.error ->> 'code' = find_jobs_of.error_code)
    ) as own
    where own.at >= find_jobs_of.since
        and (own.at, own.id) < (find_jobs_of.before_at, find_jobs_of.before_id)
    order by own.at desc, own.id desc
    limit find_jobs_of.max_jobs;
end
$$;
comment on function private.find_jobs_of(uuid, text, text, text, timestamptz, timestamptz, uuid, integer) is
    'The same of one user.';

create function private.list_jobs(
    type text, status text, user_id uuid, error_code text, since timestamptz,
    before_at timestamptz, before_id uuid, max_jobs integer
)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
    earliest constant timestamptz := coalesce(since, '-infinity');
    latest_at constant timestamptz := coalesce(before_at, 'infinity');
    latest_id constant uuid := coalesce(before_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
    found_ids uuid[];
    found_at timestamptz[];
begin
    if max_jobs is null or max_jobs not between 1 and 200 then
        raise exception using errcode = 'PT400', message = 'max_jobs must be between 1 and 200';
    end if;
    -- One more than asked for says whether there are more.
    if user_id is null then
        select array_agg(found.id), array_agg(found.at) into found_ids, found_at
        from private.find_jobs(type, status, error_code, earliest, latest_at, latest_id, max_jobs + 1) as found;
    else
        select array_agg(found.id), array_agg(found.at) into found_ids, found_at
        from private.find_jobs_of(
            user_id, type, status, error_code, earliest, latest_at, latest_id, max_jobs + 1
        ) as found;
    end if;
    return jsonb_build_object(
        'jobs', coalesce((
            select jsonb_agg(
                jsonb_build_object(
                    'id', job.id, 'type', job.type, 'status', job.status, 'user_id', job.user_id,
                    'attempt', job.attempt, 'max_attempts', job.max_attempts, 'priority', job.priority,
                    'progress', job.progress, 'phase', job.phase, 'error', job.error, 'cached', job.cached,
                    'leased_by', job.leased_by, 'scheduled_at', job.scheduled_at, 'created_at', job.created_at,
                    'started_at', job.started_at, 'finished_at', job.finished_at
                )
                order by place.number
            )
            from unnest(found_ids[:max_jobs]) with ordinality as place (id, number)
            join public.analysis_jobs as job on job.id = place.id
        ), '[]'),
        'next', case
            when cardinality(found_ids) > max_jobs
            then jsonb_build_object('at', found_at[max_jobs], 'id', found_ids[max_jobs])
        end
    );
end
$$;
comment on function private.list_jobs(text, text, uuid, text, timestamptz, timestamptz, uuid, integer) is
    'Body of public.list_jobs.';

create function public.list_jobs(
    type text default null,
    status text default null,
    user_id uuid default null,
    error_code text default null,
    since timestamptz default null,
    before_at timestamptz default null,
    before_id uuid default null,
    max_jobs integer default 50
)
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
    return private.list_jobs(type, status, user_id, error_code, since, before_at, before_id, max_jobs);
end
$$;
comment on function public.list_jobs(text, text, uuid, text, timestamptz, timestamptz, uuid, integer) is
    'Jobs, those to which something happened last first: to ended ones their end, to running ones their start, to pending '
    'ones that they were enqueued, not before since. Without their contents. Returns {jobs, next}; next, {at, id}, where '
    'there are more, is before_at and before_id of the next call.';

-- The past ----------------------------------------------------------------------------------------------------------
create function private.describe_history(window_seconds integer, buckets integer)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
set enable_seqscan = off
as $$
declare
    step interval;
    since timestamptz;
    answer jsonb;
begin
    if window_seconds is null or window_seconds not between 60 and 2678400 then
        raise exception using errcode = 'PT400', message = 'window_seconds must be between 60 and 2678400';
    end if;
    if buckets is null or buckets not between 1 and 200 then
        raise exception using errcode = 'PT400', message = 'buckets must be between 1 and 200';
    end if;
    step := make_interval(secs => window_seconds::double precision / buckets);
    -- Buckets start at multiples of their length, so that a chart stands still; the last one is under way.
    since := date_bin(step, clock_timestamp(), '2000-01-01 00:00:00+00') - step * (buckets - 1);
    select jsonb_agg(
        jsonb_build_object(
            'at', bucket.at,
            'enqueued', coalesce(came.enqueued, 0),
            'completed', coalesce(went.completed, 0),
            'failed', coalesce(went.failed, 0),
            'cancelled', coalesce(went.cancelled, 0),
            'run_seconds_p95', ran.p95
        )
        order by bucket.at
    )
    into answer
    from (select since + step * number as at from generate_series(0, buckets - 1) as number) as bucket
    left join (
        select date_bin(step, job.created_at, since) as at, count(*) as enqueued
        from public.analysis_jobs as job
        where job.created_at >= since
        group by 1
    ) as came on came.at = bucket.at
    left join (
        select
            date_bin(step, job.finished_at, since) as at,
            count(*) filter (where job.status = 'completed') as completed,
            count(*) filter (where job.status = 'failed') as failed,
            count(*) filter (where job.status = 'cancelled') as cancelled
        from public.analysis_jobs as job
        where job.type = any (array(select kind.type from public.analysis_types as kind))
            and job.status = any ('{completed,failed,cancelled}')
            and job.finished_at >= since
        group by 1
    ) as went on went.at = bucket.at
    left join lateral (
        select percentile_cont(0.95) within group (
            order by extract(epoch from sample.finished_at - sample.started_at)::double precision
        ) filter (where sample.outcome in ('completed', 'failed')) as p95
        from (
            select attempt.started_at, attempt.finished_at, attempt.outcome
            from public.analysis_attempts as attempt
            where attempt.started_at >= bucket.at and attempt.started_at < bucket.at + step
            order by attempt.started_at
            limit 200
        ) as sample
    ) as ran on true;
    return jsonb_build_object('step_seconds', extract(epoch from step)::double precision, 'buckets', answer);
end
$$;
comment on function private.describe_history(integer, integer) is 'Body of public.describe_history.';

create function public.describe_history(window_seconds integer default 3600, buckets integer default 60)
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
    return private.describe_history(window_seconds, buckets);
end
$$;
comment on function public.describe_history(integer, integer) is
    'The latest window, cut into so many pieces (1 to 200) of equal length: {step_seconds, buckets: [{at, enqueued, '
    'completed, failed, cancelled, run_seconds_p95 (of the first 200 attempts that started in it)}]}, oldest first.';

create function private.describe_errors(window_seconds integer)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
set enable_seqscan = off
as $$
declare
    answer jsonb;
begin
    if window_seconds is null or window_seconds not between 1 and 2678400 then
        raise exception using errcode = 'PT400', message = 'window_seconds must be between 1 and 2678400';
    end if;
    select jsonb_agg(to_jsonb(kinds) order by kinds.attempts desc, kinds.last_at desc)
    into answer
    from (
        select
            job.type,
            attempt.outcome,
            coalesce(attempt.error ->> 'code', attempt.outcome) as code,
            count(*) as attempts,
            count(distinct attempt.job_id) as jobs,
            max(attempt.started_at) as last_at,
            (array_agg(attempt.error ->> 'message' order by attempt.started_at desc))[1] as message,
            (array_agg(attempt.job_id order by attempt.started_at desc))[1] as job_id
        from (
            select recent.*
            from public.analysis_attempts as recent
            where recent.started_at >= clock_timestamp() - make_interval(secs => window_seconds)
            order by recent.started_at desc
            limit 10000
        ) as attempt
        join public.analysis_jobs as job on job.id = attempt.job_id
        where attempt.outcome in ('failed', 'deferred', 'lost', 'expired')
        group by job.type, attempt.outcome, 3
        order by count(*) desc
        limit 200
    ) as kinds;
    return coalesce(answer, '[]');
end
$$;
comment on function private.describe_errors(integer) is 'Body of public.describe_errors.';

create function public.describe_errors(window_seconds integer default 86400)
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
    return private.describe_errors(window_seconds);
end
$$;
comment on function public.describe_errors(integer) is
    'What went wrong among the latest 10,000 attempts of the window, retried ones included: [{type, outcome (failed, '
    'deferred, lost, expired), code, attempts, jobs, last_at, message and job_id of the latest}], the most frequent first, '
    '200 at most. Messages are those for operators.';

create function private.describe_usage(days integer)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
set enable_seqscan = off
as $$
declare
    answer jsonb;
begin
    if days is null or days not between 1 and 31 then
        raise exception using errcode = 'PT400', message = 'days must be between 1 and 31';
    end if;
    select jsonb_agg(to_jsonb(spent) order by spent.day, spent.type)
    into answer
    from (
        select
            (attempt.started_at at time zone 'UTC')::date as day,
            job.type,
            count(*) as attempts,
            coalesce(sum((attempt.usage ->> 'input_tokens')::numeric) filter (
                where jsonb_typeof(attempt.usage -> 'input_tokens') = 'number'
            ), 0)::bigint as input_tokens,
            coalesce(sum((attempt.usage ->> 'output_tokens')::numeric) filter (
                where jsonb_typeof(attempt.usage -> 'output_tokens') = 'number'
            ), 0)::bigint as output_tokens,
            coalesce(sum((attempt.usage ->> 'cost_micro_usd')::numeric) filter (
                where jsonb_typeof(attempt.usage -> 'cost_micro_usd') = 'number'
            ), 0)::bigint as cost_micro_usd
        from public.analysis_attempts as attempt
        join public.analysis_jobs as job on job.id = attempt.job_id
        where attempt.started_at >= date_trunc('day', now(), 'UTC') - make_interval(days => describe_usage.days - 1)
            and attempt.usage is not null
        group by 1, 2
    ) as spent;
    return coalesce(answer, '[]');
end
$$;
comment on function private.describe_usage(integer) is 'Body of public.describe_usage.';

create function public.describe_usage(days integer default 7)
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
    return private.describe_usage(days);
end
$$;
comment on function public.describe_usage(integer) is
    'What attempts of jobs that are kept said they used, by day (UTC, of their start; 1 to 31 days, today included) and '
    'type: [{day, type, attempts, input_tokens, output_tokens, cost_micro_usd}].';

-- Who may call what -------------------------------------------------------------------------------------------------
revoke all on function
    private.find_jobs(text, text, text, timestamptz, timestamptz, uuid, integer),
    private.find_jobs_of(uuid, text, text, text, timestamptz, timestamptz, uuid, integer),
    private.list_jobs(text, text, uuid, text, timestamptz, timestamptz, uuid, integer),
    private.describe_history(integer, integer),
    private.describe_errors(integer),
    private.describe_usage(integer),
    public.list_jobs(text, text, uuid, text, timestamptz, timestamptz, uuid, integer),
    public.describe_history(integer, integer),
    public.describe_errors(integer),
    public.describe_usage(integer)
from public, anon, authenticated, service_role;
grant execute on function
    private.list_jobs(text, text, uuid, text, timestamptz, timestamptz, uuid, integer),
    private.describe_history(integer, integer),
    private.describe_errors(integer),
    private.describe_usage(integer),
    public.list_jobs(text, text, uuid, text, timestamptz, timestamptz, uuid, integer),
    public.describe_history(integer, integer),
    public.describe_errors(integer),
    public.describe_usage(integer)
to service_role;
