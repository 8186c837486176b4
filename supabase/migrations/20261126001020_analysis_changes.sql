-- What follows from a change of jobs, once for each statement, however many rows it changed.
--
-- A job that became pending takes its place in the queue, one that ended leaves it and its checkpoint, the next job of the
-- same user moves up, and the end is announced. Each of these was a trigger of its own for every row; a statement that
-- ends a hundred jobs now asks each question once. Whoever writes the job, and however, nothing is left out.
--
-- Workers hear not only of new jobs, but of whatever else gives them something to do: jobs that are pending again, now or
-- later, types that are resumed, limits that change. Without that, the next reconciliation would find it, half a minute later.

drop trigger analysis_jobs_queue_new on public.analysis_jobs;
drop trigger analysis_jobs_queue_again on public.analysis_jobs;
drop trigger analysis_jobs_unqueue on public.analysis_jobs;
drop trigger analysis_jobs_drop_checkpoint on public.analysis_jobs;
drop trigger analysis_jobs_announce_status on public.analysis_jobs;
drop function private.queue_pending_job();
drop function private.unqueue_ended_job();
drop function private.drop_checkpoint();
drop function private.announce_status();

create or replace function private.admit_waiting(type text, users uuid[])
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
    update public.analysis_queue as queue
    set state = 'claimable', position = private.place(moment, queue.priority)
    where queue.job_id = any (array(
        select next.job_id
        from public.analysis_types as kind
        cross join unnest(users) as asked (user_id)
        cross join lateral (
            select waiting.job_id, waiting.user_id, private.place(moment, waiting.priority) as place
            from public.analysis_queue as waiting
            where waiting.user_id = coalesce(asked.user_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
                and waiting.type = admit_waiting.type
                and waiting.state = 'waiting'
            order by waiting.position, waiting.sequence
            for update skip locked
            limit 1
        ) as next
        -- As has_turn says, in one statement for all. Not exists, which the planner may answer by reading the whole queue.
        where kind.type = admit_waiting.type
        and (
            select true from public.analysis_queue as claimable
            where claimable.user_id = next.user_id
                and claimable.type = admit_waiting.type
                and claimable.state = 'claimable'
                and claimable.position <= next.place
            limit 1
        ) is null
        and (
            kind.concurrency_per_user is null
            or kind.concurrency_per_user > (
                select count(*)
                from private.live_leases as running
                where running.type = admit_waiting.type and running.user_id = next.user_id
            )
        )
    ));
    get diagnostics admitted = row_count;
    return admitted;
end
$$;

create function private.queue_jobs(job_ids uuid[])
returns void
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    moment constant timestamptz := clock_timestamp();
begin
    insert into public.analysis_queue (job_id, type, user_id, state, position, priority)
    select
        placed.id,
        placed.type,
        placed.owner,
        case
            when not placed.is_due then 'delayed'
            when placed.rank = 1 and private.has_turn(placed.type, placed.owner, placed.place) then 'claimable'
            else 'waiting'
        end,
        case when placed.is_due then placed.place else placed.scheduled_at end,
        placed.priority
    from (
        select
            asked.*,
            row_number() over (
                partition by asked.type, asked.owner, asked.is_due order by asked.place, asked.number
            ) as rank
        from (
            select
                job.id,
                job.type,
                coalesce(job.user_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff') as owner,
                job.scheduled_at,
                job.scheduled_at <= moment as is_due,
                private.place(job.scheduled_at, job.priority) as place,
                job.priority,
                listed.number
            from unnest(job_ids) with ordinality as listed (id, number)
            join public.analysis_jobs as job on job.id = listed.id
        ) as asked
    ) as placed
    order by placed.number;
end
$$;
comment on function private.queue_jobs(uuid[]) is 'Gives pending jobs, locked or new and without a row in the queue, one each.';

create function private.queue_new_jobs()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    pending uuid[];
begin
    select array_agg(added.id) into pending from added where added.status = 'pending';
    if pending is not null then
        perform private.queue_jobs(pending);
    end if;
    return null;
end
$$;
comment on function private.queue_new_jobs() is 'Trigger: new jobs take their places.';

create function private.follow_changes()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
set enable_seqscan = off
set enable_bitmapscan = off
set enable_mergejoin = off
as $$
declare
    job record;
    pending uuid[] := '{}';
    ended uuid[] := '{}';
    interrupted uuid[] := '{}';
    first_due_at timestamptz;
    turn record;
begin
    for job in
        select changed.id, changed.user_id, changed.status, changed.scheduled_at, before.status as was
        from changed
        join before using (id)
        where changed.status <> 'processing'
            and (changed.status, changed.scheduled_at, changed.priority)
                is distinct from (before.status, before.scheduled_at, before.priority)
    loop
        if job.status = 'pending' then
            pending := pending || job.id;
            first_due_at := least(first_due_at, job.scheduled_at);
            continue;
        end if;
        ended := ended || job.id;
        if job.status <> job.was and job.user_id is not null then
            perform realtime.send(
                jsonb_build_object('job_id', job.id), 'status', 'analysis_jobs:' || job.user_id, true
            );
        end if;
        if job.was = 'processing' and job.status = 'cancelled' then
            interrupted := interrupted || job.id;
        end if;
    end loop;
    if cardinality(interrupted) > 0 then
        perform private.tell_workers('cancelled', interrupted);
    end if;
    if cardinality(pending) > 0 then
        perform private.tell_workers(
            'job', case when first_due_at > clock_timestamp() then pending else '{}' end, first_due_at
        );
    end if;
    if cardinality(pending) + cardinality(ended) = 0 then
        return null;
    end if;

    delete from public.analysis_queue as queue where queue.job_id = any (pending || ended);
    if cardinality(pending) > 0 then
        perform private.queue_jobs(pending);
    end if;
    if cardinality(ended) > 0 then
        delete from public.analysis_checkpoints as saved where saved.job_id = any (ended);
    end if;
    for turn in
        select moved.type, array_agg(moved.user_id) as users
        from (
            select distinct changed.type, changed.user_id from changed where changed.id = any (pending || ended)
        ) as moved
        where (
            select true from public.analysis_queue as waiting
            where waiting.type = moved.type
                and waiting.user_id = coalesce(moved.user_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
                and waiting.state = 'waiting'
            limit 1
        )
        group by moved.type
    loop
        perform private.admit_waiting(turn.type, turn.users);
    end loop;
    return null;
end
$$;
comment on function private.follow_changes() is
    'Trigger: jobs that became pending, or moved, take their places; those that ended leave nothing behind and are '
    'announced to their users, those cancelled while they ran to workers, too, which also hear of those that are pending again; '
    'the next jobs of the same users move up.';

create trigger analysis_jobs_queue_new
    after insert on public.analysis_jobs
    referencing new table as added
    for each statement execute function private.queue_new_jobs();
create trigger analysis_jobs_follow_changes
    after update on public.analysis_jobs
    referencing old table as before new table as changed
    for each statement execute function private.follow_changes();

create function private.tell_of_type()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
    perform private.tell_workers('job');
    return null;
end
$$;
comment on function private.tell_of_type() is 'Trigger: workers look again, for there may be room for jobs that wait.';

create trigger analysis_types_tell_workers
    after update of paused, concurrency, concurrency_per_user on public.analysis_types
    for each row when (
        (new.paused, new.concurrency, new.concurrency_per_user)
            is distinct from (old.paused, old.concurrency, old.concurrency_per_user)
    )
    execute function private.tell_of_type();

create or replace function private.queue_missing()
returns integer
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    origin constant uuid := gen_random_uuid();
    missing uuid;
    queued integer := 0;
begin
    for missing in
        select looked_at.id
        from (
            (select onward.id from public.analysis_jobs as onward
            where onward.status = 'pending' and onward.id >= origin order by onward.id limit 1000)
            union all
            (select again.id from public.analysis_jobs as again
            where again.status = 'pending' and again.id < origin order by again.id limit 1000)
        ) as looked_at
        where not exists (select from public.analysis_queue as queue where queue.job_id = looked_at.id)
    loop
        perform from public.analysis_jobs as pending
        where pending.id = missing and pending.status = 'pending'
        for update skip locked;
        if found and not exists (select from public.analysis_queue as queue where queue.job_id = missing) then
            perform private.queue_jobs(array[missing]);
            queued := queued + 1;
        end if;
    end loop;
    return queued;
end
$$;

drop function private.queue_job(public.analysis_jobs);
revoke all on function
    private.queue_jobs(uuid[]), private.queue_new_jobs(), private.follow_changes(), private.tell_of_type()
from public, anon, authenticated, service_role;
