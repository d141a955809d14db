"""What makes transformers' models fast on a CUDA device, for those that it knows by shape."""
