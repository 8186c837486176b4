-- A role for workers, instead of service_role.
--
-- service_role passes row level security everywhere and may call everything. A worker needs much less: its ten
-- functions, and a sign over Realtime that there is something to claim. analysis_worker has that and nothing else: it
-- reads no input, no result and no user, except what it has claimed. Whoever gets hold of a worker's key cannot list
-- jobs, enqueue, cancel or read anybody's files with it.
--
-- To use it, give the worker a JWT of this project with the claim "role": "analysis_worker" (and an "exp"), signed like
-- the anon and service keys, as its key. A worker that downloads inputs from Storage needs a policy there, too, for
-- its buckets; that is the application's to add.
--
-- A role belongs to the whole server, so it may exist already where several databases share one.

do $$
begin
    if not exists (select from pg_catalog.pg_roles where rolname = 'analysis_worker') then
        create role analysis_worker nologin noinherit;
    end if;
end
$$;
grant analysis_worker to authenticator, postgres;

grant usage on schema public, private to analysis_worker;
grant execute on function
    private.claim_job(text, uuid, text[], integer),
    private.complete_job(uuid, uuid, jsonb, jsonb),
    private.fail_job(uuid, uuid, jsonb, boolean, double precision, jsonb),
    private.defer_job(uuid, uuid, double precision, text),
    private.release_job(uuid, uuid),
    private.report_progress(uuid, uuid, double precision, text),
    private.save_checkpoint(uuid, uuid, jsonb),
    private.heartbeat_worker(text, jsonb, jsonb),
    private.deregister_worker(text),
    private.reconcile_jobs(),
    public.claim_job(text, uuid, text[], integer),
    public.complete_job(uuid, uuid, jsonb, jsonb),
    public.fail_job(uuid, uuid, jsonb, boolean, double precision, jsonb),
    public.defer_job(uuid, uuid, double precision, text),
    public.release_job(uuid, uuid),
    public.report_progress(uuid, uuid, double precision, text),
    public.save_checkpoint(uuid, uuid, jsonb),
    public.heartbeat_worker(text, jsonb, jsonb),
    public.deregister_worker(text),
    public.reconcile_jobs()
to analysis_worker;

-- Realtime asks these of the role before it tells of a new or a cancelled job.
grant select (id, status) on public.analysis_jobs to analysis_worker;
create policy "workers see which jobs are pending or cancelled" on public.analysis_jobs
    for select to analysis_worker using (status in ('pending', 'cancelled'));
