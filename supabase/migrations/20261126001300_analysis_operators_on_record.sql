-- Operators who come through a program of theirs, as those of the dashboard do.
--
-- Such a program has the service key, and the database would only ever know of service_role. It says in the header
-- x-analysis-actor for whom it acts, and everything that is on record names that person, too. Only a service is believed:
-- the header of anybody else says nothing.
--
-- What operators could not do yet: change how many jobs of a type run at a time, and look at what a job contains. The
-- latter is somebody's health, so each look is on record. Before many jobs are run again somebody wants to know how many.

create or replace function private.name_actor()
returns text
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
    -- The role that was set for this request; whoever logged in where none was.
    acting constant text := coalesce(nullif(current_setting('role', true), 'none'), session_user);
    acting_for text;
begin
    if acting = 'service_role' then
        acting_for := left(nullif(current_setting('request.headers', true), '')::jsonb ->> 'x-analysis-actor', 200);
    end if;
    return concat_ws(' ', acting, auth.uid(), nullif(acting_for, ''));
end
$$;
comment on function private.name_actor() is
    'Who acts: the role, the user id where the request has one, and for whom a service says that it acts.';
comment on column public.analysis_audit.actor is
    'Who: the role, the user id where the request had one, and whom a service acted for.';

-- Concurrency -------------------------------------------------------------------------------------------------------
create function private.set_type_concurrency(
    type text, concurrency integer, concurrency_per_user integer, reason text
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
    before jsonb;
    after constant jsonb := jsonb_build_object(
        'concurrency', concurrency, 'concurrency_per_user', concurrency_per_user
    );
begin
    if length(reason) not between 1 and 500 then
        raise exception using errcode = 'PT400', message = 'reason must have 1 to 500 characters';
    end if;
    if concurrency not between 1 and 100000 or concurrency_per_user not between 1 and 100000 then
        raise exception using errcode = 'PT400', message = 'concurrency must be between 1 and 100000';
    end if;
    select jsonb_build_object('concurrency', kind.concurrency, 'concurrency_per_user', kind.concurrency_per_user)
    into before
    from public.analysis_types as kind
    where kind.type = set_type_concurrency.type
    for no key update;
    if not found then
        raise exception using errcode = 'PT404', message = 'unknown analysis type';
    end if;
    if before <> after then
        update public.analysis_types as kind
        set concurrency = set_type_concurrency.concurrency,
            concurrency_per_user = set_type_concurrency.concurrency_per_user
        where kind.type = set_type_concurrency.type;
        perform private.write_audit(
            'set_type_concurrency',
            jsonb_build_object('type', type, 'reason', reason, 'before', before, 'after', after)
        );
    end if;
    return after || jsonb_build_object('type', type, 'changed', before <> after);
end
$$;
comment on function private.set_type_concurrency(text, integer, integer, text) is 'Body of public.set_type_concurrency.';

create function public.set_type_concurrency(
    type text, concurrency integer, concurrency_per_user integer, reason text default null
)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.set_type_concurrency(type, concurrency, concurrency_per_user, reason);
end
$$;
comment on function public.set_type_concurrency(text, integer, integer, text) is
    'How many jobs of this type may run at a time from the next claim on, over all workers and of one user; null: any '
    'number. Running jobs go on. Returns {type, concurrency, concurrency_per_user, changed}. PT404 where there is no such '
    'type.';

-- What a job contains -----------------------------------------------------------------------------------------------
create function private.reveal_job(job_id uuid, reason text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
    contents jsonb;
begin
    if length(reason) not between 1 and 500 then
        raise exception using errcode = 'PT400', message = 'reason must have 1 to 500 characters';
    end if;
    select jsonb_build_object('id', job.id, 'input', job.input, 'result', job.result, 'partial', job.partial)
    into contents
    from public.analysis_jobs as job
    where job.id = reveal_job.job_id;
    if contents is null then
        raise exception using errcode = 'PT404', message = 'job not found';
    end if;
    perform private.write_audit('reveal_job', jsonb_build_object('job_id', job_id, 'reason', reason));
    return contents;
end
$$;
comment on function private.reveal_job(uuid, text) is 'Body of public.reveal_job.';

create function public.reveal_job(job_id uuid, reason text default null)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.reveal_job(job_id, reason);
end
$$;
comment on function public.reveal_job(uuid, text) is
    'What a job contains, somebody''s data: {id, input, result, partial}. That it was looked at, and why, is on record. '
    'PT404 where there is no such job.';

-- How many would run again ------------------------------------------------------------------------------------------
create function private.count_replayable_jobs(type text, status text, error_code text, since timestamptz)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
set enable_seqscan = off
as $$
declare
    most constant integer := 10000;
    matching bigint;
begin
    if status is null or status not in ('failed', 'cancelled') then
        raise exception using errcode = 'PT400', message = 'status must be failed or cancelled';
    end if;
    select count(*) into matching
    from (
        select
        from public.analysis_types as kind
        cross join lateral (
            select
            from public.analysis_jobs as job
            where job.type = kind.type
                and job.status = count_replayable_jobs.status
                and job.finished_at >= coalesce(count_replayable_jobs.since, '-infinity')
                and (
                    count_replayable_jobs.error_code is null
                    or job.error ->> 'code' = count_replayable_jobs.error_code
                )
        ) as match
        where count_replayable_jobs.type is null or kind.type = count_replayable_jobs.type
        limit most + 1
    ) as counted;
    return jsonb_build_object('matching', least(matching, most), 'and_more', matching > most);
end
$$;
comment on function private.count_replayable_jobs(text, text, text, timestamptz) is
    'Body of public.count_replayable_jobs.';

create function public.count_replayable_jobs(
    type text default null,
    status text default 'failed',
    error_code text default null,
    since timestamptz default null
)
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
    return private.count_replayable_jobs(type, status, error_code, since);
end
$$;
comment on function public.count_replayable_jobs(text, text, text, timestamptz) is
    'How many jobs replay_jobs would find, counted up to 10,000: {matching, and_more}. PT400 for another status.';

-- Who may call what -------------------------------------------------------------------------------------------------
revoke all on function
    private.set_type_concurrency(text, integer, integer, text),
    private.reveal_job(uuid, text),
    private.count_replayable_jobs(text, text, text, timestamptz),
    public.set_type_concurrency(text, integer, integer, text),
    public.reveal_job(uuid, text),
    public.count_replayable_jobs(text, text, text, timestamptz)
from public, anon, authenticated, service_role;
grant execute on function
    private.set_type_concurrency(text, integer, integer, text),
    private.reveal_job(uuid, text),
    private.count_replayable_jobs(text, text, text, timestamptz),
    public.set_type_concurrency(text, integer, integer, text),
    public.reveal_job(uuid, text),
    public.count_replayable_jobs(text, text, text, timestamptz)
to service_role;
