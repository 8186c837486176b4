-- Status for the browser: a broadcast from the database for every job that has ended.
--
-- Browsers follow a job by Postgres Changes, which the server polls: a quarter of a second passes on average. A broadcast is
-- streamed and arrives in milliseconds. Both are hints: whoever hears one looks at the job.
--
-- The topic is private, one for each user. The message names the job and nothing of it, since messages are kept for days.
-- Neither progress nor a job's start is announced: Postgres Changes is soon enough for them, and a message is written to
-- the log like any row. realtime.send never fails; it
-- warns. So announcing cannot undo what a worker settled.

create function private.announce_status()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
    told record;
begin
    for told in
        select changed.id, changed.user_id
        from changed
        join before using (id)
        where changed.user_id is not null
            and changed.status <> before.status
            and changed.status in ('completed', 'failed', 'cancelled')
    loop
        perform realtime.send(
            jsonb_build_object('job_id', told.id), 'status', 'analysis_jobs:' || told.user_id, true
        );
    end loop;
    return null;
end
$$;
comment on function private.announce_status() is 'Announces to each user the jobs that a statement ended.';
revoke all on function private.announce_status() from public, anon, authenticated, service_role;

create trigger analysis_jobs_announce_status
    after update on public.analysis_jobs
    referencing old table as before new table as changed
    for each statement execute function private.announce_status();

create policy "users hear of their own jobs" on realtime.messages
    for select to authenticated
    using (extension = 'broadcast' and realtime.topic() = 'analysis_jobs:' || (select auth.uid()));
