"""A tiny language model made on the spot, for tests that need a real one: random weights, a few hundred kilobytes.

It speaks nonsense, the same nonsense for the same prompt each time. No network, a second of work.
"""

from __future__ import annotations

from pathlib import Path

#: A chat template with turns in words, which the tokenizer needs no special tokens for.
TEMPLATE = (
    "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
TEXTS = (
    "def f(x):\n    return x + 1\n",
    "for item in items:\n    total += item\nprint(total)\n",
    "The loop over numbers starts; n becomes 1, so the condition is false.\n",
)


def tiny_model(folder: Path, *, template: str | None = TEMPLATE, context: int = 512, seed: int = 0) -> Path:
    """Writes a random Llama and a tokenizer of its own (bytes, and a few merges) into `folder`; returns it."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=["<s>", "</s>"], initial_alphabet=alphabet)
    raw.train_from_iterator(TEXTS, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, bos_token="<s>", eos_token="</s>")
    if template is not None:
        tokenizer.chat_template = template
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=context,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        # Weights this large make its choices depend on the prompt.
        initializer_range=0.4,
    )
    model = LlamaForCausalLM(config)
    # As real models' files say: a habit of sampling, for whoever leaves it to them.
    model.generation_config.update(do_sample=True, temperature=0.7, top_k=20)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
