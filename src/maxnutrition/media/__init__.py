"""Files that users send: fetched with a cap, and made harmless before anything reads them."""
