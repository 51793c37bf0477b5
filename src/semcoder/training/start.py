"""The model that training starts from: one that exists, or a new one with random weights and a vocabulary of its own.

Guarantees: a new model and its vocabulary depend on recipe, texts and seed alone. A model that cannot be had is a
`UsageError` of one line. Importing this module loads torch and transformers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from semcoder.errors import UsageError
from semcoder.training.recipe import Lora, Start

_START, _END, _PAD = "<s>", "</s>", "<pad>"
#: Words with the space before them; digits, line breaks and signs one by one, so that no number is a token of its own.
_WORDS = Regex(r" ?[A-Za-z]+|\d| +|\n|[^\sA-Za-z\d]")


def _look_for(base: str) -> None:
    """Raises `UsageError` for what can only be a folder and is none, before the hub is asked for it."""
    path = Path(base)
    beside = path.parent != Path() and path.parent.exists()
    if not path.exists() and (beside or base.startswith(("/", ".", "~", "runs/"))):
        raise UsageError(
            f"there is no model at {base!r}: no such folder; train it first, or name another in model.base"
        )


def tokenizer_of(start: Start, texts: Callable[[], Iterable[str]]) -> Any:
    """The model's own tokenizer; for a new model one of `start.new.vocabulary` tokens learned from the texts."""
    if not start.base and not start.new.tokenizer:
        return new_tokenizer(texts(), start.new.vocabulary, start.new.context)
    _look_for(start.base)
    try:
        tokenizer = AutoTokenizer.from_pretrained(start.base or start.new.tokenizer, revision=start.revision or None)
    except (OSError, ValueError, KeyError) as error:
        raise _not_had(start, error) from None
    if tokenizer.eos_token_id is None:
        name = start.base or start.new.tokenizer
        raise UsageError(f"the model {name!r} has no end-of-text token, so it could not learn to stop")
    return tokenizer


def new_tokenizer(texts: Iterable[str], vocabulary: int, context: int) -> Any:
    """Byte-level BPE: any text that spells no special token, and back exactly.

    `vocabulary`: at most so many tokens, at least the 256 bytes.
    """
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(_WORDS, behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[_START, _END, _PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        bos_token=_START,
        eos_token=_END,
        pad_token=_PAD,
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )


def model_of(start: Start, tokenizer: Any, seed: int) -> Any:
    """The model, ready for training: of its base, or new. Raises `UsageError` for a base that cannot be loaded."""
    dtype = getattr(torch, start.dtype)
    if not start.base:
        torch.manual_seed(seed)
        model = LlamaForCausalLM._from_config(
            _config(start, tokenizer), attn_implementation=start.attention, dtype=dtype
        )
    else:
        try:
            model = AutoModelForCausalLM.from_pretrained(
                start.base, revision=start.revision or None, dtype=dtype, attn_implementation=start.attention
            )
        except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
            raise _not_had(start, error) from None
        if len(tokenizer) > model.get_input_embeddings().num_embeddings:
            model.resize_token_embeddings(len(tokenizer))
    # A cache would make transformers overlook that positions restart, which is what keeps packed rows apart.
    model.config.use_cache = False
    return model


def _config(start: Start, tokenizer: Any) -> LlamaConfig:
    new = start.new
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=new.hidden,
        intermediate_size=new.feed_forward or 8 * new.hidden // 3,
        num_hidden_layers=new.layers,
        num_attention_heads=new.heads,
        num_key_value_heads=new.heads,
        max_position_embeddings=new.context,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def with_adapters(model: Any, lora: Lora) -> Any:
    """The model with low-rank adapters, which alone are trained. Raises `UsageError` for layers that it lacks."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=list(lora.targets) or "all-linear",
        task_type="CAUSAL_LM",
    )
    try:
        return get_peft_model(model, config)
    except ValueError as error:
        raise UsageError(f"lora.targets: {str(error).splitlines()[0]}") from None


def _not_had(start: Start, error: Exception) -> UsageError:
    said = (str(error).strip().splitlines() or [type(error).__name__])[0]
    name = start.base or start.new.tokenizer
    return UsageError(f"the model {name!r} cannot be loaded ({said}); name a folder or a model on the hub")
