-- How jobs are watched, and where their files lie.
--
-- Realtime: the only published table is analysis_jobs. Workers listen for its inserts, users for the updates of their
-- own rows; row level security is checked for each subscriber. Replica identity stays the default, the primary key:
-- more would put whole old rows into the log, and nobody reads them.
--
-- Storage: inputs lie in a private bucket, each user's in a folder named by the user's id. There is no policy for
-- updates: a file that was enqueued is what the result was made from, so it may be deleted but not replaced.

alter publication supabase_realtime add table public.analysis_jobs;

insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
values (
    'analysis-inputs',
    'analysis-inputs',
    false,
    20 * 1024 * 1024,
    array['image/jpeg', 'image/png', 'image/webp', 'application/pdf']
)
on conflict (id) do update
set public = excluded.public,
    file_size_limit = excluded.file_size_limit,
    allowed_mime_types = excluded.allowed_mime_types;

create policy "owners read their analysis inputs" on storage.objects
    for select to authenticated
    using (bucket_id = 'analysis-inputs' and (storage.foldername(name))[1] = (select auth.uid())::text);

create policy "owners add their analysis inputs" on storage.objects
    for insert to authenticated
    with check (bucket_id = 'analysis-inputs' and (storage.foldername(name))[1] = (select auth.uid())::text);

create policy "owners delete their analysis inputs" on storage.objects
    for delete to authenticated
    using (bucket_id = 'analysis-inputs' and (storage.foldername(name))[1] = (select auth.uid())::text);
