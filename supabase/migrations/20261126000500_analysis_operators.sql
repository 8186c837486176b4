-- What operators do besides running jobs again: pause a type, cancel anybody's job, and ask whether all of this is
-- installed as it should be.
--
-- Pausing and cancelling could be done by writing rows. They are functions so that somebody is on record for them, in
-- analysis_audit, in the same transaction.
--
-- describe_installation tells facts and judges nothing: what ought to be there is known to whoever has the migrations,
-- and `analysis-worker doctor` compares. It names objects and fingerprints of functions' bodies, never contents.
--
-- Workers may ask for the queue's numbers, to pass them on to whoever monitors them. They count and name no job and no
-- user.

-- Pause -------------------------------------------------------------------------------------------------------------
create function private.set_paused(action text, type text, paused boolean, reason text)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    was_paused boolean;
begin
    if length(reason) not between 1 and 500 then
        raise exception using errcode = 'PT400', message = 'reason must have 1 to 500 characters';
    end if;
    select kind.paused into was_paused
    from public.analysis_types as kind
    where kind.type = set_paused.type
    for no key update;
    if not found then
        raise exception using errcode = 'PT404', message = 'unknown analysis type';
    end if;
    if was_paused <> paused then
        update public.analysis_types as kind set paused = set_paused.paused where kind.type = set_paused.type;
        perform private.write_audit(action, jsonb_build_object('type', type, 'reason', reason));
    end if;
    return jsonb_build_object('type', type, 'paused', paused, 'changed', was_paused <> paused);
end
$$;
comment on function private.set_paused(text, text, boolean, text) is
    'Pauses or resumes a type, and notes it, where that makes a difference.';

create function private.pause_type(type text, reason text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
    return private.set_paused('pause_type', type, true, reason);
end
$$;
comment on function private.pause_type(text, text) is 'Body of public.pause_type.';

create function public.pause_type(type text, reason text default null)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.pause_type(type, reason);
end
$$;
comment on function public.pause_type(text, text) is
    'From now on jobs of this type are neither enqueued nor claimed; running ones go on, pending ones wait. Returns {type, '
    'paused, changed}. PT404 where there is no such type.';

create function private.resume_type(type text, reason text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
    return private.set_paused('resume_type', type, false, reason);
end
$$;
comment on function private.resume_type(text, text) is 'Body of public.resume_type.';

create function public.resume_type(type text, reason text default null)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.resume_type(type, reason);
end
$$;
comment on function public.resume_type(text, text) is
    'Undoes pause_type; workers find what waited in their next sweep. Returns {type, paused, changed}. PT404 where there is '
    'no such type.';

-- Cancel ------------------------------------------------------------------------------------------------------------
create function private.cancel_job(job_id uuid, reason text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
    status_before text;
    answer jsonb;
begin
    if length(reason) not between 1 and 500 then
        raise exception using errcode = 'PT400', message = 'reason must have 1 to 500 characters';
    end if;
    select job.status into status_before
    from public.analysis_jobs as job
    where job.id = cancel_job.job_id
    for update;
    -- It raises where there is no such job.
    answer := private.cancel_analysis(job_id);
    if answer ->> 'status' <> status_before then
        perform private.write_audit(
            'cancel_job', jsonb_build_object('job_id', job_id, 'status', status_before, 'reason', reason)
        );
    end if;
    return answer || jsonb_build_object('cancelled', answer ->> 'status' <> status_before);
end
$$;
comment on function private.cancel_job(uuid, text) is 'Body of public.cancel_job.';

create function public.cancel_job(job_id uuid, reason text default null)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.cancel_job(job_id, reason);
end
$$;
comment on function public.cancel_job(uuid, text) is
    'Cancels anybody''s pending or running job; any other stays as it is. Returns {id, status, cancelled}. PT404 where there '
    'is none.';

-- Is all of it there? -----------------------------------------------------------------------------------------------
create function private.list_migrations()
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
    versions jsonb;
begin
    if to_regclass('supabase_migrations.schema_migrations') is not null then
        -- The Supabase CLI's table, which need not be there.
        execute 'select jsonb_agg(version order by version) from supabase_migrations.schema_migrations' into versions;
    end if;
    return coalesce(versions, '[]');
end
$$;
comment on function private.list_migrations() is 'The versions that were applied by who keeps a record.';

create function private.fingerprint_functions()
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
    fingerprints jsonb;
begin
    select jsonb_object_agg(
        format('%s.%s', function.pronamespace::regnamespace, function.proname),
        encode(sha256(convert_to(function.prosrc, 'UTF8')), 'hex')
    )
    into fingerprints
    from pg_catalog.pg_proc as function
    where function.pronamespace = any (array['public', 'private']::regnamespace[])
        and function.prolang = (select language.oid from pg_catalog.pg_language as language where language.lanname = 'plpgsql');
    return coalesce(fingerprints, '{}');
end
$$;
comment on function private.fingerprint_functions() is 'SHA-256 of the body of each function, by schema.name.';

create function private.describe_tables()
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
    tables jsonb;
begin
    select jsonb_object_agg(
        relation.relname,
        jsonb_build_object(
            'row_security', relation.relrowsecurity,
            'readable', has_table_privilege('service_role', relation.oid, 'select'),
            'triggers', (
                select coalesce(jsonb_agg(own.tgname order by own.tgname), '[]')
                from pg_catalog.pg_trigger as own
                where own.tgrelid = relation.oid and not own.tgisinternal and own.tgenabled in ('O', 'A')
            )
        )
    )
    into tables
    from pg_catalog.pg_class as relation
    where relation.relnamespace = 'public'::regnamespace
        and relation.relkind = 'r'
        and relation.relname like 'analysis\_%';
    return coalesce(tables, '{}');
end
$$;
comment on function private.describe_tables() is
    'The queue''s tables: whether row level security is on, whether service_role may read, and the enabled triggers.';

create function private.describe_installation()
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
    return jsonb_build_object(
        'at', clock_timestamp(),
        'postgres', current_setting('server_version_num')::integer,
        'migrations', private.list_migrations(),
        'functions', private.fingerprint_functions(),
        'callable', (
            select coalesce(jsonb_agg(function.proname order by function.proname), '[]')
            from pg_catalog.pg_proc as function
            where function.pronamespace = 'public'::regnamespace
                and has_function_privilege('service_role', function.oid, 'execute')
        ),
        'tables', private.describe_tables(),
        'published', (
            select coalesce(jsonb_agg(format('%s.%s', published.schemaname, published.tablename)), '[]')
            from pg_catalog.pg_publication_tables as published
            where published.pubname = 'supabase_realtime'
        ),
        'doorbell', to_regprocedure('realtime.send(jsonb,text,text,boolean)') is not null
    );
end
$$;
comment on function private.describe_installation() is 'Body of public.describe_installation.';

create function public.describe_installation()
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
    return private.describe_installation();
end
$$;
comment on function public.describe_installation() is
    'What is there: {at, postgres, migrations, functions: {schema.name: SHA-256 of its body}, callable (functions in public '
    'that service_role may call), tables: {name: {row_security, readable, triggers}}, published (in supabase_realtime), '
    'doorbell (whether realtime.send exists)}.';

-- The list of jobs ----------------------------------------------------------------------------------------------------
-- Newest first, whoever they belong to.
create index analysis_jobs_created_at_idx on public.analysis_jobs (created_at desc);

-- Who may call what -------------------------------------------------------------------------------------------------
revoke all on function
    private.set_paused(text, text, boolean, text),
    private.pause_type(text, text),
    private.resume_type(text, text),
    private.cancel_job(uuid, text),
    private.list_migrations(),
    private.fingerprint_functions(),
    private.describe_tables(),
    private.describe_installation(),
    public.pause_type(text, text),
    public.resume_type(text, text),
    public.cancel_job(uuid, text),
    public.describe_installation()
from public, anon, authenticated, service_role;
grant execute on function
    private.pause_type(text, text),
    private.resume_type(text, text),
    private.cancel_job(uuid, text),
    private.describe_installation(),
    public.pause_type(text, text),
    public.resume_type(text, text),
    public.cancel_job(uuid, text),
    public.describe_installation()
to service_role;
grant execute on function private.queue_stats(integer), public.queue_stats(integer) to analysis_worker;
