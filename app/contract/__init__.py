"""The shapes of the contract: ids, times, errors, resources, hints. Pure values; nothing here does I/O."""
