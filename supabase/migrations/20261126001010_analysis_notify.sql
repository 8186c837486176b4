-- What workers are told: there is something to do, a running job was cancelled.
--
-- The doorbell says it by a broadcast, and NOTIFY to workers next to the database. Both on analysis_jobs, once a statement:
--
--     job          {"job_id"} of a single job that is new or is repeated later, {} of several, or of anything else worth a look
--     cancelled    {"job_id"} of a single job that was cancelled while it ran, {} of several: look at all you hold
--
-- due_in_seconds is added where there is nothing to fetch before then: jobs for later, and attempts that are repeated. A
-- notification has the event in its message, as {"event": "job", "job_id"}. It names no user, no type and no content, as
-- every role of a database may listen; and it is a hint, too. A job that nobody runs is cancelled without a word.
--
-- A transaction that notifies commits alone, since all that do wait for each other until their commit is on disk. With many
-- at a time that costs a third of what the database can take in, and more. So nobody is notified unless somebody listens.
-- Whoever listens holds, in the same session, a lock that who notifies tries:
--
--     select pg_advisory_lock_shared(hashtextextended('analysis_jobs.listen', 0));
--     listen analysis_jobs;
--
-- In this order, and with a look at the queue after it: what was added before is not told. The lock goes with the session.

create function private.tell_workers(event text, job_ids uuid[] default '{}', due_at timestamptz default null)
returns void
language plpgsql
volatile
security invoker
set search_path = ''
as $$
declare
    listening constant bigint := hashtextextended('analysis_jobs.listen', 0);
    message constant jsonb := jsonb_strip_nulls(jsonb_build_object(
        'job_id', case cardinality(job_ids) when 1 then job_ids[1] end,
        'due_in_seconds', case
            when due_at > clock_timestamp() then ceil(extract(epoch from due_at - clock_timestamp()) * 1000) / 1000
        end
    ));
begin
    perform realtime.send(message, event, 'analysis_jobs', true);
    if pg_try_advisory_lock(listening) then
        perform pg_advisory_unlock(listening);
    else
        perform pg_notify('analysis_jobs', (message || jsonb_build_object('event', event))::text);
    end if;
end
$$;
comment on function private.tell_workers(text, uuid[], timestamptz) is
    'Rings the doorbell for these jobs, and notifies workers that listen in this database, if there are any.';
revoke all on function private.tell_workers(text, uuid[], timestamptz) from public, anon, authenticated, service_role;

create or replace function private.ring_doorbell()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
    pending uuid[];
    first_due_at timestamptz;
begin
    select array_agg(added.id), min(added.scheduled_at) into pending, first_due_at
    from added
    where added.status = 'pending';
    if pending is not null then
        perform private.tell_workers('job', pending, first_due_at);
    end if;
    return null;
end
$$;
