-- What the analyses cost today, for workers that keep a budget.
--
-- Read from what attempts said they used (usage.cost_micro_usd), failed and given-back ones included: they were paid for,
-- too. An attempt counts on the day it started, and days are those of UTC. The sum reads a day's attempts by the index on
-- their start, some milliseconds at ten thousand of them; whoever asks keeps the answer for a while.

create function private.get_spending(user_id uuid)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
    midnight constant timestamptz := date_trunc('day', now(), 'UTC');
    answer jsonb;
begin
    select jsonb_build_object(
        'total_micro_usd', coalesce(sum(paid.cost), 0)::bigint,
        'user_micro_usd', coalesce(sum(paid.cost) filter (where job.user_id = get_spending.user_id), 0)::bigint,
        'resets_in_seconds', extract(epoch from midnight + interval '1 day' - now())::double precision
    )
    into answer
    from (
        select attempt.job_id, (attempt.usage ->> 'cost_micro_usd')::numeric as cost
        from public.analysis_attempts as attempt
        where attempt.started_at >= midnight and attempt.usage ? 'cost_micro_usd'
    ) as paid
    join public.analysis_jobs as job on job.id = paid.job_id;
    return answer;
end
$$;
comment on function private.get_spending(uuid) is 'Body of public.get_spending.';

create function public.get_spending(user_id uuid default null)
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
    return private.get_spending(user_id);
end
$$;
comment on function public.get_spending(uuid) is
    'Millionths of a dollar spent since midnight UTC: {total_micro_usd, user_micro_usd, resets_in_seconds}, of everybody '
    'and of this user.';

revoke all on function private.get_spending(uuid), public.get_spending(uuid)
from public, anon, authenticated, service_role;
grant execute on function private.get_spending(uuid), public.get_spending(uuid) to service_role, analysis_worker;
