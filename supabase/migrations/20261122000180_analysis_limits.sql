-- How much one user may ask for: a rate, and a number of jobs that wait. Both are per type; services have neither.
--
-- Both counts are exact because all calls of one user wait for each other (see enqueue_analysis), and both are
-- bounded by the limit itself: the rate reads the newest jobs as far as the limit goes, the quota counts no further.
--
-- Refusals are PT429; the detail is {"retry_after_seconds": n}.

create function private.refuse_for_now(reason text, seconds double precision)
returns void
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    raise exception using
        errcode = 'PT429',
        message = reason,
        detail = jsonb_build_object('retry_after_seconds', greatest(1, ceil(seconds))::bigint)::text;
end
$$;
comment on function private.refuse_for_now(text, double precision) is
    'Raises PT429 with the time after which it is worth asking again.';

create function private.check_rate(kind public.analysis_types, owner uuid)
returns void
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    span interval := make_interval(secs => kind.rate_window_seconds);
    nth_newest timestamptz;
begin
    if kind.rate_limit is null then
        return;
    end if;
    -- now() is when this call came, and may be before it waited: it then counts more than it has to, never less.
    select job.created_at into nth_newest
    from public.analysis_jobs as job
    where job.user_id = owner and job.type = kind.type and not job.cached and job.created_at > now() - span
    order by job.created_at desc
    offset kind.rate_limit - 1
    limit 1;
    if found then
        perform private.refuse_for_now(
            'rate limit reached', extract(epoch from nth_newest + span - clock_timestamp())::double precision
        );
    end if;
end
$$;
comment on function private.check_rate(public.analysis_types, uuid) is
    'Raises where the user has enqueued rate_limit jobs of this type within the window that ends now.';

create function private.check_quota(kind public.analysis_types, owner uuid)
returns void
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    pending integer;
begin
    if kind.max_pending_per_user is null then
        return;
    end if;
    select count(*) into pending
    from (
        select from public.analysis_queue as queue
        where queue.user_id = owner and queue.type = kind.type and queue.state = 'waiting'
        union all
        select from public.analysis_queue as queue
        where queue.user_id = owner and queue.type = kind.type and queue.state in ('claimable', 'delayed')
        limit kind.max_pending_per_user
    ) as counted;
    if pending >= kind.max_pending_per_user then
        -- When a place gets free nobody knows; by then at least what runs now is over.
        perform private.refuse_for_now('too many pending jobs', least(kind.timeout_seconds, 60));
    end if;
end
$$;
comment on function private.check_quota(public.analysis_types, uuid) is
    'Raises where max_pending_per_user jobs of this type wait for this user.';

revoke all on function
    private.refuse_for_now(text, double precision),
    private.check_rate(public.analysis_types, uuid),
    private.check_quota(public.analysis_types, uuid)
from public, anon, authenticated, service_role;
