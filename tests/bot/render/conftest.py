"""A long search for counter-examples: `make split-fuzz`."""

from hypothesis import settings

settings.register_profile("long", max_examples=20_000, deadline=None)
