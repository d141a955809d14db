"""What is changed in transformers' continuous batching, each change in a module of its own.

- `prefix_cache`: finished turns stay in the cache, and no piece of a prompt is lost. Contract
  tests: test_contract_batching.py, test_prefixes.py.
- `chunked_prefill`: a long prompt delays no text that is being written. Contract tests:
  test_contract_batching.py, test_steps.py.
- `page_tables`: the batching thread lists pages instead of tokens. Contract test: test_pages.py.
- `cuda_graphs`: graphs for prompts exist before the first request. Contract test: test_gpu.py.

The tests are in tests/inference/engines. A contract test fails when the library changes what a
patch relies on, or mends what the patch mends. pyproject.toml pins the library for that reason.
"""
