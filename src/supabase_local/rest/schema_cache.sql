-- What the REST layer must know of the exposed schema before it can answer: functions, tables, and the settings that
-- the roles it impersonates carry. One row, three JSON documents. Run with an empty search_path, so that every type
-- name comes out qualified. Parameter: the exposed schema.
with exposed as (
    select n.oid from pg_catalog.pg_namespace n where n.nspname = $1
),
parameters as (
    select
        p.oid as function_id,
        a.position,
        coalesce(p.proargnames[a.position], '') as name,
        -- json_to_record pads and cuts to these types' default length of one
        case pg_catalog.format_type(a.type, null)
            when 'character' then 'character varying'
            when 'bit' then 'bit varying'
            else pg_catalog.format_type(a.type, null)
        end as type,
        coalesce(p.proargmodes[a.position], 'i') = 'v' as variadic,
        row_number() over (partition by p.oid order by a.position) <= p.pronargs - p.pronargdefaults as required
    from pg_catalog.pg_proc p
    join exposed e on e.oid = p.pronamespace
    cross join lateral unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) with ordinality a (type, position)
    where coalesce(p.proargmodes[a.position], 'i') in ('i', 'b', 'v')
),
functions as (
    select json_build_object(
        'name', p.proname,
        'volatile', p.provolatile = 'v',
        'returns', case
            when p.prorettype = 'void'::regtype and not p.proretset then 'void'
            when t.typtype = 'c' or coalesce(p.proargmodes::text[] && '{o,b,t}', false) then 'row'
            else 'scalar'
        end,
        'returns_set', p.proretset,
        'settings', coalesce(to_json(p.proconfig), '[]'),
        'parameters', coalesce((
            select json_agg(json_build_object('name', q.name, 'type', q.type, 'variadic', q.variadic,
                                              'required', q.required) order by q.position)
            from parameters q where q.function_id = p.oid
        ), '[]')
    ) as document
    from pg_catalog.pg_proc p
    join exposed e on e.oid = p.pronamespace
    join pg_catalog.pg_type t on t.oid = p.prorettype
    where p.prokind = 'f'
    order by p.proname, p.oid
),
tables as (
    select json_build_object(
        'name', c.relname,
        'columns', (
            select coalesce(json_agg(json_build_object(
                'name', a.attname,
                'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
                'default', case when a.attidentity <> ''
                    then (select format('nextval(%L::regclass)', o.objid::regclass)
                          from pg_catalog.pg_depend o
                          where o.classid = 'pg_class'::regclass and o.refclassid = 'pg_class'::regclass
                            and o.refobjid = a.attrelid and o.refobjsubid = a.attnum and o.deptype = 'i')
                    else pg_catalog.pg_get_expr(d.adbin, d.adrelid) end
            ) order by a.attnum), '[]')
            from pg_catalog.pg_attribute a
            left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        ),
        'primary_key', coalesce((
            select json_agg(a.attname order by k.position)
            from pg_catalog.pg_index i
            cross join lateral unnest(i.indkey::int2[]) with ordinality k (number, position)
            join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = k.number
            where i.indrelid = c.oid and i.indisprimary
        ), '[]')
    ) as document
    from pg_catalog.pg_class c
    join exposed e on e.oid = c.relnamespace
    where c.relkind in ('r', 'v', 'm', 'f', 'p')
    order by c.relname
),
role_settings as (
    select r.rolname as role, split_part(s.setting, '=', 1) as name,
           substr(s.setting, strpos(s.setting, '=') + 1) as value
    from pg_catalog.pg_db_role_setting g
    join pg_catalog.pg_roles r on r.oid = g.setrole
    cross join lateral unnest(g.setconfig) s (setting)
    where g.setdatabase in (0, (select d.oid from pg_catalog.pg_database d where d.datname = current_database()))
      and pg_catalog.pg_has_role(r.oid, 'member') and r.rolname <> current_user
),
roles as (
    select s.role, json_object_agg(s.name, s.value) as settings
    from role_settings s
    join pg_catalog.pg_settings known on known.name = s.name and known.context = 'user'
    group by s.role
)
select
    (select coalesce(json_agg(f.document), '[]') from functions f) as functions,
    (select coalesce(json_agg(t.document), '[]') from tables t) as tables,
    (select coalesce(json_object_agg(r.role, r.settings), '{}') from roles r) as role_settings
