-- Who is next: the rules behind analysis_queue, and the triggers that keep it in step with analysis_jobs.
--
-- A job is pending exactly while it has a row in analysis_queue, whoever wrote the job: triggers add and remove the
-- row. A row is in one of three states.
--
--     delayed    until the job is due (a schedule, a retry, a deferral); then one of the others
--     waiting    behind a claimable job of the same user and type, or while that user runs as many as allowed
--     claimable  may be claimed; claims take the earliest place first
--
-- Fair. Of one user and type, one row is claimable at a time, except where a later one has the earlier place. When it
-- is claimed, the user's next one becomes claimable behind everybody who is claimable already. So users take turns,
-- ten thousand jobs of one delay the only job of another by one claim at most, and a claim finds its jobs at the head
-- of an index however many wait behind. A claim that could take more than there are turns for takes waiting ones,
-- in equal shares.
--
-- Bounded. A place is a time, and priority moves it by ten seconds a level, once. So a job of low priority is
-- overtaken by newcomers for ten seconds per level, and by none of them after that.
--
-- Repaired. Whether a row becomes claimable is decided from what is committed, and two decisions at a time can both
-- miss each other: a row may be left waiting with nothing in front of it. It is found by every end of one of its
-- user's jobs, by every claim that comes back short, and by every reconciliation.
--
-- Rows are locked in one order everywhere: worker, job, queue, attempt. Only claims meet the queue before the job,
-- and they skip what is locked instead of waiting, in both tables; as nobody waits for them with anything that they
-- want, no two calls can wait for each other.

create view private.live_leases with (security_invoker = true) as
select job.id as job_id, job.type, coalesce(job.user_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff') as user_id
from public.analysis_jobs as job
join public.analysis_workers as worker on worker.id = job.leased_by
where job.status = 'processing'
    and worker.heartbeat_at + make_interval(secs => worker.lease_seconds) > now()
    and job.deadline_at + interval '15 seconds' > now();
comment on view private.live_leases is
    'What fills a limit: jobs that run, without those that the next reconciliation ends, so that the dead keep nobody '
    'from running.';

create function private.place(since timestamptz, priority integer)
returns timestamptz
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
    return since - priority * interval '10 seconds';
end
$$;
comment on function private.place(timestamptz, integer) is 'The place of a job of this priority that is ready since.';

create function private.has_turn(type text, user_id uuid, place timestamptz)
returns boolean
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
    allowed integer;
begin
    if exists (
        select from public.analysis_queue as claimable
        where claimable.user_id = has_turn.user_id
            and claimable.type = has_turn.type
            and claimable.state = 'claimable'
            and claimable.position <= has_turn.place
    ) then
        return false;
    end if;
    select kind.concurrency_per_user into allowed from public.analysis_types as kind where kind.type = has_turn.type;
    return allowed is null or allowed > (
        select count(*)
        from private.live_leases as running
        where running.type = has_turn.type and running.user_id = has_turn.user_id
    );
end
$$;
comment on function private.has_turn(text, uuid, timestamptz) is
    'Whether a job of this user may be claimable at this place.';

create function private.queue_job(job public.analysis_jobs)
returns void
language plpgsql
volatile
security invoker
set search_path = ''
set enable_seqscan = off
as $$
declare
    owner uuid := coalesce(job.user_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
    own_place timestamptz := private.place(job.scheduled_at, job.priority);
    own_state text := 'delayed';
begin
    delete from public.analysis_queue as queue where queue.job_id = job.id;
    if job.scheduled_at <= clock_timestamp() then
        own_state := case when private.has_turn(job.type, owner, own_place) then 'claimable' else 'waiting' end;
    end if;
    if own_state = 'delayed' then
        own_place := job.scheduled_at;
    end if;
    insert into public.analysis_queue (job_id, type, user_id, state, position, priority)
    values (job.id, job.type, owner, own_state, own_place, job.priority);
end
$$;
comment on function private.queue_job(public.analysis_jobs) is
    'Gives a pending job, locked or new, its row in the queue, and takes the one that it had.';

create function private.admit_waiting(type text, users uuid[])
returns integer
language plpgsql
volatile
security invoker
set search_path = ''
set enable_seqscan = off
as $$
declare
    admitted integer;
begin
    update public.analysis_queue as queue
    set state = 'claimable', position = private.place(clock_timestamp(), queue.priority)
    where queue.job_id = any (array(
        select next.job_id
        from unnest(users) as asked (user_id)
        cross join lateral (
            select waiting.job_id, waiting.priority
            from public.analysis_queue as waiting
            where waiting.user_id = coalesce(asked.user_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
                and waiting.type = admit_waiting.type
                and waiting.state = 'waiting'
            order by waiting.position, waiting.sequence
            for update skip locked
            limit 1
        ) as next
        where private.has_turn(
            admit_waiting.type,
            coalesce(asked.user_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
            private.place(clock_timestamp(), next.priority)
        )
    ));
    get diagnostics admitted = row_count;
    return admitted;
end
$$;
comment on function private.admit_waiting(text, uuid[]) is
    'Makes the next waiting job of each of these users claimable, behind all that are; returns how many. Never waits.';

create function private.waiting_users(kind public.analysis_types, max_users integer)
returns table (user_id uuid, places integer)
language plpgsql
volatile
security invoker
set search_path = ''
set enable_seqscan = off
as $$
declare
    origin constant uuid := gen_random_uuid();
    previous uuid := origin;
    found_users integer := 0;
begin
    -- From a random user to the last, then from the first, so that nobody is always behind those looked at.
    for step in 1 .. max_users + 100 loop
        select waiting.user_id into waiting_users.user_id
        from public.analysis_queue as waiting
        where waiting.type = kind.type and waiting.state = 'waiting' and waiting.user_id > previous
        order by waiting.user_id
        limit 1;
        if not found then
            exit when previous < origin;
            previous := '00000000-0000-0000-0000-000000000000';
            continue;
        end if;
        exit when previous < origin and waiting_users.user_id > origin;
        previous := waiting_users.user_id;
        places := case
            when kind.concurrency_per_user is not null then kind.concurrency_per_user - (
                select count(*)
                from private.live_leases as running
                where running.type = kind.type and running.user_id = waiting_users.user_id
            )
        end;
        if places is null or places > 0 then
            return next;
            found_users := found_users + 1;
            exit when found_users = max_users;
        end if;
    end loop;
end
$$;
comment on function private.waiting_users(public.analysis_types, integer) is
    'Some users who have waiting jobs of this type and may run more; places: how many, null for any number.';

create function private.admit_due(type text, max_rows integer)
returns integer
language plpgsql
volatile
security invoker
set search_path = ''
set enable_seqscan = off
as $$
declare
    moment constant timestamptz := clock_timestamp();
    admitted integer;
begin
    if not exists (
        select from public.analysis_queue as queue
        where queue.type = admit_due.type
            and queue.state = 'delayed'
            and queue.position > '-infinity'
            and queue.position <= moment
    ) then
        return 0;
    end if;
    with due as (
        select queue.job_id, queue.user_id, queue.sequence, private.place(queue.position, queue.priority) as place
        from public.analysis_queue as queue
        where queue.type = admit_due.type
            and queue.state = 'delayed'
            and queue.position > '-infinity'
            and queue.position <= moment
        order by queue.position, queue.sequence
        for update skip locked
        limit max_rows
    ),
    ranked as (
        select due.*, row_number() over (partition by due.user_id order by due.place, due.sequence) as rank from due
    )
    update public.analysis_queue as queue
    set state = case
            when ranked.rank = 1 and private.has_turn(admit_due.type, ranked.user_id, ranked.place) then 'claimable'
            else 'waiting'
        end,
        position = ranked.place
    from ranked
    where queue.job_id = ranked.job_id;
    get diagnostics admitted = row_count;
    return admitted;
end
$$;
comment on function private.admit_due(text, integer) is
    'Lets delayed jobs that are due take their place, since when they were; returns how many. Never waits.';

-- Triggers ----------------------------------------------------------------------------------------------------------
create function private.queue_pending_job()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
    perform private.queue_job(new);
    if tg_op = 'UPDATE' then
        perform private.admit_waiting(new.type, array[new.user_id]);
    end if;
    return null;
end
$$;
comment on function private.queue_pending_job() is
    'Trigger: a job that became pending, or moved, takes its place; the next of its user may have the place it had.';

create function private.unqueue_ended_job()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
    delete from public.analysis_queue as queue where queue.job_id = new.id;
    perform private.admit_waiting(new.type, array[new.user_id]);
    return null;
end
$$;
comment on function private.unqueue_ended_job() is 'Trigger: a job that ended lets the next of its user move up.';

create trigger analysis_jobs_queue_new after insert on public.analysis_jobs
    for each row when (new.status = 'pending')
    execute function private.queue_pending_job();
create trigger analysis_jobs_queue_again after update of status, scheduled_at, priority on public.analysis_jobs
    for each row when (
        new.status = 'pending'
        and (old.status, old.scheduled_at, old.priority)
            is distinct from (new.status, new.scheduled_at, new.priority)
    )
    execute function private.queue_pending_job();
-- Claims remove the rows of what they claim themselves.
create trigger analysis_jobs_unqueue after update of status on public.analysis_jobs
    for each row when (
        old.status in ('pending', 'processing') and new.status in ('completed', 'failed', 'cancelled')
    )
    execute function private.unqueue_ended_job();

revoke all on private.live_leases from public, anon, authenticated, service_role;
revoke all on function
    private.place(timestamptz, integer),
    private.has_turn(text, uuid, timestamptz),
    private.queue_job(public.analysis_jobs),
    private.admit_waiting(text, uuid[]),
    private.waiting_users(public.analysis_types, integer),
    private.admit_due(text, integer),
    private.queue_pending_job(),
    private.unqueue_ended_job()
from public, anon, authenticated, service_role;
