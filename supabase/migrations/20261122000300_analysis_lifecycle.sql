-- What workers do with the jobs they hold: say that they live, report progress, settle. Claiming has a file of its own.
--
-- Three promises hold for every function here.
--
-- Fenced: after the claim every write names the job and the lease it was claimed under, and changes the row only
-- while it carries that lease. A worker that was slow, cut off or believed dead cannot write over somebody else's
-- attempt.
--
-- Safe to send twice: an HTTP answer can be lost after the commit, so workers repeat calls. A claim under a lease
-- that was used returns what that lease still holds and claims nothing more. A settle that took effect is answered
-- again from the attempt's row and changes nothing.
--
-- No surprise as an error: a lease that is gone is an ordinary answer. Every function under a lease answers
--
--     {"status": the job's status now, null where the job is gone,
--      "lease": "held", or "lost" where somebody else ended it (cancelled, rescued, expired, deleted),
--      "settled": whether this lease has settled the job,
--      "outcome": how the lease ended, null while it runs,
--      "retry_in_seconds": until the job may be claimed again, null unless it is pending}
--
-- Errors are mistakes in the call: PT400 for an argument that makes no sense, PT413 for one that is too large.
--
-- Each function comes twice, like those of users: the one in public is what the API shows, the one in private does the
-- work as its owner, so that a worker's role needs no right to any table.

-- Parts -------------------------------------------------------------------------------------------------------------
create function private.describe_lease(job_id uuid, lease_id uuid)
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
    answer jsonb;
begin
    select jsonb_build_object(
        'status', job.status,
        'lease', case
            when job.lease_id = asked.lease_id then 'held'
            when attempt.outcome in ('completed', 'failed', 'deferred', 'released') then 'held'
            else 'lost'
        end,
        'settled', coalesce(attempt.outcome in ('completed', 'failed', 'deferred', 'released'), false),
        'outcome', attempt.outcome,
        'retry_in_seconds', case
            when job.status = 'pending'
                then greatest(0, extract(epoch from job.scheduled_at - clock_timestamp()))::double precision
        end
    )
    into answer
    from (values (describe_lease.job_id, describe_lease.lease_id)) as asked (job_id, lease_id)
    left join public.analysis_jobs as job on job.id = asked.job_id
    left join public.analysis_attempts as attempt
        on attempt.job_id = asked.job_id and attempt.lease_id = asked.lease_id;
    return answer;
end
$$;
comment on function private.describe_lease(uuid, uuid) is
    'The answer of every function under a lease, read from the rows: the same for the first call and for its '
    'repetition.';

create function private.end_attempt(job_id uuid, lease_id uuid, outcome text, error jsonb, usage jsonb)
returns void
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    update public.analysis_attempts as attempt
    set outcome = end_attempt.outcome,
        finished_at = clock_timestamp(),
        error = end_attempt.error,
        usage = end_attempt.usage
    where attempt.job_id = end_attempt.job_id and attempt.lease_id = end_attempt.lease_id;
end
$$;
comment on function private.end_attempt(uuid, uuid, text, jsonb, jsonb) is 'Writes down how a lease ended.';

create function private.check_usage(usage jsonb)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
    if jsonb_typeof(usage) <> 'object' then
        raise exception using errcode = 'PT400', message = 'usage must be a JSON object';
    end if;
    if octet_length(usage::text) > 8192 then
        raise exception using errcode = 'PT413', message = 'usage is too large', detail = 'at most 8192 bytes';
    end if;
    if usage ? 'cost_micro_usd'
        and (
            jsonb_typeof(usage -> 'cost_micro_usd') <> 'number'
            or (usage ->> 'cost_micro_usd')::numeric not between 0 and 1e15
            or (usage ->> 'cost_micro_usd')::numeric % 1 <> 0
        )
    then
        raise exception using errcode = 'PT400', message = 'cost_micro_usd must be a whole number';
    end if;
end
$$;
comment on function private.check_usage(jsonb) is
    'Raises unless usage is null or a small object, its cost_micro_usd a whole number.';

create function private.retry_delay(attempt integer, proposed_seconds double precision)
returns interval
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    if proposed_seconds is not null then
        return make_interval(secs => least(greatest(proposed_seconds, 0), 86400));
    end if;
    -- Full jitter: anywhere below 2 s, 4 s, 8 s ... 5 min, so that jobs that failed together do not return together.
    return make_interval(secs => random() * least(300, power(2, least(attempt, 30))));
end
$$;
comment on function private.retry_delay(integer, double precision) is
    'How long a job waits after its n-th attempt: as proposed (at most a day), else exponential backoff with full '
    'jitter.';

create function private.fail_attempt(
    job_id uuid,
    lease_id uuid,
    outcome text,
    error jsonb,
    retryable boolean,
    delay_seconds double precision,
    usage jsonb
)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    job record;
    has_another boolean;
    told jsonb := jsonb_build_object(
        'code', left(error ->> 'code', 100), 'message', left(error ->> 'message', 2000), 'retryable', retryable
    );
begin
    select held.attempt, held.max_attempts into job
    from public.analysis_jobs as held
    where held.id = fail_attempt.job_id and held.lease_id = fail_attempt.lease_id
    for update;
    if not found then
        return private.describe_lease(job_id, lease_id);
    end if;

    has_another := retryable and job.attempt < job.max_attempts;
    update public.analysis_jobs as held
    set status = case when has_another then 'pending' else 'failed' end,
        scheduled_at = case
            when has_another then clock_timestamp() + private.retry_delay(job.attempt, delay_seconds)
            else held.scheduled_at
        end,
        progress = case when has_another then 0 else held.progress end,
        phase = case when has_another then null else held.phase end,
        error = case when has_another then null else told end,
        finished_at = case when has_another then null else clock_timestamp() end,
        rescues = held.rescues + case when fail_attempt.outcome = 'lost' then 1 else 0 end,
        lease_id = null,
        leased_by = null,
        deadline_at = null
    where held.id = fail_attempt.job_id;
    perform private.end_attempt(
        job_id,
        lease_id,
        outcome,
        case
            when octet_length(error::text) <= 8192 then error || told
            else told || jsonb_strip_nulls(jsonb_build_object('provider', left(error ->> 'provider', 100)))
        end,
        usage
    );
    return private.describe_lease(job_id, lease_id);
end
$$;
comment on function private.fail_attempt(uuid, uuid, text, jsonb, boolean, double precision, jsonb) is
    'Ends an attempt without a result. The one place that decides whether there is another one.';

create function private.return_attempt(
    job_id uuid, lease_id uuid, outcome text, delay_seconds double precision, error jsonb
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
        perform private.end_attempt(job_id, lease_id, outcome, error, null);
    end if;
    return private.describe_lease(job_id, lease_id);
end
$$;
comment on function private.return_attempt(uuid, uuid, text, double precision, jsonb) is
    'Ends an attempt as if it had not been: the job is pending again and the attempt does not count.';

-- Signs of life -----------------------------------------------------------------------------------------------------
create function private.heartbeat_worker(worker_id text, state jsonb, held jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
    lost jsonb;
begin
    if jsonb_typeof(state) is distinct from 'object' or jsonb_typeof(held) is distinct from 'array' then
        raise exception using errcode = 'PT400', message = 'state must be an object and held an array';
    end if;
    if octet_length(state::text) > 8192 then
        raise exception using errcode = 'PT413', message = 'state is too large', detail = 'at most 8192 bytes';
    end if;
    if state ? 'lease_seconds'
        and (
            jsonb_typeof(state -> 'lease_seconds') <> 'number'
            or (state ->> 'lease_seconds')::numeric not between 2 and 3600
        )
    then
        raise exception using errcode = 'PT400', message = 'lease_seconds must be between 2 and 3600';
    end if;

    insert into public.analysis_workers as worker (id, state, lease_seconds, heartbeat_at)
    values (
        worker_id,
        heartbeat_worker.state,
        coalesce((state ->> 'lease_seconds')::double precision, 25),
        clock_timestamp()
    )
    on conflict on constraint analysis_workers_pkey do update
    set state = excluded.state,
        lease_seconds = coalesce((heartbeat_worker.state ->> 'lease_seconds')::double precision, worker.lease_seconds),
        heartbeat_at = excluded.heartbeat_at;

    -- A lease that the worker has settled a moment ago is not lost, though it may still be in the list.
    select coalesce(jsonb_agg(pair.job_id), '[]') into lost
    from jsonb_to_recordset(held) as pair (job_id uuid, lease_id uuid)
    left join public.analysis_attempts as attempt
        on attempt.job_id = pair.job_id and attempt.lease_id = pair.lease_id
    where attempt.job_id is null or attempt.outcome in ('lost', 'cancelled', 'expired');
    return jsonb_build_object('lost', lost);
end
$$;
comment on function private.heartbeat_worker(text, jsonb, jsonb) is 'Body of public.heartbeat_worker.';

create function public.heartbeat_worker(worker_id text, state jsonb default '{}', held jsonb default '[]')
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.heartbeat_worker(worker_id, state, held);
end
$$;
comment on function public.heartbeat_worker(text, jsonb, jsonb) is
    'Says that this worker lives. held: the leases it believes to hold, [{job_id, lease_id}]; returns {lost: '
    '[job_id]}, those that somebody else has ended. state: anything worth showing; its lease_seconds (2 to 3600, 25 '
    'unless ever said) is how long the worker counts as alive without another sign.';

create function private.deregister_worker(worker_id text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
    removed boolean;
    held record;
    released integer := 0;
begin
    -- A claim of this worker that is on its way keeps its row from being deleted, so its jobs are found, too.
    delete from public.analysis_workers as worker where worker.id = deregister_worker.worker_id;
    removed := found;
    for held in
        select job.id, job.lease_id
        from public.analysis_jobs as job
        where job.status = 'processing' and job.leased_by = deregister_worker.worker_id
        for update
    loop
        perform private.return_attempt(held.id, held.lease_id, 'released', null, null);
        released := released + 1;
    end loop;
    return jsonb_build_object('removed', removed, 'released', released);
end
$$;
comment on function private.deregister_worker(text) is 'Body of public.deregister_worker.';

create function public.deregister_worker(worker_id text)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.deregister_worker(worker_id);
end
$$;
comment on function public.deregister_worker(text) is
    'The last word of a worker that stops: whatever it still holds is released. Returns {removed, released}.';

-- While a job runs --------------------------------------------------------------------------------------------------
create function private.report_progress(job_id uuid, lease_id uuid, progress double precision, phase text)
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
        phase = coalesce(left(nullif(report_progress.phase, ''), 200), job.phase)
    where job.id = report_progress.job_id
        and job.lease_id = report_progress.lease_id
        and (job.progress, job.phase) is distinct from (
            coalesce(report_progress.progress, job.progress),
            coalesce(left(nullif(report_progress.phase, ''), 200), job.phase)
        );
    return private.describe_lease(job_id, lease_id);
end
$$;
comment on function private.report_progress(uuid, uuid, double precision, text) is 'Body of public.report_progress.';

create function public.report_progress(
    job_id uuid, lease_id uuid, progress double precision default null, phase text default null
)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.report_progress(job_id, lease_id, progress, phase);
end
$$;
comment on function public.report_progress(uuid, uuid, double precision, text) is
    'Shows how far the attempt is (0 to 1) and what it does; what is null stays as it was.';

-- Settle ------------------------------------------------------------------------------------------------------------
create function private.complete_job(job_id uuid, lease_id uuid, result jsonb, usage jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
    kept_under text;
begin
    if result is null then
        raise exception using errcode = 'PT400', message = 'result is required';
    end if;
    if octet_length(result::text) > 524288 then
        raise exception using
            errcode = 'PT413',
            message = 'result is too large',
            detail = format('%s bytes, at most 524288', octet_length(result::text));
    end if;
    perform private.check_usage(usage);

    update public.analysis_jobs as job
    set status = 'completed',
        result = complete_job.result,
        progress = 1,
        finished_at = clock_timestamp(),
        lease_id = null,
        leased_by = null,
        deadline_at = null
    where job.id = complete_job.job_id and job.lease_id = complete_job.lease_id
    returning job.cache_key into kept_under;
    if found then
        perform private.end_attempt(job_id, lease_id, 'completed', null, usage);
        if kept_under is not null then
            perform private.remember_result(job_id);
        end if;
    end if;
    return private.describe_lease(job_id, lease_id);
end
$$;
comment on function private.complete_job(uuid, uuid, jsonb, jsonb) is 'Body of public.complete_job.';

create function public.complete_job(job_id uuid, lease_id uuid, result jsonb, usage jsonb default null)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.complete_job(job_id, lease_id, result, usage);
end
$$;
comment on function public.complete_job(uuid, uuid, jsonb, jsonb) is 'Ends the job with its result.';

create function private.fail_job(
    job_id uuid, lease_id uuid, error jsonb, retryable boolean, delay_seconds double precision, usage jsonb
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
    if jsonb_typeof(error -> 'code') is distinct from 'string'
        or jsonb_typeof(error -> 'message') is distinct from 'string'
    then
        raise exception using errcode = 'PT400', message = 'error must be an object with a code and a message';
    end if;
    if retryable is null then
        raise exception using errcode = 'PT400', message = 'retryable must be true or false';
    end if;
    perform private.check_usage(usage);
    return private.fail_attempt(job_id, lease_id, 'failed', error, retryable, delay_seconds, usage);
end
$$;
comment on function private.fail_job(uuid, uuid, jsonb, boolean, double precision, jsonb) is 'Body of public.fail_job.';

create function public.fail_job(
    job_id uuid,
    lease_id uuid,
    error jsonb,
    retryable boolean,
    delay_seconds double precision default null,
    usage jsonb default null
)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.fail_job(job_id, lease_id, error, retryable, delay_seconds, usage);
end
$$;
comment on function public.fail_job(uuid, uuid, jsonb, boolean, double precision, jsonb) is
    'Ends the attempt with an error {code, message, ...}: the user sees code and message, the attempt keeps all of '
    'it. Retryable with attempts left: the job is pending again after delay_seconds, or after a backoff with jitter.';

create function private.defer_job(job_id uuid, lease_id uuid, delay_seconds double precision, reason text)
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
    return private.return_attempt(
        job_id,
        lease_id,
        'deferred',
        delay_seconds,
        jsonb_build_object('code', 'deferred', 'message', left(coalesce(reason, ''), 2000))
    );
end
$$;
comment on function private.defer_job(uuid, uuid, double precision, text) is 'Body of public.defer_job.';

create function public.defer_job(job_id uuid, lease_id uuid, delay_seconds double precision, reason text default null)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.defer_job(job_id, lease_id, delay_seconds, reason);
end
$$;
comment on function public.defer_job(uuid, uuid, double precision, text) is
    'Not now (a provider cools down): pending again after delay_seconds, at most a day; the attempt is given back.';

create function private.release_job(job_id uuid, lease_id uuid)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
    return private.return_attempt(job_id, lease_id, 'released', null, null);
end
$$;
comment on function private.release_job(uuid, uuid) is 'Body of public.release_job.';

create function public.release_job(job_id uuid, lease_id uuid)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.release_job(job_id, lease_id);
end
$$;
comment on function public.release_job(uuid, uuid) is
    'Not me (the worker stops): pending again now, at its old place in the queue; the attempt is given back.';

-- Who may call what -------------------------------------------------------------------------------------------------
-- The role of workers gets its rights where it is made.
revoke all on function
    private.describe_lease(uuid, uuid),
    private.end_attempt(uuid, uuid, text, jsonb, jsonb),
    private.check_usage(jsonb),
    private.retry_delay(integer, double precision),
    private.fail_attempt(uuid, uuid, text, jsonb, boolean, double precision, jsonb),
    private.return_attempt(uuid, uuid, text, double precision, jsonb)
from public, anon, authenticated, service_role;

revoke all on function
    private.heartbeat_worker(text, jsonb, jsonb),
    private.deregister_worker(text),
    private.report_progress(uuid, uuid, double precision, text),
    private.complete_job(uuid, uuid, jsonb, jsonb),
    private.fail_job(uuid, uuid, jsonb, boolean, double precision, jsonb),
    private.defer_job(uuid, uuid, double precision, text),
    private.release_job(uuid, uuid),
    public.heartbeat_worker(text, jsonb, jsonb),
    public.deregister_worker(text),
    public.report_progress(uuid, uuid, double precision, text),
    public.complete_job(uuid, uuid, jsonb, jsonb),
    public.fail_job(uuid, uuid, jsonb, boolean, double precision, jsonb),
    public.defer_job(uuid, uuid, double precision, text),
    public.release_job(uuid, uuid)
from public, anon, authenticated, service_role;
grant execute on function
    private.heartbeat_worker(text, jsonb, jsonb),
    private.deregister_worker(text),
    private.report_progress(uuid, uuid, double precision, text),
    private.complete_job(uuid, uuid, jsonb, jsonb),
    private.fail_job(uuid, uuid, jsonb, boolean, double precision, jsonb),
    private.defer_job(uuid, uuid, double precision, text),
    private.release_job(uuid, uuid),
    public.heartbeat_worker(text, jsonb, jsonb),
    public.deregister_worker(text),
    public.report_progress(uuid, uuid, double precision, text),
    public.complete_job(uuid, uuid, jsonb, jsonb),
    public.fail_job(uuid, uuid, jsonb, boolean, double precision, jsonb),
    public.defer_job(uuid, uuid, double precision, text),
    public.release_job(uuid, uuid)
to service_role;
