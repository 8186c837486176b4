-- For workers next to the database: what the doorbell and Realtime tell the others, by NOTIFY.
--
-- The channel is analysis_jobs. A message is a JSON object:
--
--     {"event": "job", "job_id"}          a job was added; without job_id: several
--     {"event": "cancelled", "job_id"}    somebody cancelled it, whoever runs it
--
-- Like the doorbell it names no user, no type and no content: every role of a database may listen. It is a hint, too.
--
-- A transaction that notifies commits alone, since all that do wait for each other until their commit is on disk. With many
-- at a time that costs a third of what the database can take in, and more. So nobody is notified unless somebody listens.
-- Whoever listens holds, in the same session, a lock that who notifies tries:
--
--     select pg_advisory_lock_shared(hashtextextended('analysis_jobs.listen', 0));
--     listen analysis_jobs;
--
-- In this order, and with a look at the queue after it: what was added before is not told. The lock goes with the session.

create function private.notify_workers(message jsonb)
returns void
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    listening constant bigint := hashtextextended('analysis_jobs.listen', 0);
begin
    if pg_try_advisory_lock(listening) then
        perform pg_advisory_unlock(listening);
    else
        perform pg_notify('analysis_jobs', message::text);
    end if;
end
$$;
comment on function private.notify_workers(jsonb) is 'Tells workers that listen in this database, if there are any.';
revoke all on function private.notify_workers(jsonb) from public, anon, authenticated, service_role;

create or replace function private.ring_doorbell()
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
        perform private.notify_workers(rung || '{"event": "job"}');
    end if;
    return null;
end
$$;

create or replace function private.announce_status()
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
        select changed.id, changed.user_id, changed.status
        from changed
        join before using (id)
        where changed.status <> before.status and changed.status in ('completed', 'failed', 'cancelled')
    loop
        if told.user_id is not null then
            perform realtime.send(
                jsonb_build_object('job_id', told.id), 'status', 'analysis_jobs:' || told.user_id, true
            );
        end if;
        if told.status = 'cancelled' then
            perform private.notify_workers(jsonb_build_object('event', 'cancelled', 'job_id', told.id));
        end if;
    end loop;
    return null;
end
$$;
comment on function private.announce_status() is
    'Announces to each user the jobs that a statement ended, and to workers those that it cancelled.';
