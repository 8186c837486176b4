-- Claims read the rows of jobs by their keys, whatever the planner takes the queue for.
--
-- A claim joins the few rows of the queue that it may take with their jobs, and looks at them again under the lock: is
-- the job still pending? Written as an equality, that condition lets the planner use the index of pending jobs instead
-- of the primary key. After a bulk insert its statistics still know of no pending job, it takes that index for empty,
-- and every row of the claim reads all of it. "is not false" says the same of a column that is never null, and no
-- partial index matches it.

create or replace function private.claim_claimable(kind public.analysis_types, worker_id text, lease_id uuid, wanted integer)
returns integer
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    places constant integer := private.places_left(kind, wanted);
    claimed integer := 0;
    locked uuid[];
begin
    while claimed < places loop
        locked := array(
            select queue.job_id
            from public.analysis_queue as queue
            join public.analysis_jobs as job on job.id = queue.job_id and (job.status = 'pending') is not false
            where queue.type = kind.type and queue.state = 'claimable' and queue.position > '-infinity'
            order by queue.position, queue.sequence
            for update of queue, job skip locked
            limit places - claimed
        );
        exit when cardinality(locked) = 0;
        if kind.concurrency_per_user is not null then
            locked := private.send_back_beyond_limit(kind, locked);
        end if;
        claimed := claimed + private.start_attempts(locked, worker_id, lease_id);
    end loop;
    return claimed;
end
$$;

create or replace function private.claim_waiting(kind public.analysis_types, worker_id text, lease_id uuid, wanted integer)
returns integer
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    claimed integer := 0;
    missing integer;
    locked uuid[];
begin
    -- Not everybody may have as many as an equal share; what they leave is shared again.
    for round in 1..3 loop
        missing := private.places_left(kind, wanted - claimed);
        exit when missing = 0;
        locked := array(
            select next.job_id
            from (
                select
                    waiting.user_id,
                    least(waiting.places, ceil(missing::float8 / count(*) over ())::integer) as share
                from private.waiting_users(kind, missing) as waiting
            ) as asked
            cross join lateral (
                select queue.job_id, queue.position, queue.sequence
                from public.analysis_queue as queue
                join public.analysis_jobs as job on job.id = queue.job_id and (job.status = 'pending') is not false
                where queue.type = kind.type and queue.user_id = asked.user_id and queue.state = 'waiting'
                order by queue.position, queue.sequence
                for update of queue, job skip locked
                limit asked.share
            ) as next
            order by next.position, next.sequence
            limit missing
        );
        exit when cardinality(locked) = 0;
        claimed := claimed + private.start_attempts(locked, worker_id, lease_id);
    end loop;
    return claimed;
end
$$;

create or replace function private.is_anything_left(kinds public.analysis_types[])
returns boolean
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    kind public.analysis_types;
begin
    foreach kind in array kinds loop
        continue when private.places_left(kind, 1) = 0;
        if exists (
                select
                from public.analysis_queue as queue
                join public.analysis_jobs as job on job.id = queue.job_id and (job.status = 'pending') is not false
                where queue.type = kind.type and queue.state = 'claimable' and queue.position > '-infinity'
            )
            or exists (select from private.waiting_users(kind, 1))
        then
            return true;
        end if;
    end loop;
    return false;
end
$$;
