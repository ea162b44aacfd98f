"""Made-up histories, the same for the same seed."""

from pipeflow.testing.histories.generation import BASE_TIME, generate_history, generate_related

__all__ = ["BASE_TIME", "generate_history", "generate_related"]
