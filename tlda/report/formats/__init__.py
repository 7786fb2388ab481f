"""Tables of results in the forms that they are read in: each `draw`s rows as a text."""
