-- Inputs are checked in SQL against the JSON schema of their type, before a job exists.
--
-- The schema is what pydantic emits for the handler's model. We check the keywords that such schemas use:
--
--     type (one or several), enum, const, $ref to #/$defs, anyOf,
--     properties, required, additionalProperties, items, minItems, maxItems,
--     minLength, maxLength, pattern, minimum, maximum, exclusiveMinimum, exclusiveMaximum
--
-- and skip those that only describe: title, description, default, examples, format. A schema with any other keyword is
-- refused when it is stored, because leaving a keyword out would silently accept what the handler then refuses.
--
-- Differences from JSON Schema 2020-12: patterns are PostgreSQL's, where a dot also matches a line break, and what is
-- nested more than 64 levels deep is refused.
--
-- Messages go into the HTTP status line, so they are short, ASCII and free of values; names that the caller made up
-- appear as a question mark.

-- Checking a value --------------------------------------------------------------------------------------------------
-- A problem is {path, what is wrong}, or null. The find_ functions call each other down the value; root is where
-- $defs are looked up.
create function private.extend_json_path(path text, name text)
returns text
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
    return concat_ws('.', nullif(path, ''), case when name ~ '^[A-Za-z0-9_-]{1,40}$' then name else '?' end);
end
$$;
comment on function private.extend_json_path(text, text) is 'The path of a property.';

create function private.is_json_type(value jsonb, types jsonb)
returns boolean
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
    return types @> to_jsonb(jsonb_typeof(value))
        or (
            types @> '"integer"'
            and jsonb_typeof(value) = 'number'
            and trunc(value::numeric) = value::numeric
        );
end
$$;
comment on function private.is_json_type(jsonb, jsonb) is 'Whether a value is of this type, or of one of these.';

create function private.find_scalar_problem(schema jsonb, value jsonb, path text)
returns text[]
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
    string text;
    number numeric;
begin
    if jsonb_typeof(value) = 'string' then
        string := value #>> '{}';
        return case
            when length(string) < (schema ->> 'minLength')::numeric then array[path, 'is too short']
            when length(string) > (schema ->> 'maxLength')::numeric then array[path, 'is too long']
            when string !~ (schema ->> 'pattern') then array[path, 'has the wrong form']
        end;
    end if;
    if jsonb_typeof(value) = 'number' then
        number := value::numeric;
        return case
            when number < (schema ->> 'minimum')::numeric or number <= (schema ->> 'exclusiveMinimum')::numeric
                then array[path, 'is too small']
            when number > (schema ->> 'maximum')::numeric or number >= (schema ->> 'exclusiveMaximum')::numeric
                then array[path, 'is too large']
        end;
    end if;
    return null;
end
$$;
comment on function private.find_scalar_problem(jsonb, jsonb, text) is
    'The problem of a value without parts, if any.';

create function private.find_array_problem(root jsonb, schema jsonb, value jsonb, path text, depth integer)
returns text[]
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
    item record;
    problem text[];
begin
    if jsonb_array_length(value) < (schema ->> 'minItems')::numeric then
        return array[path, 'has too few items'];
    end if;
    if jsonb_array_length(value) > (schema ->> 'maxItems')::numeric then
        return array[path, 'has too many items'];
    end if;
    if not schema ? 'items' then
        return null;
    end if;
    for item in
        select element.value, element.position
        from jsonb_array_elements(value) with ordinality as element (value, position)
    loop
        problem := private.find_json_problem(
            root, schema -> 'items', item.value, format('%s[%s]', path, item.position - 1), depth
        );
        if problem is not null then
            return problem;
        end if;
    end loop;
    return null;
end
$$;
comment on function private.find_array_problem(jsonb, jsonb, jsonb, text, integer) is 'The first problem in an array.';

create function private.find_object_problem(root jsonb, schema jsonb, value jsonb, path text, depth integer)
returns text[]
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
    name text;
    member record;
    problem text[];
begin
    for name in select wanted.name from jsonb_array_elements_text(schema -> 'required') as wanted (name) loop
        if not value ? name then
            return array[private.extend_json_path(path, name), 'is missing'];
        end if;
    end loop;
    if not (schema ? 'properties' or schema ? 'additionalProperties') then
        return null;
    end if;
    for member in
        select
            property.key,
            property.value,
            coalesce(schema -> 'properties' -> property.key, schema -> 'additionalProperties') as wanted
        from jsonb_each(value) as property
    loop
        if member.wanted is not null then
            problem := private.find_json_problem(
                root, member.wanted, member.value, private.extend_json_path(path, member.key), depth
            );
            if problem is not null then
                return problem;
            end if;
        end if;
    end loop;
    return null;
end
$$;
comment on function private.find_object_problem(jsonb, jsonb, jsonb, text, integer) is
    'The first problem in an object.';

create function private.find_choice_problem(root jsonb, choices jsonb, value jsonb, path text, depth integer)
returns text[]
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
    choice jsonb;
    problem text[];
    deepest text[] := array[path, 'fits none of the allowed forms'];
begin
    for choice in select element.value from jsonb_array_elements(choices) as element loop
        problem := private.find_json_problem(root, choice, value, path, depth);
        if problem is null then
            return null;
        end if;
        -- The choice that got furthest is most likely the one that was meant.
        if length(problem[1]) > length(deepest[1]) then
            deepest := problem;
        end if;
    end loop;
    return deepest;
end
$$;
comment on function private.find_choice_problem(jsonb, jsonb, jsonb, text, integer) is
    'What keeps a value from fitting any of these schemas.';

create function private.find_json_problem(root jsonb, schema jsonb, value jsonb, path text, depth integer)
returns text[]
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
    problem text[];
begin
    if jsonb_typeof(schema) = 'boolean' then
        return case when schema = 'false' then array[path, 'is not allowed'] end;
    end if;
    if depth > 64 then
        return array[path, 'is nested too deeply'];
    end if;
    if schema ? '$ref' then
        problem := private.find_json_problem(
            root, root -> '$defs' -> substr(schema ->> '$ref', 9), value, path, depth + 1
        );
        if problem is not null then
            return problem;
        end if;
    end if;

    if schema ? 'type' and not private.is_json_type(value, schema -> 'type') then
        return array[
            path,
            'must be '
            || case jsonb_typeof(schema -> 'type')
                when 'string' then schema ->> 'type'
                else (select string_agg(name, ' or ') from jsonb_array_elements_text(schema -> 'type') as name)
            end
        ];
    end if;
    if value <> schema -> 'const'
        or (
            schema ? 'enum'
            and not exists (
                select from jsonb_array_elements(schema -> 'enum') as allowed
                where allowed.value = find_json_problem.value
            )
        )
    then
        return array[path, 'is not one of the allowed values'];
    end if;
    if schema ? 'anyOf' then
        problem := private.find_choice_problem(root, schema -> 'anyOf', value, path, depth + 1);
        if problem is not null then
            return problem;
        end if;
    end if;

    return case jsonb_typeof(value)
        when 'object' then private.find_object_problem(root, schema, value, path, depth + 1)
        when 'array' then private.find_array_problem(root, schema, value, path, depth + 1)
        else private.find_scalar_problem(schema, value, path)
    end;
end
$$;
comment on function private.find_json_problem(jsonb, jsonb, jsonb, text, integer) is
    'The first problem that a value has with a schema.';

create function private.validate_json(schema jsonb, value jsonb)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
    problem text[];
begin
    if schema is null then
        return;
    end if;
    problem := private.find_json_problem(schema, schema, value, '', 0);
    if problem is not null then
        raise exception using
            errcode = 'PT400',
            message = format('invalid input: %s %s', left(coalesce(nullif(problem[1], ''), 'input'), 120), problem[2]),
            detail = jsonb_build_object('field', problem[1])::text;
    end if;
end
$$;
comment on function private.validate_json(jsonb, jsonb) is
    'Raises PT400 unless the value fits the schema; the detail is {"field": path of the first problem}. A null schema '
    'fits everything.';

-- Checking a schema -------------------------------------------------------------------------------------------------
create function private.is_pattern(pattern text)
returns boolean
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
    perform '' ~ pattern;
    return true;
exception
    when invalid_regular_expression then
        return false;
end
$$;
comment on function private.is_pattern(text) is 'Whether this can be used as a regular expression.';

create function private.is_schema_loop(root jsonb, schema jsonb, followed text[])
returns boolean
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
    target text := substr(schema ->> '$ref', 9);
    choice jsonb;
begin
    if target = any (followed)
        or (target is not null and private.is_schema_loop(root, root -> '$defs' -> target, followed || target))
    then
        return true;
    end if;
    for choice in select element.value from jsonb_array_elements(schema -> 'anyOf') as element loop
        if private.is_schema_loop(root, choice, followed) then
            return true;
        end if;
    end loop;
    return false;
end
$$;
comment on function private.is_schema_loop(jsonb, jsonb, text[]) is
    'Whether following $ref and anyOf comes back to a definition without having gone a step down the value.';

create function private.is_keyword_value(root jsonb, keyword text, argument jsonb)
returns boolean
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
    kind text := jsonb_typeof(argument);
    types constant jsonb := '["string", "number", "integer", "boolean", "object", "array", "null"]';
begin
    return case
        when keyword in ('title', 'description', 'default', 'examples', 'format', 'const') then true
        when keyword in ('minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum') then kind = 'number'
        when keyword in ('minLength', 'maxLength', 'minItems', 'maxItems')
            then private.is_json_type(argument, '"integer"') and argument >= '0'
        when keyword = 'type' then kind in ('string', 'array') and argument <> '[]' and types @> argument
        when keyword = 'enum' then kind = 'array'
        when keyword = 'required'
            then kind = 'array' and not jsonb_path_exists(argument, 'strict $[*] ? (@.type() != "string")')
        when keyword = 'pattern' then kind = 'string' and private.is_pattern(argument #>> '{}')
        when keyword = 'anyOf' then kind = 'array' and argument <> '[]'
        when keyword in ('properties', '$defs') then kind = 'object'
        when keyword in ('items', 'additionalProperties') then kind in ('object', 'boolean')
        when keyword = '$ref'
            then kind = 'string'
                and starts_with(argument #>> '{}', '#/$defs/')
                and coalesce(root -> '$defs' ? substr(argument #>> '{}', 9), false)
        else false
    end;
end
$$;
comment on function private.is_keyword_value(jsonb, text, jsonb) is
    'Whether we know this keyword of JSON schema and it may have this value.';

create function private.find_schema_problem(root jsonb, schema jsonb, path text)
returns text
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
    part record;
    problem text;
begin
    if jsonb_typeof(schema) = 'boolean' then
        return null;
    end if;
    if jsonb_typeof(schema) is distinct from 'object' then
        return format('%s is no schema', path);
    end if;
    for part in select keyword.key, keyword.value from jsonb_each(schema) as keyword loop
        if not private.is_keyword_value(root, part.key, part.value) or (part.key = '$defs' and path <> '#') then
            return format('%s/%s is not supported', path, part.key);
        end if;
    end loop;
    for part in
        select format('%s/%s', path, single.key) as place, single.value as content
        from jsonb_each(schema) as single
        where single.key in ('items', 'additionalProperties')
        union all
        select format('%s/anyOf/%s', path, choice.position - 1), choice.value
        from jsonb_array_elements(schema -> 'anyOf') with ordinality as choice (value, position)
        union all
        select format('%s/%s/%s', path, named.keyword, member.key), member.value
        from (values ('properties'), ('$defs')) as named (keyword)
        cross join lateral jsonb_each(schema -> named.keyword) as member
    loop
        problem := private.find_schema_problem(root, part.content, part.place);
        if problem is not null then
            return problem;
        end if;
    end loop;
    return null;
end
$$;
comment on function private.find_schema_problem(jsonb, jsonb, text) is
    'Why we cannot check values against this schema; null where we can.';

create function private.check_input_schema()
returns trigger
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
    problem text := private.find_schema_problem(new.input_schema, new.input_schema, '#');
    definition text;
begin
    for definition in select jsonb_object_keys(new.input_schema -> '$defs') where problem is null loop
        if private.is_schema_loop(new.input_schema, new.input_schema -> '$defs' -> definition, array[definition]) then
            problem := format('#/$defs/%s refers to itself', definition);
        end if;
    end loop;
    if problem is not null then
        raise exception using
            errcode = 'check_violation',
            constraint = 'analysis_types_input_schema_is_supported',
            message = 'input_schema cannot be used',
            detail = problem;
    end if;
    return new;
end
$$;
comment on function private.check_input_schema() is
    'Refuses schemas that we cannot check; as their owner, so that whoever edits a type needs no right to the parts.';

create trigger analysis_types_check_input_schema
    before insert or update of input_schema on public.analysis_types
    for each row when (jsonb_typeof(new.input_schema) = 'object')
    execute function private.check_input_schema();

-- Who may call what -------------------------------------------------------------------------------------------------
revoke all on function
    private.extend_json_path(text, text),
    private.is_json_type(jsonb, jsonb),
    private.find_scalar_problem(jsonb, jsonb, text),
    private.find_array_problem(jsonb, jsonb, jsonb, text, integer),
    private.find_object_problem(jsonb, jsonb, jsonb, text, integer),
    private.find_choice_problem(jsonb, jsonb, jsonb, text, integer),
    private.find_json_problem(jsonb, jsonb, jsonb, text, integer),
    private.validate_json(jsonb, jsonb),
    private.is_pattern(text),
    private.is_schema_loop(jsonb, jsonb, text[]),
    private.is_keyword_value(jsonb, text, jsonb),
    private.find_schema_problem(jsonb, jsonb, text),
    private.check_input_schema()
from public, anon, authenticated, service_role;
