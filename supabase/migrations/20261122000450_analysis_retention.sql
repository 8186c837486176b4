-- How jobs end for good: by age, and with their user.
--
-- A job takes everything with it that hangs on it: attempts, its place in the queue, idempotency keys, the cached
-- result it made. So nothing that was said about a job outlives it, but an entry in the audit that says how many.
--
-- Files are not deleted here. A row of storage.objects that is deleted in SQL leaves its file behind, unreachable and
-- undeletable; so delete_user_data returns which objects its caller has to delete through the Storage API.
--
-- Both functions work in batches, so that no call runs into a timeout, and say whether there is more to do.

-- What ended, by kind and time: what to prune, and what the numbers of the last hour are made from. Written to once in
-- a job's life.
create index analysis_jobs_finished_idx on public.analysis_jobs (type, status, finished_at)
    where finished_at is not null;
-- What was done to one job: forgotten with its user.
create index analysis_audit_job_id_idx on public.analysis_audit ((details ->> 'job_id'));

-- Retention ---------------------------------------------------------------------------------------------------------
create function private.delete_finished(type text, status text, days integer, max_jobs integer)
returns integer
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    deleted integer;
begin
    delete from public.analysis_jobs as job
    where job.id = any (array(
        select old.id
        from public.analysis_jobs as old
        where old.type = delete_finished.type
            and old.status = delete_finished.status
            and old.finished_at < now() - make_interval(days => delete_finished.days)
        order by old.finished_at
        for update skip locked
        limit max_jobs
    ));
    get diagnostics deleted = row_count;
    return deleted;
end
$$;
comment on function private.delete_finished(text, text, integer, integer) is
    'Deletes jobs that ended like this so many days ago, the oldest first; null days delete none. Returns how many.';

create function private.delete_expired_results(max_results integer)
returns integer
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    deleted integer;
begin
    delete from public.analysis_cache as cached
    where cached.cache_key = any (array(
        select expired.cache_key
        from public.analysis_cache as expired
        where expired.expires_at <= now()
        order by expired.expires_at
        for update skip locked
        limit max_results
    ));
    get diagnostics deleted = row_count;
    return deleted;
end
$$;
comment on function private.delete_expired_results(integer) is
    'Deletes results that may not be used any more; returns how many.';

create function private.prune_jobs(max_jobs integer)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
    rule record;
    deleted integer;
    results integer;
    jobs_left integer := max_jobs;
    counts jsonb := '{"completed": 0, "failed": 0, "cancelled": 0}';
begin
    if max_jobs is null or max_jobs not between 1 and 100000 then
        raise exception using errcode = 'PT400', message = 'max_jobs must be between 1 and 100000';
    end if;
    for rule in
        select kind.type, kept.status, kept.days
        from public.analysis_types as kind
        cross join lateral (
            values
                ('completed', kind.retain_completed_days),
                ('failed', kind.retain_failed_days),
                ('cancelled', kind.retain_failed_days)
        ) as kept (status, days)
        where kept.days is not null
    loop
        exit when jobs_left = 0;
        deleted := private.delete_finished(rule.type, rule.status, rule.days, jobs_left);
        jobs_left := jobs_left - deleted;
        counts := counts || jsonb_build_object(rule.status, (counts ->> rule.status)::integer + deleted);
    end loop;
    results := private.delete_expired_results(max_jobs);
    return counts || jsonb_build_object('results', results, 'more', jobs_left = 0 or results = max_jobs);
end
$$;
comment on function private.prune_jobs(integer) is 'Body of public.prune_jobs.';

create function public.prune_jobs(max_jobs integer default 1000)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.prune_jobs(max_jobs);
end
$$;
comment on function public.prune_jobs(integer) is
    'Deletes jobs that their type''s policy keeps no longer, and expired results of the cache, at most max_jobs (1 to '
    '100000) of each. Returns {completed, failed, cancelled, results, more}; more: call again.';

-- The right to be forgotten -----------------------------------------------------------------------------------------
create function private.list_user_objects(owner uuid, job_ids uuid[])
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
    objects jsonb;
begin
    select jsonb_agg(jsonb_build_object('bucket', mine.bucket_id, 'name', mine.name) order by mine.bucket_id, mine.name)
    into objects
    from (
        select uploaded.bucket_id, uploaded.name
        from storage.objects as uploaded
        where uploaded.bucket_id = 'analysis-inputs'
            and uploaded.name collate "C" >= list_user_objects.owner || '/'
            and uploaded.name collate "C" < list_user_objects.owner || '0'  -- the character after the slash
        union
        select used.bucket_id, used.name
        from public.analysis_jobs as job
        cross join lateral jsonb_array_elements(
            case jsonb_typeof(job.input -> 'files') when 'array' then job.input -> 'files' else '[]' end
        ) as file
        join storage.objects as used on used.bucket_id = file.value ->> 'bucket' and used.name = file.value ->> 'path'
        where job.id = any (job_ids) and split_part(used.name, '/', 1) = list_user_objects.owner::text
    ) as mine;
    return coalesce(objects, '[]');
end
$$;
comment on function private.list_user_objects(uuid, uuid[]) is
    'What lies in Storage for these jobs of a user, and whatever else they uploaded for analysis: [{bucket, name}].';

create function private.delete_user_data(user_id uuid, max_jobs integer)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
    doomed uuid[];
    objects jsonb;
    counts jsonb;
begin
    if user_id is null then
        raise exception using errcode = 'PT400', message = 'user_id is required';
    end if;
    if max_jobs is null or max_jobs not between 1 and 100000 then
        raise exception using errcode = 'PT400', message = 'max_jobs must be between 1 and 100000';
    end if;
    perform private.wait_turn(user_id, null);
    doomed := array(
        select job.id
        from public.analysis_jobs as job
        where job.user_id = delete_user_data.user_id
        order by job.id
        for update
        limit max_jobs
    );
    objects := private.list_user_objects(user_id, doomed);
    counts := jsonb_build_object(
        'jobs', cardinality(doomed),
        'attempts', (select count(*) from public.analysis_attempts as attempt where attempt.job_id = any (doomed)),
        'keys', (select count(*) from public.analysis_idempotency_keys as used where used.job_id = any (doomed)),
        'results', (select count(*) from public.analysis_cache as cached where cached.job_id = any (doomed))
    );
    delete from public.analysis_jobs as job where job.id = any (doomed);
    update public.analysis_audit as entry
    set details = entry.details - 'job_id'
    where entry.details ->> 'job_id' = any (doomed::text[]);

    -- The hash lets whoever knows the user id find that it was done, and tells nobody else who it was.
    perform private.write_audit('delete_user_data', counts || jsonb_build_object(
        'objects', jsonb_array_length(objects),
        'user_sha256', encode(sha256(convert_to(user_id::text, 'UTF8')), 'hex')
    ));
    return counts || jsonb_build_object(
        'objects', objects,
        'more', exists (select from public.analysis_jobs as job where job.user_id = delete_user_data.user_id)
    );
end
$$;
comment on function private.delete_user_data(uuid, integer) is 'Body of public.delete_user_data.';

create function public.delete_user_data(user_id uuid, max_jobs integer default 10000)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.delete_user_data(user_id, max_jobs);
end
$$;
comment on function public.delete_user_data(uuid, integer) is
    'Deletes all that is known of a user''s jobs, running ones too, at most max_jobs at a time. Returns {jobs, '
    'attempts, keys, results, objects: [{bucket, name}], more}. The caller deletes the objects through the Storage '
    'API, calls again while there is more, and may then delete the user.';

-- Every day ---------------------------------------------------------------------------------------------------------
-- Where pg_cron is. Where it is enabled later, these two lines are run by hand; workers reconcile without it too.
do $$
begin
    if to_regprocedure('cron.schedule(text, text, text)') is not null then
        perform cron.schedule('analysis_reconcile_jobs', '30 seconds', 'select public.reconcile_jobs()');
        perform cron.schedule('analysis_prune_jobs', '*/5 3 * * *', 'select public.prune_jobs(10000)');
    end if;
end
$$;

-- Who may call what -------------------------------------------------------------------------------------------------
revoke all on function
    private.delete_finished(text, text, integer, integer),
    private.delete_expired_results(integer),
    private.prune_jobs(integer),
    private.list_user_objects(uuid, uuid[]),
    private.delete_user_data(uuid, integer),
    public.prune_jobs(integer),
    public.delete_user_data(uuid, integer)
from public, anon, authenticated, service_role;
grant execute on function
    private.prune_jobs(integer),
    private.delete_user_data(uuid, integer),
    public.prune_jobs(integer),
    public.delete_user_data(uuid, integer)
to service_role;
