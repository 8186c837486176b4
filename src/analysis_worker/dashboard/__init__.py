"""The dashboard: the queue as an operator sees and steers it in a browser.

Pages are rendered here and work without JavaScript; with it, what changes in a page is replaced while one looks. All it
knows and does goes through the SQL functions that operators have, so whatever it changes is on record there.
"""
