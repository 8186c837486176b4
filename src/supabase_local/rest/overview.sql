-- The OpenAPI document of the exposed schema, as far as clients look at it: which tables and functions there are for
-- the role that asks. Parameters: the exposed schema, the version.
with tables as (
    select c.oid, c.relname as name
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and c.relkind in ('r', 'v', 'm', 'f', 'p')
      and pg_catalog.has_table_privilege(c.oid, 'select, insert, update, delete')
),
functions as (
    select distinct p.proname as name
    from pg_catalog.pg_proc p
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where n.nspname = $1 and p.prokind = 'f' and pg_catalog.has_function_privilege(p.oid, 'execute')
),
definitions as (
    select t.name, (
        select json_build_object('type', 'object', 'properties', coalesce(json_object_agg(
            a.attname, json_build_object('format', pg_catalog.format_type(a.atttypid, a.atttypmod))), '{}'))
        from pg_catalog.pg_attribute a
        where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
    ) as document
    from tables t
),
paths as (
    select '/' as path
    union all select '/' || t.name from tables t
    union all select '/rpc/' || f.name from functions f
)
select
    null::bigint,
    1::bigint,
    json_build_object(
        'swagger', '2.0',
        'info', json_build_object('title', 'standard public schema', 'version', $2::text),
        'definitions', (select coalesce(json_object_agg(d.name, d.document), '{}') from definitions d),
        'paths', (select json_object_agg(p.path, '{}'::json) from paths p)
    )::text,
    null::bigint,
    null::text,
    null::text,
    null::text
