-- Which features run as jobs, and for whom.
--
-- A client asks get_flags() before it starts an analysis. Where the answer is async it enqueues a job; where it is not, it
-- takes the synchronous way. So a flag decides what clients do and not what the queue does: enqueue_analysis asks no flag,
-- and jobs that are enqueued when a flag or everything is switched off are finished like all others. A switch takes effect
-- with the next call of get_flags and undoes nothing.
--
-- A flag stands for a feature; analysis_types says which types of jobs belong to it. Types without one are always async.
-- The flag `all` is the master switch. For one user the first of these decides:
--
--     all is off, or the flag is     nobody, whoever is on a list
--     deny_users, allow_users        never, always
--     rollout_bps                    users whose bucket is below it
--
-- The bucket is made of the flag's key and the user's id: it stays as it is, so raising the share drops nobody, and it
-- is another one for every flag, so the same users are not the first every time.
--
-- Rows are changed by the functions here only, and every change leaves a row in analysis_audit. It says how many users
-- are on a list, never who.

create table public.analysis_flags (
    key text not null,
    enabled boolean not null default false,
    rollout_bps integer not null default 10000,
    allow_users uuid[] not null default '{}',
    deny_users uuid[] not null default '{}',
    updated_by text not null default 'migration',
    updated_at timestamptz not null default now(),

    constraint analysis_flags_pkey primary key (key),
    constraint analysis_flags_key_is_a_name check (key ~ '^[a-z][a-z0-9_]{0,62}$'),
    constraint analysis_flags_rollout_in_range check (rollout_bps between 0 and 10000),
    constraint analysis_flags_lists_are_short check (cardinality(allow_users) <= 1000 and cardinality(deny_users) <= 1000),
    constraint analysis_flags_lists_are_apart check (not allow_users && deny_users),
    constraint analysis_flags_all_is_a_switch
        check (key <> 'all' or (rollout_bps = 10000 and allow_users = '{}' and deny_users = '{}'))
);
alter table public.analysis_flags enable row level security;

comment on table public.analysis_flags is 'Who gets which feature as jobs. Read by get_flags, changed by functions only.';
comment on column public.analysis_flags.key is 'The feature; all is the master switch.';
comment on column public.analysis_flags.enabled is 'Off: synchronous for everybody.';
comment on column public.analysis_flags.rollout_bps is 'Share of users that it is on for, in hundredths of a percent.';
comment on column public.analysis_flags.allow_users is 'It is on for them, whatever the share.';
comment on column public.analysis_flags.deny_users is 'It is off for them, whatever the share.';
comment on column public.analysis_flags.updated_by is 'Who changed it last: the role, and the user id where there was one.';
comment on column public.analysis_flags.updated_at is 'When it was changed last.';

revoke all on public.analysis_flags from public, anon, authenticated, service_role;
grant select on public.analysis_flags to service_role;

insert into public.analysis_flags (key, enabled)
values ('sofia', false), ('exams', false), ('unified', false), ('meal_plan', false), ('whatsapp', false), ('all', true);

alter table public.analysis_types
    add column flag_key text,
    add constraint analysis_types_flag_key_fkey foreign key (flag_key) references public.analysis_flags (key),
    add constraint analysis_types_flag_key_is_a_feature check (flag_key <> 'all');
comment on column public.analysis_types.flag_key is
    'The flag that says whether clients use jobs of this type. Null: they always do; there is no synchronous way.';
update public.analysis_types set flag_key = 'exams' where type = 'medical_exam';

-- What a flag is for one user ---------------------------------------------------------------------------------------
create function private.draw_bucket(key text, user_id uuid)
returns integer
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
    return ('x' || left(encode(sha256(convert_to(key || ':' || user_id::text, 'UTF8')), 'hex'), 8))::bit(32)::bigint % 10000;
end
$$;
comment on function private.draw_bucket(text, uuid) is
    'One of 10000 buckets: the first 32 bits of SHA-256 of key:user_id, as an unsigned number, modulo 10000.';

create function private.decide_flag(flag public.analysis_flags, all_enabled boolean, user_id uuid)
returns text
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
    return case
        when not all_enabled then 'all_off'
        when not flag.enabled then 'off'
        when user_id = any (flag.deny_users) then 'denied'
        when user_id = any (flag.allow_users) then 'allowed'
        when flag.rollout_bps = 10000 then 'rolled_out'
        when private.draw_bucket(flag.key, user_id) < flag.rollout_bps then 'rolled_out'
        else 'not_yet'
    end;
end
$$;
comment on function private.decide_flag(public.analysis_flags, boolean, uuid) is
    'Why this user gets the feature as jobs (allowed, rolled_out) or does not (all_off, off, denied, not_yet). Nobody (a '
    'null user) is in no bucket.';

-- Operators ---------------------------------------------------------------------------------------------------------
create function private.name_actor()
returns text
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
    -- The role that was set for this request; whoever logged in where none was.
    return concat_ws(' ', coalesce(nullif(current_setting('role', true), 'none'), session_user), auth.uid());
end
$$;
comment on function private.name_actor() is 'Who acts: the role, and the user id where the request has one.';

create or replace function private.write_audit(action text, details jsonb)
returns void
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    insert into public.analysis_audit (actor, action, details)
    values (private.name_actor(), write_audit.action, write_audit.details);
end
$$;

create function private.describe_flag(flag public.analysis_flags)
returns jsonb
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
    return jsonb_build_object(
        'key', flag.key,
        'enabled', flag.enabled,
        'rollout_bps', flag.rollout_bps,
        'allow_users', cardinality(flag.allow_users),
        'deny_users', cardinality(flag.deny_users)
    );
end
$$;
comment on function private.describe_flag(public.analysis_flags) is 'A flag for operators, with how many users it lists.';

create function private.change_flag(action text, key text, changes jsonb, reason text)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    old public.analysis_flags;
    new public.analysis_flags;
begin
    if length(reason) not between 1 and 500 then
        raise exception using errcode = 'PT400', message = 'reason must have 1 to 500 characters';
    end if;
    select known.* into old from public.analysis_flags as known where known.key = change_flag.key for update;
    if not found then
        raise exception using errcode = 'PT404', message = 'unknown flag';
    end if;
    new := jsonb_populate_record(old, changes);
    if new is not distinct from old then
        return private.describe_flag(old) || '{"changed": false}';
    end if;
    update public.analysis_flags as flag
    set enabled = new.enabled,
        rollout_bps = new.rollout_bps,
        allow_users = new.allow_users,
        deny_users = new.deny_users,
        updated_by = private.name_actor(),
        updated_at = clock_timestamp()
    where flag.key = change_flag.key;
    perform private.write_audit(
        action,
        jsonb_build_object(
            'key', key,
            'reason', reason,
            'before', private.describe_flag(old) - 'key',
            'after', private.describe_flag(new) - 'key'
        )
    );
    return private.describe_flag(new) || '{"changed": true}';
end
$$;
comment on function private.change_flag(text, text, jsonb, text) is
    'Changes these columns of a flag, and notes it, where that makes a difference.';

create function private.enable_flag(key text, reason text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
    return private.change_flag('enable_flag', key, '{"enabled": true}', reason);
end
$$;
comment on function private.enable_flag(text, text) is 'Body of public.enable_flag.';

create function public.enable_flag(key text, reason text default null)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.enable_flag(key, reason);
end
$$;
comment on function public.enable_flag(text, text) is
    'On again, with the share and the lists that it had; all: the master switch, every flag as it was. Returns {key, '
    'enabled, rollout_bps, allow_users, deny_users (how many), changed}. PT404 unknown flag.';

create function private.disable_flag(key text, reason text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
    return private.change_flag('disable_flag', key, '{"enabled": false}', reason);
end
$$;
comment on function private.disable_flag(text, text) is 'Body of public.disable_flag.';

create function public.disable_flag(key text, reason text default null)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.disable_flag(key, reason);
end
$$;
comment on function public.disable_flag(text, text) is
    'Synchronous for everybody from the next call on; all: every feature. Returns what enable_flag returns.';

create function private.roll_out_flag(key text, rollout_bps integer, reason text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
    if rollout_bps is null or rollout_bps not between 0 and 10000 then
        raise exception using errcode = 'PT400', message = 'rollout_bps must be between 0 and 10000';
    end if;
    if key = 'all' then
        raise exception using errcode = 'PT400', message = 'all is a switch and has no share';
    end if;
    return private.change_flag(
        'roll_out_flag', key, jsonb_build_object('enabled', true, 'rollout_bps', rollout_bps), reason
    );
end
$$;
comment on function private.roll_out_flag(text, integer, text) is 'Body of public.roll_out_flag.';

create function public.roll_out_flag(key text, rollout_bps integer, reason text default null)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.roll_out_flag(key, rollout_bps, reason);
end
$$;
comment on function public.roll_out_flag(text, integer, text) is
    'On for this share of users, in hundredths of a percent (0 to 10000); with 0 for allow_users alone. A larger share '
    'contains every smaller one. Returns what enable_flag returns.';

create function private.set_flag_users(key text, allow_users uuid[], deny_users uuid[], reason text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
    if cardinality(allow_users) > 1000 or cardinality(deny_users) > 1000 then
        raise exception using errcode = 'PT400', message = 'a list may name 1000 users at most';
    end if;
    if key = 'all' then
        raise exception using errcode = 'PT400', message = 'all is a switch and has no lists';
    end if;
    return private.change_flag(
        'set_flag_users',
        key,
        jsonb_strip_nulls(jsonb_build_object('allow_users', to_jsonb(allow_users), 'deny_users', to_jsonb(deny_users))),
        reason
    );
exception
    when check_violation then
        raise exception using errcode = 'PT400', message = 'a user is on both lists';
end
$$;
comment on function private.set_flag_users(text, uuid[], uuid[], text) is 'Body of public.set_flag_users.';

create function public.set_flag_users(
    key text, allow_users uuid[] default null, deny_users uuid[] default null, reason text default null
)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.set_flag_users(key, allow_users, deny_users, reason);
end
$$;
comment on function public.set_flag_users(text, uuid[], uuid[], text) is
    'Replaces the lists that are given, of at most 1000 users each; null leaves a list as it is. Returns what enable_flag '
    'returns.';

create function private.roll_back(reason text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
    return private.change_flag('roll_back', 'all', '{"enabled": false}', reason);
end
$$;
comment on function private.roll_back(text) is 'Body of public.roll_back.';

create function public.roll_back(reason text default null)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.roll_back(reason);
end
$$;
comment on function public.roll_back(text) is
    'Everything synchronous, from the next call on. Every flag keeps what it says, so enable_flag(''all'') is the way '
    'back. Returns what enable_flag returns.';

-- The right to be forgotten -----------------------------------------------------------------------------------------
-- As before, and the user is taken off the lists.
create or replace function private.delete_user_data(user_id uuid, max_jobs integer)
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
    update public.analysis_flags as flag
    set allow_users = array_remove(flag.allow_users, user_id), deny_users = array_remove(flag.deny_users, user_id)
    where user_id = any (flag.allow_users) or user_id = any (flag.deny_users);
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

-- Who may call what -------------------------------------------------------------------------------------------------
revoke all on function
    private.draw_bucket(text, uuid),
    private.decide_flag(public.analysis_flags, boolean, uuid),
    private.name_actor(),
    private.describe_flag(public.analysis_flags),
    private.change_flag(text, text, jsonb, text)
from public, anon, authenticated, service_role;
revoke all on function
    private.enable_flag(text, text),
    private.disable_flag(text, text),
    private.roll_out_flag(text, integer, text),
    private.set_flag_users(text, uuid[], uuid[], text),
    private.roll_back(text),
    public.enable_flag(text, text),
    public.disable_flag(text, text),
    public.roll_out_flag(text, integer, text),
    public.set_flag_users(text, uuid[], uuid[], text),
    public.roll_back(text)
from public, anon, authenticated, service_role;
grant execute on function
    private.enable_flag(text, text),
    private.disable_flag(text, text),
    private.roll_out_flag(text, integer, text),
    private.set_flag_users(text, uuid[], uuid[], text),
    private.roll_back(text),
    public.enable_flag(text, text),
    public.disable_flag(text, text),
    public.roll_out_flag(text, integer, text),
    public.set_flag_users(text, uuid[], uuid[], text),
    public.roll_back(text)
to service_role;
