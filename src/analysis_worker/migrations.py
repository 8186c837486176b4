"""Where the SQL of the queue is: inside an installed package, beside the sources in a checkout."""

from __future__ import annotations

from pathlib import Path


def migrations_directory() -> Path:
    """The directory with all migration files."""
    packaged = Path(__file__).parent / "sql"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "supabase" / "migrations"


def engine_migrations(directory: Path) -> list[Path]:
    """The files that every application needs, oldest first; the others add the job types of one application."""
    return sorted(directory.glob("*_analysis_*.sql"))
