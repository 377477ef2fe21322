"""From commit to hint: the committing process publishes at once; a worker finishes what a crash left."""
