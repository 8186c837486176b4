-- What keeps the promise when nobody else does: jobs whose worker died, and jobs past their deadline.
--
-- Any worker calls reconcile_jobs every so often; one call at a time does the work, the others only read. It ends the
-- attempts of a worker that has shown no sign of life for its lease time, and attempts that outlived their deadline
-- by a grace: the deadline is the worker's to keep, the grace is for one that lives but does not act. Whether a job
-- has another attempt is decided where every failure is (private.fail_attempt). A job that has outlived too many
-- workers is taken for the cause of their deaths.
--
-- All times are this database's. One call ends at most 200 attempts; jobs that somebody is settling just now are
-- skipped.

create function private.end_stuck_attempts()
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    grace constant interval := interval '15 seconds';
    stuck record;
    answer jsonb;
    rescued integer := 0;
    expired integer := 0;
    failed integer := 0;
begin
    -- Jobs and workers are read in one statement: with two, a claim in between would look like one by nobody.
    for stuck in
        select job.id, job.lease_id, worker.id is null as is_orphan, job.rescues >= kind.max_rescues as is_poison
        from public.analysis_jobs as job
        join public.analysis_types as kind on kind.type = job.type
        left join public.analysis_workers as worker
            on worker.id = job.leased_by
            and worker.heartbeat_at + make_interval(secs => worker.lease_seconds) > now()
        where job.status = 'processing' and (worker.id is null or job.deadline_at + grace < now())
        limit 200
        for update of job skip locked
    loop
        answer := case
            when not stuck.is_orphan then private.fail_attempt(
                stuck.id,
                stuck.lease_id,
                'expired',
                jsonb_build_object('code', 'deadline_exceeded', 'message', 'The attempt took longer than it may.'),
                true,
                null,
                null
            )
            when stuck.is_poison then private.fail_attempt(
                stuck.id,
                stuck.lease_id,
                'lost',
                jsonb_build_object('code', 'poison_job', 'message', 'Too many workers died while running this job.'),
                false,
                null,
                null
            )
            else private.fail_attempt(
                stuck.id,
                stuck.lease_id,
                'lost',
                jsonb_build_object('code', 'worker_lost', 'message', 'The worker stopped while running this job.'),
                true,
                0,
                null
            )
        end;
        if answer ->> 'status' = 'failed' then
            failed := failed + 1;
        elsif stuck.is_orphan then
            rescued := rescued + 1;
        else
            expired := expired + 1;
        end if;
    end loop;
    return jsonb_build_object('rescued', rescued, 'expired', expired, 'failed', failed);
end
$$;
comment on function private.end_stuck_attempts() is 'The rescuing part of reconcile_jobs; returns its counts.';

create function public.reconcile_jobs()
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    ran boolean := pg_try_advisory_xact_lock(hashtextextended('analysis_jobs.reconcile', 0));
    ended jsonb := jsonb_build_object('rescued', 0, 'expired', 0, 'failed', 0);
    waiting record;
begin
    if ran then
        ended := private.end_stuck_attempts();
        delete from public.analysis_workers as worker
        where worker.heartbeat_at < now() - interval '1 day' - make_interval(secs => worker.lease_seconds);
    end if;

    select
        count(*) filter (where job.scheduled_at <= clock_timestamp()) as due,
        min(job.scheduled_at) filter (where job.scheduled_at > clock_timestamp()) as next_due_at
    into waiting
    from public.analysis_jobs as job
    where job.status = 'pending'
        and job.type = any (array(select kind.type from public.analysis_types as kind where not kind.paused));
    return ended || jsonb_build_object(
        'ran', ran,
        'pending', waiting.due,
        'next_due_at', waiting.next_due_at,
        'next_due_seconds', extract(epoch from waiting.next_due_at - clock_timestamp())::double precision
    );
end
$$;
comment on function public.reconcile_jobs() is
    'Ends attempts of dead workers and attempts far past their deadline. Returns {ran, rescued, expired, failed, '
    'pending, next_due_at, next_due_seconds}: ran is false where another call is at it; rescued and expired count '
    'jobs that are pending again, failed those that are not; pending counts what could be claimed now, next_due is '
    'the first of the rest.';

revoke all on function private.end_stuck_attempts(), public.reconcile_jobs()
from public, anon, authenticated, service_role;
grant execute on function private.end_stuck_attempts(), public.reconcile_jobs() to service_role;
