-- The tables of the analysis queue.
--
-- A job is one row of analysis_jobs, from the moment somebody asks until long after the answer. Its status moves
--
--     pending -> processing -> completed | failed | cancelled
--
-- and back to pending where an attempt ended without ending the job. What may never be untrue of a row is a named
-- CHECK here, so that no function, operator or later migration can store it.
--
-- A worker holds a job by its lease: claiming writes a lease_id into the row, every later write of the worker names
-- it, and whoever takes the job away (a cancel, a rescue, a settle) clears it. Hence lease_id, leased_by and
-- deadline_at are set exactly while a job is processing, and a write under an old lease finds no row.
--
-- Every claim also adds a row to analysis_attempts. It says afterwards how that lease ended, which is what makes
-- settling and claiming safe to send twice: an answer that got lost is read from there.
--
-- Only analysis_jobs is published to Realtime, so whatever changes often and interests no subscriber stays out of it:
-- heartbeats go to analysis_workers, and who is next stands in analysis_queue, which has one row for every pending job
-- and for no other.
--
-- Rows are written by functions only. Users read their own jobs, nothing else.

create schema if not exists private;
comment on schema private is
    'Not exposed over the API: functions that check the caller themselves, and parts of others.';
revoke all on schema private from public;
grant usage on schema private to authenticated, service_role;

-- Policy per job type -----------------------------------------------------------------------------------------------
create table public.analysis_types (
    type text not null,
    timeout_seconds double precision not null default 60,
    max_attempts integer not null default 3,
    max_rescues integer not null default 2,
    priority integer not null default 0,
    concurrency integer,
    concurrency_per_user integer,
    input_max_bytes integer not null default 65536,
    input_schema jsonb,
    rate_limit integer,
    rate_window_seconds integer not null default 3600,
    max_pending_per_user integer,
    cache_ttl_seconds integer,
    cache_scope text not null default 'user',
    prompt_version text not null default '1',
    retain_completed_days integer,
    retain_failed_days integer,
    paused boolean not null default false,
    created_at timestamptz not null default now(),

    constraint analysis_types_pkey primary key (type),
    constraint analysis_types_type_is_a_name check (type ~ '^[a-z][a-z0-9_]{0,62}$'),
    constraint analysis_types_timeout_in_range check (timeout_seconds between 0.1 and 86400),
    constraint analysis_types_max_attempts_in_range check (max_attempts between 1 and 100),
    constraint analysis_types_max_rescues_in_range check (max_rescues between 0 and 100),
    constraint analysis_types_priority_in_range check (priority between -100 and 100),
    constraint analysis_types_concurrency_in_range check (concurrency between 1 and 100000),
    constraint analysis_types_concurrency_per_user_in_range check (concurrency_per_user between 1 and 100000),
    constraint analysis_types_input_max_bytes_in_range check (input_max_bytes between 2 and 262144),
    constraint analysis_types_input_schema_is_object
        check (jsonb_typeof(input_schema) = 'object' and pg_column_size(input_schema) <= 65536),
    constraint analysis_types_rate_limit_in_range check (rate_limit between 1 and 100000),
    constraint analysis_types_rate_window_in_range check (rate_window_seconds between 1 and 2678400),
    constraint analysis_types_max_pending_in_range check (max_pending_per_user between 1 and 100000),
    constraint analysis_types_cache_ttl_in_range check (cache_ttl_seconds between 1 and 31536000),
    constraint analysis_types_cache_scope_is_known check (cache_scope in ('user', 'global')),
    constraint analysis_types_prompt_version_is_short check (length(prompt_version) between 1 and 100),
    constraint analysis_types_retain_completed_in_range check (retain_completed_days between 1 and 36500),
    constraint analysis_types_retain_failed_in_range check (retain_failed_days between 1 and 36500)
);
alter table public.analysis_types enable row level security;

comment on table public.analysis_types is 'What kinds of jobs exist and how they are treated. Editable while running.';
comment on column public.analysis_types.type is 'Name of the kind; handlers register under it.';
comment on column public.analysis_types.timeout_seconds is 'How long one attempt may take; read at each claim.';
comment on column public.analysis_types.max_attempts is 'How often a job is tried; copied into the job when enqueued.';
comment on column public.analysis_types.max_rescues is
    'How often a job may outlive the death of its worker; one more and it is taken for the cause and fails.';
comment on column public.analysis_types.priority is
    'Priority of jobs enqueued without one, and the highest a user may ask for. Higher goes first.';
comment on column public.analysis_types.concurrency is
    'How many of its jobs may run at the same time, over all workers; null for any number. To run none, pause it.';
comment on column public.analysis_types.concurrency_per_user is
    'How many of one user''s jobs may run at the same time; null for any number.';
comment on column public.analysis_types.input_max_bytes is 'Longest input, as JSON text in bytes.';
comment on column public.analysis_types.input_schema is
    'JSON schema that inputs have to fit, as pydantic emits it for the handler''s model; null accepts every object.';
comment on column public.analysis_types.rate_limit is
    'How many jobs one user may enqueue within rate_window_seconds; answers from the cache do not count. Null: any.';
comment on column public.analysis_types.rate_window_seconds is 'The window of rate_limit, which slides.';
comment on column public.analysis_types.max_pending_per_user is
    'How many jobs of one user may wait at the same time. Null: any.';
comment on column public.analysis_types.cache_ttl_seconds is
    'How long a result may answer the same input again; null: never.';
comment on column public.analysis_types.cache_scope is
    'Whom a result may answer: its user, or everybody (global: only where inputs hold nothing personal).';
comment on column public.analysis_types.prompt_version is
    'Version of what turns an input into a result. Change it with every prompt, model or reader, after the workers '
    'that run it are there: results of other versions no longer answer.';
comment on column public.analysis_types.retain_completed_days is
    'Completed jobs are deleted so long after their end, and what the cache holds of them. Null: never.';
comment on column public.analysis_types.retain_failed_days is
    'Failed and cancelled jobs are deleted so long after their end. Null: never.';
comment on column public.analysis_types.paused is 'Neither enqueued nor claimed while true; running jobs go on.';
comment on column public.analysis_types.created_at is 'When the kind was added.';

-- Jobs --------------------------------------------------------------------------------------------------------------
-- The size checks read the stored size (pg_column_size), which costs nothing on the updates that leave the column
-- alone; the functions check the exact length of what comes in. Together they keep a row below the 1 MiB that
-- Realtime carries.
create table public.analysis_jobs (
    id uuid not null default gen_random_uuid(),
    user_id uuid,
    type text not null,
    input jsonb not null,
    input_hash text,
    cache_key text,
    status text not null default 'pending',
    priority integer not null default 0,
    scheduled_at timestamptz not null default now(),
    attempt integer not null default 0,
    max_attempts integer not null default 3,
    rescues integer not null default 0,
    lease_id uuid,
    leased_by text,
    deadline_at timestamptz,
    progress double precision not null default 0,
    phase text,
    result jsonb,
    error jsonb,
    cached boolean not null default false,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,

    constraint analysis_jobs_pkey primary key (id),
    constraint analysis_jobs_user_id_fkey foreign key (user_id) references auth.users (id) on delete cascade,
    constraint analysis_jobs_type_fkey foreign key (type) references public.analysis_types (type),

    constraint analysis_jobs_status_is_known
        check (status in ('pending', 'processing', 'completed', 'failed', 'cancelled')),
    constraint analysis_jobs_leased_while_processing check (
        (status = 'processing') = (lease_id is not null)
        and (status = 'processing') = (leased_by is not null)
        and (status = 'processing') = (deadline_at is not null)
    ),
    constraint analysis_jobs_finished_when_terminal
        check ((status in ('completed', 'failed', 'cancelled')) = (finished_at is not null)),
    constraint analysis_jobs_result_when_completed check ((status = 'completed') = (result is not null)),
    constraint analysis_jobs_error_when_failed check ((status = 'failed') = (error is not null)),
    constraint analysis_jobs_cached_only_when_completed check (not cached or status = 'completed'),

    constraint analysis_jobs_max_attempts_in_range check (max_attempts between 1 and 100),
    constraint analysis_jobs_attempt_within_limit check (attempt between 0 and max_attempts),
    constraint analysis_jobs_attempts_left_while_pending check (status <> 'pending' or attempt < max_attempts),
    constraint analysis_jobs_attempt_counted_while_processing
        check (status <> 'processing' or (attempt >= 1 and started_at is not null)),
    constraint analysis_jobs_rescues_not_negative check (rescues >= 0),

    constraint analysis_jobs_priority_in_range check (priority between -100 and 100),
    constraint analysis_jobs_progress_in_range check (progress between 0 and 1),
    constraint analysis_jobs_phase_is_short check (length(phase) between 1 and 200),
    constraint analysis_jobs_leased_by_is_short check (length(leased_by) between 1 and 200),
    constraint analysis_jobs_scheduled_at_is_a_time check (isfinite(scheduled_at)),
    constraint analysis_jobs_input_hash_is_sha256 check (input_hash ~ '^[0-9a-f]{64}$'),
    constraint analysis_jobs_cache_key_is_sha256 check (cache_key ~ '^[0-9a-f]{64}$'),
    constraint analysis_jobs_input_is_object check (jsonb_typeof(input) = 'object'),
    constraint analysis_jobs_input_is_bounded check (pg_column_size(input) <= 524288),
    constraint analysis_jobs_result_is_bounded check (pg_column_size(result) <= 1048576),
    constraint analysis_jobs_error_has_shape check (
        error is null
        or (
            jsonb_typeof(error -> 'code') is not distinct from 'string'
            and jsonb_typeof(error -> 'message') is not distinct from 'string'
            and pg_column_size(error) <= 16384
        )
    )
) with (
    fillfactor = 80,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.02
);
alter table public.analysis_jobs enable row level security;

-- What should stand in the queue: the reconciler looks through it, a stretch at a time.
create index analysis_jobs_pending_idx on public.analysis_jobs (id) where status = 'pending';
-- What is running, in total and of one user: for limits, and for the reconciler.
create index analysis_jobs_processing_idx on public.analysis_jobs (type, user_id) where status = 'processing';
-- A user's own list, newest first; also what the policy below and the deletion of a user look for.
create index analysis_jobs_user_id_created_at_idx on public.analysis_jobs (user_id, created_at desc);

comment on table public.analysis_jobs is
    'One row per job. Published to Realtime: every write is an event for its subscribers.';
comment on column public.analysis_jobs.id is 'Names the job everywhere.';
comment on column public.analysis_jobs.user_id is 'Whose job it is; null for jobs that a service enqueued for itself.';
comment on column public.analysis_jobs.type is 'Which handler runs it.';
comment on column public.analysis_jobs.input is
    'What the handler is given. Files are named as {"files": [{"bucket", "path"}]}, never embedded.';
comment on column public.analysis_jobs.input_hash is
    'SHA-256, hexadecimal, of type and input, with the versions of files for their names; null for rows not made by '
    'enqueue_analysis.';
comment on column public.analysis_jobs.cache_key is
    'Where its result goes in analysis_cache; null where its type caches nothing.';
comment on column public.analysis_jobs.status is 'pending, processing, completed, failed or cancelled.';
comment on column public.analysis_jobs.priority is
    'Higher is claimed first; each level is worth ten seconds of waiting.';
comment on column public.analysis_jobs.scheduled_at is 'Not claimed before; a retry or a deferral moves it.';
comment on column public.analysis_jobs.attempt is
    'Attempts used so far, the running one included; a deferred or released attempt is given back.';
comment on column public.analysis_jobs.max_attempts is 'The attempt that may not fail without failing the job.';
comment on column public.analysis_jobs.rescues is 'Attempts that ended because the worker died.';
comment on column public.analysis_jobs.lease_id is
    'Right of one worker to write to this job; one lease may hold several jobs of one claim.';
comment on column public.analysis_jobs.leased_by is 'The worker that holds the lease.';
comment on column public.analysis_jobs.deadline_at is 'When the running attempt has to be over.';
comment on column public.analysis_jobs.progress is 'Of the running attempt, 0 to 1.';
comment on column public.analysis_jobs.phase is 'What the running attempt is doing, in a word for people.';
comment on column public.analysis_jobs.result is 'What the handler returned; set exactly when completed.';
comment on column public.analysis_jobs.error is
    'Why it failed, as far as its user may know: {code, message, retryable}; set exactly when failed.';
comment on column public.analysis_jobs.cached is 'Completed from an earlier result, without an attempt.';
comment on column public.analysis_jobs.created_at is 'When it was enqueued.';
comment on column public.analysis_jobs.started_at is 'When the latest attempt started.';
comment on column public.analysis_jobs.finished_at is 'When it was completed, failed or cancelled.';

-- Queue -------------------------------------------------------------------------------------------------------------
-- Written by triggers on analysis_jobs and by claims; the file about the queue says how.
create table public.analysis_queue (
    job_id uuid not null,
    type text not null,
    user_id uuid not null,
    state text not null,
    position timestamptz not null,
    priority integer not null,
    sequence bigint generated always as identity,

    constraint analysis_queue_pkey primary key (job_id),
    constraint analysis_queue_job_id_fkey
        foreign key (job_id) references public.analysis_jobs (id) on delete cascade,
    constraint analysis_queue_state_is_known check (state in ('claimable', 'waiting', 'delayed')),
    constraint analysis_queue_position_is_a_time check (isfinite(position))
) with (
    fillfactor = 90,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_analyze_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.05
);
alter table public.analysis_queue enable row level security;

-- The queue changes faster than its statistics, so for every question there is one index that fits and no other that
-- seems to; hence the predicates.
--
-- What a claim reads: the claimable rows of one type, in order; also which delayed rows are due. Only for questions
-- that start from the head, and say so by position > '-infinity'.
create index analysis_queue_head_idx on public.analysis_queue (type, state, position, sequence)
    where state in ('claimable', 'delayed') and position > '-infinity';
-- Which of one user's rows do not wait for another one.
create index analysis_queue_turn_idx on public.analysis_queue (user_id, type, state, position)
    where state in ('claimable', 'delayed');
-- Which users have rows that wait, and which of a user's is the next.
create index analysis_queue_waiting_idx on public.analysis_queue (type, user_id, position, sequence)
    where state = 'waiting';

comment on table public.analysis_queue is
    'Who is next: one row for every pending job, gone when it is claimed or cancelled. Not published to Realtime.';
comment on column public.analysis_queue.job_id is 'The pending job.';
comment on column public.analysis_queue.type is 'Its type.';
comment on column public.analysis_queue.user_id is
    'Its user; the highest UUID for jobs without one, which take turns like the jobs of one user.';
comment on column public.analysis_queue.state is
    'claimable: may be claimed now. waiting: behind a claimable job of the same user, or the user runs as many as '
    'allowed. delayed: not due yet.';
comment on column public.analysis_queue.position is
    'The place, the earlier the better. Claimable: among all, since when it is, moved by its priority. Waiting: among '
    'the user''s own, since when it is due, moved alike. Delayed: when it will be due.';
comment on column public.analysis_queue.priority is 'The job''s; each level moves a place by ten seconds.';
comment on column public.analysis_queue.sequence is 'Who was first among equals.';

-- Attempts ----------------------------------------------------------------------------------------------------------
create table public.analysis_attempts (
    job_id uuid not null,
    lease_id uuid not null,
    attempt integer not null,
    worker_id text not null,
    started_at timestamptz not null default now(),
    finished_at timestamptz,
    outcome text,
    error jsonb,
    usage jsonb,

    constraint analysis_attempts_pkey primary key (job_id, lease_id),
    constraint analysis_attempts_job_id_fkey
        foreign key (job_id) references public.analysis_jobs (id) on delete cascade,
    constraint analysis_attempts_attempt_is_positive check (attempt >= 1),
    constraint analysis_attempts_worker_id_is_short check (length(worker_id) between 1 and 200),
    constraint analysis_attempts_outcome_is_known check (
        outcome in ('completed', 'failed', 'deferred', 'released', 'lost', 'cancelled', 'expired')
    ),
    constraint analysis_attempts_finished_with_outcome check ((outcome is null) = (finished_at is null)),
    constraint analysis_attempts_error_unless_completed
        check (error is null or outcome not in ('completed', 'released', 'cancelled')),
    constraint analysis_attempts_error_has_shape check (
        error is null
        or (
            jsonb_typeof(error -> 'code') is not distinct from 'string'
            and jsonb_typeof(error -> 'message') is not distinct from 'string'
            and pg_column_size(error) <= 16384
        )
    ),
    constraint analysis_attempts_usage_is_object
        check (jsonb_typeof(usage) = 'object' and pg_column_size(usage) <= 16384)
) with (
    fillfactor = 85,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.05
);
alter table public.analysis_attempts enable row level security;

-- Was this lease used, and for what: asked at the start of every claim.
create index analysis_attempts_lease_id_idx on public.analysis_attempts (lease_id);

comment on table public.analysis_attempts is 'One row per claim of a job; says how that lease ended.';
comment on column public.analysis_attempts.job_id is 'The job that was claimed.';
comment on column public.analysis_attempts.lease_id is
    'The lease it was claimed under; a job is claimed once under a lease.';
comment on column public.analysis_attempts.attempt is
    'The job''s count at this claim; repeats where an attempt was given back.';
comment on column public.analysis_attempts.worker_id is 'Who claimed.';
comment on column public.analysis_attempts.started_at is 'When it was claimed.';
comment on column public.analysis_attempts.finished_at is 'When the lease ended; null while it runs.';
comment on column public.analysis_attempts.outcome is
    'How the lease ended. By its worker: completed, failed, deferred, released. By others: cancelled (the user), '
    'lost (the worker died), expired (past the deadline). Null while it runs.';
comment on column public.analysis_attempts.error is 'The whole error, not for users; of a deferral its reason.';
comment on column public.analysis_attempts.usage is 'What it consumed (tokens, cost), as the worker reported it.';

-- Workers -----------------------------------------------------------------------------------------------------------
-- No index on heartbeat_at: with none touched, and room on the page, a heartbeat rewrites one small row in place.
create table public.analysis_workers (
    id text not null,
    started_at timestamptz not null default now(),
    heartbeat_at timestamptz not null default now(),
    lease_seconds double precision not null default 25,
    state jsonb not null default '{}',

    constraint analysis_workers_pkey primary key (id),
    constraint analysis_workers_id_is_short check (length(id) between 1 and 200),
    constraint analysis_workers_lease_seconds_in_range check (lease_seconds between 2 and 3600),
    constraint analysis_workers_state_is_object
        check (jsonb_typeof(state) = 'object' and pg_column_size(state) <= 16384)
) with (
    fillfactor = 50,
    autovacuum_vacuum_threshold = 200,
    autovacuum_vacuum_scale_factor = 0
);
alter table public.analysis_workers enable row level security;

comment on table public.analysis_workers is 'One row per worker, alive or lately so.';
comment on column public.analysis_workers.id is 'Chosen by the worker, new for every start.';
comment on column public.analysis_workers.started_at is 'First sign of life.';
comment on column public.analysis_workers.heartbeat_at is 'Last sign of life.';
comment on column public.analysis_workers.lease_seconds is
    'Without a sign of life for so long, the worker counts as dead and its jobs are rescued.';
comment on column public.analysis_workers.state is 'What the worker says of itself: version, types, load.';

-- Audit -------------------------------------------------------------------------------------------------------------
create table public.analysis_audit (
    id bigint generated always as identity,
    at timestamptz not null default now(),
    actor text not null,
    action text not null,
    details jsonb not null default '{}',

    constraint analysis_audit_pkey primary key (id),
    constraint analysis_audit_details_is_object
        check (jsonb_typeof(details) = 'object' and pg_column_size(details) <= 16384)
);
alter table public.analysis_audit enable row level security;

comment on table public.analysis_audit is
    'What operators did to jobs of others. Says what and how much, never what the jobs contain.';
comment on column public.analysis_audit.id is 'Order of entries.';
comment on column public.analysis_audit.at is 'When.';
comment on column public.analysis_audit.actor is 'Who: the role, and the user id where the request had one.';
comment on column public.analysis_audit.action is 'The function that was called.';
comment on column public.analysis_audit.details is 'Its arguments and counts.';

-- Who may touch what ------------------------------------------------------------------------------------------------
revoke all
    on public.analysis_types, public.analysis_jobs, public.analysis_queue, public.analysis_attempts,
        public.analysis_workers, public.analysis_audit
    from public, anon, authenticated, service_role;
grant select, insert, update, delete
    on public.analysis_types, public.analysis_jobs, public.analysis_attempts, public.analysis_workers to service_role;
grant select on public.analysis_queue, public.analysis_audit to service_role;
grant select on public.analysis_jobs to authenticated;

create policy "owners read their jobs" on public.analysis_jobs
    for select to authenticated using (user_id = (select auth.uid()));
