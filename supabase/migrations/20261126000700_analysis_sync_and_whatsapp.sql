-- What the Edge Functions need beside the queue's own functions: analyses that no worker made, and messages from
-- WhatsApp, whose senders have no token.
--
-- A synchronous analysis is two calls. check_sync_analysis, as the user, judges the input as enqueue_analysis would,
-- rate included, before anything is paid for; it also finds what makes the analysis unnecessary. record_sync_analysis,
-- as the service, writes the result down as a completed job with one attempt by the worker analyze-sync, so that
-- history and spending have no gap. Such a result never answers others: the cache holds what workers made.
--
-- A user may not write results: they would be read as ours.
--
-- Inputs of one file name it in `file`, of several in `files`; both are read here, in all ways to a job, since a worker's
-- key opens the files of everybody.

create function private.read_input_file(file jsonb, owner uuid)
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
    version text;
begin
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
    select coalesce(stored.version, concat_ws(' ', stored.id, extract(epoch from stored.updated_at))) into version
    from storage.objects as stored
    where stored.bucket_id = file ->> 'bucket' and stored.name = file ->> 'path';
    if not found then
        raise exception using errcode = 'PT404', message = 'input file not found', detail = file::text;
    end if;
    return jsonb_build_array(version, file - 'bucket' - 'path');
end
$$;
comment on function private.read_input_file(jsonb, uuid) is
    'The version of a {bucket, path} and what else was said of it. Raises unless it exists and lies in the owner''s folder '
    '(any folder for a null owner).';

create or replace function private.read_input_files(input jsonb, owner uuid)
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
    file jsonb;
    contents jsonb := '[]';
begin
    if jsonb_typeof(input -> 'file') = 'object' then
        input := jsonb_set(input, '{file}', private.read_input_file(input -> 'file', owner));
    end if;
    if not input ? 'files' then
        return input;
    end if;
    if jsonb_typeof(input -> 'files') <> 'array' then
        raise exception using errcode = 'PT400', message = 'input.files must be an array';
    end if;
    for file in select element.value from jsonb_array_elements(input -> 'files') as element loop
        contents := contents || jsonb_build_array(private.read_input_file(file, owner));
    end loop;
    return jsonb_set(input, '{files}', contents);
end
$$;
comment on function private.read_input_files(jsonb, uuid) is
    'The input with versions in place of the names in input.file and input.files. Raises unless every {bucket, path} there '
    'exists and lies in the owner''s folder (any folder for a null owner).';

-- Synchronous analyses ----------------------------------------------------------------------------------------------

create function private.check_sync_analysis(type text, input jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
    caller constant uuid := auth.uid();
    kind public.analysis_types;
    job public.analysis_jobs;
    twin public.analysis_jobs;
begin
    if caller is null then
        raise exception using errcode = 'PT401', message = 'sign in to analyze';
    end if;
    select known.* into kind from public.analysis_types as known where known.type = check_sync_analysis.type;
    if not found then
        raise exception using errcode = 'PT404', message = 'unknown analysis type';
    end if;
    if kind.paused then
        raise exception using errcode = 'PT503', message = 'analysis type is paused';
    end if;
    perform private.check_input(kind, input);
    job.input_hash := private.hash_input(type, private.read_input_files(input, caller));
    twin := private.find_twin(caller, type, input, job.input_hash);
    if twin.id is not null then
        -- Done now and by its job, it would be paid for twice.
        raise exception using
            errcode = 'PT409',
            message = 'a job does this already',
            detail = jsonb_build_object('job_id', twin.id)::text;
    end if;
    job.cache_key := private.hash_cache_key(kind, caller, job.input_hash);
    if private.find_cached_result(job.cache_key) is null then
        perform private.check_rate(kind, caller);
        return null;
    end if;
    job.user_id := caller;
    job.type := kind.type;
    job.input := input;
    job.priority := kind.priority;
    job.scheduled_at := now();
    job.max_attempts := kind.max_attempts;
    return private.add_job(kind, job, null);
end
$$;
comment on function private.check_sync_analysis(text, jsonb) is 'Body of public.check_sync_analysis; checks the caller.';

create function public.check_sync_analysis(type text, input jsonb)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.check_sync_analysis(type, input);
end
$$;
comment on function public.check_sync_analysis(text, jsonb) is
    'Whether the signed-in user may have this analyzed now. Null where it has to be; where an earlier result answers, a '
    'new job with it, as enqueue_analysis describes it. PT400 input (detail {field}), PT401 not signed in, PT403 foreign '
    'file, PT404 unknown type or file, PT409 a job of the user does it already (detail {job_id}), PT413 too large, PT429 '
    'too much (detail {retry_after_seconds}), PT503 paused.';

create function private.record_sync_analysis(
    user_id uuid, type text, input jsonb, result jsonb, usage jsonb, seconds double precision, idempotency_key text
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
    ended_at constant timestamptz := clock_timestamp();
    begun_at timestamptz;
    kind public.analysis_types;
    job public.analysis_jobs;
begin
    if user_id is null or idempotency_key is null or result is null then
        raise exception using errcode = 'PT400', message = 'user_id, result and idempotency_key are required';
    end if;
    if seconds is null or seconds not between 0 and 3600 then
        raise exception using errcode = 'PT400', message = 'seconds must be between 0 and 3600';
    end if;
    if octet_length(result::text) > 524288 then
        raise exception using errcode = 'PT413', message = 'result is too large';
    end if;
    perform private.check_usage(usage);
    perform private.wait_turn(user_id, null);
    job := private.find_keyed_job(user_id, idempotency_key, type, input);
    if job.id is not null then
        return private.describe_enqueued(job);
    end if;
    select known.* into kind from public.analysis_types as known where known.type = record_sync_analysis.type;
    if not found then
        raise exception using errcode = 'PT404', message = 'unknown analysis type';
    end if;
    perform private.check_input(kind, input);

    begun_at := ended_at - make_interval(secs => seconds);
    insert into public.analysis_jobs as new (
        user_id, type, input, input_hash, priority, max_attempts,
        status, result, attempt, progress, created_at, scheduled_at, started_at, finished_at
    )
    values (
        user_id, kind.type, input, private.hash_input(type, private.read_input_files(input, user_id)), kind.priority,
        kind.max_attempts, 'completed', result, 1, 1, begun_at, begun_at, begun_at, ended_at
    )
    returning new.* into job;
    insert into public.analysis_attempts (
        job_id, lease_id, attempt, worker_id, started_at, finished_at, outcome, usage
    )
    values (job.id, gen_random_uuid(), 1, 'analyze-sync', begun_at, ended_at, 'completed', usage);
    perform private.remember_key(user_id, idempotency_key, job.id);
    return private.describe_enqueued(job);
end
$$;
comment on function private.record_sync_analysis(uuid, text, jsonb, jsonb, jsonb, double precision, text) is
    'Body of public.record_sync_analysis.';

create function public.record_sync_analysis(
    user_id uuid,
    type text,
    input jsonb,
    result jsonb,
    usage jsonb,
    seconds double precision,
    idempotency_key text
)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.record_sync_analysis(user_id, type, input, result, usage, seconds, idempotency_key);
end
$$;
comment on function public.record_sync_analysis(uuid, text, jsonb, jsonb, jsonb, double precision, text) is
    'Adds a completed job of this user that no worker has run, and what it used. The same key again returns the same job. '
    'Returns what enqueue_analysis returns. PT400 arguments or input, PT404 unknown type, PT409 key of another input, '
    'PT413 too large.';

-- Attempts that no worker made say nothing about workers: many good ones would call errors over while they go on.
create or replace function private.measure_outcomes(since timestamptz)
returns table (attempts integer, error_rate double precision, p95_seconds double precision)
language plpgsql
stable
security invoker
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
    return query
    select
        count(*)::integer,
        count(*) filter (where ended.outcome <> 'completed')::double precision / nullif(count(*), 0),
        percentile_disc(0.95) within group (order by ended.seconds) filter (where ended.outcome = 'completed')
    from (
        select
            latest.outcome,
            extract(epoch from latest.finished_at - job.scheduled_at)::double precision as seconds
        from (
            select attempt.*
            from public.analysis_attempts as attempt
            where attempt.started_at >= since
            order by attempt.started_at desc
            limit 500
        ) as latest
        join public.analysis_jobs as job on job.id = latest.job_id
        join public.analysis_types as kind on kind.type = job.type
        where kind.flag_key is not null
            and latest.outcome in ('completed', 'failed', 'lost', 'expired')
            and latest.worker_id <> 'analyze-sync'
    ) as ended;
end
$$;

-- WhatsApp ----------------------------------------------------------------------------------------------------------
-- A picture has to be stored in its sender's folder before it can be enqueued, so the webhook first asks whose number it
-- is. What it enqueues is for code to know: a message with a file is a meal, any other is talk.
create function private.find_whatsapp_user(phone text)
returns uuid
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
    digits constant text := regexp_replace(phone, '\D', '', 'g');
    -- WhatsApp leaves out the ninth digit of Brazilian mobile numbers that are older than it.
    with_ninth constant text := regexp_replace(digits, '^55(\d\d)(\d{8})$', '55\19\2');
    owner uuid;
begin
    select known.id into owner
    from auth.users as known
    where known.phone in (digits, with_ninth) and known.phone_confirmed_at is not null
    order by known.phone = digits desc
    limit 1;
    return owner;
end
$$;
comment on function private.find_whatsapp_user(text) is 'Body of public.find_whatsapp_user.';

create function public.find_whatsapp_user(phone text)
returns uuid
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
    return private.find_whatsapp_user(phone);
end
$$;
comment on function public.find_whatsapp_user(text) is
    'The user who has proved to have this number; null where nobody has. Digits, the country''s code first.';

create function private.enqueue_whatsapp_message(phone text, message_id text, input jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
    owner constant uuid := private.find_whatsapp_user(phone);
    wanted constant text := case when input ? 'file' then 'whatsapp_nutrition' else 'whatsapp_message' end;
begin
    if message_id is null or length(message_id) not between 1 and 180 then
        raise exception using errcode = 'PT400', message = 'message_id must have 1 to 180 characters';
    end if;
    if owner is null then
        return null;
    end if;
    -- From here on until the end of this transaction the request is the sender's: rate, quota and files are theirs.
    perform set_config('request.jwt.claims', jsonb_build_object('sub', owner, 'role', 'authenticated')::text, true);
    return private.enqueue_analysis(wanted, input, 'whatsapp:' || message_id, null, null);
end
$$;
comment on function private.enqueue_whatsapp_message(text, text, jsonb) is 'Body of public.enqueue_whatsapp_message.';

create function public.enqueue_whatsapp_message(phone text, message_id text, input jsonb)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.enqueue_whatsapp_message(phone, message_id, input);
end
$$;
comment on function public.enqueue_whatsapp_message(text, text, jsonb) is
    'Adds a job for the user with this confirmed phone, null where there is none: whatsapp_nutrition for an input with a '
    'file, else whatsapp_message. The same message id again returns the same job. Returns and raises what '
    'enqueue_analysis does.';

-- Every ten seconds -------------------------------------------------------------------------------------------------
-- Where pg_cron is. Without it health is checked only while clients ask, and rolls_back acts only then.
do $$
begin
    if to_regprocedure('cron.schedule(text, text, text)') is not null then
        perform cron.schedule('analysis_check_health', '10 seconds', 'select public.check_health()');
    end if;
end
$$;

-- Who may call what -------------------------------------------------------------------------------------------------
revoke all on function
    private.read_input_file(jsonb, uuid),
    private.check_sync_analysis(text, jsonb),
    private.record_sync_analysis(uuid, text, jsonb, jsonb, jsonb, double precision, text),
    private.find_whatsapp_user(text),
    private.enqueue_whatsapp_message(text, text, jsonb),
    public.check_sync_analysis(text, jsonb),
    public.record_sync_analysis(uuid, text, jsonb, jsonb, jsonb, double precision, text),
    public.find_whatsapp_user(text),
    public.enqueue_whatsapp_message(text, text, jsonb)
from public, anon, authenticated, service_role;
grant execute on function private.check_sync_analysis(text, jsonb), public.check_sync_analysis(text, jsonb)
to authenticated;
grant execute on function
    private.record_sync_analysis(uuid, text, jsonb, jsonb, jsonb, double precision, text),
    private.find_whatsapp_user(text),
    private.enqueue_whatsapp_message(text, text, jsonb),
    public.record_sync_analysis(uuid, text, jsonb, jsonb, jsonb, double precision, text),
    public.find_whatsapp_user(text),
    public.enqueue_whatsapp_message(text, text, jsonb)
to service_role;
