-- What operators do to jobs that have ended: run them again.
--
-- A replayed job starts from nothing: all its attempts are before it again, and it queues up like a new one. Its history
-- stays in analysis_attempts. Every call that changes something leaves a row in analysis_audit.

create function private.write_audit(action text, details jsonb)
returns void
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    insert into public.analysis_audit (actor, action, details)
    values (
        -- The role that was set for this request; whoever logged in where none was.
        concat_ws(' ', coalesce(nullif(current_setting('role', true), 'none'), session_user), auth.uid()),
        write_audit.action,
        write_audit.details
    );
end
$$;
comment on function private.write_audit(text, jsonb) is 'Notes who did what, in the transaction that does it.';

create function private.restart_jobs(job_ids uuid[])
returns integer
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    restarted integer;
begin
    update public.analysis_jobs as job
    set status = 'pending',
        scheduled_at = clock_timestamp(),
        attempt = 0,
        rescues = 0,
        progress = 0,
        phase = null,
        error = null,
        finished_at = null
    where job.id = any (job_ids) and job.status in ('failed', 'cancelled');
    get diagnostics restarted = row_count;
    return restarted;
end
$$;
comment on function private.restart_jobs(uuid[]) is 'Makes failed and cancelled jobs pending again; returns how many.';

create function private.replay_job(job_id uuid)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
    status_before text;
    replayed boolean;
begin
    select job.status into status_before
    from public.analysis_jobs as job
    where job.id = replay_job.job_id
    for update;
    if not found then
        raise exception using errcode = 'PT404', message = 'job not found';
    end if;
    replayed := private.restart_jobs(array[job_id]) = 1;
    if replayed then
        perform private.write_audit('replay_job', jsonb_build_object('job_id', job_id, 'status', status_before));
    end if;
    return jsonb_build_object(
        'id', job_id, 'status', case when replayed then 'pending' else status_before end, 'replayed', replayed
    );
end
$$;
comment on function private.replay_job(uuid) is 'Body of public.replay_job.';

create function public.replay_job(job_id uuid)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.replay_job(job_id);
end
$$;
comment on function public.replay_job(uuid) is
    'Runs a failed or cancelled job again, from its first attempt; any other job stays as it is. Returns {id, status, '
    'replayed}. PT404 where there is none.';

create function private.replay_jobs(
    type text, status text, error_code text, since timestamptz, max_jobs integer
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
    replayed integer;
begin
    if status is null or status not in ('failed', 'cancelled') then
        raise exception using errcode = 'PT400', message = 'status must be failed or cancelled';
    end if;
    if max_jobs is null or max_jobs not between 1 and 1000 then
        raise exception using errcode = 'PT400', message = 'max_jobs must be between 1 and 1000';
    end if;
    replayed := private.restart_jobs(array(
        select job.id
        from public.analysis_jobs as job
        where job.status = replay_jobs.status
            and (replay_jobs.type is null or job.type = replay_jobs.type)
            and (replay_jobs.error_code is null or job.error ->> 'code' = replay_jobs.error_code)
            and (replay_jobs.since is null or job.finished_at >= replay_jobs.since)
        order by job.finished_at
        for update skip locked
        limit replay_jobs.max_jobs
    ));
    if replayed > 0 then
        perform private.write_audit(
            'replay_jobs',
            jsonb_build_object(
                'type', type, 'status', status, 'error_code', error_code, 'since', since, 'replayed', replayed
            )
        );
    end if;
    return jsonb_build_object('replayed', replayed);
end
$$;
comment on function private.replay_jobs(text, text, text, timestamptz, integer) is 'Body of public.replay_jobs.';

create function public.replay_jobs(
    type text default null,
    status text default 'failed',
    error_code text default null,
    since timestamptz default null,
    max_jobs integer default 100
)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.replay_jobs(type, status, error_code, since, max_jobs);
end
$$;
comment on function public.replay_jobs(text, text, text, timestamptz, integer) is
    'Runs failed (or cancelled) jobs again, up to max_jobs (1 to 1000) of them, those that ended first first: of this '
    'type, with this error code, ended since then. Returns {replayed}. PT400 for another status.';

revoke all on function
    private.write_audit(text, jsonb),
    private.restart_jobs(uuid[]),
    private.replay_job(uuid),
    private.replay_jobs(text, text, text, timestamptz, integer),
    public.replay_job(uuid),
    public.replay_jobs(text, text, text, timestamptz, integer)
from public, anon, authenticated, service_role;
grant execute on function
    private.replay_job(uuid),
    private.replay_jobs(text, text, text, timestamptz, integer),
    public.replay_job(uuid),
    public.replay_jobs(text, text, text, timestamptz, integer)
to service_role;
