"""`python -m bench solve`: problems with known answers, put to a model as `/solve` puts them."""
