-- Heartbeats read attempts by their keys, whatever the planner took the table for when the session began.
--
-- A session that planned while there were no attempts keeps its plan until statistics change, and a table that looks empty
-- is read from end to end.

alter function private.heartbeat_worker(text, jsonb, jsonb) set enable_seqscan = off;
alter function private.heartbeat_worker(text, jsonb, jsonb) set enable_hashjoin = off;
alter function private.heartbeat_worker(text, jsonb, jsonb) set enable_mergejoin = off;
