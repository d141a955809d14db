"""The library's attention layers that `fused_attention.FusedAttention` can replace."""

# Those of the pinned version whose forward pass is Llama's, the norms of Qwen3's heads aside. A
# test compares them, so that an upgrade which changes one is seen.
FAMILIES = ("LlamaAttention", "MistralAttention", "Qwen2Attention", "Qwen3Attention")
