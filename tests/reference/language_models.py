"""The decoder-only language models of transformers, and the specs that equal them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn
from transformers import (
    BloomConfig,
    BloomForCausalLM,
    Cohere2Config,
    Cohere2ForCausalLM,
    CohereConfig,
    CohereForCausalLM,
    DeepseekV3Config,
    DeepseekV3ForCausalLM,
    FalconConfig,
    FalconForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    GPTJConfig,
    GPTJForCausalLM,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    GptOssConfig,
    GptOssForCausalLM,
    GraniteConfig,
    GraniteForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    MixtralConfig,
    MixtralForCausalLM,
    Olmo2Config,
    Olmo2ForCausalLM,
    OlmoConfig,
    OlmoForCausalLM,
    OPTConfig,
    OPTForCausalLM,
    Phi3Config,
    Phi3ForCausalLM,
    PhiConfig,
    PhiForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3MoeConfig,
    Qwen3MoeForCausalLM,
    SmolLM3Config,
    SmolLM3ForCausalLM,
    StableLmConfig,
    StableLmForCausalLM,
    Starcoder2Config,
    Starcoder2ForCausalLM,
)

Settings = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A spec and the class that it is held against."""

    spec: str
    model: Callable[..., nn.Module]
    config: Callable[..., Any]
    ours: Settings
    """The params of a small one, and the same as a configuration."""
    theirs: Settings
    published: Mapping[str, tuple[Settings, int]]
    """The configuration and the number of parameters of each variant; "" is the spec's own size."""
    always: Settings = field(default_factory=dict)
    """What all configurations have."""
    padding: str = "left right"
    """Where a text may be padded: where positions are learned, only behind it."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Names that the files of published models have in place of those of the class."""


OURS: Settings = {
    "vocab": 61,
    "width": 24,
    "hidden": 40,
    "depth": 2,
    "heads": 6,
    "kv_heads": 2,
}
THEIRS: Settings = {
    "vocab_size": 61,
    "hidden_size": 24,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
}


def _sizes(vocab: int, width: int, hidden: int, depth: int, heads: int) -> Settings:
    return {
        "vocab_size": vocab,
        "hidden_size": width,
        "intermediate_size": hidden,
        "num_hidden_layers": depth,
        "num_attention_heads": heads,
    }


def _rope(base: float, **others: Any) -> Settings:
    kinds = {"rope_type": "default", "rope_theta": base}
    return {"rope_parameters": kinds | others}


def _llama_rope(factor: float) -> Settings:
    return _rope(
        500000.0,
        rope_type="llama3",
        factor=factor,
        low_freq_factor=1.0,
        high_freq_factor=4.0,
        original_max_position_embeddings=8192,
    )


def _grouped(
    vocab: int, width: int, hidden: int, depth: int, heads: int, kv: int, **more: Any
) -> Settings:
    return {
        **_sizes(vocab, width, hidden, depth, heads),
        "num_key_value_heads": kv,
    } | more


def _bloom(width: int, depth: int, heads: int) -> Settings:
    return {"hidden_size": width, "n_layer": depth, "n_head": heads}


def _falcon(width: int, depth: int, heads: int, **more: Any) -> Settings:
    return {
        "hidden_size": width,
        "num_hidden_layers": depth,
        "num_attention_heads": heads,
    } | more


def _experts(width: int, hidden: int, depth: int, heads: int) -> Settings:
    sizes = _grouped(151936, width, 0, depth, heads, 4, head_dim=128)
    return sizes | {"moe_intermediate_size": hidden}


TIED: Settings = {"tie_word_embeddings": True}

CASES = [
    Case(
        "gpt2",
        GPT2LMHeadModel,
        GPT2Config,
        {
            "vocab": 61,
            "context": 16,
            "width": 24,
            "depth": 2,
            "heads": 3,
            "dropout": 0.0,
        },
        {"vocab_size": 61, "n_positions": 16, "n_embd": 24, "n_layer": 2, "n_head": 3},
        {
            "": ({}, 124_439_808),
            "xl": ({"n_embd": 1600, "n_layer": 48, "n_head": 25}, 1_557_611_200),
        },
        {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0},
        "",
    ),
    Case(
        "llama3",
        LlamaForCausalLM,
        LlamaConfig,
        OURS,
        THEIRS | _llama_rope(8.0),
        {
            "": (_grouped(128256, 4096, 14336, 32, 32, 8), 8_030_261_248),
            "size_1b": (_grouped(128256, 2048, 8192, 16, 32, 8, **TIED), 1_235_814_400),
            "size_3b": (_grouped(128256, 3072, 8192, 28, 24, 8, **TIED), 3_212_749_824),
            "size_70b": (_grouped(128256, 8192, 28672, 80, 64, 8), 70_553_706_496),
        },
        {"rms_norm_eps": 1e-5},
    ),
    Case(
        "qwen2",
        Qwen2ForCausalLM,
        Qwen2Config,
        OURS,
        THEIRS,
        {
            "": (_grouped(152064, 3584, 18944, 28, 28, 4), 7_615_616_512),
            "size_half_b": (
                _grouped(151936, 896, 4864, 24, 14, 2, **TIED),
                494_032_768,
            ),
            "size_72b": (_grouped(152064, 8192, 29568, 80, 64, 8), 72_706_203_648),
        },
        _rope(1000000.0),
    ),
    Case(
        "mistral",
        MistralForCausalLM,
        MistralConfig,
        OURS | {"window": 4},
        THEIRS | {"sliding_window": 4},
        {"": (_grouped(32000, 4096, 14336, 32, 32, 8), 7_241_732_096)},
        {"rms_norm_eps": 1e-5},
    ),
    Case(
        "mixtral",
        MixtralForCausalLM,
        MixtralConfig,
        OURS | {"experts": 5},
        THEIRS | {"num_local_experts": 5, "output_router_logits": True},
        {
            "": (_grouped(32000, 4096, 14336, 32, 32, 8), 46_702_792_704),
            "size_8x22b": (_grouped(32768, 6144, 16384, 56, 48, 8), 140_630_071_296),
        },
        _rope(1000000.0) | {"rms_norm_eps": 1e-5},
    ),
    Case(
        "qwen3",
        Qwen3ForCausalLM,
        Qwen3Config,
        OURS | {"head_dim": 8},
        THEIRS | {"head_dim": 8},
        {
            "": (_grouped(151936, 4096, 12288, 36, 32, 8), 8_190_735_360),
            "size_0_6b": (_grouped(151936, 1024, 3072, 28, 16, 8, **TIED), 596_049_920),
            "size_4b": (_grouped(151936, 2560, 9728, 36, 32, 8, **TIED), 4_022_468_096),
            "size_32b": (_grouped(151936, 5120, 25600, 64, 64, 8), 32_762_123_264),
        },
        _rope(1000000.0),
    ),
    Case(
        "gemma2",
        Gemma2ForCausalLM,
        Gemma2Config,
        # a width whose root is whole: theirs is a number of single precision
        OURS | {"width": 36, "head_dim": 8, "scale_dim": 5, "window": 4, "context": 32},
        THEIRS
        | {
            "hidden_size": 36,
            "head_dim": 8,
            "query_pre_attn_scalar": 5,
            "sliding_window": 4,
        },
        {
            "": ({}, 2_614_341_888),
            "size_9b": (_grouped(256000, 3584, 14336, 42, 16, 8), 9_241_705_984),
            "size_27b": (
                _grouped(256000, 4608, 36864, 46, 32, 16, head_dim=128),
                27_227_128_320,
            ),
        },
    ),
    Case(
        "bloom",
        BloomForCausalLM,
        BloomConfig,
        {"vocab": 61, "width": 24, "depth": 2, "heads": 6},
        {"vocab_size": 61, "hidden_size": 24, "n_layer": 2, "n_head": 6},
        {
            "": (_bloom(4096, 30, 32), 7_069_016_064),
            "size_560m": (_bloom(1024, 24, 16), 559_214_592),
            "size_176b": (_bloom(14336, 70, 112), 176_247_271_424),
        },
    ),
    Case(
        "gpt_neox",
        GPTNeoXForCausalLM,
        GPTNeoXConfig,
        {"vocab": 61, "width": 24, "depth": 2, "heads": 3},
        _sizes(61, 24, 96, 2, 3),
        {
            "": (_sizes(50432, 4096, 16384, 32, 32), 6_857_302_016),
            "size_160m": (_sizes(50304, 768, 3072, 12, 12), 162_322_944),
            "neox_20b": (_sizes(50432, 6144, 24576, 44, 64), 20_554_567_680),
        },
        _rope(10000.0, partial_rotary_factor=0.25),
        files={"lm_head.weight": "embed_out.weight"},
    ),
    Case(
        "opt",
        OPTForCausalLM,
        OPTConfig,
        {
            "vocab": 61,
            "context": 16,
            "width": 24,
            "depth": 2,
            "heads": 3,
            "dropout": 0.0,
        },
        {
            "vocab_size": 61,
            "max_position_embeddings": 16,
            "hidden_size": 24,
            "ffn_dim": 96,
            "num_hidden_layers": 2,
            "num_attention_heads": 3,
        },
        {"": ({}, 125_239_296)},
        {"dropout": 0.0},
    ),
    Case(
        "olmo2",
        Olmo2ForCausalLM,
        Olmo2Config,
        OURS,
        THEIRS,
        {
            "": (_grouped(100352, 4096, 11008, 32, 32, 32), 7_298_617_344),
            "size_13b": (_grouped(100352, 5120, 13824, 40, 40, 40), 13_716_198_400),
            "size_32b": (_grouped(100352, 5120, 27648, 64, 40, 8), 32_234_279_936),
        },
        _rope(500000.0) | {"rms_norm_eps": 1e-6},
    ),
    Case(
        "phi3",
        Phi3ForCausalLM,
        Phi3Config,
        OURS | {"window": 4},
        THEIRS | {"sliding_window": 4, "pad_token_id": 0},
        {"": ({}, 3_821_079_552)},
    ),
    Case(
        "falcon",
        FalconForCausalLM,
        FalconConfig,
        {"vocab": 61, "width": 24, "depth": 2, "heads": 6},
        _falcon(24, 2, 6, vocab_size=61),
        {"": ({}, 6_921_720_704)},
    ),
    Case(
        "falcon",  # the later ones: keys for groups of heads
        FalconForCausalLM,
        FalconConfig,
        {
            "vocab": 61,
            "width": 24,
            "depth": 2,
            "heads": 6,
            "kv_heads": 2,
            "two_norms": True,
        },
        _falcon(24, 2, 6, vocab_size=61, num_kv_heads=2),
        {
            "size_11b": (
                _falcon(4096, 60, 32, num_kv_heads=8, num_ln_in_parallel_attn=1)
                | {"tie_word_embeddings": False},
                11_102_822_400,
            ),
            "size_40b": (_falcon(8192, 60, 128, num_kv_heads=8), 41_303_293_952),
        },
        {"new_decoder_architecture": True},
    ),
    Case(
        "qwen3_moe",
        Qwen3MoeForCausalLM,
        Qwen3MoeConfig,
        OURS | {"head_dim": 8, "experts": 5, "top_k": 2},
        THEIRS
        | {
            "head_dim": 8,
            "moe_intermediate_size": 40,
            "num_experts": 5,
            "num_experts_per_tok": 2,
            "output_router_logits": True,
        },
        {
            "": (_experts(2048, 768, 48, 32), 30_532_122_624),
            "size_235b": (_experts(4096, 1536, 94, 64), 235_093_634_560),
        },
        _rope(1000000.0) | {"norm_topk_prob": True},
    ),
    Case(
        "deepseek_v3",
        DeepseekV3ForCausalLM,
        DeepseekV3Config,
        {
            "vocab": 61,
            "width": 24,
            "hidden": 40,
            "expert_hidden": 12,
            "depth": 3,
            "dense": 1,
            "heads": 3,
            "q_rank": 10,
            "kv_rank": 14,
            "head_dim": 6,
            "rotary_dim": 4,
            "value_dim": 5,
            "experts": 8,
            "shared_experts": 2,
            "groups": 4,
            "top_groups": 2,
            "top_k": 3,
        },
        {
            "vocab_size": 61,
            "hidden_size": 24,
            "intermediate_size": 40,
            "moe_intermediate_size": 12,
            "num_hidden_layers": 3,
            "first_k_dense_replace": 1,
            "num_attention_heads": 3,
            "num_key_value_heads": 3,
            "q_lora_rank": 10,
            "kv_lora_rank": 14,
            "qk_nope_head_dim": 6,
            "qk_rope_head_dim": 4,
            "v_head_dim": 5,
            "n_routed_experts": 8,
            "n_shared_experts": 2,
            "n_group": 4,
            "topk_group": 2,
            "num_experts_per_tok": 3,
        },
        {"": ({}, 671_026_404_352)},
        _rope(
            10000.0,
            rope_type="yarn",
            factor=40.0,
            beta_fast=32.0,
            beta_slow=1.0,
            mscale=1.0,
            mscale_all_dim=1.0,
            original_max_position_embeddings=4096,
        ),
    ),
    Case(
        "gpt_oss",
        GptOssForCausalLM,
        GptOssConfig,
        OURS | {"head_dim": 8, "experts": 5, "top_k": 2, "window": 4},
        THEIRS
        | {
            "head_dim": 8,
            "num_local_experts": 5,
            "num_experts_per_tok": 2,
            "sliding_window": 4,
            "output_router_logits": True,
        },
        {
            "": (
                {"num_hidden_layers": 24, "num_local_experts": 32},
                20_914_757_184,
            ),
            "size_120b": (
                {"num_hidden_layers": 36, "num_local_experts": 128},
                116_829_156_672,
            ),
        },
        {"pad_token_id": None},
    ),
    Case(
        "smollm3",
        SmolLM3ForCausalLM,
        SmolLM3Config,
        OURS | {"depth": 4},  # the fourth layer has no positions
        THEIRS | {"num_hidden_layers": 4},
        {"": ({}, 3_075_098_624)},
        _rope(5000000.0) | {"pad_token_id": None},
    ),
    Case(
        "granite",
        GraniteForCausalLM,
        GraniteConfig,
        OURS | {"attention_multiplier": 0.3},
        THEIRS | {"attention_multiplier": 0.3, "logits_scaling": 16.0},
        {
            "": (
                _grouped(49155, 4096, 12800, 40, 32, 8, logits_scaling=16.0),
                8_170_848_256,
            ),
            "size_2b": (
                _grouped(49155, 2048, 8192, 40, 32, 8, logits_scaling=8.0),
                2_533_531_648,
            ),
        },
        {
            "embedding_multiplier": 12.0,
            "residual_multiplier": 0.22,
            "rms_norm_eps": 1e-5,
        }
        | TIED,
    ),
    Case(
        "cohere",
        CohereForCausalLM,
        CohereConfig,
        OURS,
        THEIRS,
        {"": ({}, 34_980_831_232)},
        _rope(8000000.0) | {"pad_token_id": None},
    ),
    Case(
        "stablelm",
        StableLmForCausalLM,
        StableLmConfig,
        OURS | {"width": 48},  # of 8 values in each head, two turn
        THEIRS | {"hidden_size": 48},
        {"": ({}, 2_795_443_200)},
    ),
    Case(
        "phi",
        PhiForCausalLM,
        PhiConfig,
        {"vocab": 61, "width": 24, "depth": 2, "heads": 3, "rotary_dim": 4},
        _sizes(61, 24, 96, 2, 3) | _rope(10000.0, partial_rotary_factor=0.5),
        {
            "": (
                _sizes(51200, 2560, 10240, 32, 32)
                | _rope(10000.0, partial_rotary_factor=0.4),
                2_779_683_840,
            ),
            "phi_1_5": (_sizes(51200, 2048, 8192, 24, 32), 1_418_270_720),
        },
    ),
    Case(
        "gptj",
        GPTJForCausalLM,
        GPTJConfig,
        {"vocab": 61, "width": 24, "depth": 2, "heads": 3, "rotary_dim": 4},
        {
            "vocab_size": 61,
            "n_embd": 24,
            "n_layer": 2,
            "n_head": 3,
            "rotary_dim": 4,
        },
        {"": ({}, 6_050_882_784)},
    ),
    Case(
        "olmo",
        OlmoForCausalLM,
        OlmoConfig,
        {"vocab": 61, "width": 24, "hidden": 40, "depth": 2, "heads": 3},
        _sizes(61, 24, 40, 2, 3),
        {
            "": ({}, 6_888_095_744),
            "size_1b": (_sizes(50304, 2048, 8192, 16, 16) | TIED, 1_176_764_416),
        },
    ),
    Case(
        "starcoder2",
        Starcoder2ForCausalLM,
        Starcoder2Config,
        {
            "vocab": 61,
            "width": 24,
            "depth": 2,
            "heads": 6,
            "kv_heads": 2,
            "window": 4,
            "base": 10000.0,
        },
        THEIRS | {"intermediate_size": 96, "sliding_window": 4},
        {
            "": ({}, 3_030_371_328),
            "size_7b": (_grouped(49152, 4608, 18432, 32, 36, 4), 7_173_923_840),
        },
        {"bos_token_id": None, "eos_token_id": None},
    ),
    Case(
        "cohere2",
        Cohere2ForCausalLM,
        Cohere2Config,
        OURS | {"depth": 4, "window": 4, "context": 32},
        THEIRS | {"num_hidden_layers": 4, "sliding_window": 4},
        {"": (_grouped(256000, 4096, 14336, 32, 32, 8), 8_028_033_024)},
        _rope(50000.0) | {"pad_token_id": None, "logit_scale": 0.25},
    ),
]
