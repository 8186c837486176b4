"""Writes the reference in Markdown, from what the code, the database and the contracts say of themselves."""
