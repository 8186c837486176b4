-- The job types of the application as its code describes them (maxnutrition.job_types), written by
-- `analysis-worker contracts migration`. What operators have changed since is set anew; what is paused stays so.

insert into public.analysis_types (
    type,
    timeout_seconds,
    max_attempts,
    priority,
    input_max_bytes,
    input_schema,
    rate_limit,
    rate_window_seconds,
    max_pending_per_user,
    cache_ttl_seconds,
    cache_scope,
    prompt_version,
    retain_completed_days,
    retain_failed_days,
    flag_key
)
values
('sofia_image', 60, 3, 0, 65536, 
$schema$
{
 "$defs": {
  "StoredFile": {
   "additionalProperties": false,
   "description": "An object in Supabase Storage; that it belongs to the caller is checked when the job is enqueued.",
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
 "properties": {
  "file": {
   "$ref": "#/$defs/StoredFile"
  },
  "meal": {
   "anyOf": [
    {
     "enum": [
      "breakfast",
      "morning_snack",
      "lunch",
      "snack",
      "dinner",
      "supper"
     ],
     "type": "string"
    },
    {
     "type": "null"
    }
   ],
   "default": null,
   "title": "Meal"
  }
 },
 "required": [
  "file"
 ],
 "title": "SofiaImageInput",
 "type": "object"
}
$schema$, 120, 3600, 10, 604800, 'user', 'sofia_image.v1+sofia_hints.v1', 365, 90, 'sofia'),
('sofia_text', 45, 3, 0, 65536, 
$schema$
{
 "additionalProperties": false,
 "description": "`meal` is taken for foods that the text itself gives no meal.",
 "properties": {
  "text": {
   "maxLength": 2000,
   "minLength": 1,
   "title": "Text",
   "type": "string"
  },
  "meal": {
   "anyOf": [
    {
     "enum": [
      "breakfast",
      "morning_snack",
      "lunch",
      "snack",
      "dinner",
      "supper"
     ],
     "type": "string"
    },
    {
     "type": "null"
    }
   ],
   "default": null,
   "title": "Meal"
  },
  "locale": {
   "const": "pt-BR",
   "default": "pt-BR",
   "title": "Locale",
   "type": "string"
  }
 },
 "required": [
  "text"
 ],
 "title": "SofiaTextInput",
 "type": "object"
}
$schema$, 300, 3600, 20, null, 'user', 'parser-1+sofia_text.v1', 365, 90, 'sofia'),
('medical_exam', 300, 3, 0, 65536, 
$schema$
{
 "$defs": {
  "StoredFile": {
   "additionalProperties": false,
   "description": "An object in Supabase Storage; that it belongs to the caller is checked when the job is enqueued.",
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
 "description": "Photos and PDFs of one report in the order of its pages, of which it may have 20 in all.",
 "properties": {
  "files": {
   "items": {
    "$ref": "#/$defs/StoredFile"
   },
   "maxItems": 10,
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
$schema$, 60, 3600, 20, 604800, 'user', 'ocr-2+medical_exam.v1', null, 90, 'exams'),
('meal_plan', 60, 2, 0, 65536, 
$schema$
{
 "additionalProperties": false,
 "description": "The same input and `seed` give the same plan; another seed gives another. Adults only.",
 "properties": {
  "sex": {
   "enum": [
    "female",
    "male"
   ],
   "title": "Sex",
   "type": "string"
  },
  "age": {
   "maximum": 100,
   "minimum": 18,
   "title": "Age",
   "type": "integer"
  },
  "weight_kg": {
   "maximum": 300,
   "minimum": 30,
   "title": "Weight Kg",
   "type": "number"
  },
  "height_cm": {
   "maximum": 230,
   "minimum": 120,
   "title": "Height Cm",
   "type": "number"
  },
  "activity": {
   "default": "light",
   "enum": [
    "sedentary",
    "light",
    "moderate",
    "high",
    "very_high"
   ],
   "title": "Activity",
   "type": "string"
  },
  "goal": {
   "default": "keep",
   "enum": [
    "lose",
    "keep",
    "gain"
   ],
   "title": "Goal",
   "type": "string"
  },
  "diet": {
   "default": "omnivore",
   "enum": [
    "omnivore",
    "vegetarian",
    "vegan"
   ],
   "title": "Diet",
   "type": "string"
  },
  "avoid": {
   "items": {
    "enum": [
     "gluten",
     "lactose"
    ],
    "type": "string"
   },
   "maxItems": 2,
   "title": "Avoid",
   "type": "array"
  },
  "allergies": {
   "items": {
    "enum": [
     "wheat",
     "milk",
     "egg",
     "peanut",
     "nuts",
     "soy",
     "fish",
     "shellfish"
    ],
    "type": "string"
   },
   "maxItems": 8,
   "title": "Allergies",
   "type": "array"
  },
  "dislikes": {
   "items": {
    "maxLength": 60,
    "minLength": 2,
    "type": "string"
   },
   "maxItems": 20,
   "title": "Dislikes",
   "type": "array"
  },
  "days": {
   "default": 7,
   "maximum": 7,
   "minimum": 1,
   "title": "Days",
   "type": "integer"
  },
  "meals_per_day": {
   "default": 4,
   "maximum": 6,
   "minimum": 3,
   "title": "Meals Per Day",
   "type": "integer"
  },
  "seed": {
   "default": 0,
   "maximum": 1000000,
   "minimum": 0,
   "title": "Seed",
   "type": "integer"
  }
 },
 "required": [
  "sex",
  "age",
  "weight_kg",
  "height_cm"
 ],
 "title": "MealPlanInput",
 "type": "object"
}
$schema$, 30, 3600, 5, 86400, 'user', 'optimiser-1', 365, 90, 'meal_plan'),
('unified_assistant', 60, 2, 2, 131072, 
$schema$
{
 "$defs": {
  "ChatTurn": {
   "additionalProperties": false,
   "properties": {
    "role": {
     "enum": [
      "user",
      "assistant"
     ],
     "title": "Role",
     "type": "string"
    },
    "text": {
     "maxLength": 2000,
     "minLength": 1,
     "pattern": "\\S",
     "title": "Text",
     "type": "string"
    }
   },
   "required": [
    "role",
    "text"
   ],
   "title": "ChatTurn",
   "type": "object"
  },
  "Fact": {
   "additionalProperties": false,
   "description": "Something the app knows: \"objetivo\", \"perder 5 kg até março\".",
   "properties": {
    "label": {
     "maxLength": 60,
     "minLength": 1,
     "title": "Label",
     "type": "string"
    },
    "value": {
     "maxLength": 300,
     "minLength": 1,
     "title": "Value",
     "type": "string"
    }
   },
   "required": [
    "label",
    "value"
   ],
   "title": "Fact",
   "type": "object"
  }
 },
 "additionalProperties": false,
 "description": "`history` is oldest first, `memory` what the user told in other conversations, `context` what the app knows.",
 "properties": {
  "persona": {
   "enum": [
    "sofia",
    "dr_vital"
   ],
   "title": "Persona",
   "type": "string"
  },
  "message": {
   "maxLength": 2000,
   "minLength": 1,
   "pattern": "\\S",
   "title": "Message",
   "type": "string"
  },
  "history": {
   "items": {
    "$ref": "#/$defs/ChatTurn"
   },
   "maxItems": 20,
   "title": "History",
   "type": "array"
  },
  "memory": {
   "items": {
    "maxLength": 300,
    "minLength": 1,
    "type": "string"
   },
   "maxItems": 30,
   "title": "Memory",
   "type": "array"
  },
  "context": {
   "items": {
    "$ref": "#/$defs/Fact"
   },
   "maxItems": 30,
   "title": "Context",
   "type": "array"
  }
 },
 "required": [
  "persona",
  "message"
 ],
 "title": "UnifiedAssistantInput",
 "type": "object"
}
$schema$, 240, 3600, 5, null, 'user', 'sofia.v1+dr_vital.v1', 30, 30, 'unified'),
('dr_vital', 60, 2, 1, 262144, 
$schema$
{
 "$defs": {
  "Measurement": {
   "additionalProperties": false,
   "properties": {
    "on": {
     "format": "date",
     "title": "On",
     "type": "string"
    },
    "value": {
     "maximum": 1000000,
     "minimum": 0,
     "title": "Value",
     "type": "number"
    }
   },
   "required": [
    "on",
    "value"
   ],
   "title": "Measurement",
   "type": "object"
  },
  "Series": {
   "additionalProperties": false,
   "description": "Points in any order, several a day as they come.",
   "properties": {
    "kind": {
     "enum": [
      "weight_kg",
      "body_fat_percent",
      "waist_cm",
      "systolic_mmhg",
      "diastolic_mmhg",
      "glucose_mg_dl",
      "heart_rate_bpm",
      "steps",
      "active_minutes",
      "sleep_hours",
      "water_ml"
     ],
     "title": "Kind",
     "type": "string"
    },
    "points": {
     "items": {
      "$ref": "#/$defs/Measurement"
     },
     "maxItems": 400,
     "minItems": 1,
     "title": "Points",
     "type": "array"
    },
    "target": {
     "anyOf": [
      {
       "$ref": "#/$defs/Target"
      },
      {
       "type": "null"
      }
     ],
     "default": null
    }
   },
   "required": [
    "kind",
    "points"
   ],
   "title": "Series",
   "type": "object"
  },
  "Target": {
   "additionalProperties": false,
   "description": "The user's own goal, or a range printed on a report of theirs; nothing else counts as out of range.",
   "properties": {
    "low": {
     "anyOf": [
      {
       "maximum": 1000000,
       "minimum": 0,
       "type": "number"
      },
      {
       "type": "null"
      }
     ],
     "default": null,
     "title": "Low"
    },
    "high": {
     "anyOf": [
      {
       "maximum": 1000000,
       "minimum": 0,
       "type": "number"
      },
      {
       "type": "null"
      }
     ],
     "default": null,
     "title": "High"
    },
    "source": {
     "enum": [
      "user",
      "printed"
     ],
     "title": "Source",
     "type": "string"
    }
   },
   "required": [
    "source"
   ],
   "title": "Target",
   "type": "object"
  }
 },
 "additionalProperties": false,
 "properties": {
  "series": {
   "items": {
    "$ref": "#/$defs/Series"
   },
   "maxItems": 11,
   "minItems": 1,
   "title": "Series",
   "type": "array"
  },
  "question": {
   "anyOf": [
    {
     "maxLength": 1000,
     "minLength": 1,
     "pattern": "\\S",
     "type": "string"
    },
    {
     "type": "null"
    }
   ],
   "default": null,
   "title": "Question"
  }
 },
 "required": [
  "series"
 ],
 "title": "DrVitalInput",
 "type": "object"
}
$schema$, 60, 3600, 5, null, 'user', 'dr_vital_reading.v1', 90, 90, 'unified'),
('health_insights', 60, 2, 0, 262144, 
$schema$
{
 "$defs": {
  "Measurement": {
   "additionalProperties": false,
   "properties": {
    "on": {
     "format": "date",
     "title": "On",
     "type": "string"
    },
    "value": {
     "maximum": 1000000,
     "minimum": 0,
     "title": "Value",
     "type": "number"
    }
   },
   "required": [
    "on",
    "value"
   ],
   "title": "Measurement",
   "type": "object"
  },
  "Series": {
   "additionalProperties": false,
   "description": "Points in any order, several a day as they come.",
   "properties": {
    "kind": {
     "enum": [
      "weight_kg",
      "body_fat_percent",
      "waist_cm",
      "systolic_mmhg",
      "diastolic_mmhg",
      "glucose_mg_dl",
      "heart_rate_bpm",
      "steps",
      "active_minutes",
      "sleep_hours",
      "water_ml"
     ],
     "title": "Kind",
     "type": "string"
    },
    "points": {
     "items": {
      "$ref": "#/$defs/Measurement"
     },
     "maxItems": 400,
     "minItems": 1,
     "title": "Points",
     "type": "array"
    },
    "target": {
     "anyOf": [
      {
       "$ref": "#/$defs/Target"
      },
      {
       "type": "null"
      }
     ],
     "default": null
    }
   },
   "required": [
    "kind",
    "points"
   ],
   "title": "Series",
   "type": "object"
  },
  "Target": {
   "additionalProperties": false,
   "description": "The user's own goal, or a range printed on a report of theirs; nothing else counts as out of range.",
   "properties": {
    "low": {
     "anyOf": [
      {
       "maximum": 1000000,
       "minimum": 0,
       "type": "number"
      },
      {
       "type": "null"
      }
     ],
     "default": null,
     "title": "Low"
    },
    "high": {
     "anyOf": [
      {
       "maximum": 1000000,
       "minimum": 0,
       "type": "number"
      },
      {
       "type": "null"
      }
     ],
     "default": null,
     "title": "High"
    },
    "source": {
     "enum": [
      "user",
      "printed"
     ],
     "title": "Source",
     "type": "string"
    }
   },
   "required": [
    "source"
   ],
   "title": "Target",
   "type": "object"
  }
 },
 "additionalProperties": false,
 "properties": {
  "series": {
   "items": {
    "$ref": "#/$defs/Series"
   },
   "maxItems": 11,
   "minItems": 1,
   "title": "Series",
   "type": "array"
  }
 },
 "required": [
  "series"
 ],
 "title": "HealthInsightsInput",
 "type": "object"
}
$schema$, 60, 3600, 5, null, 'user', 'health_insights.v1', 90, 90, 'unified'),
('whatsapp_message', 60, 3, 1, 131072, 
$schema$
{
 "$defs": {
  "ChatTurn": {
   "additionalProperties": false,
   "properties": {
    "role": {
     "enum": [
      "user",
      "assistant"
     ],
     "title": "Role",
     "type": "string"
    },
    "text": {
     "maxLength": 2000,
     "minLength": 1,
     "pattern": "\\S",
     "title": "Text",
     "type": "string"
    }
   },
   "required": [
    "role",
    "text"
   ],
   "title": "ChatTurn",
   "type": "object"
  }
 },
 "additionalProperties": false,
 "properties": {
  "message": {
   "maxLength": 2000,
   "minLength": 1,
   "pattern": "\\S",
   "title": "Message",
   "type": "string"
  },
  "name": {
   "anyOf": [
    {
     "maxLength": 60,
     "minLength": 1,
     "type": "string"
    },
    {
     "type": "null"
    }
   ],
   "default": null,
   "title": "Name"
  },
  "history": {
   "items": {
    "$ref": "#/$defs/ChatTurn"
   },
   "maxItems": 10,
   "title": "History",
   "type": "array"
  },
  "memory": {
   "items": {
    "maxLength": 300,
    "minLength": 1,
    "type": "string"
   },
   "maxItems": 20,
   "title": "Memory",
   "type": "array"
  }
 },
 "required": [
  "message"
 ],
 "title": "WhatsappMessageInput",
 "type": "object"
}
$schema$, 240, 3600, 10, null, 'user', 'whatsapp.v1', 30, 30, 'whatsapp'),
('whatsapp_nutrition', 60, 3, 1, 65536, 
$schema$
{
 "$defs": {
  "StoredFile": {
   "additionalProperties": false,
   "description": "An object in Supabase Storage; that it belongs to the caller is checked when the job is enqueued.",
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
 "description": "`text` is the message or the caption of the photo.",
 "properties": {
  "text": {
   "anyOf": [
    {
     "maxLength": 2000,
     "minLength": 1,
     "pattern": "\\S",
     "type": "string"
    },
    {
     "type": "null"
    }
   ],
   "default": null,
   "title": "Text"
  },
  "file": {
   "anyOf": [
    {
     "$ref": "#/$defs/StoredFile"
    },
    {
     "type": "null"
    }
   ],
   "default": null
  },
  "meal": {
   "anyOf": [
    {
     "enum": [
      "breakfast",
      "morning_snack",
      "lunch",
      "snack",
      "dinner",
      "supper"
     ],
     "type": "string"
    },
    {
     "type": "null"
    }
   ],
   "default": null,
   "title": "Meal"
  }
 },
 "title": "WhatsappNutritionInput",
 "type": "object"
}
$schema$, 120, 3600, 10, null, 'user', 'parser-1+sofia_image.v1+sofia_hints.v1+sofia_text.v1', 365, 90, 'whatsapp')
on conflict on constraint analysis_types_pkey do update set
    timeout_seconds = excluded.timeout_seconds,
    max_attempts = excluded.max_attempts,
    priority = excluded.priority,
    input_max_bytes = excluded.input_max_bytes,
    input_schema = excluded.input_schema,
    rate_limit = excluded.rate_limit,
    rate_window_seconds = excluded.rate_window_seconds,
    max_pending_per_user = excluded.max_pending_per_user,
    cache_ttl_seconds = excluded.cache_ttl_seconds,
    cache_scope = excluded.cache_scope,
    prompt_version = excluded.prompt_version,
    retain_completed_days = excluded.retain_completed_days,
    retain_failed_days = excluded.retain_failed_days,
    flag_key = excluded.flag_key;
