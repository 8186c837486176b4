"""The diagrams of the site, drawn by `python -m docs.diagrams.draw` into this folder."""
