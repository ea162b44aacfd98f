"""A watch on sockets, of an account that lives, under faults, killed again and again."""
