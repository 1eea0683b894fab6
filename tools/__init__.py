"""What is made of a recording of the program; nothing that is deployed needs it."""
