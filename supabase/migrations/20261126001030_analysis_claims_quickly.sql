-- Claims that ask less.
--
-- The same rules as before, in fewer statements. Which of the types asked for have anything to do is one question, asked
-- first and again when a claim comes back short; nothing else is asked about the others. So a claim of the only job costs
-- the same for nine types as for one, and a claim that gets nothing reads a few heads of indexes and writes nothing.

create or replace function private.claim_claimable(kind public.analysis_types, worker_id text, lease_id uuid, wanted integer)
returns integer
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    places constant integer := private.places_left(kind, wanted);
    claimed integer := 0;
    missing integer;
    locked uuid[];
    found_jobs integer;
begin
    while claimed < places loop
        missing := places - claimed;
        locked := array(
            select queue.job_id
            from public.analysis_queue as queue
            join public.analysis_jobs as job on job.id = queue.job_id and (job.status = 'pending') is not false
            where queue.type = kind.type and queue.state = 'claimable' and queue.position > '-infinity'
            order by queue.position, queue.sequence
            for update of queue, job skip locked
            limit missing
        );
        found_jobs := cardinality(locked);
        if found_jobs > 0 and kind.concurrency_per_user is not null then
            locked := private.send_back_beyond_limit(kind, locked);
        end if;
        if cardinality(locked) > 0 then
            claimed := claimed + private.start_attempts(locked, worker_id, lease_id);
        end if;
        exit when found_jobs < missing;
    end loop;
    return claimed;
end
$$;

create or replace function private.waiting_users(kind public.analysis_types, max_users integer)
returns table (user_id uuid, places integer)
language plpgsql
volatile
security invoker
set search_path = ''
set enable_seqscan = off
as $$
declare
    origin constant uuid := gen_random_uuid();
    previous uuid := origin;
    found_users integer := 0;
begin
    -- From a random user to the last, then from the first, so that nobody is always behind those looked at.
    for step in 1 .. max_users + 100 loop
        select waiting.user_id into waiting_users.user_id
        from public.analysis_queue as waiting
        where waiting.type = kind.type and waiting.state = 'waiting' and waiting.user_id > previous
        order by waiting.user_id
        limit 1;
        if not found then
            exit when previous < origin;
            previous := '00000000-0000-0000-0000-000000000000';
            continue;
        end if;
        exit when previous < origin and waiting_users.user_id > origin;
        previous := waiting_users.user_id;
        if kind.concurrency_per_user is not null then
            places := kind.concurrency_per_user - (
                select count(*)
                from private.live_leases as running
                where running.type = kind.type and running.user_id = waiting_users.user_id
            );
        end if;
        if places is null or places > 0 then
            return next;
            found_users := found_users + 1;
            exit when found_users = max_users;
        end if;
    end loop;
end
$$;

drop function private.claim_round(public.analysis_types[], text, uuid, integer);
create function private.claim_by_place(kinds public.analysis_types[], worker_id text, lease_id uuid, wanted integer)
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
    if cardinality(kinds) > 1 then
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
    end if;
    -- Others may have been quicker at some of them, and there may be room for more than those whose turn it is.
    foreach kind in array kinds loop
        exit when claimed = wanted;
        claimed := claimed + private.claim_claimable(kind, worker_id, lease_id, wanted - claimed);
    end loop;
    return claimed;
end
$$;
comment on function private.claim_by_place(public.analysis_types[], text, uuid, integer) is
    'Claims claimable jobs that it can lock, over all these types, the earliest places first; returns how many.';

create function private.find_work(types text[])
returns public.analysis_types[]
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    moment constant timestamptz := clock_timestamp();
begin
    -- In any order, so that none is always the last where all want what is left.
    return array(
        select asked
        from public.analysis_types as asked
        where asked.type = any (types)
            and not asked.paused
            -- Not exists, which the planner may answer by reading all that there is, of every type.
            and coalesce(
                (
                    select true from public.analysis_queue as queue
                    where queue.type = asked.type and queue.state = 'claimable' and queue.position > '-infinity'
                    limit 1
                ),
                (
                    select true from public.analysis_queue as queue
                    where queue.type = asked.type and queue.state = 'waiting'
                    limit 1
                ),
                (
                    select true from public.analysis_queue as queue
                    where queue.type = asked.type
                        and queue.state = 'delayed'
                        and queue.position > '-infinity'
                        and queue.position <= moment
                    limit 1
                )
            )
        order by random()
    );
end
$$;
comment on function private.find_work(text[]) is
    'Those of these types, unless they are paused, of which a job is claimable, waits or is due, whoever has locked it.';

drop function private.claim_new(text, uuid, text[], integer);
create function private.claim_new(worker_id text, lease_id uuid, work public.analysis_types[], max_jobs integer)
returns integer
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    kinds public.analysis_types[] := work;
    kind public.analysis_types;
    claimed integer := 0;
    turn record;
begin
    -- In the order of their names, so that no two claims can wait for each other.
    perform pg_advisory_xact_lock(hashtextextended('analysis_types.limits ' || limited.type, 0))
    from (
        select asked.type
        from unnest(kinds) as asked
        where asked.concurrency is not null or asked.concurrency_per_user is not null
        order by asked.type
    ) as limited;
    foreach kind in array kinds loop
        perform private.admit_due(kind.type, 500);
    end loop;

    -- A job that is locked is not always taken: whoever claims or settles locks the next one of the same user for a
    -- moment to let it move up. Nobody else may ask for it, so a claim does not come back short without a second look.
    for round in 1..4 loop
        claimed := claimed + private.claim_by_place(kinds, worker_id, lease_id, max_jobs - claimed);
        exit when claimed = max_jobs;
        kinds := private.find_work(array(select asked.type from unnest(kinds) as asked));
        foreach kind in array kinds loop
            exit when claimed = max_jobs;
            claimed := claimed + private.claim_waiting(kind, worker_id, lease_id, max_jobs - claimed);
        end loop;
        exit when claimed = max_jobs or not private.is_anything_left(kinds);
        perform pg_sleep(0.003);
    end loop;
    if claimed = 0 or cardinality(kinds) = 0 then
        return claimed;
    end if;

    for turn in
        select job.type, array_agg(distinct job.user_id) as users
        from public.analysis_attempts as mine
        join public.analysis_jobs as job on job.id = mine.job_id
        where mine.lease_id = claim_new.lease_id
        group by job.type
    loop
        perform private.admit_waiting(turn.type, turn.users);
    end loop;
    return claimed;
end
$$;
comment on function private.claim_new(text, uuid, public.analysis_types[], integer) is
    'Claims under a lease that was not used before, and lets the next jobs of the same users move up; returns how many.';

create or replace function private.claim_job(worker_id text, lease_id uuid, types text[], max_jobs integer)
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
declare
    work public.analysis_types[];
    claimed integer;
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

    if not exists (select from public.analysis_attempts as used where used.lease_id = claim_job.lease_id) then
        work := private.find_work(types);
        claimed := 0;
    end if;

    -- A worker that claims is alive; said only now and then, and in the claim's transaction, so that nobody can see
    -- its jobs and not the sign of life. One that gets nothing writes nothing, and has no commit to wait for.
    if cardinality(work) > 0 then
        perform from public.analysis_workers as worker
        where worker.id = claim_job.worker_id
            and worker.heartbeat_at > now() - make_interval(secs => worker.lease_seconds / 4)
        for key share;
    else
        perform from public.analysis_workers as worker
        where worker.id = claim_job.worker_id
            and worker.heartbeat_at > now() - make_interval(secs => worker.lease_seconds / 4);
    end if;
    if not found then
        insert into public.analysis_workers as worker (id, heartbeat_at)
        values (claim_job.worker_id, clock_timestamp())
        on conflict on constraint analysis_workers_pkey do update set heartbeat_at = excluded.heartbeat_at;
    end if;

    if cardinality(work) > 0 then
        claimed := private.claim_new(worker_id, lease_id, work, max_jobs);
    end if;
    if claimed = 0 then
        return;
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

revoke all on function
    private.claim_by_place(public.analysis_types[], text, uuid, integer),
    private.find_work(text[]),
    private.claim_new(text, uuid, public.analysis_types[], integer)
from public, anon, authenticated, service_role;

-- Enqueuing ---------------------------------------------------------------------------------------------------------
-- Most jobs come without a key, and most types cache nothing: then there is nothing to look for.
create or replace function private.find_keyed_job(owner uuid, key text, type text, input jsonb)
returns public.analysis_jobs
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
    job public.analysis_jobs;
begin
    if key is null then
        return null;
    end if;
    select known.* into job
    from public.analysis_idempotency_keys as used
    join public.analysis_jobs as known on known.id = used.job_id
    where used.user_id = coalesce(owner, '00000000-0000-0000-0000-000000000000') and used.key = find_keyed_job.key;
    if found and (job.type is distinct from find_keyed_job.type or job.input is distinct from find_keyed_job.input)
    then
        raise exception using errcode = 'PT409', message = 'idempotency key was used for another input';
    end if;
    return job;
end
$$;

create or replace function private.find_cached_result(cache_key text)
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
    answer jsonb;
begin
    if cache_key is null then
        return null;
    end if;
    select cached.result into answer
    from public.analysis_cache as cached
    where cached.cache_key = find_cached_result.cache_key and cached.expires_at > clock_timestamp();
    return answer;
end
$$;

-- Plans -------------------------------------------------------------------------------------------------------------
-- A statement with an array for an argument is planned anew for every call, for the number of elements might matter: it took
-- longer to plan than to run. Here it never matters, since everything is read by an index from its head or by key.
alter function private.claim_job(text, uuid, text[], integer) set plan_cache_mode = force_generic_plan;
alter function private.settle_jobs(jsonb) set plan_cache_mode = force_generic_plan;
alter function private.complete_job(uuid, uuid, jsonb, jsonb) set plan_cache_mode = force_generic_plan;
alter function private.fail_job(uuid, uuid, jsonb, boolean, double precision, jsonb)
    set plan_cache_mode = force_generic_plan;
alter function private.defer_job(uuid, uuid, double precision, text, jsonb) set plan_cache_mode = force_generic_plan;
alter function private.release_job(uuid, uuid) set plan_cache_mode = force_generic_plan;
alter function private.report_progress(uuid, uuid, double precision, text, text)
    set plan_cache_mode = force_generic_plan;
alter function private.enqueue_analysis(text, jsonb, text, integer, timestamptz)
    set plan_cache_mode = force_generic_plan;
alter function private.enqueue_analysis(text, jsonb, text, integer, timestamptz) set enable_seqscan = off;

-- Room --------------------------------------------------------------------------------------------------------------
-- An attempt is written twice, when it starts and when it ends. With room for it on its page the second time touches no
-- index, also where a hundred end in one transaction and nothing is given free in between.
alter table public.analysis_attempts set (fillfactor = 50);

-- Checks ------------------------------------------------------------------------------------------------------------
-- The same promise as '^[0-9a-f]{64}$', which takes 11 microseconds for every write, fourteen times as long: it counts.
alter table public.analysis_jobs
    drop constraint analysis_jobs_input_hash_is_sha256,
    drop constraint analysis_jobs_cache_key_is_sha256,
    add constraint analysis_jobs_input_hash_is_sha256
        check (length(input_hash) = 64 and input_hash !~ '[^0-9a-f]') not valid,
    add constraint analysis_jobs_cache_key_is_sha256
        check (length(cache_key) = 64 and cache_key !~ '[^0-9a-f]') not valid;
-- Not valid, then validated: the table is locked only for a moment.
alter table public.analysis_jobs validate constraint analysis_jobs_input_hash_is_sha256;
alter table public.analysis_jobs validate constraint analysis_jobs_cache_key_is_sha256;
alter table public.analysis_cache
    drop constraint analysis_cache_key_is_sha256,
    add constraint analysis_cache_key_is_sha256 check (length(cache_key) = 64 and cache_key !~ '[^0-9a-f]');
