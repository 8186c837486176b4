"""One small adapter for each system. Each runs in processes of its own and never in the one that measures."""
