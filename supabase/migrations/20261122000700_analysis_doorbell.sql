-- The doorbell: a broadcast from the database for every statement that adds pending jobs.
--
-- Workers listen for inserts by Postgres Changes, which the server polls: a quarter of a second passes on average. A
-- broadcast is streamed and arrives in a millisecond. Both are hints that ring the same bell; the claim is the truth, and
-- a worker that hears neither finds the job in its sweep.
--
-- One message a statement, however many rows: {"job_id"} of a single job, {} for several. It names no user, no type and no
-- content, since messages are kept for days. realtime.send never fails; it warns. So ringing cannot undo an enqueue.
--
-- The topic is private. service_role passes row level security; the policy below lets in the worker's own role.

create function private.ring_doorbell()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
    rung jsonb;
begin
    select case count(*) when 1 then jsonb_build_object('job_id', min(added.id::text)) else '{}' end
    into rung
    from added
    where added.status = 'pending'
    having count(*) > 0;
    if rung is not null then
        perform realtime.send(rung, 'job', 'analysis_jobs', true);
    end if;
    return null;
end
$$;
comment on function private.ring_doorbell() is 'Announces the jobs that a statement added.';
revoke all on function private.ring_doorbell() from public, anon, authenticated, service_role;

create trigger analysis_jobs_ring_doorbell
    after insert on public.analysis_jobs
    referencing new table as added
    for each statement execute function private.ring_doorbell();

create policy "workers hear the doorbell" on realtime.messages
    for select to analysis_worker using (extension = 'broadcast' and realtime.topic() = 'analysis_jobs');
