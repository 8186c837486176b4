-- Erasing a user finds the file of an input that names a single one, too.
--
-- Inputs name one file in `file`, several in `files`. Only the latter were looked for outside the bucket for analyses.

create or replace function private.list_user_objects(owner uuid, job_ids uuid[])
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
    objects jsonb;
begin
    select jsonb_agg(jsonb_build_object('bucket', mine.bucket_id, 'name', mine.name) order by mine.bucket_id, mine.name)
    into objects
    from (
        select uploaded.bucket_id, uploaded.name
        from storage.objects as uploaded
        where uploaded.bucket_id = 'analysis-inputs'
            and uploaded.name collate "C" >= list_user_objects.owner || '/'
            and uploaded.name collate "C" < list_user_objects.owner || '0'  -- the character after the slash
        union
        select used.bucket_id, used.name
        from public.analysis_jobs as job
        cross join lateral jsonb_array_elements(
            case jsonb_typeof(job.input -> 'files') when 'array' then job.input -> 'files' else '[]' end
                || jsonb_build_array(job.input -> 'file')
        ) as file
        join storage.objects as used on used.bucket_id = file.value ->> 'bucket' and used.name = file.value ->> 'path'
        where job.id = any (job_ids) and split_part(used.name, '/', 1) = list_user_objects.owner::text
    ) as mine;
    return coalesce(objects, '[]');
end
$$;
