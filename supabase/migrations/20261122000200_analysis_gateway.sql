-- What users may do with jobs: enqueue, look, cancel.
--
-- Each function comes twice. The one in public is what the API shows; it runs as the caller and only passes on. The
-- one in private runs as its owner, because users may write no table, and therefore asks first who the caller is and
-- whose the job is. A job of somebody else is answered exactly like one that does not exist.
--
-- service_role may call them too: jobs that it enqueues have no user, and it may see and cancel every job.
--
-- Mistakes of the caller are raised as PTxyz, which PostgREST turns into HTTP status xyz with the message as its
-- reason.
--
-- All enqueuing of one user happens in turn: what decides whether there is a new job (the key, the twin, the counts)
-- is read under a lock of that user, and stays true until the job is there. What needs no such care is checked before.

create function private.caller_is_service()
returns boolean
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
    -- The role that was set for this request; current_user would name the owner of the definer function around this.
    return coalesce(current_setting('role', true), '') = 'service_role';
end
$$;
comment on function private.caller_is_service() is 'Whether this request came with the key of a service.';

create function private.read_input_files(input jsonb, owner uuid)
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
    file jsonb;
    object record;
    contents jsonb := '[]';
begin
    if not input ? 'files' then
        return input;
    end if;
    if jsonb_typeof(input -> 'files') <> 'array' then
        raise exception using errcode = 'PT400', message = 'input.files must be an array';
    end if;
    for file in select element.value from jsonb_array_elements(input -> 'files') as element loop
        if jsonb_typeof(file -> 'bucket') is distinct from 'string'
            or jsonb_typeof(file -> 'path') is distinct from 'string'
        then
            raise exception using errcode = 'PT400', message = 'every input file needs a bucket and a path';
        end if;
        if owner is not null and split_part(file ->> 'path', '/', 1) <> owner::text then
            raise exception using
                errcode = 'PT403',
                message = 'input file is not yours',
                hint = 'The first folder of the path has to be your user id.';
        end if;
        select coalesce(stored.version, concat_ws(' ', stored.id, extract(epoch from stored.updated_at))) as version
        into object
        from storage.objects as stored
        where stored.bucket_id = file ->> 'bucket' and stored.name = file ->> 'path';
        if not found then
            raise exception using errcode = 'PT404', message = 'input file not found', detail = file::text;
        end if;
        contents := contents || jsonb_build_array(jsonb_build_array(object.version, file - 'bucket' - 'path'));
    end loop;
    return jsonb_set(input, '{files}', contents);
end
$$;
comment on function private.read_input_files(jsonb, uuid) is
    'The input with versions in place of the names in input.files. Raises unless every {bucket, path} there exists and '
    'lies in the owner''s folder (any folder for a null owner).';

create function private.check_input(kind public.analysis_types, input jsonb)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
    if jsonb_typeof(input) is distinct from 'object' then
        raise exception using errcode = 'PT400', message = 'input must be a JSON object';
    end if;
    if octet_length(input::text) > kind.input_max_bytes then
        raise exception using
            errcode = 'PT413',
            message = 'input is too large',
            detail = format('%s bytes, at most %s', octet_length(input::text), kind.input_max_bytes),
            hint = 'Upload files to Storage and name them in input.files.';
    end if;
    perform private.validate_json(kind.input_schema, input);
end
$$;
comment on function private.check_input(public.analysis_types, jsonb) is
    'Raises unless the input is an object, as small as its type demands, that fits the type''s schema.';

create function private.limit_priority(kind public.analysis_types, wanted integer, is_service boolean)
returns integer
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
    if not is_service then
        -- Users may step back behind others, never ahead of them.
        return greatest(least(wanted, kind.priority), kind.priority - 10, -100);
    end if;
    if wanted not between -100 and 100 then
        raise exception using errcode = 'PT400', message = 'priority must be between -100 and 100';
    end if;
    return coalesce(wanted, kind.priority);
end
$$;
comment on function private.limit_priority(public.analysis_types, integer, boolean) is
    'The priority of a job for which this one was asked.';

create function private.describe_enqueued(job public.analysis_jobs)
returns jsonb
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
    answer jsonb := jsonb_build_object('id', job.id, 'status', job.status, 'cached', job.cached);
begin
    if job.status = 'completed' then
        return answer || jsonb_build_object('result', job.result);
    end if;
    return answer;
end
$$;
comment on function private.describe_enqueued(public.analysis_jobs) is 'The answer of enqueue_analysis for this job.';

create function private.wait_turn(owner uuid, key text)
returns void
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    perform pg_advisory_xact_lock(
        hashtextextended('analysis_jobs.enqueue ' || coalesce(owner::text, 'key ' || key), 0)
    );
end
$$;
comment on function private.wait_turn(uuid, text) is
    'Returns when no other transaction adds jobs of this user, or, without a user, any under this key; from then on '
    'none does until this transaction ends.';

create function private.add_job(kind public.analysis_types, draft public.analysis_jobs, idempotency_key text)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    job public.analysis_jobs;
    known_result jsonb;
begin
    perform private.wait_turn(draft.user_id, idempotency_key);
    job := private.find_keyed_job(draft.user_id, idempotency_key, draft.type, draft.input);
    if job.id is not null then
        return private.describe_enqueued(job);
    end if;

    -- What is to run later is asked for that time: neither a job of now nor an answer of before will do.
    if draft.scheduled_at <= now() then
        job := private.find_twin(draft.user_id, draft.type, draft.input, draft.input_hash);
        if job.id is not null then
            perform private.remember_key(draft.user_id, idempotency_key, job.id);
            return private.describe_enqueued(job) || jsonb_build_object('coalesced', true);
        end if;
        known_result := private.find_cached_result(draft.cache_key);
    end if;
    if draft.user_id is not null and known_result is null then
        perform private.check_rate(kind, draft.user_id);
        perform private.check_quota(kind, draft.user_id);
    end if;

    insert into public.analysis_jobs as new (
        user_id, type, input, input_hash, cache_key, priority, scheduled_at, max_attempts,
        status, result, cached, progress, finished_at
    )
    values (
        draft.user_id,
        draft.type,
        draft.input,
        draft.input_hash,
        draft.cache_key,
        draft.priority,
        draft.scheduled_at,
        draft.max_attempts,
        case when known_result is null then 'pending' else 'completed' end,
        known_result,
        known_result is not null,
        case when known_result is null then 0 else 1 end,
        case when known_result is not null then clock_timestamp() end
    )
    returning new.* into job;
    if job.cached then
        perform private.count_hit(job.cache_key);
    end if;
    perform private.remember_key(draft.user_id, idempotency_key, job.id);
    return private.describe_enqueued(job);
end
$$;
comment on function private.add_job(public.analysis_types, public.analysis_jobs, text) is
    'Adds a job whose input was checked, or finds the one that makes it unnecessary.';

create function private.enqueue_analysis(
    type text, input jsonb, idempotency_key text, priority integer, scheduled_at timestamptz
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
    caller uuid := auth.uid();
    is_service boolean := private.caller_is_service();
    kind public.analysis_types;
    job public.analysis_jobs;
begin
    if caller is null and not is_service then
        raise exception using errcode = 'PT401', message = 'sign in to enqueue';
    end if;

    -- A known key comes before every other check: the first call passed them, and the world may have changed since.
    job := private.find_keyed_job(caller, idempotency_key, type, input);
    if job.id is not null then
        return private.describe_enqueued(job);
    end if;
    if length(idempotency_key) not between 1 and 200 then
        raise exception using errcode = 'PT400', message = 'idempotency key must have 1 to 200 characters';
    end if;

    select known.* into kind from public.analysis_types as known where known.type = enqueue_analysis.type;
    if not found then
        raise exception using errcode = 'PT404', message = 'unknown analysis type';
    end if;
    if kind.paused then
        raise exception using errcode = 'PT503', message = 'analysis type is paused';
    end if;
    if scheduled_at > now() + interval '1 year' then
        raise exception using errcode = 'PT400', message = 'scheduled_at is more than a year away';
    end if;
    perform private.check_input(kind, input);
    job.user_id := caller;
    job.type := kind.type;
    job.input := input;
    job.input_hash := private.hash_input(type, private.read_input_files(input, caller));
    job.cache_key := private.hash_cache_key(kind, caller, job.input_hash);
    job.priority := private.limit_priority(kind, priority, is_service);
    job.scheduled_at := greatest(scheduled_at, now());  -- the past would be a place ahead of everybody
    job.max_attempts := kind.max_attempts;
    return private.add_job(kind, job, idempotency_key);
end
$$;
comment on function private.enqueue_analysis(text, jsonb, text, integer, timestamptz) is
    'Body of public.enqueue_analysis; checks the caller.';

create function public.enqueue_analysis(
    type text,
    input jsonb,
    idempotency_key text default null,
    priority integer default null,
    scheduled_at timestamptz default null
)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.enqueue_analysis(type, input, idempotency_key, priority, scheduled_at);
end
$$;
comment on function public.enqueue_analysis(text, jsonb, text, integer, timestamptz) is
    'Adds a job for the signed-in user. Returns {id, status, cached} and, where it is completed already, its result; '
    'cached says that an earlier job''s result answered. The same idempotency key with the same input returns the same '
    'job; so does the same input while the user''s earlier job with it is pending or running, then with coalesced: '
    'true. A user''s priority is limited to the type''s. PT400 input (detail {field}), PT401 not signed in, PT403 '
    'foreign file, PT404 unknown type or file, PT409 key of another input, PT413 too large, PT429 too much (detail '
    '{retry_after_seconds}), PT503 paused.';

create function private.get_analysis_status(job_id uuid)
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
comment on function private.get_analysis_status(uuid) is 'Body of public.get_analysis_status; checks the owner.';

create function public.get_analysis_status(job_id uuid)
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
    return private.get_analysis_status(job_id);
end
$$;
comment on function public.get_analysis_status(uuid) is
    'One of the caller''s jobs: id, type, status, progress, phase, result, error, attempt, max_attempts, cached, '
    'times, and its latest 20 attempts, the oldest first: [{attempt, outcome, started_at, finished_at}]. PT404 where '
    'there is none.';

create function private.cancel_analysis(job_id uuid)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
    job record;
begin
    select own.status, own.lease_id into job
    from public.analysis_jobs as own
    where own.id = cancel_analysis.job_id and (own.user_id = auth.uid() or private.caller_is_service())
    for update;
    if not found then
        raise exception using errcode = 'PT404', message = 'job not found';
    end if;
    if job.status not in ('pending', 'processing') then
        return jsonb_build_object('id', job_id, 'status', job.status);
    end if;

    update public.analysis_jobs as own
    set status = 'cancelled', finished_at = clock_timestamp(), lease_id = null, leased_by = null, deadline_at = null
    where own.id = cancel_analysis.job_id;
    update public.analysis_attempts as running
    set outcome = 'cancelled', finished_at = clock_timestamp()
    where running.job_id = cancel_analysis.job_id and running.lease_id = job.lease_id;
    return jsonb_build_object('id', job_id, 'status', 'cancelled');
end
$$;
comment on function private.cancel_analysis(uuid) is 'Body of public.cancel_analysis; checks the owner.';

create function public.cancel_analysis(job_id uuid)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.cancel_analysis(job_id);
end
$$;
comment on function public.cancel_analysis(uuid) is
    'Ends one of the caller''s jobs at once and revokes its lease; a job that had ended stays as it is. Returns {id, '
    'status}. PT404 where there is none.';

-- Who may call what -------------------------------------------------------------------------------------------------
revoke all on function
    private.caller_is_service(),
    private.add_job(public.analysis_types, public.analysis_jobs, text),
    private.check_input(public.analysis_types, jsonb),
    private.limit_priority(public.analysis_types, integer, boolean),
    private.read_input_files(jsonb, uuid),
    private.describe_enqueued(public.analysis_jobs),
    private.wait_turn(uuid, text),
    private.enqueue_analysis(text, jsonb, text, integer, timestamptz),
    private.get_analysis_status(uuid),
    private.cancel_analysis(uuid),
    public.enqueue_analysis(text, jsonb, text, integer, timestamptz),
    public.get_analysis_status(uuid),
    public.cancel_analysis(uuid)
from public, anon, authenticated, service_role;
grant execute on function
    private.enqueue_analysis(text, jsonb, text, integer, timestamptz),
    private.get_analysis_status(uuid),
    private.cancel_analysis(uuid),
    public.enqueue_analysis(text, jsonb, text, integer, timestamptz),
    public.get_analysis_status(uuid),
    public.cancel_analysis(uuid)
to authenticated, service_role;
