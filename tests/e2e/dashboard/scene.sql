-- A day of an app that is doing well but for one provider.

-- Jobs of the last 24 hours, denser towards now; in the last half hour one provider often fails.
with planned as (
    select
        number,
        now() - interval '24 hours' * power(number / 900.0, 1.7) - interval '20 seconds' as ended,
        (array['sofia_text', 'sofia_image', 'medical_exam', 'meal_plan', 'dr_vital'])[1 + number * 7 % 5] as type,
        2 + (number * 37 % 100) / 12.0 as ran
    from generate_series(1, 900) as number
), judged as (
    select *, case
        when type = 'sofia_image' and ended > now() - interval '30 minutes' and number % 3 > 0 then 'failed'
        when number % 41 = 0 then 'failed'
        when number % 83 = 0 then 'cancelled'
        else 'completed'
    end as status
    from planned
), ended as (
    insert into public.analysis_jobs (
        type, input, status, attempt, result, error, created_at, scheduled_at, started_at, finished_at, progress
    )
    select
        type, '{"text": "2 colheres de arroz"}', status, 1,
        case status when 'completed' then '{"kcal": 130}'::jsonb end,
        case status when 'failed' then jsonb_build_object(
            'code', case type when 'sofia_image' then 'provider_unavailable' else 'unreadable' end,
            'message', case type
                when 'sofia_image' then 'The provider does not answer.' else 'There is nothing to read in it.'
            end
        ) end,
        ended - make_interval(secs => ran + 1), ended - make_interval(secs => ran + 1),
        ended - make_interval(secs => ran), ended, 1
    from judged
    returning id, type, status, error, started_at, finished_at
)
insert into public.analysis_attempts (
    job_id, lease_id, attempt, worker_id, started_at, finished_at, outcome, error, usage
)
select
    id, gen_random_uuid(), 1, 'worker-' || (array['a1f3', 'c27e'])[1 + abs(hashtext(id::text)) % 2],
    started_at, finished_at, status, error,
    jsonb_build_object(
        'model', 'gemini', 'input_tokens', 900 + abs(hashtext(id::text)) % 900,
        'output_tokens', 200 + abs(hashtext(id::text)) % 200, 'cost_micro_usd', 300 + abs(hashtext(id::text)) % 600
    )
from ended;

insert into public.analysis_workers (id, started_at, lease_seconds)
values ('worker-a1f3', now() - interval '3 days', 3600), ('worker-c27e', now() - interval '5 hours', 3600);

with running as (
    insert into public.analysis_jobs (
        type, input, status, attempt, lease_id, leased_by, deadline_at, started_at, progress, phase
    )
    select type, '{}', 'processing', 1, gen_random_uuid(), worker, now() + interval '1 hour', now(), progress, phase
    from (values
        ('sofia_image', 'worker-a1f3', 0.4, 'looking at the photo'),
        ('medical_exam', 'worker-c27e', 0.7, 'reading page 2 of 3'),
        ('meal_plan', 'worker-c27e', 0.2, 'choosing meals')
    ) as one (type, worker, progress, phase)
    returning id, lease_id, leased_by, started_at
)
insert into public.analysis_attempts (job_id, lease_id, attempt, worker_id, started_at)
select id, lease_id, 1, leased_by, started_at from running;

insert into public.analysis_jobs (type, input, user_id)
select 'sofia_image', '{"text": "arroz"}', null from generate_series(1, 7);

-- One job that failed three times, with all that a timeline can show.
with job as (
    insert into public.analysis_jobs (
        type, input, status, attempt, error, created_at, scheduled_at, started_at, finished_at
    )
    values (
        'sofia_image', '{"text": "arroz"}', 'failed', 3,
        '{"code": "provider_unavailable", "message": "The provider does not answer."}',
        now() - interval '95 seconds', now() - interval '40 seconds', now() - interval '38 seconds', now()
    )
    returning id
)
insert into public.analysis_attempts (
    job_id, lease_id, attempt, worker_id, started_at, finished_at, outcome, error, usage
)
select
    job.id, gen_random_uuid(), attempt, worker,
    now() - make_interval(secs => began), now() - make_interval(secs => ended),
    outcome, case when outcome = 'failed' then
        '{"code": "provider_unavailable", "message": "HTTP 503 from the provider, 3 times in a row"}'::jsonb end,
    usage
from job cross join (values
    (1, 'worker-a1f3', 94, 84, 'failed', '{"input_tokens": 1290, "output_tokens": 0, "cost_micro_usd": 129}'::jsonb),
    (2, 'worker-c27e', 72, 66, 'released', null),
    (2, 'worker-c27e', 62, 48, 'failed', '{"input_tokens": 1290, "output_tokens": 87, "cost_micro_usd": 164}'),
    (3, 'worker-a1f3', 38, 0, 'failed', '{"input_tokens": 1290, "output_tokens": 0, "cost_micro_usd": 129}')
) as tried (attempt, worker, began, ended, outcome, usage);

update public.analysis_types set concurrency = 8 where type = 'sofia_image';
