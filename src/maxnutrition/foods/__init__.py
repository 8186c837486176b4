"""Foods: a table with figures and household measures, search, sums that know what they do not know, meal texts."""
