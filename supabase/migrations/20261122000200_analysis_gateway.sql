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

create function private.check_input_files(input jsonb, owner uuid)
returns void
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
    file jsonb;
begin
    if not input ? 'files' then
        return;
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
        if not exists (
            select from storage.objects as object
            where object.bucket_id = file ->> 'bucket' and object.name = file ->> 'path'
        ) then
            raise exception using errcode = 'PT404', message = 'input file not found', detail = file::text;
        end if;
    end loop;
end
$$;
comment on function private.check_input_files(jsonb, uuid) is
    'Raises unless every {bucket, path} in input.files exists and lies in the owner''s folder (any folder for a null '
    'owner).';

create function private.check_input(input jsonb, max_bytes integer)
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
    if octet_length(input::text) > max_bytes then
        raise exception using
            errcode = 'PT413',
            message = 'input is too large',
            detail = format('%s bytes, at most %s', octet_length(input::text), max_bytes),
            hint = 'Upload files to Storage and name them in input.files.';
    end if;
end
$$;
comment on function private.check_input(jsonb, integer) is
    'Raises unless the input is an object of at most so many bytes.';

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
    rules public.analysis_types;
    job public.analysis_jobs;
    wanted integer := enqueue_analysis.priority;
begin
    if caller is null and not is_service then
        raise exception using errcode = 'PT401', message = 'sign in to enqueue';
    end if;

    -- A known key comes before every other check: the first call passed them, and the world may have changed since.
    if enqueue_analysis.idempotency_key is not null then
        select known.* into job
        from public.analysis_jobs as known
        where known.idempotency_key = enqueue_analysis.idempotency_key
            and (known.user_id = caller or (caller is null and known.user_id is null));
        if found then
            if job.type is distinct from enqueue_analysis.type or job.input is distinct from enqueue_analysis.input then
                raise exception using errcode = 'PT409', message = 'idempotency key was used for another input';
            end if;
            return private.describe_enqueued(job);
        end if;
        if length(enqueue_analysis.idempotency_key) not between 1 and 200 then
            raise exception using errcode = 'PT400', message = 'idempotency key must have 1 to 200 characters';
        end if;
    end if;

    select kind.* into rules from public.analysis_types as kind where kind.type = enqueue_analysis.type;
    if not found then
        raise exception using errcode = 'PT404', message = 'unknown analysis type';
    end if;
    if rules.paused then
        raise exception using errcode = 'PT503', message = 'analysis type is paused';
    end if;
    perform private.check_input(enqueue_analysis.input, rules.input_max_bytes);
    perform private.check_input_files(enqueue_analysis.input, caller);
    if enqueue_analysis.scheduled_at > now() + interval '1 year' then
        raise exception using errcode = 'PT400', message = 'scheduled_at is more than a year away';
    end if;
    if is_service and wanted not between -100 and 100 then
        raise exception using errcode = 'PT400', message = 'priority must be between -100 and 100';
    end if;
    if not is_service then
        -- Users may step back behind others, never ahead of them.
        wanted := greatest(least(wanted, rules.priority), rules.priority - 10, -100);
    end if;

    insert into public.analysis_jobs as new (
        user_id, type, input, input_hash, idempotency_key, priority, scheduled_at, max_attempts
    )
    values (
        caller,
        rules.type,
        enqueue_analysis.input,
        encode(sha256(convert_to(rules.type || ' ' || enqueue_analysis.input::text, 'UTF8')), 'hex'),
        enqueue_analysis.idempotency_key,
        coalesce(wanted, rules.priority),
        greatest(enqueue_analysis.scheduled_at, now()),  -- the past would be a place ahead of everybody
        rules.max_attempts
    )
    on conflict do nothing
    returning new.* into job;
    if not found then
        -- Somebody else was first with this key, a moment ago; the second look finds that job.
        return private.enqueue_analysis(type, input, idempotency_key, priority, scheduled_at);
    end if;
    return private.describe_enqueued(job);
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
    'Adds a job for the signed-in user. Returns {id, status, cached} and, where it is completed already, its result. '
    'The same idempotency key with the same input returns the same job. A user''s priority is limited to the '
    'type''s. PT400 input, PT401 not signed in, PT403 foreign file, PT404 unknown type or file, PT409 key of another '
    'input, PT413 too large, PT503 paused.';

create function private.get_analysis_status(job_id uuid)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
    answer jsonb;
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
    return answer;
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
    'One of the caller''s jobs: id, type, status, progress, phase, result, error, attempt, max_attempts, cached and '
    'times. PT404 where there is none.';

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
    private.check_input(jsonb, integer),
    private.check_input_files(jsonb, uuid),
    private.describe_enqueued(public.analysis_jobs),
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
