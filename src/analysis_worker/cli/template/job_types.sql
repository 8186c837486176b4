-- The job types of this application. How each is treated is a row, editable while running; what the columns mean stands
-- with them in the database. A type can only be enqueued where it is listed here, and is run by the handler of its name.

insert into public.analysis_types (type, timeout_seconds, max_attempts)
values ('shout', 30, 3);
