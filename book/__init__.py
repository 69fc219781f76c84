"""The builder of this book, run as ``python -m book COMMAND``; it is not installed, and nothing imports it."""
