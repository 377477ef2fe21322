"""The worker: finishes what commits owe. Any number of replicas; each job is done by one of them."""
