"""The bucket for inputs: private, bounded, a folder for each user."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.sql.factories import Queue, Session, refused


def upload(session: Session, name: str, bucket: str = "analysis-inputs") -> None:
    session.execute("insert into storage.objects (bucket_id, name) values (%s, %s)", [bucket, name])


def listed(session: Session) -> set[str]:
    return {name for (name,) in session.execute("select name from storage.objects").fetchall()}


def two_users_with_files(queue: Queue) -> tuple[UUID, UUID]:
    one, other = queue.new_user(), queue.new_user()
    queue.new_file(f"{one}/a.jpg")
    queue.new_file(f"{other}/a.jpg")
    return one, other


def test_the_bucket_is_private_and_takes_small_images_and_pdfs_only(queue: Queue) -> None:
    query = "select public, file_size_limit, allowed_mime_types from storage.buckets where id = 'analysis-inputs'"
    assert queue.owner.execute(query).fetchone() == (
        False,
        20_971_520,
        ["image/jpeg", "image/png", "image/webp", "application/pdf"],
    )


def test_users_add_to_their_own_folder(queue: Queue) -> None:
    user_id = queue.new_user()
    session = queue.user(user_id)
    upload(session, f"{user_id}/2026/exam.jpg")
    assert listed(session) == {f"{user_id}/2026/exam.jpg"}


@pytest.mark.parametrize("name", ["{other}/exam.jpg", "exam.jpg", "{own}", "/{own}/exam.jpg", "{own}x/exam.jpg"])
def test_users_add_to_no_other_place(queue: Queue, name: str) -> None:
    own, other = queue.new_user(), queue.new_user()
    with refused("42501", "row-level security"):
        upload(queue.user(own), name.format(own=own, other=other))


def test_the_policies_open_no_other_bucket(queue: Queue) -> None:
    user_id = queue.new_user()
    queue.owner.execute("insert into storage.buckets (id, name) values ('elsewhere', 'elsewhere')")
    with refused("42501", "row-level security"):
        upload(queue.user(user_id), f"{user_id}/exam.jpg", bucket="elsewhere")


def test_users_see_and_delete_their_own_files_only(queue: Queue) -> None:
    one, other = two_users_with_files(queue)
    session = queue.user(one)
    assert listed(session) == {f"{one}/a.jpg"}
    session.execute("delete from storage.objects")
    assert listed(queue.owner) == {f"{other}/a.jpg"}


def test_a_file_is_never_replaced(queue: Queue) -> None:
    one, _ = two_users_with_files(queue)
    assert queue.user(one).execute("update storage.objects set version = '2'").rowcount == 0


def test_without_signing_in_there_are_no_files(queue: Queue) -> None:
    two_users_with_files(queue)
    assert listed(queue.session("anon")) == set()
    with refused("42501", "row-level security"):
        upload(queue.session("anon"), "exam.jpg")
