-- The platform's auth.users knows phones; the stand-in's does not yet.
alter table auth.users
    add column if not exists phone text unique,
    add column if not exists phone_confirmed_at timestamptz;
