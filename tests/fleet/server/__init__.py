"""A nats-server of one's own, with the real program: what it refuses, and how it runs."""
