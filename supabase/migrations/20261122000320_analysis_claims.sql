-- How workers get jobs.
--
-- claim_job takes what is claimable by the rules that stand in the file about the queue, of the types that the worker
-- asks for, unless they are paused, and as far as their limits go:
--
--     over all types   the earliest places first
--     per type         concurrency: so many jobs at the same time, over all workers
--     per user         concurrency_per_user: so many of one user's jobs of the type
--
-- What runs is counted from leases that are alive, so that a dead worker's jobs fill no limit. Claims of a type with
-- limits go one after the other, by an advisory lock, and therefore never exceed them together; claims of other types
-- never wait for each other.
--
-- Claiming is safe to send twice: under a lease that was used it returns what that lease still holds and claims
-- nothing more.

-- Parts -------------------------------------------------------------------------------------------------------------
create function private.start_attempts(job_ids uuid[], worker_id text, lease_id uuid)
returns integer
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    started integer;
begin
    with unqueued as (
        delete from public.analysis_queue as queue where queue.job_id = any (job_ids)
    ),
    claimed as (
        update public.analysis_jobs as job
        set status = 'processing',
            attempt = job.attempt + 1,
            lease_id = start_attempts.lease_id,
            leased_by = start_attempts.worker_id,
            started_at = clock_timestamp(),
            deadline_at = clock_timestamp() + make_interval(secs => kind.timeout_seconds),
            progress = 0,
            phase = null
        from public.analysis_types as kind
        where kind.type = job.type and job.id = any (job_ids)
        returning job.id, job.attempt, job.started_at
    )
    insert into public.analysis_attempts (job_id, lease_id, attempt, worker_id, started_at)
    select claimed.id, start_attempts.lease_id, claimed.attempt, start_attempts.worker_id, claimed.started_at
    from claimed;
    get diagnostics started = row_count;
    return started;
end
$$;
comment on function private.start_attempts(uuid[], text, uuid) is
    'Moves locked jobs from the queue to a worker; returns how many.';

create function private.places_left(kind public.analysis_types, wanted integer)
returns integer
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    if kind.concurrency is null then
        return wanted;
    end if;
    return least(wanted, greatest(0, kind.concurrency - (
        select count(*) from private.live_leases as running where running.type = kind.type
    )));
end
$$;
comment on function private.places_left(public.analysis_types, integer) is
    'How many more jobs of this type may run, at most as many as wanted.';

create function private.send_back_beyond_limit(kind public.analysis_types, job_ids uuid[])
returns uuid[]
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    fitting uuid[];
begin
    fitting := array(
        select ranked.job_id
        from (
            select
                queue.job_id,
                queue.user_id,
                row_number() over (partition by queue.user_id order by queue.position, queue.sequence) as rank
            from public.analysis_queue as queue
            where queue.job_id = any (job_ids)
        ) as ranked
        where ranked.rank <= kind.concurrency_per_user - (
            select count(*)
            from private.live_leases as running
            where running.type = kind.type and running.user_id = ranked.user_id
        )
    );
    update public.analysis_queue as queue
    set state = 'waiting', position = private.place(job.scheduled_at, job.priority)
    from public.analysis_jobs as job
    where job.id = queue.job_id and queue.job_id = any (job_ids) and queue.job_id <> all (fitting);
    return fitting;
end
$$;
comment on function private.send_back_beyond_limit(public.analysis_types, uuid[]) is
    'Those of these locked claimable jobs whose users may run them; the others wait again.';

create function private.claim_claimable(kind public.analysis_types, worker_id text, lease_id uuid, wanted integer)
returns integer
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    places constant integer := private.places_left(kind, wanted);
    claimed integer := 0;
    locked uuid[];
begin
    while claimed < places loop
        locked := array(
            select queue.job_id
            from public.analysis_queue as queue
            join public.analysis_jobs as job on job.id = queue.job_id and job.status = 'pending'
            where queue.type = kind.type and queue.state = 'claimable' and queue.position > '-infinity'
            order by queue.position, queue.sequence
            for update of queue, job skip locked
            limit places - claimed
        );
        exit when cardinality(locked) = 0;
        if kind.concurrency_per_user is not null then
            locked := private.send_back_beyond_limit(kind, locked);
        end if;
        claimed := claimed + private.start_attempts(locked, worker_id, lease_id);
    end loop;
    return claimed;
end
$$;
comment on function private.claim_claimable(public.analysis_types, text, uuid, integer) is
    'Claims claimable jobs of one type, the earliest places first; returns how many.';

create function private.claim_waiting(kind public.analysis_types, worker_id text, lease_id uuid, wanted integer)
returns integer
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    claimed integer := 0;
    missing integer;
    locked uuid[];
begin
    -- Not everybody may have as many as an equal share; what they leave is shared again.
    for round in 1..3 loop
        missing := private.places_left(kind, wanted - claimed);
        exit when missing = 0;
        locked := array(
            select next.job_id
            from (
                select
                    waiting.user_id,
                    least(waiting.places, ceil(missing::float8 / count(*) over ())::integer) as share
                from private.waiting_users(kind, missing) as waiting
            ) as asked
            cross join lateral (
                select queue.job_id, queue.position, queue.sequence
                from public.analysis_queue as queue
                join public.analysis_jobs as job on job.id = queue.job_id and job.status = 'pending'
                where queue.type = kind.type and queue.user_id = asked.user_id and queue.state = 'waiting'
                order by queue.position, queue.sequence
                for update of queue, job skip locked
                limit asked.share
            ) as next
            order by next.position, next.sequence
            limit missing
        );
        exit when cardinality(locked) = 0;
        claimed := claimed + private.start_attempts(locked, worker_id, lease_id);
    end loop;
    return claimed;
end
$$;
comment on function private.claim_waiting(public.analysis_types, text, uuid, integer) is
    'Claims waiting jobs of one type, in equal shares of their users; returns how many.';

create function private.claim_round(kinds public.analysis_types[], worker_id text, lease_id uuid, wanted integer)
returns integer
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    kind public.analysis_types;
    head record;
    claimed integer := 0;
begin
    for head in
        select place.kind, count(*)::integer as places
        from (
            select asked as kind
            from unnest(kinds) as asked
            cross join lateral (
                select queue.position, queue.sequence
                from public.analysis_queue as queue
                where queue.type = asked.type and queue.state = 'claimable' and queue.position > '-infinity'
                order by queue.position, queue.sequence
                limit private.places_left(asked, wanted)
            ) as first
            order by first.position, first.sequence
            limit wanted
        ) as place
        group by place.kind
    loop
        claimed := claimed + private.claim_claimable(head.kind, worker_id, lease_id, head.places);
    end loop;
    -- Others may have been quicker at some of them, and there may be room for more than those whose turn it is.
    foreach kind in array kinds loop
        exit when claimed = wanted;
        claimed := claimed + private.claim_claimable(kind, worker_id, lease_id, wanted - claimed);
    end loop;
    foreach kind in array kinds loop
        exit when claimed = wanted;
        claimed := claimed + private.claim_waiting(kind, worker_id, lease_id, wanted - claimed);
    end loop;
    return claimed;
end
$$;
comment on function private.claim_round(public.analysis_types[], text, uuid, integer) is
    'Claims what it can lock, over all these types; returns how many.';

create function private.is_anything_left(kinds public.analysis_types[])
returns boolean
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    kind public.analysis_types;
begin
    foreach kind in array kinds loop
        continue when private.places_left(kind, 1) = 0;
        if exists (
                select
                from public.analysis_queue as queue
                join public.analysis_jobs as job on job.id = queue.job_id and job.status = 'pending'
                where queue.type = kind.type and queue.state = 'claimable' and queue.position > '-infinity'
            )
            or exists (select from private.waiting_users(kind, 1))
        then
            return true;
        end if;
    end loop;
    return false;
end
$$;
comment on function private.is_anything_left(public.analysis_types[]) is
    'Whether there is a job that could be claimed, were it not locked.';

create function private.claim_new(worker_id text, lease_id uuid, types text[], max_jobs integer)
returns void
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    kinds public.analysis_types[];
    kind public.analysis_types;
    claimed integer := 0;
    turn record;
begin
    -- In the order of their names, so that no two claims can wait for each other.
    perform pg_advisory_xact_lock(hashtextextended('analysis_types.limits ' || limited.type, 0))
    from (
        select asked.type
        from public.analysis_types as asked
        where asked.type = any (types) and (asked.concurrency is not null or asked.concurrency_per_user is not null)
        order by asked.type
    ) as limited;

    -- In any order, so that none is always the last where all want what is left.
    kinds := array(
        select asked from public.analysis_types as asked
        where asked.type = any (types) and not asked.paused
        order by random()
    );
    foreach kind in array kinds loop
        perform private.admit_due(kind.type, 500);
    end loop;

    -- A job that is locked is not always taken: whoever claims or settles locks the next one of the same user for a
    -- moment to let it move up. Nobody else may ask for it, so a claim does not come back short without a second look.
    for round in 1..4 loop
        claimed := claimed + private.claim_round(kinds, worker_id, lease_id, max_jobs - claimed);
        exit when claimed = max_jobs or not private.is_anything_left(kinds);
        perform pg_sleep(0.003);
    end loop;

    for turn in
        select job.type, array_agg(distinct job.user_id) as users
        from public.analysis_attempts as mine
        join public.analysis_jobs as job on job.id = mine.job_id
        where mine.lease_id = claim_new.lease_id
        group by job.type
    loop
        perform private.admit_waiting(turn.type, turn.users);
    end loop;
end
$$;
comment on function private.claim_new(text, uuid, text[], integer) is
    'Claims under a lease that was not used before, and lets the next jobs of the same users move up.';

-- Claim -------------------------------------------------------------------------------------------------------------
-- The planner is told what it cannot know: the queue changes faster than its statistics, and everything read here is
-- read in the order of an index and only from its head.
create function private.claim_job(worker_id text, lease_id uuid, types text[], max_jobs integer)
returns setof jsonb
language plpgsql
volatile
security definer
set search_path = ''
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
    if worker_id is null or lease_id is null then
        raise exception using errcode = 'PT400', message = 'worker_id and lease_id are required';
    end if;
    if max_jobs is null or max_jobs not between 1 and 100 then
        raise exception using errcode = 'PT400', message = 'max_jobs must be between 1 and 100';
    end if;

    -- A repeated call can overtake the first one: it waits here for the first to commit, and then sees what it
    -- claimed.
    perform pg_advisory_xact_lock(hashtextextended('analysis_jobs.claim ' || lease_id::text, 0));

    -- A worker that claims is alive; said only now and then, and in the claim's transaction, so that nobody can see
    -- its jobs and not the sign of life.
    perform from public.analysis_workers as worker
    where worker.id = claim_job.worker_id
        and worker.heartbeat_at > now() - make_interval(secs => worker.lease_seconds / 4)
    for key share;
    if not found then
        insert into public.analysis_workers as worker (id, heartbeat_at)
        values (claim_job.worker_id, clock_timestamp())
        on conflict on constraint analysis_workers_pkey do update set heartbeat_at = excluded.heartbeat_at;
    end if;

    if not exists (select from public.analysis_attempts as used where used.lease_id = claim_job.lease_id) then
        perform private.claim_new(worker_id, lease_id, types, max_jobs);
    end if;

    return query
        select jsonb_build_object(
            'id', job.id,
            'type', job.type,
            'user_id', job.user_id,
            'input', job.input,
            'attempt', job.attempt,
            'max_attempts', job.max_attempts,
            'lease_id', job.lease_id,
            'deadline_at', job.deadline_at,
            'timeout_seconds', kind.timeout_seconds,
            'created_at', job.created_at,
            'priority', job.priority,
            'checkpoint', (
                select saved.data from public.analysis_checkpoints as saved where saved.job_id = job.id
            )
        )
        from public.analysis_attempts as mine
        join public.analysis_jobs as job on job.id = mine.job_id and job.lease_id = mine.lease_id
        join public.analysis_types as kind on kind.type = job.type
        where mine.lease_id = claim_job.lease_id
        order by private.place(job.scheduled_at, job.priority), job.created_at, job.id;
end
$$;
comment on function private.claim_job(text, uuid, text[], integer) is 'Body of public.claim_job.';

create function public.claim_job(worker_id text, lease_id uuid, types text[], max_jobs integer)
returns setof jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return query select * from private.claim_job(worker_id, lease_id, types, max_jobs);
end
$$;
comment on function public.claim_job(text, uuid, text[], integer) is
    'Takes up to max_jobs (1 to 100) due jobs of these types under one lease, a new one for every claim. Each as '
    '{id, type, user_id, input, attempt, max_attempts, lease_id, deadline_at, timeout_seconds, created_at, '
    'priority, checkpoint}. The same lease again returns those that it still holds. Counts as a sign of life.';

-- Who may call what -------------------------------------------------------------------------------------------------
revoke all on function
    private.start_attempts(uuid[], text, uuid),
    private.places_left(public.analysis_types, integer),
    private.send_back_beyond_limit(public.analysis_types, uuid[]),
    private.claim_claimable(public.analysis_types, text, uuid, integer),
    private.claim_waiting(public.analysis_types, text, uuid, integer),
    private.claim_round(public.analysis_types[], text, uuid, integer),
    private.is_anything_left(public.analysis_types[]),
    private.claim_new(text, uuid, text[], integer),
    private.claim_job(text, uuid, text[], integer),
    public.claim_job(text, uuid, text[], integer)
from public, anon, authenticated, service_role;
grant execute on function
    private.claim_job(text, uuid, text[], integer),
    public.claim_job(text, uuid, text[], integer)
to service_role;
