-- Enqueuing finds a pending twin by its key, whatever the planner takes the pending jobs for.
--
-- A session that planned while nothing was pending keeps its plan. Every index of pending jobs looked empty then, and it
-- reads all of one for each new job, until statistics change. "is not false" says the same as the equality of a column
-- that is never null; an index of its own is the only one that matches it.

create index analysis_jobs_twin_idx on public.analysis_jobs (user_id, hashtextextended(input_hash, 0))
    where (status = 'pending') is not false and input_hash is not null;
drop index public.analysis_jobs_pending_twin_idx;

create or replace function private.find_twin(owner uuid, type text, input jsonb, input_hash text)
returns public.analysis_jobs
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
    job public.analysis_jobs;
begin
    select twin.* into job
    from (
        select pending.*
        from public.analysis_jobs as pending
        where (pending.status = 'pending') is not false
            and pending.user_id = owner
            and hashtextextended(pending.input_hash, 0) = hashtextextended(find_twin.input_hash, 0)
            and pending.input_hash = find_twin.input_hash
        union all
        select running.*
        from public.analysis_jobs as running
        where running.status = 'processing'
            and running.type = find_twin.type
            and running.user_id = owner
            and running.input_hash = find_twin.input_hash
    ) as twin
    where twin.type = find_twin.type
        and twin.input = find_twin.input
        -- Somebody who wants it now is not served by a job for next week; a retry will come soon enough.
        and (twin.started_at is not null or twin.scheduled_at <= clock_timestamp())
    order by twin.created_at
    limit 1;
    return job;
end
$$;
