"""What goes into and comes out of each job type. No result has a field for diagnosis or prescription."""
