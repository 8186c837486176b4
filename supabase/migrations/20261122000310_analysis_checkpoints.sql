-- Checkpoints: what an attempt leaves for the next one.
--
-- An attempt can end without its own fault: the worker is deployed anew, dies, or loses the database. What was paid for
-- by then (a page read, an answer of a model) need not be paid for again: the handler saves it under its lease, and the
-- next claim brings it along. One row per job, replaced by every save, gone when the job ends.
--
-- Not in analysis_jobs, whose every write is an event for its subscribers, and not theirs to see.

create table public.analysis_checkpoints (
    job_id uuid not null,
    data jsonb not null,
    saved_at timestamptz not null default now(),

    constraint analysis_checkpoints_pkey primary key (job_id),
    constraint analysis_checkpoints_job_id_fkey
        foreign key (job_id) references public.analysis_jobs (id) on delete cascade,
    constraint analysis_checkpoints_data_is_bounded check (pg_column_size(data) <= 524288)
);
alter table public.analysis_checkpoints enable row level security;
comment on table public.analysis_checkpoints is 'What the latest attempt of a job saved for the next one.';
comment on column public.analysis_checkpoints.job_id is 'The job.';
comment on column public.analysis_checkpoints.data is 'The handler''s own, any JSON.';
comment on column public.analysis_checkpoints.saved_at is 'When it was saved.';
revoke all on public.analysis_checkpoints from public, anon, authenticated, service_role;
grant select on public.analysis_checkpoints to service_role;

create function private.save_checkpoint(job_id uuid, lease_id uuid, data jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
    if data is null then
        raise exception using errcode = 'PT400', message = 'data is required';
    end if;
    if octet_length(data::text) > 262144 then
        raise exception using errcode = 'PT413', message = 'checkpoint is too large', detail = 'at most 262144 bytes';
    end if;
    -- The job's row is locked, so that the job cannot end between the check and the write.
    perform
    from public.analysis_jobs as job
    where job.id = save_checkpoint.job_id and job.lease_id = save_checkpoint.lease_id
    for no key update;
    if found then
        insert into public.analysis_checkpoints as saved (job_id, data)
        values (save_checkpoint.job_id, save_checkpoint.data)
        on conflict on constraint analysis_checkpoints_pkey do update
        set data = excluded.data, saved_at = now();
    end if;
    return private.describe_lease(job_id, lease_id);
end
$$;
comment on function private.save_checkpoint(uuid, uuid, jsonb) is 'Body of public.save_checkpoint.';

create function public.save_checkpoint(job_id uuid, lease_id uuid, data jsonb)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = ''
as $$
begin
    return private.save_checkpoint(job_id, lease_id, data);
end
$$;
comment on function public.save_checkpoint(uuid, uuid, jsonb) is
    'Saves what the next attempt of this job shall know; replaces what was saved before. Answers like every function under '
    'a lease.';

create function private.drop_checkpoint()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
    delete from public.analysis_checkpoints as saved where saved.job_id = new.id;
    return null;
end
$$;
comment on function private.drop_checkpoint() is 'A job that has ended needs no checkpoint.';

create trigger analysis_jobs_drop_checkpoint
    after update of status on public.analysis_jobs
    for each row
    when (new.status in ('completed', 'failed', 'cancelled'))
    execute function private.drop_checkpoint();

revoke all on function
    private.save_checkpoint(uuid, uuid, jsonb), public.save_checkpoint(uuid, uuid, jsonb), private.drop_checkpoint()
from public, anon, authenticated, service_role;
grant execute on function private.save_checkpoint(uuid, uuid, jsonb), public.save_checkpoint(uuid, uuid, jsonb)
to service_role;
