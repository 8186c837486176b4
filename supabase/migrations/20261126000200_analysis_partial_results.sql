-- What can be read of a result before it is whole, and what an attempt used although it was given back.
--
-- partial is for chats: the text so far, which the owner reads while the model still writes. It belongs to the running
-- attempt alone, so a trigger forgets it with every change of status, whoever makes it. It rides on the row, like
-- progress: whoever reloads the page or hears no Realtime reads it by get_analysis_status.
--
-- defer_job takes usage, because an attempt that a provider cut short was paid for.

alter table public.analysis_jobs
    add column partial text,
    add constraint analysis_jobs_partial_is_bounded check (length(partial) between 1 and 16384) not valid,
    add constraint analysis_jobs_partial_only_while_processing check (partial is null or status = 'processing') not valid;
-- Not valid, then validated: the table is locked only for a moment.
alter table public.analysis_jobs validate constraint analysis_jobs_partial_is_bounded;
alter table public.analysis_jobs validate constraint analysis_jobs_partial_only_while_processing;
comment on column public.analysis_jobs.partial is 'The result''s text so far, null unless the running attempt has shown any.';

create function private.forget_partial()
returns trigger
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    new.partial := null;
    return new;
end
$$;
comment on function private.forget_partial() is 'Text of an attempt that is over is nobody''s.';
revoke all on function private.forget_partial() from public, anon, authenticated, service_role;

create trigger analysis_jobs_forget_partial
    before update on public.analysis_jobs
    for each row when (old.partial is not null and old.status is distinct from new.status)
    execute function private.forget_partial();

-- Progress ----------------------------------------------------------------------------------------------------------
drop function public.report_progress(uuid, uuid, double precision, text);
drop function private.report_progress(uuid, uuid, double precision, text);

create function private.report_progress(
    job_id uuid, lease_id uuid, progress double precision, phase text, partial text
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
    if progress not between 0 and 1 then
        raise exception using errcode = 'PT400', message = 'progress must be between 0 and 1';
    end if;
    -- Every write to this table is an event for its subscribers, so one that changes nothing is not made.
    update public.analysis_jobs as job
    set progress = coalesce(report_progress.progress, job.progress),
        phase = coalesce(left(nullif(report_progress.phase, ''), 200), job.phase),
        partial = coalesce(left(nullif(report_progress.partial, ''), 16384), job.partial)
    where job.id = report_progress.job_id
        and job.lease_id = report_progress.lease_id
        and (job.progress, job.phase, job.partial) is distinct from (
            coalesce(report_progress.progress, job.progress),
            coalesce(left(nullif(report_progress.phase, ''), 200), job.phase),
            coalesce(left(nullif(report_progress.partial, ''), 16384), job.partial)
        );
    return private.describe_lease(job_id, lease_id);
end
$$;
comment on function private.report_progress(uuid, uuid, double precision, text, text) is
    'Body of public.report_progress.';

create function public.report_progress(
    job_id uuid,
    lease_id uuid,
    progress double precision default null,
    phase text default null,
    partial text default null
)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.report_progress(job_id, lease_id, progress, phase, partial);
end
$$;
comment on function public.report_progress(uuid, uuid, double precision, text, text) is
    'Shows how far the attempt is (0 to 1), what it does and the text so far (its first 16384 characters); what is null '
    'stays as it was.';

-- Attempts given back -----------------------------------------------------------------------------------------------
drop function public.defer_job(uuid, uuid, double precision, text);
drop function private.defer_job(uuid, uuid, double precision, text);
drop function private.return_attempt(uuid, uuid, text, double precision, jsonb);

create function private.return_attempt(
    job_id uuid, lease_id uuid, outcome text, delay_seconds double precision, error jsonb, usage jsonb default null
)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    update public.analysis_jobs as job
    set status = 'pending',
        attempt = job.attempt - 1,
        -- Without a delay the job keeps its place in the queue.
        scheduled_at = case
            when delay_seconds is null then job.scheduled_at
            else clock_timestamp() + private.retry_delay(job.attempt, delay_seconds)
        end,
        progress = 0,
        phase = null,
        lease_id = null,
        leased_by = null,
        deadline_at = null
    where job.id = return_attempt.job_id and job.lease_id = return_attempt.lease_id;
    if found then
        perform private.end_attempt(job_id, lease_id, outcome, error, usage);
    end if;
    return private.describe_lease(job_id, lease_id);
end
$$;
comment on function private.return_attempt(uuid, uuid, text, double precision, jsonb, jsonb) is
    'Ends an attempt as if it had not been: the job is pending again and the attempt does not count.';

create function private.defer_job(job_id uuid, lease_id uuid, delay_seconds double precision, reason text, usage jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
    if delay_seconds is null then
        raise exception using errcode = 'PT400', message = 'delay_seconds is required';
    end if;
    perform private.check_usage(usage);
    return private.return_attempt(
        job_id,
        lease_id,
        'deferred',
        delay_seconds,
        jsonb_build_object('code', 'deferred', 'message', left(coalesce(reason, ''), 2000)),
        usage
    );
end
$$;
comment on function private.defer_job(uuid, uuid, double precision, text, jsonb) is 'Body of public.defer_job.';

create function public.defer_job(
    job_id uuid, lease_id uuid, delay_seconds double precision, reason text default null, usage jsonb default null
)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.defer_job(job_id, lease_id, delay_seconds, reason, usage);
end
$$;
comment on function public.defer_job(uuid, uuid, double precision, text, jsonb) is
    'Not now (a provider cools down): pending again after delay_seconds, at most a day; the attempt is given back, what '
    'it used is kept.';

-- Status ------------------------------------------------------------------------------------------------------------
create or replace function private.get_analysis_status(job_id uuid)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
    answer jsonb;
    attempts jsonb;
begin
    select jsonb_build_object(
        'id', job.id,
        'type', job.type,
        'status', job.status,
        'progress', job.progress,
        'phase', job.phase,
        'partial', job.partial,
        'result', job.result,
        'error', job.error,
        'attempt', job.attempt,
        'max_attempts', job.max_attempts,
        'cached', job.cached,
        'scheduled_at', job.scheduled_at,
        'created_at', job.created_at,
        'started_at', job.started_at,
        'finished_at', job.finished_at
    )
    into answer
    from public.analysis_jobs as job
    where job.id = get_analysis_status.job_id and (job.user_id = auth.uid() or private.caller_is_service());
    if not found then
        raise exception using errcode = 'PT404', message = 'job not found';
    end if;

    -- A job that was deferred all night has many.
    select jsonb_agg(
        jsonb_build_object(
            'attempt', latest.attempt,
            'outcome', latest.outcome,
            'started_at', latest.started_at,
            'finished_at', latest.finished_at
        )
        order by latest.started_at
    )
    into attempts
    from (
        select attempt.*
        from public.analysis_attempts as attempt
        where attempt.job_id = get_analysis_status.job_id
        order by attempt.started_at desc
        limit 20
    ) as latest;
    return answer || jsonb_build_object('attempts', coalesce(attempts, '[]'));
end
$$;
comment on function public.get_analysis_status(uuid) is
    'One of the caller''s jobs: id, type, status, progress, phase, partial (text of the running attempt), result, error, '
    'attempt, max_attempts, cached, times, and its latest 20 attempts, the oldest first: [{attempt, outcome, started_at, '
    'finished_at}]. PT404 where there is none.';

-- Who may call what -------------------------------------------------------------------------------------------------
revoke all on function
    private.return_attempt(uuid, uuid, text, double precision, jsonb, jsonb)
from public, anon, authenticated, service_role;
revoke all on function
    private.report_progress(uuid, uuid, double precision, text, text),
    private.defer_job(uuid, uuid, double precision, text, jsonb),
    public.report_progress(uuid, uuid, double precision, text, text),
    public.defer_job(uuid, uuid, double precision, text, jsonb)
from public, anon, authenticated, service_role;
grant execute on function
    private.report_progress(uuid, uuid, double precision, text, text),
    private.defer_job(uuid, uuid, double precision, text, jsonb),
    public.report_progress(uuid, uuid, double precision, text, text),
    public.defer_job(uuid, uuid, double precision, text, jsonb)
to service_role, analysis_worker;
