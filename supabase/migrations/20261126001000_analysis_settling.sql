-- How attempts end: one way for one job and for many, for workers and for the reconciler.
--
-- A worker that ends many jobs a second spends most of its time waiting for answers and commits. settle_jobs takes up to
-- 200 settlements in one call. Each is fenced by its own lease and answered as its own function would answer it; one that
-- is a mistake is refused by itself and undoes nothing.
--
-- No two calls wait for each other. All rows of jobs are locked by one statement, in the order of their ids, before any
-- row of the queue: its triggers run when the statement is over, and they wait for nobody. Results go to the cache last,
-- in the order of their keys.
--
-- A settlement is a JSON object: {"job_id", "lease_id", "outcome"} and what its outcome needs,
--
--     completed    result, usage
--     failed       error, retryable, delay_seconds, usage
--     deferred     delay_seconds, reason, usage
--     released
--
-- and by the reconciler: lost, expired, which need what a failure needs.

-- Mistakes ----------------------------------------------------------------------------------------------------------
create function private.describe_fault(code text, message text, detail text default null)
returns jsonb
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
    return jsonb_strip_nulls(jsonb_build_object('code', code, 'message', message, 'detail', detail));
end
$$;
comment on function private.describe_fault(text, text, text) is 'A mistake in a call, as a value.';

create function private.refuse(fault jsonb)
returns void
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    if fault is not null then
        raise exception using
            errcode = fault ->> 'code', message = fault ->> 'message', detail = coalesce(fault ->> 'detail', '');
    end if;
end
$$;
comment on function private.refuse(jsonb) is 'Raises a mistake, if there is one.';

create function private.find_usage_fault(usage jsonb)
returns jsonb
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
    if jsonb_typeof(usage) <> 'object' then
        return private.describe_fault('PT400', 'usage must be a JSON object');
    end if;
    if octet_length(usage::text) > 8192 then
        return private.describe_fault('PT413', 'usage is too large', 'at most 8192 bytes');
    end if;
    if usage ? 'cost_micro_usd'
        and (
            jsonb_typeof(usage -> 'cost_micro_usd') <> 'number'
            or (usage ->> 'cost_micro_usd')::numeric not between 0 and 1e15
            or (usage ->> 'cost_micro_usd')::numeric % 1 <> 0
        )
    then
        return private.describe_fault('PT400', 'cost_micro_usd must be a whole number');
    end if;
    return null;
end
$$;
comment on function private.find_usage_fault(jsonb) is
    'Null where usage is null or a small object, its cost_micro_usd a whole number.';

create or replace function private.check_usage(usage jsonb)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
    perform private.refuse(private.find_usage_fault(usage));
end
$$;

create function private.find_fault(settlement jsonb)
returns jsonb
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
    a_uuid constant text := '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$';
    result constant jsonb := nullif(settlement -> 'result', 'null');
    usage constant jsonb := nullif(settlement -> 'usage', 'null');
    delay constant jsonb := nullif(settlement -> 'delay_seconds', 'null');
    retryable constant jsonb := nullif(settlement -> 'retryable', 'null');
begin
    if (settlement ->> 'job_id' ~ a_uuid and settlement ->> 'lease_id' ~ a_uuid) is not true then
        return private.describe_fault('PT400', 'job_id and lease_id must be UUIDs');
    end if;
    if jsonb_typeof(delay) <> 'number' then
        return private.describe_fault('PT400', 'delay_seconds must be a number');
    end if;
    if jsonb_typeof(retryable) <> 'boolean' then
        return private.describe_fault('PT400', 'retryable must be true or false');
    end if;
    case settlement ->> 'outcome'
        when 'completed' then
            if result is null then
                return private.describe_fault('PT400', 'result is required');
            end if;
            if octet_length(result::text) > 524288 then
                return private.describe_fault(
                    'PT413',
                    'result is too large',
                    format('%s bytes, at most 524288', octet_length(result::text))
                );
            end if;
        when 'failed' then
            if jsonb_typeof(settlement #> '{error, code}') is distinct from 'string'
                or jsonb_typeof(settlement #> '{error, message}') is distinct from 'string'
            then
                return private.describe_fault('PT400', 'error must be an object with a code and a message');
            end if;
            if retryable is null then
                return private.describe_fault('PT400', 'retryable must be true or false');
            end if;
        when 'deferred' then
            if delay is null then
                return private.describe_fault('PT400', 'delay_seconds is required');
            end if;
        when 'released' then
            null;
        else
            return private.describe_fault('PT400', 'outcome must be completed, failed, deferred or released');
    end case;
    return private.find_usage_fault(usage);
end
$$;
comment on function private.find_fault(jsonb) is 'What is wrong with a settlement as {code, message, detail}, null if nothing.';

-- Answers -----------------------------------------------------------------------------------------------------------
create function private.describe_ending(status text, scheduled_at timestamptz, is_held boolean, outcome text)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    settled constant boolean := coalesce(outcome in ('completed', 'failed', 'deferred', 'released'), false);
begin
    return jsonb_build_object(
        'status', status,
        'lease', case when is_held or settled then 'held' else 'lost' end,
        'settled', settled,
        'outcome', outcome,
        'retry_in_seconds', case
            when status = 'pending'
                then greatest(0, extract(epoch from scheduled_at - clock_timestamp()))::double precision
        end
    );
end
$$;
comment on function private.describe_ending(text, timestamptz, boolean, text) is
    'The answer of every function under a lease, from the state of its job and of the attempt under that lease.';

create or replace function private.describe_lease(job_id uuid, lease_id uuid)
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
    answer jsonb;
begin
    select private.describe_ending(
        job.status, job.scheduled_at, coalesce(job.lease_id = asked.lease_id, false), attempt.outcome
    )
    into answer
    from (values (describe_lease.job_id, describe_lease.lease_id)) as asked (job_id, lease_id)
    left join public.analysis_jobs as job on job.id = asked.job_id
    left join public.analysis_attempts as attempt
        on attempt.job_id = asked.job_id and attempt.lease_id = asked.lease_id;
    return answer;
end
$$;

-- The cache ---------------------------------------------------------------------------------------------------------
create function private.remember_results(job_ids uuid[])
returns void
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    insert into public.analysis_cache as cached (cache_key, job_id, result, created_at, expires_at)
    select distinct on (job.cache_key)
        job.cache_key,
        job.id,
        job.result,
        clock_timestamp(),
        clock_timestamp() + make_interval(secs => kind.cache_ttl_seconds)
    from public.analysis_jobs as job
    join public.analysis_types as kind on kind.type = job.type
    where job.id = any (job_ids)
        and job.status = 'completed'
        and job.cache_key is not null
        and kind.cache_ttl_seconds is not null
    order by job.cache_key, job.id
    on conflict on constraint analysis_cache_pkey do update
    set job_id = excluded.job_id,
        result = excluded.result,
        created_at = excluded.created_at,
        expires_at = excluded.expires_at;
end
$$;
comment on function private.remember_results(uuid[]) is
    'Puts the results of completed jobs where the next ones that ask the same find them, if their types cache.';

-- Delays ------------------------------------------------------------------------------------------------------------
-- A number of JSON may be too small for a double precision, and raise where it is made one.
drop function private.retry_delay(integer, double precision);
create function private.retry_delay(attempt integer, proposed_seconds numeric)
returns interval
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    if proposed_seconds is not null then
        return make_interval(secs => round(least(greatest(proposed_seconds, 0), 86400), 3)::double precision);
    end if;
    -- Full jitter: anywhere below 2 s, 4 s, 8 s ... 5 min, so that jobs that failed together do not return together.
    return make_interval(secs => random() * least(300, power(2, least(attempt, 30))));
end
$$;
comment on function private.retry_delay(integer, numeric) is
    'How long a job waits after its n-th attempt: as proposed (at most a day), else exponential backoff with full jitter.';

-- Endings -----------------------------------------------------------------------------------------------------------
create function private.end_attempts(settlements jsonb)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    endings jsonb;
    types text[];
    cacheable uuid[];
    answers jsonb;
begin
    with asked as (
        -- Of two for the same lease the first counts, and the other is its repetition.
        select distinct on (settlement.job_id, settlement.lease_id)
            settlement.*,
            case when settlement.outcome in ('failed', 'lost', 'expired') then jsonb_build_object(
                'code', left(settlement.error ->> 'code', 100),
                'message', left(settlement.error ->> 'message', 2000),
                'retryable', settlement.retryable
            ) end as told
        from rows from (
            jsonb_to_recordset(settlements) as (
                job_id uuid,
                lease_id uuid,
                outcome text,
                result jsonb,
                error jsonb,
                retryable boolean,
                delay_seconds numeric,
                reason text,
                usage jsonb
            )
        ) with ordinality as settlement (
            job_id, lease_id, outcome, result, error, retryable, delay_seconds, reason, usage, number
        )
        order by settlement.job_id, settlement.lease_id, settlement.number
    ),
    ended as (
        update public.analysis_jobs as job
        set (status, attempt, scheduled_at, progress, phase, result, error, finished_at) = (
                select
                    case when decided.again then 'pending' when done then 'completed' else 'failed' end,
                    case when decided.given_back then job.attempt - 1 else job.attempt end,
                    -- A released job keeps its place in the queue.
                    case
                        when decided.again and settlement.outcome <> 'released' then clock_timestamp()
                            + private.retry_delay(job.attempt, settlement.delay_seconds)
                        else job.scheduled_at
                    end,
                    case when decided.again then 0 when done then 1 else job.progress end,
                    case when not decided.again then job.phase end,
                    case when done then settlement.result end,
                    case when not decided.again then settlement.told end,
                    case when not decided.again then clock_timestamp() end
                from (
                    select
                        settlement.outcome = 'completed',
                        settlement.outcome in ('deferred', 'released'),
                        settlement.outcome in ('deferred', 'released')
                            or settlement.told is not null and settlement.retryable and job.attempt < job.max_attempts
                ) as decided (done, given_back, again)
            ),
            rescues = case when settlement.outcome = 'lost' then job.rescues + 1 else job.rescues end,
            lease_id = null,
            leased_by = null,
            deadline_at = null
        from asked as settlement
        where job.id = settlement.job_id and job.lease_id = settlement.lease_id
        returning
            job.id as job_id,
            job.type,
            settlement.lease_id,
            settlement.outcome,
            case
                when settlement.outcome = 'deferred' then jsonb_build_object(
                    'code', 'deferred', 'message', left(coalesce(settlement.reason, ''), 2000)
                )
                when octet_length(settlement.error::text) <= 8192 then settlement.error || settlement.told
                else settlement.told || jsonb_strip_nulls(
                    jsonb_build_object('provider', left(settlement.error ->> 'provider', 100))
                )
            end as error,
            settlement.usage,
            job.status,
            job.scheduled_at,
            job.cache_key is not null and settlement.outcome = 'completed' as cacheable
    ),
    written as (
        update public.analysis_attempts as attempt
        set outcome = ended.outcome, finished_at = clock_timestamp(), error = ended.error, usage = ended.usage
        from ended
        where attempt.job_id = ended.job_id and attempt.lease_id = ended.lease_id
    )
    select
        jsonb_object_agg(
            ended.job_id || ' ' || ended.lease_id,
            private.describe_ending(ended.status, ended.scheduled_at, false, ended.outcome)
        ),
        array_agg(distinct ended.type),
        array_agg(ended.job_id) filter (where ended.cacheable)
    into endings, types, cacheable
    from ended;
    if cacheable is not null then
        perform private.remember_results(cacheable);
    end if;

    -- Whatever did not end now is looked up by a statement of its own, which sees what others did meanwhile. Nobody else
    -- is told that a limit has room again.
    select jsonb_agg(
        coalesce(
            endings -> (asked.job_id || ' ' || asked.lease_id) || room.told,
            private.describe_lease(asked.job_id, asked.lease_id)
        )
        order by asked.number
    )
    into answers
    from rows from (
        jsonb_to_recordset(settlements) as (job_id uuid, lease_id uuid)
    ) with ordinality as asked (job_id, lease_id, number)
    cross join (
        select case when bool_or((
            select true
            from public.analysis_queue as queue
            where queue.type = kind.type and queue.state = 'claimable' and queue.position > '-infinity'
            limit 1
        )) then jsonb '{"has_next": true}' else '{}' end as told
        from public.analysis_types as kind
        where kind.type = any (types) and (kind.concurrency is not null or kind.concurrency_per_user is not null)
    ) as room;
    return answers;
end
$$;
comment on function private.end_attempts(jsonb) is
    'Ends attempts as these settlements say, each under its own lease, and answers each, in their order. The one place that '
    'decides whether there is another attempt. Does not look for mistakes.';

create function private.settle_job(settlement jsonb)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    perform private.refuse(private.find_fault(settlement));
    return private.end_attempts(jsonb_build_array(settlement)) -> 0;
end
$$;
comment on function private.settle_job(jsonb) is 'One settlement: its answer, or its mistake raised.';

-- Settle ------------------------------------------------------------------------------------------------------------
create function private.settle_jobs(settlements jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
    faults jsonb[];
    fault jsonb;
    sound jsonb;
    answers jsonb;
    all_answers jsonb := '[]';
    answered integer := 0;
begin
    if jsonb_typeof(settlements) is distinct from 'array' then
        raise exception using errcode = 'PT400', message = 'settlements must be an array';
    end if;
    if jsonb_array_length(settlements) not between 1 and 200 then
        raise exception using errcode = 'PT400', message = 'settlements must be 1 to 200';
    end if;
    with found as materialized (
        select asked.settlement, asked.number, private.find_fault(asked.settlement) as fault
        from jsonb_array_elements(settlements) with ordinality as asked (settlement, number)
    )
    select
        array_agg(found.fault order by found.number),
        jsonb_agg(found.settlement order by found.number) filter (where found.fault is null)
    into faults, sound
    from found;
    if sound is not null then
        answers := private.end_attempts(sound);
    end if;
    if jsonb_array_length(answers) = cardinality(faults) then
        return answers;
    end if;
    foreach fault in array faults loop
        if fault is null then
            all_answers := all_answers || (answers -> answered);
            answered := answered + 1;
        else
            all_answers := all_answers || jsonb_build_object('refused', fault);
        end if;
    end loop;
    return all_answers;
end
$$;
comment on function private.settle_jobs(jsonb) is 'Body of public.settle_jobs.';

create function public.settle_jobs(settlements jsonb)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.settle_jobs(settlements);
end
$$;
comment on function public.settle_jobs(jsonb) is
    'Settles 1 to 200 jobs in one call, each under its own lease: [{job_id, lease_id, outcome: completed, failed, deferred '
    'or released, and the arguments of the function that does this to one job}]. Returns what those functions would, in '
    'the same order; {refused: {code, message, detail}} where one would have raised, which undoes none of the others. '
    'has_next: a limit of its type has room again, and a job is there for it that nobody is told of.';

create or replace function private.complete_job(job_id uuid, lease_id uuid, result jsonb, usage jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
    return private.settle_job(jsonb_build_object(
        'job_id', job_id, 'lease_id', lease_id, 'outcome', 'completed', 'result', result, 'usage', usage
    ));
end
$$;

create or replace function private.fail_job(
    job_id uuid, lease_id uuid, error jsonb, retryable boolean, delay_seconds double precision, usage jsonb
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
    return private.settle_job(jsonb_build_object(
        'job_id', job_id,
        'lease_id', lease_id,
        'outcome', 'failed',
        'error', error,
        'retryable', retryable,
        'delay_seconds', delay_seconds,
        'usage', usage
    ));
end
$$;

create or replace function private.defer_job(job_id uuid, lease_id uuid, delay_seconds double precision, reason text, usage jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
    return private.settle_job(jsonb_build_object(
        'job_id', job_id,
        'lease_id', lease_id,
        'outcome', 'deferred',
        'delay_seconds', delay_seconds,
        'reason', reason,
        'usage', usage
    ));
end
$$;

create or replace function private.release_job(job_id uuid, lease_id uuid)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
    return private.settle_job(jsonb_build_object('job_id', job_id, 'lease_id', lease_id, 'outcome', 'released'));
end
$$;

-- Attempts that end otherwise ---------------------------------------------------------------------------------------
create or replace function private.deregister_worker(worker_id text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
    removed boolean;
    held jsonb;
    released integer;
begin
    -- A claim of this worker that is on its way keeps its row from being deleted, so its jobs are found, too.
    delete from public.analysis_workers as worker where worker.id = deregister_worker.worker_id;
    removed := found;
    select jsonb_agg(jsonb_build_object('job_id', job.id, 'lease_id', job.lease_id, 'outcome', 'released')) into held
    from public.analysis_jobs as job
    where job.status = 'processing' and job.leased_by = deregister_worker.worker_id;
    select count(*) into released
    from jsonb_array_elements(private.end_attempts(held)) as answer
    where answer ->> 'outcome' = 'released';
    -- It was told of jobs that it will not fetch any more.
    if removed then
        perform private.tell_workers('job');
    end if;
    return jsonb_build_object('removed', removed, 'released', released);
end
$$;

create or replace function private.end_stuck_attempts()
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    grace constant interval := interval '15 seconds';
    stuck jsonb;
    counts jsonb;
begin
    -- Jobs and workers are read in one statement: with two, a claim in between would look like one by nobody.
    select jsonb_agg(
        jsonb_build_object('job_id', found.id, 'lease_id', found.lease_id) || case
            when not found.is_orphan then jsonb_build_object(
                'outcome', 'expired',
                'retryable', true,
                'error', jsonb_build_object(
                    'code', 'deadline_exceeded', 'message', 'The attempt took longer than it may.'
                )
            )
            when found.is_poison then jsonb_build_object(
                'outcome', 'lost',
                'retryable', false,
                'error', jsonb_build_object(
                    'code', 'poison_job', 'message', 'Too many workers died while running this job.'
                )
            )
            else jsonb_build_object(
                'outcome', 'lost',
                'retryable', true,
                'delay_seconds', 0,
                'error', jsonb_build_object(
                    'code', 'worker_lost', 'message', 'The worker stopped while running this job.'
                )
            )
        end
    )
    into stuck
    from (
        select job.id, job.lease_id, worker.id is null as is_orphan, job.rescues >= kind.max_rescues as is_poison
        from public.analysis_jobs as job
        join public.analysis_types as kind on kind.type = job.type
        left join public.analysis_workers as worker
            on worker.id = job.leased_by
            and worker.heartbeat_at + make_interval(secs => worker.lease_seconds) > now()
        where job.status = 'processing' and (worker.id is null or job.deadline_at + grace < now())
        limit 200
        for update of job skip locked
    ) as found;
    select jsonb_build_object(
        'rescued', count(*) filter (where answer ->> 'status' = 'pending' and answer ->> 'outcome' = 'lost'),
        'expired', count(*) filter (where answer ->> 'status' = 'pending' and answer ->> 'outcome' = 'expired'),
        'failed', count(*) filter (where answer ->> 'status' = 'failed')
    )
    into counts
    from jsonb_array_elements(private.end_attempts(stuck)) as answer;
    return counts;
end
$$;

drop function private.fail_attempt(uuid, uuid, text, jsonb, boolean, double precision, jsonb);
drop function private.return_attempt(uuid, uuid, text, double precision, jsonb, jsonb);
drop function private.end_attempt(uuid, uuid, text, jsonb, jsonb);
drop function private.remember_result(uuid);

-- Who may call what -------------------------------------------------------------------------------------------------
revoke all on function
    private.describe_fault(text, text, text),
    private.refuse(jsonb),
    private.find_usage_fault(jsonb),
    private.find_fault(jsonb),
    private.describe_ending(text, timestamptz, boolean, text),
    private.remember_results(uuid[]),
    private.retry_delay(integer, numeric),
    private.end_attempts(jsonb),
    private.settle_job(jsonb),
    private.settle_jobs(jsonb),
    public.settle_jobs(jsonb)
from public, anon, authenticated, service_role;
grant execute on function private.settle_jobs(jsonb), public.settle_jobs(jsonb) to service_role, analysis_worker;
