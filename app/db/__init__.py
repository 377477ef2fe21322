"""SQL. Each function takes the connection first and the environment next, and makes one round trip."""
