-- What the benchmark adds to a database with our migrations: a login for a worker, users, a type without limits, and a
-- short way to enqueue as one of the users, through the function that the API shows.

create role worker_login login password 'postgres' in role analysis_worker;

insert into auth.users (id) select lpad(to_hex(number), 32, '0')::uuid from generate_series(1, 1000) as number;
insert into public.analysis_types (type) values ('bench');

create schema bench;
grant usage on schema bench to public;

create function bench.enqueue(user_number integer, payload jsonb)
returns uuid
language plpgsql
as $$
begin
    perform set_config(
        'request.jwt.claims',
        json_build_object('role', 'authenticated', 'sub', lpad(to_hex(user_number + 1), 32, '0')::uuid)::text,
        true
    );
    perform set_config('role', 'authenticated', true);
    return public.enqueue_analysis('bench', payload) ->> 'id';
end
$$;

create function bench.cancel(job_id uuid)
returns void
language plpgsql
as $$
begin
    perform set_config('request.jwt.claims', '{"role": "service_role"}', true);
    perform set_config('role', 'service_role', true);
    perform public.cancel_analysis(job_id);
end
$$;
