"""Made-up histories, the same for the same seed, and the names that stand behind them."""

from pipeflow.testing.histories.generation import BASE_TIME, generate_history, generate_related
from pipeflow.testing.histories.naming import generate_names

__all__ = ["BASE_TIME", "generate_history", "generate_names", "generate_related"]
