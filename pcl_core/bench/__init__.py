"""How fast every stage is on this machine, beside what it could be and what the plain way takes."""
