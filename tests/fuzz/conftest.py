from hypothesis import settings

settings.register_profile("fuzz", max_examples=20_000, deadline=None)
settings.register_profile("fuzz-minute", max_examples=2_500, deadline=None)
