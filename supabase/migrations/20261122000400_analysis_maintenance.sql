-- What keeps the promise when nobody else does: jobs whose worker died, and jobs past their deadline.
--
-- Any worker calls reconcile_jobs every so often; one call at a time does the work, the others only read. It ends the
-- attempts of a worker that has shown no sign of life for its lease time, and attempts that outlived their deadline
-- by a grace: the deadline is the worker's to keep, the grace is for one that lives but does not act. Whether a job
-- has another attempt is decided where every failure is (private.fail_attempt). A job that has outlived too many
-- workers is taken for the cause of their deaths.
--
-- It also puts the queue right, should it have come out of step with the jobs: pending jobs without a row get one, rows
-- of jobs that are not pending go, and users who could run a job but have only waiting ones move up. A long queue is
-- looked through a stretch at a time, starting anywhere.
--
-- All times are this database's. One call ends at most 200 attempts and looks at some thousands of rows of the queue;
-- what somebody else is working on just now is skipped.

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

create function private.queue_missing()
returns integer
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    origin constant uuid := gen_random_uuid();
    missing uuid;
    job public.analysis_jobs;
    queued integer := 0;
begin
    for missing in
        select looked_at.id
        from (
            (select onward.id from public.analysis_jobs as onward
            where onward.status = 'pending' and onward.id >= origin order by onward.id limit 1000)
            union all
            (select again.id from public.analysis_jobs as again
            where again.status = 'pending' and again.id < origin order by again.id limit 1000)
        ) as looked_at
        where not exists (select from public.analysis_queue as queue where queue.job_id = looked_at.id)
    loop
        select pending.* into job
        from public.analysis_jobs as pending
        where pending.id = missing and pending.status = 'pending'
        for update skip locked;
        if found and not exists (select from public.analysis_queue as queue where queue.job_id = missing) then
            perform private.queue_job(job);
            queued := queued + 1;
        end if;
    end loop;
    return queued;
end
$$;
comment on function private.queue_missing() is 'Gives pending jobs without a row in the queue one; returns how many.';

create function private.unqueue_orphans()
returns integer
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    origin constant uuid := gen_random_uuid();
    unqueued integer;
begin
    delete from public.analysis_queue as orphan
    where orphan.job_id = any (array(
        select queue.job_id
        from (
            (select onward.job_id from public.analysis_queue as onward
            where onward.job_id >= origin order by onward.job_id limit 1000)
            union all
            (select again.job_id from public.analysis_queue as again
            where again.job_id < origin order by again.job_id limit 1000)
        ) as looked_at
        join public.analysis_jobs as job on job.id = looked_at.job_id and job.status <> 'pending'
        join public.analysis_queue as queue on queue.job_id = looked_at.job_id
        for update of job, queue skip locked
    ));
    get diagnostics unqueued = row_count;
    return unqueued;
end
$$;
comment on function private.unqueue_orphans() is 'Removes rows of jobs that are not pending; returns how many.';

create function private.repair_queue()
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    kind public.analysis_types;
    queued constant integer := private.queue_missing();
    unqueued constant integer := private.unqueue_orphans();
    admitted integer := 0;
begin
    for kind in select asked.* from public.analysis_types as asked loop
        perform private.admit_due(kind.type, 1000);
        admitted := admitted + private.admit_waiting(
            kind.type, array(select waiting.user_id from private.waiting_users(kind, 1000) as waiting)
        );
    end loop;
    return jsonb_build_object('queued', queued, 'unqueued', unqueued, 'admitted', admitted);
end
$$;
comment on function private.repair_queue() is 'The repairing part of reconcile_jobs; returns its counts.';

create function private.describe_backlog()
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
    moment constant timestamptz := clock_timestamp();
    due integer;
    next_due_at timestamptz;
begin
    select count(*) into due
    from (
        select
        from public.analysis_types as kind
        cross join lateral (
            select from public.analysis_queue as queue
            where queue.type = kind.type and queue.state = 'claimable' and queue.position > '-infinity'
            union all
            select from public.analysis_queue as queue
            where queue.type = kind.type and queue.state = 'waiting'
            union all
            select from public.analysis_queue as queue
            where queue.type = kind.type
                and queue.state = 'delayed'
                and queue.position > '-infinity'
                and queue.position <= moment
        ) as due_row
        where not kind.paused
        limit 10000
    ) as counted;
    select min(next.position) into next_due_at
    from public.analysis_types as kind
    cross join lateral (
        select queue.position
        from public.analysis_queue as queue
        where queue.type = kind.type
            and queue.state = 'delayed'
            and queue.position > '-infinity'
            and queue.position > moment
        order by queue.position
        limit 1
    ) as next
    where not kind.paused;
    return jsonb_build_object(
        'pending', due,
        'next_due_at', next_due_at,
        'next_due_seconds', extract(epoch from next_due_at - moment)::double precision
    );
end
$$;
comment on function private.describe_backlog() is 'What reconcile_jobs says about pending jobs.';

create function private.living_workers()
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
    ids jsonb;
begin
    select coalesce(jsonb_agg(living.id), '[]') into ids
    from (
        select worker.id
        from public.analysis_workers as worker
        where worker.heartbeat_at + make_interval(secs => worker.lease_seconds) > now()
        order by worker.heartbeat_at desc
        limit 100
    ) as living;
    return ids;
end
$$;
comment on function private.living_workers() is 'The ids of the workers alive, at most 100 of them.';

create function private.reconcile_jobs()
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    ran boolean := pg_try_advisory_xact_lock(hashtextextended('analysis_jobs.reconcile', 0));
    done jsonb := jsonb_build_object(
        'rescued', 0, 'expired', 0, 'failed', 0, 'queued', 0, 'unqueued', 0, 'admitted', 0
    );
begin
    if ran then
        done := private.end_stuck_attempts();
        done := done || private.repair_queue();
        delete from public.analysis_workers as worker
        where worker.id = any (array(
            select silent.id
            from public.analysis_workers as silent
            where silent.heartbeat_at < now() - interval '1 day' - make_interval(secs => silent.lease_seconds)
            for update skip locked
        ));
    end if;
    return done
        || private.describe_backlog()
        || jsonb_build_object('ran', ran, 'workers', private.living_workers());
end
$$;
comment on function private.reconcile_jobs() is 'Body of public.reconcile_jobs.';

create function public.reconcile_jobs()
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.reconcile_jobs();
end
$$;
comment on function public.reconcile_jobs() is
    'Ends attempts of dead workers and attempts far past their deadline, and puts the queue right. Returns {ran, '
    'rescued, expired, failed, queued, unqueued, admitted, pending, next_due_at, next_due_seconds, workers}: ran is '
    'false where another call is at it; rescued and expired count jobs that are pending again, failed those that are not; queued, '
    'unqueued and admitted count rows of the queue that were missing, too many and left waiting; pending counts what '
    'is due, at most 10000, next_due is the first of the rest; workers are the ids of those alive, at most 100.';

revoke all on function
    private.end_stuck_attempts(),
    private.queue_missing(),
    private.unqueue_orphans(),
    private.repair_queue(),
    private.describe_backlog(),
    private.living_workers(),
    private.reconcile_jobs(),
    public.reconcile_jobs()
from public, anon, authenticated, service_role;
grant execute on function private.reconcile_jobs(), public.reconcile_jobs() to service_role;
