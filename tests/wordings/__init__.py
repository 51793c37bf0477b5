"""How people and language models word the facts of an execution: data for measuring the checker, never for building it."""
