-- When asking again makes no new work: idempotency keys, jobs in flight, and the cache.
--
-- Three ways lead to an answer that exists already, tried in this order:
--
--     key    the caller repeats a call it is not sure of; any job, whatever became of it
--     twin   the same user asks for the same while it is pending or running
--     cache  the same was asked and answered before; the answer is copied into a new, completed job
--
-- The same means: type and input are equal, and so are the files. A file counts by the version of its Storage object,
-- not by its name: a name whose content was replaced is another input, and a result never answers for a file that it
-- was not made from.
--
-- A cached result belongs to the job that made it: it goes when that job is deleted, by retention or with its user. In
-- scope user its key holds the user, so nobody else's question can find it.

-- Idempotency keys --------------------------------------------------------------------------------------------------
create table public.analysis_idempotency_keys (
    user_id uuid not null,
    key text not null,
    job_id uuid not null,
    created_at timestamptz not null default now(),

    constraint analysis_idempotency_keys_pkey primary key (user_id, key),
    constraint analysis_idempotency_keys_job_id_fkey
        foreign key (job_id) references public.analysis_jobs (id) on delete cascade,
    constraint analysis_idempotency_keys_key_is_short check (length(key) between 1 and 200)
);
alter table public.analysis_idempotency_keys enable row level security;

-- The keys of a job that is deleted.
create index analysis_idempotency_keys_job_id_idx on public.analysis_idempotency_keys (job_id);

comment on table public.analysis_idempotency_keys is
    'Which job a key was answered with, so that a call repeated under it gets the same one.';
comment on column public.analysis_idempotency_keys.user_id is
    'Whose key it is; the nil UUID for services, which share theirs.';
comment on column public.analysis_idempotency_keys.key is 'Chosen by the caller.';
comment on column public.analysis_idempotency_keys.job_id is 'The job; several keys may have been answered with it.';
comment on column public.analysis_idempotency_keys.created_at is 'When the key was first used.';

-- Cache -------------------------------------------------------------------------------------------------------------
create table public.analysis_cache (
    cache_key text not null,
    job_id uuid not null,
    result jsonb not null,
    hits integer not null default 0,
    created_at timestamptz not null default now(),
    last_hit_at timestamptz,
    expires_at timestamptz not null,

    constraint analysis_cache_pkey primary key (cache_key),
    constraint analysis_cache_job_id_fkey
        foreign key (job_id) references public.analysis_jobs (id) on delete cascade,
    constraint analysis_cache_key_is_sha256 check (cache_key ~ '^[0-9a-f]{64}$'),
    constraint analysis_cache_result_is_bounded check (pg_column_size(result) <= 1048576),
    constraint analysis_cache_hits_not_negative check (hits >= 0),
    constraint analysis_cache_expires_later check (expires_at > created_at)
) with (
    fillfactor = 85  -- a hit rewrites its row in place
);
alter table public.analysis_cache enable row level security;

-- What to prune.
create index analysis_cache_expires_at_idx on public.analysis_cache (expires_at);
-- The result of a job that is deleted.
create index analysis_cache_job_id_idx on public.analysis_cache (job_id);

comment on table public.analysis_cache is 'Results that may answer the same input again.';
comment on column public.analysis_cache.cache_key is
    'SHA-256, hexadecimal, of type, prompt version, scope (the user, or everybody) and input hash.';
comment on column public.analysis_cache.job_id is 'The job that made the result.';
comment on column public.analysis_cache.result is 'The result.';
comment on column public.analysis_cache.hits is 'How many jobs it has answered.';
comment on column public.analysis_cache.created_at is 'When it was made.';
comment on column public.analysis_cache.last_hit_at is 'When it last answered.';
comment on column public.analysis_cache.expires_at is 'Not used any more from then on.';

-- The pending jobs of one user by what they ask for. The running ones are few, and found by another index; with them
-- in this one every claim would write to it. The hash is hashed to keep the index small.
create index analysis_jobs_pending_twin_idx on public.analysis_jobs (user_id, hashtextextended(input_hash, 0))
    where status = 'pending' and input_hash is not null;

-- What is the same --------------------------------------------------------------------------------------------------
create function private.hash_input(type text, content jsonb)
returns text
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
    return encode(sha256(convert_to(type || ' ' || content::text, 'UTF8')), 'hex');
end
$$;
comment on function private.hash_input(text, jsonb) is
    'Equal for jobs that ask for the same; content is the input with versions for files.';

create function private.hash_cache_key(kind public.analysis_types, owner uuid, input_hash text)
returns text
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
    scope text := case kind.cache_scope when 'global' then 'global' else coalesce(owner::text, 'service') end;
begin
    if kind.cache_ttl_seconds is null then
        return null;
    end if;
    return encode(
        sha256(convert_to(jsonb_build_array(kind.type, kind.prompt_version, scope, input_hash)::text, 'UTF8')), 'hex'
    );
end
$$;
comment on function private.hash_cache_key(public.analysis_types, uuid, text) is
    'Where the result of such a job is kept; null where its type keeps none.';

-- Idempotency keys --------------------------------------------------------------------------------------------------
create function private.find_keyed_job(owner uuid, key text, type text, input jsonb)
returns public.analysis_jobs
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
    job public.analysis_jobs;
begin
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
comment on function private.find_keyed_job(uuid, text, text, jsonb) is
    'The job that this key was answered with; null for a new key. Raises PT409 where it asked for something else.';

create function private.remember_key(owner uuid, key text, job_id uuid)
returns void
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    if key is not null then
        insert into public.analysis_idempotency_keys (user_id, key, job_id)
        values (coalesce(owner, '00000000-0000-0000-0000-000000000000'), remember_key.key, remember_key.job_id);
    end if;
end
$$;
comment on function private.remember_key(uuid, text, uuid) is 'The key, where there is one, stands for this job now.';

-- Jobs in flight ----------------------------------------------------------------------------------------------------
create function private.find_twin(owner uuid, type text, input jsonb, input_hash text)
returns public.analysis_jobs
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
    job public.analysis_jobs;
begin
    select twin.* into job
    from (
        select pending.*
        from public.analysis_jobs as pending
        where pending.status = 'pending'
            and pending.user_id = owner
            and hashtextextended(pending.input_hash, 0) = hashtextextended(find_twin.input_hash, 0)
            and pending.input_hash = find_twin.input_hash
        union all
        select running.*
        from public.analysis_jobs as running
        where running.status = 'processing'
            and running.type = find_twin.type
            and running.user_id = owner
            and running.input_hash = find_twin.input_hash
    ) as twin
    where twin.type = find_twin.type
        and twin.input = find_twin.input
        -- Somebody who wants it now is not served by a job for next week; a retry will come soon enough.
        and (twin.started_at is not null or twin.scheduled_at <= clock_timestamp())
    order by twin.created_at
    limit 1;
    return job;
end
$$;
comment on function private.find_twin(uuid, text, jsonb, text) is
    'A pending or running job of this user that does the same; null where there is none.';

-- The cache ---------------------------------------------------------------------------------------------------------
create function private.find_cached_result(cache_key text)
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
    answer jsonb;
begin
    select cached.result into answer
    from public.analysis_cache as cached
    where cached.cache_key = find_cached_result.cache_key and cached.expires_at > clock_timestamp();
    return answer;
end
$$;
comment on function private.find_cached_result(text) is 'A result that may still be used, or null.';

create function private.count_hit(cache_key text)
returns void
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    update public.analysis_cache as cached
    set hits = cached.hits + 1, last_hit_at = clock_timestamp()
    where cached.cache_key = count_hit.cache_key;
end
$$;
comment on function private.count_hit(text) is 'Notes that a result has answered once more.';

create function private.remember_result(job_id uuid)
returns void
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    insert into public.analysis_cache as cached (cache_key, job_id, result, created_at, expires_at)
    select
        job.cache_key,
        job.id,
        job.result,
        clock_timestamp(),
        clock_timestamp() + make_interval(secs => kind.cache_ttl_seconds)
    from public.analysis_jobs as job
    join public.analysis_types as kind on kind.type = job.type
    where job.id = remember_result.job_id
        and job.status = 'completed'
        and job.cache_key is not null
        and kind.cache_ttl_seconds is not null
    on conflict on constraint analysis_cache_pkey do update
    set job_id = excluded.job_id,
        result = excluded.result,
        created_at = excluded.created_at,
        expires_at = excluded.expires_at;
end
$$;
comment on function private.remember_result(uuid) is
    'Puts the result of a completed job where the next one that asks the same finds it, if its type caches.';

-- Who may call what -------------------------------------------------------------------------------------------------
revoke all on public.analysis_idempotency_keys, public.analysis_cache
    from public, anon, authenticated, service_role;
grant select, delete on public.analysis_idempotency_keys, public.analysis_cache to service_role;

revoke all on function
    private.hash_input(text, jsonb),
    private.hash_cache_key(public.analysis_types, uuid, text),
    private.find_keyed_job(uuid, text, text, jsonb),
    private.remember_key(uuid, text, uuid),
    private.find_twin(uuid, text, jsonb, text),
    private.find_cached_result(text),
    private.count_hit(text),
    private.remember_result(uuid)
from public, anon, authenticated, service_role;
