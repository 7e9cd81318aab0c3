"""Write down what the rules find: each fault with the days on which it stands, as a derived graph."""
