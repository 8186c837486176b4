"""A REST interface over PostgreSQL that answers as PostgREST 14 does, as far as Supabase's clients ask."""

from supabase_local.rest.app import create_rest_app

__all__ = ["create_rest_app"]
