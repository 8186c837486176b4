-- Claims that ask less.
--
-- The same rules as before, in fewer statements: which types have jobs that became due is one question for all types, the
-- earliest places are only compared where there are several types, and a look that came back short is not repeated at
-- once. A claim of one job costs mostly what its statements cost to start.

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

create or replace function private.claim_round(kinds public.analysis_types[], worker_id text, lease_id uuid, wanted integer)
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
    foreach kind in array kinds loop
        exit when claimed = wanted;
        claimed := claimed + private.claim_waiting(kind, worker_id, lease_id, wanted - claimed);
    end loop;
    return claimed;
end
$$;

create or replace function private.claim_new(worker_id text, lease_id uuid, types text[], max_jobs integer)
returns void
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    kinds public.analysis_types[];
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
    perform private.admit_due(kind.type, 500) from unnest(kinds) as kind;

    -- A job that is locked is not always taken: whoever claims or settles locks the next one of the same user for a
    -- moment to let it move up. Nobody else may ask for it, so a claim does not come back short without a second look.
    for round in 1..4 loop
        claimed := claimed + private.claim_round(kinds, worker_id, lease_id, max_jobs - claimed);
        exit when claimed = max_jobs or not private.is_anything_left(kinds);
        perform pg_sleep(0.003);
    end loop;
    if claimed = 0 then
        return;
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
