"""A pytest plugin: Hypothesis tells that a mutant is wrong, not the smallest example of it."""

from hypothesis import Phase, settings

settings.register_profile(
    "unshrunk",
    phases=(Phase.explicit, Phase.generate),
    max_examples=50,
    derandomize=True,
    database=None,
    deadline=None,
)
settings.load_profile("unshrunk")
