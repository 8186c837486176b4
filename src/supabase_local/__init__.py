"""A Docker-free stand-in for `supabase start`."""
