"""Portuguese (and some English) meal texts become foods and grams, without a model and in bounded time."""
