"""How long an id may be: the source is held to it, and so is whoever asks.

The warehouse keeps payment, company and client in B-tree indexes, whose entries end at about 2,700 bytes; two ids of
this many characters, four bytes each, fit with room for the times beside them.
"""

MAX_ID_CHARACTERS = 128
