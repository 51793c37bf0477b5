"""The built-in model: a tiny transformer that executes Python in its head."""
