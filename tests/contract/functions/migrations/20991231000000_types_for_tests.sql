-- Types that a test of the functions may fill, pause and limit as it likes.
insert into public.analysis_types (type, flag_key, rate_limit, paused, cache_ttl_seconds, input_max_bytes, input_schema)
values
    ('echo', 'sofia', null, false, null, 65536, null),
    ('echo_cached', 'sofia', null, false, 3600, 65536, null),
    ('echo_limited', 'sofia', 1, false, null, 65536, null),
    ('echo_paused', 'sofia', null, true, null, 65536, null),
    ('echo_small', 'sofia', null, false, null, 100, null),
    (
        'echo_strict', 'sofia', null, false, null, 65536,
        '{"type": "object", "properties": {"meal": {"type": "array", "items": {"type": "string"}}}, "required": ["meal"]}'
    );
