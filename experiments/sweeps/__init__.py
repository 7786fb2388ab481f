"""Random search over a method's fields, by as many workers as there are, on as many machines."""
