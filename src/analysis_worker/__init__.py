"""A job worker for Supabase."""
