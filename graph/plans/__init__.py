"""Try a reorganisation before it is signed, and record it when it is.

Read in this order: ``reading`` takes a plan from a file, ``naming`` finds what its words mean in the register,
``drafting`` states it as records and refuses what cannot be, ``foreseeing`` compares the register with and without it.
"""
