"""The built-in model's tokenizer as the files that other libraries read: `tokenizer.json`, `tokenizer_config.json`.

Guarantees: `AutoTokenizer.from_pretrained(folder)` gives every word of the language the id that `notation.IDS` gives,
whatever stands beside it, and writes them back with single spaces; ids run up to a multiple of 64, filled with words
that the language does not have. The files hold no code. Needs nothing beyond the standard library.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from semcoder.core.files import write_json
from semcoder.nano.notation import BOS, EOS, PAD, VOCABULARY
from semcoder.nano.rows import CONTEXT

#: The vocabulary's size is a multiple of this.
_MULTIPLE: Final = 64


def vocabulary() -> list[str]:
    """All words by id: the language's, then those that fill up."""
    missing = -len(VOCABULARY) % _MULTIPLE
    return [*VOCABULARY, *(f"<unused-{place}>" for place in range(missing))]


def tokenizer_document() -> dict[str, Any]:
    """What stands in `tokenizer.json`: whole words between white space, nothing normalised or added."""
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": VOCABULARY.index(word),
                "content": word,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for word in (PAD, EOS, BOS)
        ],
        "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "WordLevel",
            "vocab": {word: place for place, word in enumerate(vocabulary())},
            "unk_token": PAD,
        },
    }


def save_tokenizer(folder: Path) -> None:
    """Writes both files into a model's folder, which must be there."""
    write_json(folder / "tokenizer.json", tokenizer_document())
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": BOS,
        "eos_token": EOS,
        "pad_token": PAD,
        "unk_token": PAD,
        "clean_up_tokenization_spaces": False,
        "model_max_length": CONTEXT,
    }
    write_json(folder / "tokenizer_config.json", config)
