-- What clients and operators are told about flags and health.
--
-- get_flags is called with every page load: it reads five small tables of a few rows, and once in a while one of its
-- callers checks the health on the way. It says two things, and a client enqueues when both are true: its user's flag is
-- async, and jobs get done. The first changes when an operator changes it, the second by itself.

create function private.get_flags()
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
    caller constant uuid := auth.uid();
    state constant public.analysis_health := private.refresh_health();
    decisions jsonb;
    kinds jsonb;
begin
    select jsonb_object_agg(
        decided.key,
        jsonb_build_object('async', decided.reason in ('allowed', 'rolled_out'), 'reason', decided.reason)
    )
    into decisions
    from (
        select flag.key, private.decide_flag(flag, switch.enabled, caller) as reason
        from public.analysis_flags as flag
        join public.analysis_flags as switch on switch.key = 'all'
        where flag.key <> 'all'
    ) as decided;
    select jsonb_object_agg(kind.type, kind.flag_key) into kinds
    from public.analysis_types as kind
    where kind.flag_key is not null;
    return jsonb_build_object(
        'flags', coalesce(decisions, '{}'),
        'types', coalesce(kinds, '{}'),
        'healthy', state.healthy,
        'why', state.why
    );
end
$$;
comment on function private.get_flags() is 'Body of public.get_flags.';

create function public.get_flags()
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    if auth.uid() is null and current_user <> 'service_role' then
        raise exception using errcode = 'PT401', message = 'sign in to get flags';
    end if;
    return private.get_flags();
end
$$;
comment on function public.get_flags() is
    'What is on for the signed-in user: {flags: {key: {async, reason}}, types: {type: key}, healthy, why}. reason: '
    'allowed, rolled_out; all_off, off, denied, not_yet. A type that is not under types is always async. healthy: '
    'whether jobs get done; else why: no_worker, long_wait, errors, recovering. A service without a user gets what is on '
    'for everybody. PT401 not signed in.';

create function private.describe_flags()
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
    flags jsonb;
begin
    select jsonb_agg(
        private.describe_flag(flag)
        || jsonb_build_object(
            'types', array(select kind.type from public.analysis_types as kind where kind.flag_key = flag.key order by 1),
            'updated_by', flag.updated_by,
            'updated_at', flag.updated_at
        )
        order by flag.key <> 'all', flag.key
    )
    into flags
    from public.analysis_flags as flag;
    return jsonb_build_object('flags', flags, 'health', to_jsonb(private.refresh_health()) - 'id');
end
$$;
comment on function private.describe_flags() is 'Body of public.describe_flags.';

create function public.describe_flags()
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.describe_flags();
end
$$;
comment on function public.describe_flags() is
    'For operators: {flags: [{key, enabled, rollout_bps, allow_users, deny_users (how many), types, updated_by, '
    'updated_at}], health}, the master switch first; health is the row of analysis_health.';

revoke all on function private.get_flags(), private.describe_flags(), public.get_flags(), public.describe_flags()
from public, anon, authenticated, service_role;
grant execute on function private.get_flags(), public.get_flags() to authenticated, service_role;
-- To be told to sign in; the body in private stays closed.
grant execute on function public.get_flags() to anon;
grant execute on function private.describe_flags(), public.describe_flags() to service_role;
