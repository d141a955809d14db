"""`python -m bench newcomers`: forty questions of newcomers, as `/chat` puts them to a model."""
