"""Edge Functions: each runs in a Deno process of its own, begun with its first call."""

from supabase_local.functions.app import create_functions_app
from supabase_local.functions.sources import FunctionSources

__all__ = ["FunctionSources", "create_functions_app"]
