-- A job type of the application, apart from the engine's migrations: another application replaces this file by its
-- own.
--
-- medical_exam: a photo or scan of a lab report, read into structured values.

insert into public.analysis_types (type, timeout_seconds, max_attempts) values ('medical_exam', 60, 3);
