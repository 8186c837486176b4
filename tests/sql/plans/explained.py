"""What a call does inside: the plans of every statement that its functions run, from PostgreSQL's auto_explain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.errors import Diagnostic

from tests.sql.factories import Session, call_set

_SETTINGS = {
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_buffers": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_format": "json",
    "client_min_messages": "log",
}
_CHILDREN = "Plans"


@dataclass(frozen=True, slots=True)
class Statement:
    query: str
    plan: dict[str, Any]

    def scans(self) -> Iterator[dict[str, Any]]:
        """The nodes that read a table."""
        nodes = [self.plan]
        while nodes:
            node = nodes.pop()
            nodes += node.get(_CHILDREN, [])
            if "Relation Name" in node and "Scan" in node["Node Type"]:
                yield node


@dataclass(frozen=True, slots=True)
class Explained:
    """One call: its answer, its statements, and the pages that all of them together have touched."""

    answer: list[Any]
    statements: list[Statement]
    pages: int

    def whole_reads(self) -> set[str]:
        """Tables that were read from end to end, with the statement that did."""
        return {
            f"{node['Relation Name']}: {statement.query}"
            for statement in self.statements
            for node in statement.scans()
            if node["Node Type"] == "Seq Scan"
        }

    def rows(self, table: str) -> int:
        """How many rows of this table were looked at, those included that a filter threw away."""
        return sum(
            round((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
            for statement in self.statements
            for node in statement.scans()
            if node["Relation Name"] == table
        )


@dataclass(slots=True)
class Explainer:
    """A session that tells what it did."""

    session: Session
    _statements: list[Statement] = field(default_factory=list)

    def call(self, function: str, **arguments: Any) -> Explained:
        self._statements.clear()
        answer = call_set(self.session, function, **arguments)
        outermost = self._statements[-1].plan
        pages = outermost["Shared Hit Blocks"] + outermost["Shared Read Blocks"]
        return Explained(answer, list(self._statements), pages)

    def hear(self, message: Diagnostic) -> None:
        _, found, plan = (message.message_primary or "").partition("plan:\n")
        if found:
            explained = json.loads(plan)
            self._statements.append(Statement(explained["Query Text"], explained["Plan"]))


@contextmanager
def explaining(superuser_url: str, role: str, user_id: UUID | None = None) -> Iterator[Explainer]:
    """A session of this role; only a superuser may load and set what makes it tell."""
    with psycopg.connect(superuser_url, autocommit=True) as session:
        session.execute("load 'auto_explain'")
        claims = {"role": role} | ({"sub": str(user_id)} if user_id else {})
        session.execute("select set_config('request.jwt.claims', %s, false)", [json.dumps(claims)])
        for name, value in _SETTINGS.items():
            session.execute("select set_config(%s, %s, false)", [name, value])
        session.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
        explainer = Explainer(session)
        session.add_notice_handler(explainer.hear)
        yield explainer
