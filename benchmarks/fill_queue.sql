-- A queue with a past, for measurements: made by generate_series in one statement per table.
--
-- To be run as a superuser; the procedures live as long as the session. No trigger fires and no foreign key is checked
-- while they fill, so they have to write what the triggers would have: the rows of analysis_queue.

set session_replication_role = replica;

create function pg_temp.user_number(number bigint)
returns uuid
language sql
immutable
return lpad(to_hex(number), 32, '0')::uuid;

-- Users number 1 to `users`, and a type without limits.
create procedure pg_temp.add_users_and_type(type text, users integer)
language plpgsql
as $$
begin
    insert into auth.users (id) select pg_temp.user_number(number) from generate_series(1, users) as number
    on conflict do nothing;
    insert into public.analysis_types (type) values (type) on conflict do nothing;
end
$$;

-- Jobs that ended within the last 90 days, most of them well, with one attempt each.
create procedure pg_temp.add_settled(type text, jobs integer, users integer)
language plpgsql
as $$
declare
    definitions text[];
    names text[];
    statement text;
begin
    call pg_temp.add_users_and_type(add_settled.type, users);
    -- Building an index at once takes a third of the time of filling it.
    select array_agg(pg_get_indexdef(index.indexrelid)), array_agg(index.indexrelid::regclass::text)
    into definitions, names
    from pg_index as index
    where index.indrelid in ('public.analysis_jobs'::regclass, 'public.analysis_attempts'::regclass)
        and not index.indisprimary;
    foreach statement in array names loop
        execute 'drop index ' || statement;
    end loop;

    with settled as (
        insert into public.analysis_jobs (
            user_id, type, input, status, attempt, result, error, progress,
            created_at, scheduled_at, started_at, finished_at
        )
        select
            pg_temp.user_number(1 + number % users), add_settled.type, jsonb_build_object('number', number), ended.status, 1,
            case ended.status when 'completed' then '{"answer": 42}'::jsonb end,
            case ended.status when 'failed' then '{"code": "broken", "message": "It broke."}'::jsonb end,
            1, since, since, since + interval '1 second', since + interval '3 seconds'
        from generate_series(1, jobs) as number
        cross join lateral (select now() - interval '1 hour' - number * (interval '90 days' / jobs)) as past (since)
        cross join lateral (
            select case when number % 50 = 0 then 'cancelled' when number % 10 = 0 then 'failed' else 'completed' end
        ) as ended (status)
        returning id, status, started_at, finished_at
    )
    insert into public.analysis_attempts (job_id, lease_id, attempt, worker_id, started_at, finished_at, outcome)
    select id, gen_random_uuid(), 1, 'past', started_at, finished_at, status from settled;

    foreach statement in array definitions loop
        execute statement;
    end loop;
end
$$;

-- Jobs that became due within the last hour; the first of each user is claimable, the others wait for it.
create procedure pg_temp.add_pending(type text, jobs integer, users integer)
language plpgsql
as $$
begin
    call pg_temp.add_users_and_type(add_pending.type, users);
    with pending as (
        insert into public.analysis_jobs (user_id, type, input, created_at, scheduled_at)
        select
            pg_temp.user_number(1 + number % users), add_pending.type, jsonb_build_object('number', number), since, since
        from generate_series(1, jobs) as number
        cross join lateral (select now() - interval '1 hour' + number * (interval '1 hour' / jobs)) as past (since)
        returning id, user_id, scheduled_at
    )
    insert into public.analysis_queue (job_id, type, user_id, state, position, priority)
    select
        id, add_pending.type, user_id,
        case row_number() over (partition by user_id order by scheduled_at) when 1 then 'claimable' else 'waiting' end,
        scheduled_at, 0
    from pending;
end
$$;
