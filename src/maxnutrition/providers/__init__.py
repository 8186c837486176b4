"""Models of several makers behind one protocol, and what keeps a bad day of theirs from becoming one of ours."""
