"""The throw-away server behind the tests is itself what it says."""

import psycopg


def test_the_owner_of_migrations_is_no_superuser(migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        row = connection.execute("select current_user, rolsuper from pg_roles where rolname = current_user").fetchone()
    assert row == ("postgres", False)
