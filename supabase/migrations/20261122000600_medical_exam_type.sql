-- A job type of the application, apart from the engine's migrations: another application replaces this file by its
-- own.
--
-- medical_exam: a photo or scan of a lab report, read into structured values.
--
-- The schema is MedicalExamInput.model_json_schema(). A file is read once: asked for again within a week, its values
-- are answered from the cache, to its user only, because they are health data. So whoever releases a reader that reads
-- differently also changes prompt_version. The rate is far above what a person uploads and far below what a script
-- can; results are kept until their user has them deleted.

insert into public.analysis_types (
    type, timeout_seconds, max_attempts, rate_limit, rate_window_seconds, max_pending_per_user, cache_ttl_seconds,
    cache_scope, retain_failed_days, input_schema
)
values (
    'medical_exam', 60, 3, 60, 3600, 20, 7 * 24 * 3600, 'user', 90,
    $schema$
{
  "$defs": {
    "StoredFile": {
      "additionalProperties": false,
      "description":
        "An object in Supabase Storage; that it belongs to the caller is checked when the job is enqueued.",
      "properties": {
        "bucket": {
          "const": "analysis-inputs",
          "default": "analysis-inputs",
          "title": "Bucket",
          "type": "string"
        },
        "path": {
          "maxLength": 512,
          "minLength": 1,
          "title": "Path",
          "type": "string"
        }
      },
      "required": [
        "path"
      ],
      "title": "StoredFile",
      "type": "object"
    }
  },
  "additionalProperties": false,
  "description": "A list, so that reports of several pages need no other shape; one page for now.",
  "properties": {
    "files": {
      "items": {
        "$ref": "#/$defs/StoredFile"
      },
      "maxItems": 1,
      "minItems": 1,
      "title": "Files",
      "type": "array"
    }
  },
  "required": [
    "files"
  ],
  "title": "MedicalExamInput",
  "type": "object"
}
$schema$
);
